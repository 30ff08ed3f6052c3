//! What is kept of one run: counts, times, and if somebody asks for them all its events. It is told what happens, decides
//! nothing, and has no clock.
//!
//! A record is one run's. Events are told to the record of their run; what happens to a worker (started, ready, exited,
//! crashed) is told to the record of each run that is open. One that begins on running workers hears that they started.
//!
//! Counts cost a few additions an event and are always kept. Memory is bounded: after `MOST_EVENTS`, `MOST_MARKS`
//! and `MOST_FAILURES` the rest is counted, and not listed. Of waits and holds it is told `MOST_SPANS`.

mod kept;
mod nodes;
mod several;
mod show;
mod spans;
mod workers;

use std::collections::{BTreeMap, HashMap};

use hdrhistogram::Histogram;

use crate::core::retry::{Cause, parsed_error, summary_of};
use crate::core::task_id::{self, TaskId, is_direct};
use crate::observe::excerpt::harmless;
use crate::observe::recent::Recent;
use kept::{Counts, Detail, Events, Failure, Live, MOST_EVENTS, MOST_FAILURES, Share};
pub(crate) use kept::{Ended, Level, Lifetime, MOST_SPANS, Mark, Outcome, Row};
pub(crate) use nodes::{Holding, NodeState, Spilled};
pub(crate) use show::percentiles;

/// `Map` waits for room all the time in a loop of short events: shorter waits are no mark. In milliseconds.
const SHORTEST_PRESSURE: f64 = 1.0;

/// What is told of an error.
const TOLD: [&str; 5] = ["name", "message", "code", "stack", "stderr"];

/// Longer than any run, in milliseconds: 30 years.
const LONGEST: f64 = 1e12;

#[derive(Debug)]
pub(crate) struct Record {
    began: f64,
    /// When the workers were released.
    ended: Option<f64>,
    /// The wall clock's time when the run began.
    epoch: f64,
    counts: Counts,
    /// What the program counts itself, by name.
    counters: BTreeMap<String, f64>,
    /// By slot.
    shares: Vec<Share>,
    lifetimes: Vec<Lifetime>,
    /// By node, if its events go through a flow.
    nodes: Vec<nodes::Counts>,
    /// What the program calls its events that have not ended.
    labels: HashMap<TaskId, String>,
    /// The machines of workers that are on others.
    hosts: HashMap<u32, String>,
    detail: Option<Box<Detail>>,
    /// If a dashboard shows it.
    recent: Option<Box<Recent>>,
}

impl Record {
    /// `workers` are the ids of the workers by slot; `epoch` is the wall clock's time at `now`.
    pub(crate) fn new(level: Level, workers: &[u32], now: f64, epoch: f64) -> Self {
        let share = |&worker| Share { worker, tasks: 0, busy: 0.0, lifetime: None };
        Self {
            began: now,
            ended: None,
            epoch,
            counts: Counts::default(),
            counters: BTreeMap::new(),
            shares: workers.iter().map(share).collect(),
            lifetimes: Vec::new(),
            nodes: Vec::new(),
            labels: HashMap::new(),
            hosts: HashMap::new(),
            detail: (level != Level::Counts).then(|| Box::new(Detail::new(level))),
            recent: None,
        }
    }

    /// A dashboard shows it: times are kept, also those of the last minute alone.
    pub(crate) fn watch(&mut self) {
        self.detail.get_or_insert_with(|| Box::new(Detail::new(Level::Times)));
        self.recent.get_or_insert_default();
    }

    pub(crate) fn recent(&self) -> Option<&Recent> {
        self.recent.as_deref()
    }

    /// Milliseconds since the run began; 0 for what happened before.
    fn since(&self, now: f64) -> f64 {
        (now - self.began).max(0.0)
    }

    /// Whether it keeps the times of events.
    pub(crate) fn has_times(&self) -> bool {
        self.detail.is_some()
    }

    /// An event left its lane, into which it was put then.
    pub(crate) fn claimed(&mut self, task: TaskId, queued: f64) {
        if let Some(detail) = &mut self.detail {
            // One that came back was handed over long before.
            detail.live.entry(task).or_insert(Live { queued, sent: None });
        }
    }

    /// An event never was in a lane: it is for one worker.
    pub(crate) fn taken(&mut self, task: TaskId, queued: f64) {
        if let Some(detail) = &mut self.detail {
            detail.live.insert(task, Live { queued, sent: None });
        }
    }

    /// The program handed an event to one worker.
    pub(crate) fn direct(&mut self, task: TaskId, queued: f64) {
        self.counts.direct += 1;
        self.taken(task, queued);
    }

    /// An event that has ended well adds this to the program's counters.
    pub(crate) fn count_up(&mut self, counts: BTreeMap<String, f64>) {
        for (name, count) in counts {
            *self.counters.entry(name).or_default() += count;
        }
    }

    /// The program calls an event so, which it is about to hand over.
    pub(crate) fn name(&mut self, task: TaskId, label: &str) {
        self.labels.insert(task, harmless(label));
    }

    /// What the program calls an event.
    pub(crate) fn label(&self, task: TaskId) -> Option<&str> {
        self.labels.get(&task).map(String::as_str)
    }

    /// An event was put into a worker's own ring.
    pub(crate) fn sent(&mut self, task: TaskId, now: f64) {
        if let Some(live) = self.detail.as_mut().and_then(|detail| detail.live.get_mut(&task)) {
            live.sent = Some(now);
        }
    }

    /// An event ended for good.
    pub(crate) fn end(&mut self, ended: Ended<'_>) {
        self.counts.ended[ended.outcome as usize] += 1;
        self.counts.bytes_in += ended.data.bytes.len() as u64;
        self.counts.bytes_out += ended.bytes_out as u64;
        let (run, wait) = self.timed(ended);
        self.node_ended(&ended, run, wait);
        self.labels.remove(&ended.task);
    }

    /// An event was answered from a checkpoint: no worker had it.
    pub(crate) fn resumed(&mut self, outcome: Outcome, bytes_in: usize) {
        self.counts.ended[outcome as usize] += 1;
        self.counts.bytes_in += bytes_in as u64;
        self.counts.resumed += 1;
    }

    /// A worker is done with an event: it has ended, or goes on elsewhere.
    pub(crate) fn went_on(&mut self, ended: Ended<'_>) {
        let _ = self.timed(ended);
    }

    /// How long an event ran, and how long it waited for that as far as it is known.
    fn timed(&mut self, ended: Ended<'_>) -> (f64, f64) {
        let Some(detail) = &mut self.detail else {
            let run = ended.started.map_or(0.0, |started| sane(ended.finished - started));
            self.ran(ended.slot, run);
            return (run, 0.0);
        };
        // Workers report their times, whatever they are: an event stays inside the run.
        let latest = self.began + LONGEST;
        let finished = ended.finished.max(self.began).min(latest);
        let live = detail.live.remove(&ended.task);
        let started = ended.started.unwrap_or(finished).max(self.began).min(finished);
        let queued = live.map_or(started, |live| live.queued).max(self.began).min(started);
        let run = sane(finished - started);
        if ended.slot.is_some() {
            note(&mut detail.wait, started - queued);
            note(&mut detail.run, run);
            if let Some(recent) = &mut self.recent {
                recent.note(finished, started - queued, run);
            }
        }
        if let Some(events) = &mut detail.events {
            let share = ended.slot.map(|slot| &self.shares[slot]);
            let id = number_of(ended.task);
            if let Some(error) = ended.error {
                events.fail(|| Failure {
                    id,
                    worker: share.map_or(0, |share| share.worker),
                    error: summary_of(&parsed_error(error), &TOLD),
                    attempts: ended.attempts,
                });
            }
            if let Some(label) = self.labels.get(&ended.task) {
                if events.rows.len() < MOST_EVENTS {
                    events.texts.insert(id, label.clone());
                }
            } else if ended.error.is_some() {
                if events.failures.len() < MOST_FAILURES {
                    events.texts.insert(id, ended.data.excerpt());
                }
            } else {
                events.ran(id, run, ended.data);
            }
            events.list(Row {
                id,
                node: ended.node as u8,
                lifetime: share.and_then(|share| share.lifetime).map(|at| at as u32),
                attempts: u16::try_from(ended.attempts).unwrap_or(u16::MAX),
                outcome: ended.outcome,
                queued: queued - self.began,
                sent: live.and_then(|live| live.sent).map(|sent| (sent - self.began) as f32),
                started: started - self.began,
                finished: finished - self.began,
            });
        }
        self.ran(ended.slot, run);
        (run, started - queued)
    }

    fn ran(&mut self, slot: Option<usize>, run: f64) {
        if let Some(share) = slot.and_then(|slot| self.shares.get_mut(slot)) {
            share.tasks += 1;
            share.busy += run;
        }
    }

    /// An attempt failed, and another follows.
    pub(crate) fn retried(
        &mut self,
        (task, node): (TaskId, usize),
        slot: usize,
        cause: Cause,
        after: usize,
        now: f64,
    ) {
        self.counts.retried += 1;
        self.node_retried(node);
        let worker = self.shares[slot].worker;
        let at = self.node_name(node).map(str::to_owned);
        self.mark("retry", Some(worker), now, || {
            let outcome = Outcome::of(cause).name();
            let (event, attempt) = (number_of(task), after + 1);
            let of = at.map_or_else(String::new, |name| format!(" of node {name}"));
            format!("event {event}{of} failed ({outcome}): attempt {attempt} follows")
        });
    }

    /// Something happened that a list of events should show.
    pub(crate) fn mark(
        &mut self,
        kind: &'static str,
        worker: Option<u32>,
        now: f64,
        text: impl FnOnce() -> String,
    ) {
        let at = self.since(now);
        if let Some(events) = self.events_mut() {
            events.mark(Mark { at, until: None, kind, worker, text: text() });
        }
    }

    /// `Map` waits for room, or no longer does.
    pub(crate) fn pressed(&mut self, waits: bool, now: f64) {
        let now = self.since(now);
        let Some(events) = self.events_mut() else { return };
        if waits {
            events.pressure.get_or_insert(now);
        } else if let Some(at) = events.pressure.take().filter(|at| now - at >= SHORTEST_PRESSURE) {
            let text = "Map waits for room".to_owned();
            events.mark(Mark { at, until: Some(now), kind: "backpressure", worker: None, text });
        }
    }

    /// The workers are released: the run ends for the statistics.
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

    /// How many events were answered, and how many failed.
    pub(crate) fn ended(&self) -> (u64, u64) {
        (self.answered(), self.failed())
    }

    fn answered(&self) -> u64 {
        self.count(Outcome::Answered) + self.count(Outcome::Nothing)
    }

    /// How many events were handed to one worker each.
    pub(crate) fn chosen(&self) -> u64 {
        self.counts.direct
    }

    /// How many events the worker of `slot` finished.
    pub(crate) fn tasks(&self, slot: usize) -> u64 {
        self.shares[slot].tasks
    }

    fn count(&self, outcome: Outcome) -> u64 {
        self.counts.ended[outcome as usize]
    }

    fn failed(&self) -> u64 {
        self.counts.ended.iter().sum::<u64>() - self.answered()
    }

    /// The listed events after the first `from`, in the order in which they ended.
    pub(crate) fn rows(&self, from: usize) -> &[Row] {
        self.events().and_then(|events| events.rows.get(from..)).unwrap_or_default()
    }

    /// The marks after the first `from`.
    pub(crate) fn marks(&self, from: usize) -> &[Mark] {
        self.events().and_then(|events| events.marks.get(from..)).unwrap_or_default()
    }

    pub(crate) fn lifetimes(&self) -> &[Lifetime] {
        &self.lifetimes
    }

    /// The worker of an event and its process; zeros if no worker had it.
    pub(crate) fn worker_of(&self, row: &Row) -> (u32, u32) {
        let lifetime = row.lifetime.and_then(|at| self.lifetimes.get(at as usize));
        lifetime.map_or((0, 0), |lifetime| (lifetime.worker, lifetime.pid))
    }

    /// What is known of a listed event: its label, or the data of one that failed.
    pub(crate) fn text_of(&self, id: i64) -> Option<&str> {
        self.events()?.texts.get(&id).map(String::as_str)
    }

    /// How many events there were too many to list.
    pub(crate) fn unlisted(&self) -> u64 {
        self.events().map_or(0, |events| events.unlisted)
    }
}

/// The number of an event as people see it: from 0 up for events that any worker may take, from -1 down for those of one
/// worker.
pub(crate) fn number_of(task: TaskId) -> i64 {
    let number = task_id::number_of(task).cast_signed();
    if is_direct(task) { -1 - number } else { number }
}

/// A duration from a worker's times, whatever those are.
fn sane(milliseconds: f64) -> f64 {
    if milliseconds > 0.0 && milliseconds.is_finite() { milliseconds } else { 0.0 }
}

fn note(histogram: &mut Histogram<u64>, milliseconds: f64) {
    // It grows as needed: only 64 bits limit it.
    let _ = histogram.record((milliseconds * 1e6) as u64);
}

#[cfg(test)]
mod tests;
