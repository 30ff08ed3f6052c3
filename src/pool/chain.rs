//! Events that go through several chains of functions, one after the other: each in a worker with the tags of that chain. The
//! response of one is the data of the next, and passes here as bytes: JavaScript of the master sees the last one's alone.
//!
//! An event that goes on keeps its name: its place in the order of the run, its promise, and the data of its entry are those
//! that it came with. The attempts at it are counted anew in each chain.

use super::Pool;
use super::entry::values_of;
use super::state::State;
use crate::core::error::Error;
use crate::core::flow::Plan;
use crate::core::router::Routing;
use crate::core::sync as shared;
use crate::core::task_id::{Position, TaskId, run_of};
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Outcome};
use crate::os::clock::clock;
use crate::queue::tasks::{Origin, Task};
use crate::run::RunOptions;
use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::header::{Header, chain, flag};

impl Pool {
    /// Fails if no worker will ever have the tags of one of a run's chains, or of one of the nodes of its flow.
    pub(crate) fn check_chains(&self, options: &RunOptions) -> Result<(), Error> {
        let flow = options.flow.as_deref().and_then(|flow| serde_json::from_str(flow).ok());
        let plan = flow.and_then(Plan::new);
        let of_nodes = plan.iter().flat_map(Plan::tags);
        let state = self.lock();
        let mut all = options.chains.iter().map(Vec::as_slice).chain(of_nodes);
        all.try_for_each(|tags| state.router.check(tags))
    }
}

impl State {
    /// Whether an event that was answered has another chain to go through.
    pub(super) fn goes_on(&self, task: TaskId) -> bool {
        let chains = self.runs.get(&run_of(task)).map_or(0, |run| run.options.chains.len());
        // One that the program gave to a worker itself goes through all functions there.
        let names_chain =
            || self.tasks.get(task).is_none_or(|event| event.flags & flag::CHAIN != 0);
        chains > 1 && self.tasks.chain(task) < chains && names_chain()
    }

    /// An event was answered that [goes on](Self::goes_on).
    pub(super) fn go_on(
        &mut self,
        pool: &Pool,
        slot: usize,
        (id, position): (TaskId, Option<Position>),
        header: &Header,
        (mut payload, split): (Bytes, usize),
    ) {
        self.attempt_ended(id, shared::Ended::Answered);
        let priority = self.router.priority(id);
        let number = self.tasks.chain(id);
        let is_new = number == 1;
        self.router.goes_on(id);
        let mut text = Bytes::default();
        let flags = self.end(id, position, &mut text);
        let Some(run) = self.runs.get_mut(&run_of(id)) else { return };
        if let Some(retries) = run.retries.as_mut() {
            retries.forget(id);
        }
        run.record.went_on(Ended {
            task: id,
            node: 0,
            slot: Some(slot),
            started: Some(header.started),
            finished: header.finished,
            outcome: Outcome::Answered,
            data: Data::default(),
            bytes_out: 0,
            error: None,
            attempts: 1,
        });
        run.further += 1;
        let has_way = run.ways.get(number).is_some_and(Option::is_some);
        let is_apart = has_way && priority == 0 && run.state.is_open();
        run.apart += usize::from(is_apart);
        let queued = if run.record.has_times() { clock() } else { 0.0 };
        let tags = run.options.chains[number].clone();
        let mut changed = Bytes::default();
        let (response, changed) = values_of(&mut payload, &mut changed, split, header.flags);
        let event = event_of(header.has(flag::RESPONSE).then_some(response), number + 1);
        let (text, flags) = match (is_new, header.has(flag::DATA), header.has(flag::DATA_HOLE)) {
            (true, _, true) => (Bytes::default(), flag::HOLE),
            (true, true, _) => {
                let format = changed.format;
                (changed.into_bytes(), format.number() << flag::FORMAT_AT)
            }
            _ => (text, flags),
        };
        self.tasks.go_on(id, Origin { text, flags, chain: number + 1, is_apart });
        self.tasks.keep(id, Task { queued, ..event });
        if !run.state.is_open() || (tags.is_empty() && priority == 0) {
            return self.put_back(pool, id);
        }
        if is_apart {
            self.put_in_lane(run_of(id), id, number + 1);
            return;
        }
        self.route_further(pool, id, Routing { tags, key: None, priority });
    }

    /// What an event came with that ends now or goes on, if it has gone on before.
    pub(super) fn origin(&mut self, id: TaskId) -> Option<Origin> {
        let origin = self.tasks.take_origin(id)?;
        if let Some(run) = self.runs.get_mut(&run_of(id)) {
            run.further -= 1;
            run.apart -= usize::from(origin.is_apart);
        }
        Some(origin)
    }
}

/// An event with this data, for the chain of this number.
fn event_of(data: Option<Value<'_>>, number: usize) -> Task {
    let Some(data) = data else { return Task::new(Bytes::default(), flag::HOLE | chain(number)) };
    let format = data.format.number() << flag::FORMAT_AT;
    Task::new(data.into_bytes(), format | chain(number))
}
