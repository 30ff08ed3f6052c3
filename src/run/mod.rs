//! What belongs to one run: its options, how far it has come, its results and failures, its retries and its record.
//! A pool has any number of runs, at once and one after another. Nothing in here knows workers or lanes.

pub(crate) mod flow;
pub(crate) mod kept;
pub(crate) mod outlet;
pub(crate) mod results;
pub(crate) mod stream;
pub(crate) mod value;
pub(crate) mod words;

use std::sync::Arc;
use std::time::Duration;

use crate::checkpoint::Checkpoint;
use crate::core::lifecycle;
use crate::core::retry::{Policy, Retries};
use crate::core::share::Share;
use crate::core::task_id::{DIRECT, RunId, TaskId, first_of, number_of};
use crate::observe::record::{Level, Record};
use crate::shm::store::Bytes;
use crate::wire::format::Format;
use flow::{Flow, Lineage};
use kept::Kept;
use outlet::Outlet;
use results::{Entry, Results, entry};
use stream::{Order, Stream};
use value::Value;
use words::Words;

/// What a program wants of one run.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct RunOptions {
    /// In which order the entries are read while the run goes on, if they are.
    pub(crate) stream: Option<Order>,
    /// While more bytes than this wait or run, there is credit for one event a worker, however short they are: by
    /// default [`MAX_BYTES`].
    pub(crate) max_bytes: usize,
    /// Which events that failed are tried again, and how; none if none is.
    pub(crate) retries: Option<Policy>,
    /// The first event that fails stops the run.
    pub(crate) stop_on_failure: bool,
    /// How long what runs may take to end when the run is stopped: by default [`STOP_GRACE`].
    pub(crate) stop_grace: Duration,
    /// The most milliseconds that an event may run.
    pub(crate) task_timeout: Option<u32>,
    /// After so many milliseconds of one event the program is told that it still runs.
    pub(crate) hint: Option<u32>,
    /// What is kept of the run for people to look at.
    pub(crate) record: Level,
    /// Milliseconds of the epoch when the run began.
    pub(crate) epoch: f64,
    /// What workers that serve many runs are told of this one, in JavaScript's own words.
    pub(crate) about: Option<Arc<str>>,
    /// Each event has an entry, a failed one too, and that has the event's number in the place of the worker's, and the
    /// worker's id in the place of the data. JavaScript is called for each.
    pub(crate) is_numbered: bool,
    /// Its events are the package's own, and none in the pool's statistics.
    pub(crate) is_uncounted: bool,
    /// Whether a dashboard shows it.
    pub(crate) is_watched: bool,
    /// What all its events name that JavaScript puts into its lane.
    pub(crate) tags: Vec<String>,
    /// The tags of each chain of functions that its events go through one after the other, if there are several.
    pub(crate) chains: Vec<Vec<String>>,
    /// The plan of the flow that its events go through, if they go through one: JSON.
    pub(crate) flow: Option<Arc<str>>,
    /// How large its share of the workers is, beside other runs: 1 if nobody says otherwise.
    pub(crate) weight: f64,
}

/// Long enough for most events to end, and no longer than somebody waits who has given up.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(1);

/// Several megabytes hide any wake-up behind the copying of them.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// Which of a run's queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    Results,
    Failures,
    /// Everything that JavaScript asked to see as it happens.
    Observed,
}

/// One run of a pool.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// The lanes that its events go into. JavaScript puts them into the first.
    pub(crate) outlets: Vec<Outlet>,
    /// By number of its chains, or of its flow's nodes, less one: which of the outlets their events go into. None if those go
    /// through the router.
    pub(crate) ways: Vec<Option<usize>>,
    pub(crate) words: Arc<Words>,
    pub(crate) state: lifecycle::Run,
    pub(crate) options: RunOptions,
    /// How many events the program handed to one worker itself.
    direct: u64,
    /// How many events have ended.
    pub(crate) ended: u64,
    /// How many have gone on from their first chain, and have not ended.
    pub(crate) further: usize,
    /// How many of them are in lanes of their chains' own, and take no credit from others.
    pub(crate) apart: usize,
    pub(crate) results: Results,
    pub(crate) failures: Results,
    pub(crate) observed: Results,
    pub(crate) is_observing: bool,
    /// Somebody reads the entries while the run goes on: failures are among the results.
    pub(crate) stream: Option<Stream>,
    /// JavaScript waits for the last answer.
    pub(crate) is_draining: bool,
    pub(crate) retries: Option<Retries>,
    /// What its events go through, if that is a flow.
    pub(crate) flow: Option<Box<Flow>>,
    /// What each worker that comes later runs first.
    pub(crate) kept: Option<Kept>,
    /// Where its answers are written down.
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) record: Record,
    /// How much of the workers it has had.
    pub(crate) share: Share,
}

impl Run {
    pub(crate) fn new(
        id: RunId,
        outlets: Vec<Outlet>,
        options: RunOptions,
        record: Record,
    ) -> Self {
        Self {
            id,
            outlets,
            ways: Vec::new(),
            words: Arc::new(Words::new()),
            state: lifecycle::Run::Open,
            direct: 0,
            ended: 0,
            further: 0,
            apart: 0,
            results: Results::default(),
            failures: Results::default(),
            observed: Results::default(),
            is_observing: false,
            stream: options.stream.map(|order| Stream::new(order, id)),
            is_draining: false,
            retries: options.retries.clone().map(|policy| Retries::new(vec![Some(policy)])),
            flow: None,
            kept: None,
            checkpoint: None,
            record,
            share: Share::new(options.weight),
            options,
        }
    }

    /// The event of this number, of those that `Map` hands over.
    pub(crate) fn task(&self, number: u64) -> TaskId {
        first_of(self.id) + number % DIRECT
    }

    /// A name for one more event that the program hands to one worker itself.
    pub(crate) fn next_direct(&mut self) -> TaskId {
        self.direct += 1;
        first_of(self.id) + DIRECT + (self.direct - 1)
    }

    /// The lane that JavaScript puts its events into.
    pub(crate) fn lane(&self) -> usize {
        self.outlets[0].lane
    }

    /// Whether that lane is for events with tags.
    pub(crate) fn is_tagged(&self) -> bool {
        !self.outlets[0].tags.is_empty()
    }

    /// Whether events wait for a place in a lane.
    pub(crate) fn overflows(&self) -> bool {
        self.outlets.iter().any(|outlet| !outlet.overflow.is_empty())
    }

    /// Takes out what waits for a place in a lane.
    pub(crate) fn take_overflow(&mut self) -> Vec<TaskId> {
        self.outlets.iter_mut().flat_map(|outlet| outlet.overflow.drain(..)).collect()
    }

    /// How many events were handed over and have not ended.
    pub(crate) fn outstanding(&self) -> usize {
        let all = self.words.handed_over() + self.direct;
        usize::try_from(all - self.ended).unwrap_or(usize::MAX)
    }

    /// Whether its entries are told apart by the events' order: then each event has one.
    pub(crate) fn is_in_order(&self) -> bool {
        self.options.is_numbered || self.options.stream == Some(Order::Submission)
    }

    pub(crate) fn queue(&mut self, queue: Queue) -> &mut Results {
        match queue {
            Queue::Results => &mut self.results,
            Queue::Failures => &mut self.failures,
            Queue::Observed => &mut self.observed,
        }
    }

    /// Whether an event is the pool's own, of which the program hears nothing.
    pub(crate) fn is_own(&self, task: TaskId) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.is_own(task))
    }

    /// How many attempts of `task`, which has not ended, have failed.
    pub(crate) fn attempts(&self, task: TaskId) -> usize {
        self.retries.as_ref().map_or(0, |retries| retries.count(task))
    }

    /// Its answers are written down from now on: in a flow those of each event of the source together.
    pub(crate) fn write_down(&mut self, checkpoint: Checkpoint) {
        self.checkpoint = Some(checkpoint);
        if let Some(flow) = &mut self.flow {
            flow.lineage.get_or_insert_with(|| Lineage::new(self.id));
        }
    }

    /// Its events go through this, each node with retries of its own.
    pub(crate) fn follow(&mut self, mut flow: Flow) {
        let is_in_order = self.options.stream == Some(Order::Submission);
        flow.lineage = is_in_order.then(|| Lineage::new(self.id));
        let policy = |number| flow.plan.node(number).retries.clone();
        let policies: Vec<_> =
            std::iter::once(None).chain(flow.plan.numbers().map(policy)).collect();
        self.retries = policies.iter().any(Option::is_some).then(|| Retries::new(policies));
        self.flow = Some(Box::new(flow));
    }

    /// Whether all its events have ended, and there will be no other.
    pub(crate) fn is_drained(&self) -> bool {
        let is_done = |flow: &Flow| flow.progress.is_done() || !self.state.is_open();
        self.outstanding() == 0 && self.flow.as_deref().is_none_or(is_done)
    }

    /// Puts an event that has ended where it belongs. `is_manual`: no more will come through the lane. True if the run
    /// is to be stopped for it.
    #[must_use]
    pub(crate) fn deliver(&mut self, id: TaskId, entry: Entry<'_>, is_manual: bool) -> bool {
        if self.options.is_numbered {
            if self.is_own(id) {
                return false;
            }
            if entry.kind & entry::FAILED != 0 {
                // The program hears of that, and keeps nothing.
                self.kept = None;
            }
            self.results.push(numbered(id, entry));
            return false;
        }
        let Some(stream) = &mut self.stream else { return self.enqueue(entry) };
        // In a pool that stays, each event has an entry.
        let counts =
            self.options.about.is_some() || entry.kind & (entry::FAILED | entry::RESPONSE) != 0;
        let all = is_manual.then(|| self.words.handed_over());
        if self.is_observing {
            stream.ended(id, counts.then(|| entry.lent()), all, &mut self.results);
            self.observed.push(entry);
        } else {
            stream.ended(id, counts.then_some(entry), all, &mut self.results);
        }
        false
    }

    /// A message of a worker's program. True if the run is to be stopped for it.
    #[must_use]
    pub(crate) fn hear(&mut self, entry: Entry<'_>) -> bool {
        if self.stream.is_none() {
            return self.enqueue(entry);
        }
        let counts = entry.kind & (entry::FAILED | entry::RESPONSE) != 0;
        self.results.extend(counts.then(|| entry.lent()));
        self.observed.extend(self.is_observing.then_some(entry));
        false
    }

    /// True if the run is to be stopped for it.
    fn enqueue(&mut self, entry: Entry<'_>) -> bool {
        let is_failure = entry.kind & entry::FAILED != 0;
        if self.is_observing {
            self.observed.push(entry);
        } else if is_failure {
            self.failures.push(entry);
        } else if entry.kind & entry::RESPONSE != 0 {
            self.results.push(entry);
        }
        // What workers still send after the end is no reason.
        is_failure && self.options.stop_on_failure && self.state.is_open()
    }

    /// Tells JavaScript whether there are answers that it is to show as they come. True if so.
    pub(crate) fn show_observed(&self) -> bool {
        let has_observed = self.observed.len() > 0;
        self.words.show_observed(has_observed);
        has_observed
    }

    /// Tells JavaScript how much a stream's reader has not taken. True if there is what it waits for: an entry, or less
    /// than before (of what was held back, some may have come to nothing).
    pub(crate) fn show_unread(&self) -> bool {
        let Some(stream) = &self.stream else {
            return self.options.is_numbered && self.results.len() > 0;
        };
        let lineage = self.flow.as_ref().and_then(|flow| flow.lineage.as_ref());
        let (held, bytes) = lineage.map_or((0, 0), |lineage| (lineage.len(), lineage.bytes()));
        let entries = self.results.len() + stream.len() + held;
        let bytes = self.results.bytes() + stream.bytes() + bytes;
        let is_less = self.words.show_unread(entries, bytes);
        (self.results.len() > 0 || is_less) && self.words.reads()
    }
}

/// The same entry with the event's number in the place of the worker's id, and where it failed that id in the place of the
/// data.
fn numbered(id: TaskId, entry: Entry<'_>) -> Entry<'_> {
    let Entry { kind, worker, response, .. } = entry;
    let is_failure = kind & entry::FAILED != 0;
    let text = || Bytes::from(worker.to_string().as_bytes());
    let data = is_failure.then(|| Value::owned(text(), Format::Json));
    let has_data = if is_failure { entry::DATA } else { 0 };
    let kind = kind & (entry::FAILED | entry::RESPONSE) | has_data;
    Entry { kind, worker: number_of(id) as u32, data, response }
}
