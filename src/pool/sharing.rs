//! Locks and what else a pool's workers share with all processes of the program: their questions go to the hub, and what they are
//! told comes from there. Of all events only those are followed that have asked something.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use super::Pool;
use super::connection::Connection;
use super::state::State;
use crate::core::lifecycle::Worker;
use crate::core::sync::{Able, Ended, EventName};
use crate::core::task_id::{Position, RunId, TaskId};
use crate::observe::record::MOST_SPANS;
use crate::os::socket::Handle;
use crate::shm::store::Bytes;
use crate::sync::{Member, Owner, Question, Resolve, Stay, Watch, event_of};
use crate::wire::header::{Header, flag};
use crate::wire::sync::Asked;

#[derive(Debug)]
pub(super) struct Sharing {
    member: Arc<Member>,
    /// As long as workers may be started.
    stay: Option<Stay>,
    /// Events that have asked something and have not ended.
    asked: HashSet<TaskId>,
    /// Of the runs whose traces are on.
    watches: HashMap<RunId, Watch>,
}

impl Sharing {
    pub(super) fn new(stay: Stay, member: Member) -> Self {
        let (asked, watches) = (HashSet::new(), HashMap::new());
        Self { member: Arc::new(member), stay: Some(stay), asked, watches }
    }

    /// No worker is started any more.
    pub(super) fn leave(&mut self) {
        self.stay = None;
    }
}

impl Pool {
    /// The memory that all processes share, and a number there, for one more worker.
    pub(crate) fn membership(&self) -> io::Result<(Handle, Owner)> {
        let member = Arc::clone(&self.lock().sharing.member);
        let owner = member.owner();
        let owner = owner.ok_or_else(|| io::Error::other("there are too many processes"))?;
        Ok((member.hub().memory()?, owner))
    }

    /// Has the hub ask this pool what its events do.
    pub(crate) fn tells_hub(self: &Arc<Self>) {
        let member = Arc::clone(&self.lock().sharing.member);
        let (pool, number) = (Arc::downgrade(self), member.number());
        member.tells(move || {
            let able = pool.upgrade().map(|pool| pool.lock().able(number));
            able.unwrap_or(Able { is_open: false, running: Vec::new() })
        });
    }

    /// The process of the worker in `slot` has exited, whatever is left to be heard of it: what it held is for others.
    pub(crate) fn died(&self, slot: usize) {
        self.enter(|state| {
            // Its last words first.
            state.collect(self);
            state.free_locks(slot);
        });
    }
}

impl State {
    /// Whatever the process in `slot` held is for others.
    pub(super) fn free_locks(&mut self, slot: usize) {
        if let Some(connection) = &mut self.slots[slot].connection {
            connection.owner = None;
        }
    }

    /// The trace of a run shows what its events wait for and hold.
    pub(super) fn keep_spans(&mut self, run: RunId) {
        let watch = self.sharing.member.watch(run, MOST_SPANS);
        self.sharing.watches.insert(run, watch);
    }

    pub(super) fn keep_no_spans(&mut self, run: RunId) {
        self.sharing.watches.remove(&run);
    }

    /// Tells the record of a run what its events have waited for and held by now, if that is watched.
    pub(super) fn record_spans(&mut self, run: RunId) {
        let Some(watch) = self.sharing.watches.get(&run) else { return };
        if let Some(run) = self.runs.get_mut(&run) {
            run.record.add_spans(watch.take());
        }
    }

    /// A worker asks something of the hub.
    pub(super) fn accept_question(&mut self, slot: usize, header: &Header, payload: &Bytes) {
        let split = (header.split as usize).min(payload.len());
        let (text, value) = payload.split_at(split);
        let asked: Asked = match serde_json::from_slice(text) {
            Ok(asked) => asked,
            Err(error) => {
                return self.reject(slot, format!("its questions make no sense: {error}"));
            }
        };
        let owner = self.slots[slot].connection.as_ref().and_then(|its| its.owner.as_ref());
        let Some(owner) = owner.map(Owner::number) else { return };
        let event = asked.event.and_then(|(index, flags)| {
            // It may have been claimed a moment ago.
            self.scan();
            let lane = (flags & flag::DIRECT == 0)
                .then_some((flags >> flag::LANE_AT & flag::LANE_MASK) as usize);
            self.event_named(slot, index, lane)
        });
        self.sharing.asked.extend(event);
        let value = header.has(flag::DATA).then(|| Arc::from(value));
        let question = Question { owner, event, at: header.finished, asked, value };
        self.sharing.member.ask(question, &*self);
    }

    /// The event that the worker of `slot` runs and names so: by its index in the task ring, or in a lane.
    fn event_named(&self, slot: usize, index: u32, lane: Option<usize>) -> Option<TaskId> {
        let Some(lane) = lane else {
            return self.slots[slot].connection.as_ref()?.given(index);
        };
        let position: Position = self.lanes.position(lane, index)?;
        self.scheduler.claimed_at(slot, position)
    }

    /// Hands out what workers are told.
    pub(super) fn take_mail(&mut self) {
        if !self.sharing.member.has_mail() {
            return;
        }
        for out in self.sharing.member.take() {
            let mut connections = self.slots.iter_mut().filter_map(|slot| slot.connection.as_mut());
            let is_its = |connection: &&mut Connection| {
                connection.owner.as_ref().is_some_and(|owner| owner.number() == out.owner)
            };
            if let Some(connection) = connections.find(is_its) {
                let text = serde_json::to_vec(&out.told).expect("plain data is serialisable");
                connection.tell(&text, out.value.as_deref());
            }
        }
    }

    /// An attempt at an event has ended.
    pub(super) fn attempt_ended(&mut self, task: TaskId, ended: Ended) {
        if self.sharing.asked.is_empty() || !self.sharing.asked.contains(&task) {
            return;
        }
        if ended != Ended::Retried {
            self.sharing.asked.remove(&task);
        }
        self.sharing.member.event_ended(task, ended);
    }

    /// What an event waits for, in words; none if it waits for nothing that processes share.
    pub(super) fn why_waits(&self, task: TaskId) -> Option<String> {
        self.sharing.asked.contains(&task).then(|| self.sharing.member.why_waits(task)).flatten()
    }

    /// Whether others do not depend on an event that has failed: otherwise it must not be tried again.
    pub(super) fn may_retry(&self, task: TaskId) -> bool {
        let has_asked = !self.sharing.asked.is_empty() && self.sharing.asked.contains(&task);
        !has_asked || !self.sharing.member.has_passed_barrier(task)
    }

    /// Which events run, and whether others could begin.
    fn able(&self, pool: u32) -> Able {
        let slots = 0..self.slots.len();
        let could_begin = |slot: usize| match self.scheduler.worker(slot) {
            Worker::Ready => self.scheduler.has_room(slot),
            Worker::Closed => false,
            // Another takes its place.
            _ => !self.is_over(),
        };
        let is_open = slots.clone().any(could_begin);
        let begun =
            |slot| self.scheduler.held(slot).filter(move |&held| self.has_begun(slot, held));
        let tasks = slots.flat_map(begun).map(|held| held.task);
        Able { is_open, running: tasks.map(|task| EventName { pool, task }).collect() }
    }
}

/// An event is known to the pool of its worker alone.
impl Resolve for State {
    fn event(&self, owner: u16, event: u64) -> Option<EventName> {
        let is_its = |connection: &Connection| {
            connection.owner.as_ref().is_some_and(|its| its.number() == owner)
        };
        let slot =
            self.slots.iter().position(|slot| slot.connection.as_ref().is_some_and(is_its))?;
        let (index, lane) = event_of(event);
        Some(self.sharing.member.name(self.event_named(slot, index, lane)?))
    }
}
