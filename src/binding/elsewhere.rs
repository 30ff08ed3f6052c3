//! The record of a run whose workers are on other machines. JavaScript tells it what a pool would: it is kept, shown and written like
//! that of a run here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::progress::{ProgressHandle, ProgressStyle, shown};
use super::record::TraceFile;
use crate::core::task_id::TaskId;
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Level, Outcome, Record, number_of};
use crate::observe::tally::{Activity, Doing, Tally};
use crate::os::clock::clock;
use crate::wire::header::flag;

/// The outcomes, in the order of `Outcome::NAMES`.
const OUTCOMES: [Outcome; Outcome::NAMES.len()] = [
    Outcome::Answered,
    Outcome::Nothing,
    Outcome::Error,
    Outcome::Crash,
    Outcome::Timeout,
    Outcome::Aborted,
];

/// Others draw it while JavaScript fills it.
pub struct RecordHandle(Arc<Mutex<Kept>>);

struct Kept {
    record: Record,
    /// The slot of each worker, and the process that it has; 0 if it has none now.
    slots: HashMap<u32, (usize, u32)>,
    /// The workers, by slot.
    workers: Vec<u32>,
    /// What those do that run anything, as far as it is known.
    doing: HashMap<u32, Doing>,
    handed_over: u64,
}

impl RecordHandle {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The slot of a worker that has this process now.
    fn slot(&mut self, worker: u32, pid: u32) -> usize {
        let known = self.slots.get(&worker).copied();
        let (slot, before) = known.unwrap_or_else(|| {
            self.record.added(worker);
            self.workers.push(worker);
            (self.workers.len() - 1, 0)
        });
        if before != pid && pid != 0 {
            let now = clock();
            if before != 0 {
                self.record.exited(slot, None, None, now);
            }
            self.record.started(slot, pid, now);
            self.record.ready(slot, now);
        }
        self.slots.insert(worker, (slot, if pid == 0 { before } else { pid }));
        slot
    }

    fn tally(&self, with_workers: bool) -> Tally {
        let (answered, failed) = self.record.ended();
        let activity = |(slot, &worker): (usize, &u32)| {
            let is_there = self.slots.get(&worker).is_some_and(|&(_, pid)| pid != 0);
            let doing = if is_there {
                self.doing.get(&worker).cloned().unwrap_or(Doing::Waiting)
            } else {
                Doing::Gone
            };
            let host = self.record.host_of(worker).map(str::to_owned);
            Activity { worker, host, tasks: self.record.tasks(slot), doing }
        };
        let all = self.workers.iter().enumerate().map(activity);
        let workers = if with_workers { all.collect() } else { Vec::new() };
        Tally { handed_over: self.handed_over, answered, failed, nodes: Vec::new(), workers }
    }
}

/// How an event has ended that ran elsewhere.
#[napi(object)]
pub struct EndedElsewhere {
    /// As `recordHandOver` has counted it.
    pub event: f64,
    /// The worker and its process; 0 if no worker had it.
    pub worker: u32,
    pub pid: u32,
    /// When it ended, by the clock of this process, and the milliseconds that it ran.
    pub finished: f64,
    pub duration: f64,
    /// The index of its outcome.
    pub outcome: u32,
    /// Its data as it crosses, and whether that is text.
    pub data: String,
    pub is_text: bool,
    pub bytes_out: u32,
    /// The JSON of its error.
    pub error: Option<String>,
    /// The JSON of what it adds to the program's counters.
    pub counts: Option<String>,
    pub attempts: u32,
}

/// Begins the record of a run elsewhere. `level`, `epoch` and `isWatched` are as in `runOpen`.
#[napi(ts_return_type = "ExternalObject<RecordHandle>")]
pub fn record_open(level: Option<String>, epoch: f64, is_watched: bool) -> External<RecordHandle> {
    let level = match level.as_deref() {
        None => Level::Counts,
        Some("times") => Level::Times,
        Some(_) => Level::Events,
    };
    let mut record = Record::new(level, &[], clock(), epoch);
    if is_watched {
        record.watch();
    }
    let (slots, workers) = (HashMap::new(), Vec::new());
    External::new(RecordHandle(Arc::new(Mutex::new(Kept {
        record,
        slots,
        workers,
        doing: HashMap::new(),
        handed_over: 0,
    }))))
}

/// An event is handed over, which the program calls so: its number.
#[napi]
pub fn record_hand_over(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    label: Option<String>,
) -> f64 {
    let mut kept = record.lock();
    let task: TaskId = kept.handed_over;
    kept.handed_over += 1;
    kept.record.claimed(task, clock());
    if let Some(label) = label {
        kept.record.name(task, &label);
    }
    task as f64
}

/// A worker is there, as this process. `host` is the machine's name if that is another.
#[napi]
pub fn record_worker(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    worker: u32,
    pid: u32,
    host: Option<String>,
) {
    let mut kept = record.lock();
    if let Some(host) = host {
        kept.record.is_on(worker, &host);
    }
    kept.slot(worker, pid);
}

/// A worker's process has ended. `crash` says how, if nobody has told it to.
#[napi]
pub fn record_exited(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    worker: u32,
    code: Option<i64>,
    signal: Option<String>,
    crash: Option<String>,
) {
    let mut kept = record.lock();
    let Some(&(slot, pid)) = kept.slots.get(&worker) else { return };
    if pid == 0 {
        return;
    }
    let now = clock();
    kept.record.exited(slot, code, signal, now);
    if let Some(how) = crash {
        kept.record.crashed(slot, how, now);
    }
    kept.slots.insert(worker, (slot, 0));
}

/// What a worker runs, by what was heard of it last.
#[napi(object)]
pub struct DoingElsewhere {
    pub worker: u32,
    /// As `recordHandOver` has counted it; none if it is not known.
    pub event: Option<f64>,
    /// For how long it has run.
    pub milliseconds: u32,
    /// The beginning of its data as it crosses, and whether that is text.
    pub data: String,
    pub is_text: bool,
}

/// The workers that run anything: all others wait.
#[napi]
pub fn record_doing(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    all: Vec<DoingElsewhere>,
) {
    let mut kept = record.lock();
    let doing =
        all.into_iter().map(|DoingElsewhere { worker, event, milliseconds, data, is_text }| {
            let Some(task) = event.map(|event| event as TaskId) else {
                return (worker, Doing::Busy);
            };
            let flags = if is_text { 0 } else { flag::HOLE };
            let excerpt = || Data { bytes: data.as_bytes(), flags }.excerpt();
            let text = kept.record.label(task).map_or_else(excerpt, str::to_owned);
            (worker, Doing::Running { event: number_of(task), milliseconds, text })
        });
    kept.doing = doing.collect();
}

/// An event has ended.
#[napi]
pub fn record_ended(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    ended: EndedElsewhere,
) {
    let mut kept = record.lock();
    let EndedElsewhere { worker, pid, finished, outcome, attempts, .. } = ended;
    let slot = (worker != 0).then(|| kept.slot(worker, pid));
    let outcome = OUTCOMES[(outcome as usize).min(OUTCOMES.len() - 1)];
    for _ in 1..attempts {
        kept.record.retried_before();
    }
    let flags = if ended.is_text { 0 } else { flag::HOLE };
    kept.record.end(Ended {
        task: ended.event as TaskId,
        node: 0,
        slot,
        started: slot.is_some().then_some(finished - ended.duration),
        finished,
        outcome,
        data: Data { bytes: ended.data.as_bytes(), flags },
        bytes_out: ended.bytes_out as usize,
        error: ended.error.as_deref().map(str::as_bytes),
        attempts: attempts as usize,
    });
    let counts = ended.counts.as_deref().map(serde_json::from_str::<BTreeMap<String, f64>>);
    if let Some(Ok(counts)) = counts {
        kept.record.count_up(counts);
    }
}

/// Its statistics end.
#[napi]
pub fn record_over(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
) {
    record.lock().record.over(clock());
}

/// As `runStatistics`.
#[napi]
pub fn record_statistics(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
) -> String {
    let kept = record.lock();
    kept.record.statistics(kept.handed_over, clock()).to_string()
}

/// As `runRecent`.
#[napi]
pub fn record_recent(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
) -> Option<String> {
    record.lock().record.recent().map(|recent| recent.show(clock()).to_string())
}

/// As `runReport`.
#[napi]
pub fn record_report(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    head: String,
) -> String {
    let head = serde_json::from_str(&head).unwrap_or_default();
    let kept = record.lock();
    kept.record.report(&head, kept.handed_over, clock()).to_string()
}

/// As `runEnded`.
#[napi]
pub fn record_ended_since(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    from: u32,
) -> Option<String> {
    record.lock().record.ended_since(from as usize)
}

/// As `traceAppend`.
#[napi]
pub fn record_trace(
    #[napi(ts_arg_type = "ExternalObject<TraceHandle>")] trace: &External<TraceFile>,
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
) -> napi::Result<()> {
    let mut trace = trace.0.borrow_mut();
    trace.append(|cursor, text| cursor.render(&record.lock().record, text))?;
    Ok(())
}

/// As `progressBegin`.
#[napi(ts_return_type = "ExternalObject<unknown>")]
pub fn record_progress(
    #[napi(ts_arg_type = "ExternalObject<RecordHandle>")] record: &External<RecordHandle>,
    style: ProgressStyle,
) -> External<ProgressHandle> {
    let kept = Arc::downgrade(&record.0);
    let with_workers = style.workers;
    let source = move || {
        let kept = kept.upgrade()?;
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        Some(kept.tally(with_workers))
    };
    shown(style, Box::new(source))
}
