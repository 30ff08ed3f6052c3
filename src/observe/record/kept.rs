//! What a record keeps: the data, without the rules that fill it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use hdrhistogram::Histogram;
use serde_json::Value;

use crate::core::retry::Cause;
use crate::core::sync::Span;
use crate::core::task_id::TaskId;
use crate::observe::excerpt::Data;

/// How many events are listed, 50 bytes each.
pub(super) const MOST_EVENTS: usize = 1 << 20;

/// How many marks are listed. Nobody reads more one by one.
pub(super) const MOST_MARKS: usize = 10_000;

/// How many waits and holds of locks and the like are listed, 100 bytes each.
pub(crate) const MOST_SPANS: usize = 1 << 18;

/// Of so many events that ran longest the data is shown: a few more than a page lists, where several ran equally long.
pub(super) const MOST_SLOWEST: usize = 32;

/// How many errors are kept.
pub(super) const MOST_FAILURES: usize = 1000;

/// How much is kept of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// What costs nothing.
    Counts,
    /// Also how long events waited and ran, as histograms.
    Times,
    /// Also each event.
    Events,
    /// Also what each waits for and holds.
    Trace,
}

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    /// Answered without a response.
    Nothing,
    /// A worker function threw.
    Error,
    /// Its worker exited.
    Crash,
    /// It ran too long.
    Timeout,
    /// The run ended first.
    Aborted,
}

impl Outcome {
    /// The names, in the order of the variants.
    pub(crate) const NAMES: [&'static str; 6] =
        ["answered", "nothing", "error", "crash", "timeout", "aborted"];

    pub(crate) fn of(cause: Cause) -> Self {
        match cause {
            Cause::Crash => Self::Crash,
            Cause::Timeout => Self::Timeout,
            Cause::Error => Self::Error,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// An event that ended. Times are the clock's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) task: TaskId,
    /// The number of the node of a flow that it entered; 0 if there is no flow.
    pub(crate) node: usize,
    /// The slot of its worker; none if no worker had it.
    pub(crate) slot: Option<usize>,
    pub(crate) started: Option<f64>,
    pub(crate) finished: f64,
    pub(crate) outcome: Outcome,
    pub(crate) data: Data<'a>,
    pub(crate) bytes_out: usize,
    /// The JSON of its error.
    pub(crate) error: Option<&'a [u8]>,
    pub(crate) attempts: usize,
}

/// A worker's process, from its start to its exit. Times are milliseconds since the run began.
#[derive(Debug, Clone)]
pub(crate) struct Lifetime {
    pub(crate) worker: u32,
    pub(crate) pid: u32,
    pub(crate) started: f64,
    pub(crate) ready: Option<f64>,
    pub(crate) ended: Option<f64>,
    pub(crate) code: Option<i64>,
    pub(crate) signal: Option<String>,
}

/// Something that happened besides events.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) at: f64,
    /// When it was over, if it lasted.
    pub(crate) until: Option<f64>,
    pub(crate) kind: &'static str,
    pub(crate) worker: Option<u32>,
    pub(crate) text: String,
}

/// The error of a failed event.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) id: i64,
    pub(super) worker: u32,
    pub(super) error: Value,
    pub(super) attempts: usize,
}

/// A listed event. Times are milliseconds since the run began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: i64,
    /// As in [`Ended`].
    pub(crate) node: u8,
    /// The index of its process in `Record::lifetimes`; none if no worker had it.
    pub(super) lifetime: Option<u32>,
    pub(crate) attempts: u16,
    pub(crate) outcome: Outcome,
    pub(crate) queued: f64,
    /// When it was put into its worker's own ring, if it was.
    pub(crate) sent: Option<f32>,
    pub(crate) started: f64,
    pub(crate) finished: f64,
}

/// An event that has not ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    pub(super) queued: f64,
    pub(super) sent: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) direct: u64,
    /// By outcome.
    pub(super) ended: [u64; Outcome::NAMES.len()],
    pub(super) retried: u64,
    /// How many were answered from a checkpoint.
    pub(super) resumed: u64,
    pub(super) crashes: u64,
    pub(super) restarts: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

impl Counts {
    /// Adds what the events of another run came to.
    pub(super) fn add_events(&mut self, other: &Self) {
        self.direct += other.direct;
        self.retried += other.retried;
        self.resumed += other.resumed;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        for (sum, count) in self.ended.iter_mut().zip(other.ended) {
            *sum += count;
        }
    }
}

/// A worker through all its processes.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub(super) worker: u32,
    pub(super) tasks: u64,
    /// How long it ran events, in milliseconds.
    pub(super) busy: f64,
    /// The index of its last process.
    pub(super) lifetime: Option<usize>,
}

/// What is kept from [`Level::Times`] on.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) live: HashMap<TaskId, Live>,
    /// Nanoseconds.
    pub(super) wait: Histogram<u64>,
    pub(super) run: Histogram<u64>,
    pub(super) events: Option<Events>,
}

impl Detail {
    pub(super) fn new(level: Level) -> Self {
        // Three significant digits.
        let histogram = || Histogram::new(3).expect("1 to 5 digits");
        Self {
            live: HashMap::new(),
            wait: histogram(),
            run: histogram(),
            events: matches!(level, Level::Events | Level::Trace).then(Events::default),
        }
    }
}

/// What is kept from [`Level::Events`] on.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) rows: Vec<Row>,
    pub(super) marks: Vec<Mark>,
    pub(super) failures: Vec<Failure>,
    /// The labels of listed events, and the data of those that failed, by their numbers.
    pub(super) texts: HashMap<i64, String>,
    /// The events that ran longest: nanoseconds, number, data.
    pub(super) slowest: BinaryHeap<Reverse<(u64, i64, String)>>,
    /// What was waited for and held. Times are milliseconds since the run began.
    pub(super) spans: Vec<Span>,
    /// How many events are not listed.
    pub(super) unlisted: u64,
    /// Since when `Map` waits for room.
    pub(super) pressure: Option<f64>,
}

impl Events {
    pub(super) fn list(&mut self, row: Row) {
        if self.rows.len() < MOST_EVENTS {
            self.rows.push(row);
        } else {
            self.unlisted += 1;
        }
    }

    /// An event that had this data ran so long.
    pub(super) fn ran(&mut self, id: i64, milliseconds: f64, data: Data<'_>) {
        let nanoseconds = (milliseconds * 1e6) as u64;
        if self.slowest.len() == MOST_SLOWEST {
            if self.slowest.peek().is_some_and(|Reverse((least, ..))| *least >= nanoseconds) {
                return;
            }
            self.slowest.pop();
        }
        self.slowest.push(Reverse((nanoseconds, id, data.excerpt())));
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        if self.marks.len() < MOST_MARKS {
            self.marks.push(mark);
        }
    }

    pub(super) fn fail(&mut self, failure: impl FnOnce() -> Failure) {
        if self.failures.len() < MOST_FAILURES {
            self.failures.push(failure());
        }
    }
}
