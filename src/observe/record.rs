//! What a run leaves behind: how much of what there was, how long it took, and where it is asked for every
//! event with its times. It is told and remembers; it decides nothing, and knows no clock.
//!
//! Counts and each worker's share cost a few additions an event and are always kept. Times of waiting,
//! percentiles and the list of all events are a [`Detail`], which is there only when somebody wants it.
//! Memory is bounded: after [`MOST_EVENTS`], [`MOST_MARKS`] and [`MOST_FAILURES`] what comes is counted, and
//! not listed.

mod show;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;
use serde_json::Value;

use crate::core::retry::{Cause, parsed_error, summary_of};
use crate::core::scheduler::TaskId;
use crate::wire::protocol::Common;

/// So many events are listed: 50 bytes each.
const MOST_EVENTS: usize = 1 << 20;

/// So many things that happened are listed. Where there are more, nobody reads them one by one.
const MOST_MARKS: usize = 10_000;

/// The errors of so many events are kept.
const MOST_FAILURES: usize = 1000;

/// A shorter wait for room is how a loop of short events goes, and nothing to tell.
const SHORTEST_PRESSURE: f64 = 1.0;

/// No run takes longer, in milliseconds: 30 years.
const LONGEST: f64 = 1e12;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// What costs nothing.
    Counts,
    /// Also how long events waited and ran, as histograms.
    Times,
    /// Also each event.
    Events,
}

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    /// Without a response.
    Nothing,
    /// A worker function threw.
    Error,
    /// Its worker ended.
    Crash,
    /// It ran too long.
    Timeout,
    /// The run ended before.
    Aborted,
}

impl Outcome {
    /// In the order of their numbers.
    pub(crate) const NAMES: [&'static str; 6] =
        ["answered", "nothing", "error", "crash", "timeout", "aborted"];

    pub(crate) fn of(cause: Cause) -> Self {
        match cause {
            Cause::Crash => Self::Crash,
            Cause::Timeout => Self::Timeout,
            Cause::Error => Self::Error,
        }
    }

    #[cfg(test)]
    pub(crate) fn is_failure(self) -> bool {
        !matches!(self, Self::Answered | Self::Nothing)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// When events of the backlog were handed over, by place: JavaScript's thread writes it before it hands one
/// over.
#[derive(Debug)]
pub(crate) struct Queued(Box<[AtomicU64]>);

impl Default for Queued {
    fn default() -> Self {
        Self((0..Common::PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Queued {
    pub(crate) fn set(&self, number: u32, now: f64) {
        // Published with the event itself.
        self.at(number).store(now.to_bits(), Ordering::Relaxed);
    }

    fn get(&self, number: u32) -> f64 {
        f64::from_bits(self.at(number).load(Ordering::Relaxed))
    }

    fn at(&self, number: u32) -> &AtomicU64 {
        &self.0[(number & (Common::PLACES - 1)) as usize]
    }
}

/// An event that has ended. Times are the clock's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) task: TaskId,
    /// The place of its worker; none if no worker had it.
    pub(crate) slot: Option<usize>,
    /// When it started, if that is known.
    pub(crate) started: Option<f64>,
    pub(crate) finished: f64,
    pub(crate) outcome: Outcome,
    pub(crate) bytes_in: usize,
    pub(crate) bytes_out: usize,
    /// The JSON of its error.
    pub(crate) error: Option<&'a [u8]>,
    /// How many attempts there were.
    pub(crate) attempts: usize,
}

/// A worker's process, from its start to its end.
#[derive(Debug)]
pub(crate) struct Lifetime {
    pub(crate) worker: u32,
    pub(crate) pid: u32,
    pub(crate) started: f64,
    pub(crate) ready: Option<f64>,
    pub(crate) ended: Option<f64>,
    pub(crate) code: Option<i64>,
    pub(crate) signal: Option<String>,
}

/// Something that happened.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) at: f64,
    /// When it was over, if it lasted.
    pub(crate) until: Option<f64>,
    pub(crate) kind: &'static str,
    pub(crate) worker: Option<u32>,
    pub(crate) text: String,
}

/// The error of an event that failed.
#[derive(Debug)]
struct Failure {
    id: i64,
    worker: u32,
    error: Value,
    attempts: usize,
}

/// One event in the list of all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: i64,
    /// Where its process is in [`Record::lifetimes`]; none if no worker had it.
    lifetime: Option<u32>,
    pub(crate) attempts: u16,
    pub(crate) outcome: Outcome,
    pub(crate) queued: f64,
    /// When it was put into its worker's own ring, if it went that way.
    pub(crate) sent: Option<f32>,
    pub(crate) started: f64,
    pub(crate) finished: f64,
}

/// An event that has not ended.
#[derive(Debug, Clone, Copy)]
struct Live {
    queued: f64,
    sent: Option<f64>,
}

#[derive(Debug, Default)]
struct Counts {
    direct: u64,
    /// By outcome.
    ended: [u64; Outcome::NAMES.len()],
    retried: u64,
    crashes: u64,
    restarts: u64,
    bytes_in: u64,
    bytes_out: u64,
}

/// A worker through all its replacements.
#[derive(Debug)]
struct Place {
    worker: u32,
    tasks: u64,
    /// Milliseconds in which it ran something.
    busy: f64,
    /// Its last process.
    lifetime: Option<usize>,
}

/// What is kept where somebody wants to see it.
#[derive(Debug)]
struct Detail {
    queued: Arc<Queued>,
    live: HashMap<TaskId, Live>,
    /// Nanoseconds.
    wait: Histogram<u64>,
    run: Histogram<u64>,
    events: Option<Events>,
}

#[derive(Debug, Default)]
struct Events {
    rows: Vec<Row>,
    marks: Vec<Mark>,
    failures: Vec<Failure>,
    /// How many events are not listed.
    unlisted: u64,
    /// Since when `Map` waits for room.
    pressure: Option<f64>,
}

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Record {
    began: f64,
    /// When the workers were let go.
    ended: Option<f64>,
    /// Milliseconds of the epoch when the run began.
    epoch: f64,
    counts: Counts,
    places: Vec<Place>,
    lifetimes: Vec<Lifetime>,
    detail: Option<Box<Detail>>,
}

impl Record {
    /// `epoch` is what the wall's clock said at `now`.
    pub(crate) fn new(level: Level, workers: &[u32], now: f64, epoch: f64) -> Self {
        let place = |&worker| Place { worker, tasks: 0, busy: 0.0, lifetime: None };
        let detail = || {
            // Three digits, of whatever length of time.
            let histogram = || Histogram::new(3).expect("three digits are few enough");
            Box::new(Detail {
                queued: Arc::default(),
                live: HashMap::new(),
                wait: histogram(),
                run: histogram(),
                events: (level == Level::Events).then(Events::default),
            })
        };
        Self {
            began: now,
            ended: None,
            epoch,
            counts: Counts::default(),
            places: workers.iter().map(place).collect(),
            lifetimes: Vec::new(),
            detail: (level != Level::Counts).then(detail),
        }
    }

    /// Whether times are asked for that nobody else needs.
    pub(crate) fn has_times(&self) -> bool {
        self.detail.is_some()
    }

    /// Where the times are put at which events of the backlog are handed over, if they are asked for.
    pub(crate) fn queued(&self) -> Option<Arc<Queued>> {
        self.detail.as_ref().map(|detail| Arc::clone(&detail.queued))
    }

    /// An event went into the backlog, by the hands of the pool.
    pub(crate) fn published(&self, number: u32, queued: f64) {
        if let Some(detail) = &self.detail {
            detail.queued.set(number, queued);
        }
    }

    /// An event left the backlog. From now on its place may be another's.
    pub(crate) fn claimed(&mut self, task: TaskId) {
        if let Some(detail) = &mut self.detail {
            let queued = detail.queued.get(task as u32);
            detail.live.insert(task, Live { queued, sent: None });
        }
    }

    /// An event never was in the backlog: it is for one worker, or waited for a place there.
    pub(crate) fn taken(&mut self, task: TaskId, queued: f64) {
        if let Some(detail) = &mut self.detail {
            detail.live.insert(task, Live { queued, sent: None });
        }
    }

    /// An event was handed to one worker by the program.
    pub(crate) fn direct(&mut self, task: TaskId, queued: f64) {
        self.counts.direct += 1;
        self.taken(task, queued);
    }

    /// Events were handed over that nothing is known of any more.
    pub(crate) fn dropped(&mut self, events: usize) {
        self.counts.direct += events as u64;
    }

    /// An event was put into a worker's own ring.
    pub(crate) fn sent(&mut self, task: TaskId, now: f64) {
        if let Some(live) = self.detail.as_mut().and_then(|detail| detail.live.get_mut(&task)) {
            live.sent = Some(now);
        }
    }

    /// An event has ended for good.
    pub(crate) fn end(&mut self, ended: Ended<'_>) {
        self.counts.ended[ended.outcome as usize] += 1;
        self.counts.bytes_in += ended.bytes_in as u64;
        self.counts.bytes_out += ended.bytes_out as u64;
        let Some(detail) = &mut self.detail else {
            let run = ended.started.map_or(0.0, |started| sane(ended.finished - started));
            self.ran(ended.slot, run);
            return;
        };
        // Workers say when; they cannot move an event out of the run.
        let latest = self.began + LONGEST;
        let finished = ended.finished.max(self.began).min(latest);
        let live = detail.live.remove(&ended.task);
        let started = ended.started.unwrap_or(finished).max(self.began).min(finished);
        let queued = live.map_or(started, |live| live.queued).max(self.began).min(started);
        let run = sane(finished - started);
        if ended.slot.is_some() {
            note(&mut detail.wait, started - queued);
            note(&mut detail.run, run);
        }
        if let Some(events) = &mut detail.events {
            let place = ended.slot.map(|slot| &self.places[slot]);
            let id = number_of(ended.task);
            if let Some(error) = ended.error.filter(|_| events.failures.len() < MOST_FAILURES) {
                let error = summary_of(&parsed_error(error), &["name", "message", "code"]);
                let worker = place.map_or(0, |place| place.worker);
                events.failures.push(Failure { id, worker, error, attempts: ended.attempts });
            }
            events.list(Row {
                id,
                lifetime: place.and_then(|place| place.lifetime).map(|at| at as u32),
                attempts: u16::try_from(ended.attempts).unwrap_or(u16::MAX),
                outcome: ended.outcome,
                queued: queued - self.began,
                sent: live.and_then(|live| live.sent).map(|sent| (sent - self.began) as f32),
                started: started - self.began,
                finished: finished - self.began,
            });
        }
        self.ran(ended.slot, run);
    }

    fn ran(&mut self, slot: Option<usize>, run: f64) {
        if let Some(place) = slot.and_then(|slot| self.places.get_mut(slot)) {
            place.tasks += 1;
            place.busy += run;
        }
    }

    /// An attempt has failed, and another follows.
    pub(crate) fn retried(
        &mut self,
        task: TaskId,
        slot: usize,
        cause: Cause,
        after: usize,
        now: f64,
    ) {
        self.counts.retried += 1;
        let worker = self.places[slot].worker;
        self.mark("retry", Some(worker), now, || {
            let outcome = Outcome::of(cause).name();
            format!("event {} failed ({outcome}): attempt {} follows", number_of(task), after + 1)
        });
    }

    /// A process was started in `slot`.
    pub(crate) fn started(&mut self, slot: usize, pid: u32, now: f64) {
        let worker = self.places[slot].worker;
        let before = self.places[slot].lifetime.replace(self.lifetimes.len());
        self.lifetimes.push(Lifetime {
            worker,
            pid,
            started: now - self.began,
            ready: None,
            ended: None,
            code: None,
            signal: None,
        });
        if before.is_some() {
            self.counts.restarts += 1;
            self.mark("restart", Some(worker), now, || {
                format!("worker {worker} is process {pid} now")
            });
        }
    }

    /// The program reached its call in the worker of `slot`.
    pub(crate) fn ready(&mut self, slot: usize, now: f64) {
        let now = now - self.began;
        if let Some(lifetime) = self.lifetime(slot) {
            lifetime.ready = Some(now);
        }
    }

    /// The process in `slot` has ended.
    pub(crate) fn exited(
        &mut self,
        slot: usize,
        code: Option<i64>,
        signal: Option<String>,
        now: f64,
    ) {
        let now = now - self.began;
        if let Some(lifetime) = self.lifetime(slot) {
            (lifetime.ended, lifetime.code, lifetime.signal) = (Some(now), code, signal);
        }
    }

    /// The same, and it had something left to do.
    pub(crate) fn crashed(&mut self, slot: usize, how: impl std::fmt::Display, now: f64) {
        self.counts.crashes += 1;
        let worker = self.places[slot].worker;
        self.mark("crash", Some(worker), now, || format!("worker {worker} {how}"));
    }

    fn lifetime(&mut self, slot: usize) -> Option<&mut Lifetime> {
        let at = self.places[slot].lifetime?;
        self.lifetimes.get_mut(at)
    }

    /// Something happened that is worth telling where events are listed.
    pub(crate) fn mark(
        &mut self,
        kind: &'static str,
        worker: Option<u32>,
        now: f64,
        text: impl FnOnce() -> String,
    ) {
        let at = now - self.began;
        if let Some(events) = self.events_mut() {
            events.mark(Mark { at, until: None, kind, worker, text: text() });
        }
    }

    /// `Map` waits for room, or does not any more.
    pub(crate) fn pressed(&mut self, waits: bool, now: f64) {
        let now = now - self.began;
        let Some(events) = self.events_mut() else { return };
        if waits {
            events.pressure.get_or_insert(now);
        } else if let Some(at) = events.pressure.take().filter(|at| now - at >= SHORTEST_PRESSURE) {
            let text = "Map waits for room".to_owned();
            events.mark(Mark { at, until: Some(now), kind: "backpressure", worker: None, text });
        }
    }

    /// The workers are let go: what the run took is counted up to here.
    pub(crate) fn over(&mut self, now: f64) {
        self.ended.get_or_insert(now);
        self.pressed(false, now);
    }

    fn events_mut(&mut self) -> Option<&mut Events> {
        self.detail.as_mut()?.events.as_mut()
    }

    fn events(&self) -> Option<&Events> {
        self.detail.as_ref()?.events.as_ref()
    }

    /// How many events have been answered, and how many have failed.
    pub(crate) fn ended(&self) -> (u64, u64) {
        let answered = [Outcome::Answered, Outcome::Nothing].map(|outcome| self.count(outcome));
        (answered.iter().sum(), self.failed())
    }

    /// How many events were handed to one worker each.
    pub(crate) fn chosen(&self) -> u64 {
        self.counts.direct
    }

    /// How many events the worker of `slot` has brought to their end.
    pub(crate) fn tasks(&self, slot: usize) -> u64 {
        self.places[slot].tasks
    }

    fn count(&self, outcome: Outcome) -> u64 {
        self.counts.ended[outcome as usize]
    }

    fn failed(&self) -> u64 {
        let failures = [Outcome::Error, Outcome::Crash, Outcome::Timeout, Outcome::Aborted];
        failures.iter().map(|&outcome| self.count(outcome)).sum()
    }

    /// The listed events from one on, in the order in which their ends were seen.
    pub(crate) fn rows(&self, from: usize) -> &[Row] {
        self.events().and_then(|events| events.rows.get(from..)).unwrap_or_default()
    }

    /// What happened, from one on.
    pub(crate) fn marks(&self, from: usize) -> &[Mark] {
        self.events().and_then(|events| events.marks.get(from..)).unwrap_or_default()
    }

    pub(crate) fn lifetimes(&self) -> &[Lifetime] {
        &self.lifetimes
    }

    /// The worker of an event and its process, 0 if no worker had it.
    pub(crate) fn worker_of(&self, row: &Row) -> (u32, u32) {
        let lifetime = row.lifetime.and_then(|at| self.lifetimes.get(at as usize));
        lifetime.map_or((0, 0), |lifetime| (lifetime.worker, lifetime.pid))
    }

    /// How many events are not listed, because there are too many.
    pub(crate) fn unlisted(&self) -> u64 {
        self.events().map_or(0, |events| events.unlisted)
    }
}

impl Events {
    fn list(&mut self, row: Row) {
        if self.rows.len() < MOST_EVENTS {
            self.rows.push(row);
        } else {
            self.unlisted += 1;
        }
    }

    fn mark(&mut self, mark: Mark) {
        if self.marks.len() < MOST_MARKS {
            self.marks.push(mark);
        }
    }
}

/// The number of an event for people: from 0 up those that were handed to whoever is free, from -1 down those
/// for one worker.
pub(crate) fn number_of(task: TaskId) -> i64 {
    let number = task.cast_signed();
    if number < 0 { -1 - (number & i64::MAX) } else { number }
}

/// A time that a worker told, whatever it told.
fn sane(milliseconds: f64) -> f64 {
    if milliseconds > 0.0 && milliseconds.is_finite() { milliseconds } else { 0.0 }
}

fn note(histogram: &mut Histogram<u64>, milliseconds: f64) {
    // The limits are those of 64 bits.
    let _ = histogram.record((milliseconds * 1e6) as u64);
}

#[cfg(test)]
mod tests;
