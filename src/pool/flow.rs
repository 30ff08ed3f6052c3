//! Events of flows: what becomes of their answers. What one makes is its run's when its answer is taken in, all of it or nothing;
//! from there it passes as bytes to the nodes behind, and JavaScript of the master sees sinks alone.

mod barrier;
mod failure;
mod out;

use super::Pool;
use super::checkpoint::digest_of;
use super::state::State;
use crate::core::flow::Node;
use crate::core::router::Routing;
use crate::core::sync as shared;
use crate::core::task_id::{Position, RunId, TaskId, run_of};
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Outcome};
use crate::os::clock::clock;
use crate::run::Run;
use crate::run::flow::{Compaction, Flow, Room};
use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::flow::{Hold, Record, Told, records};
use crate::wire::header::{Header, flag, format_of};

/// What an answer fails with that makes no sense.
pub(super) const GARBAGE: &str = r#"{"name":"Error","message":"the worker sent an answer that cannot be decoded","stack":"Error: the worker sent an answer that cannot be decoded","code":"ERR_SONIC_PROTOCOL"}"#;

/// So many events of a node with tags are handed to the router at most.
const MOST_ROUTED: usize = 4096;

/// A stream's reader may be so many entries behind before nothing more is made for it: more than there are in one event's outputs of
/// 1 MiB, as a rule, so that what is sorted is merged while what was merged before is read.
const UNREAD: usize = 1 << 14;

/// What an event of a flow has made.
pub(super) enum Made<'a> {
    /// One item, for the exit of plain answers.
    Plain(Option<Value<'a>>),
    Records(Vec<Record<'a>>),
}

impl State {
    /// The number of the node that an event enters; 0 if its run has no flow.
    pub(super) fn node_of(&self, task: TaskId, position: Option<Position>) -> usize {
        let Some(flow) = self.runs.get(&run_of(task)).and_then(|run| run.flow.as_ref()) else {
            return 0;
        };
        let flags = match (self.tasks.get(task), position) {
            (Some(event), _) => event.flags,
            (None, Some(position)) => self.lanes.peek(position, 0, &mut Bytes::default()),
            (None, None) => 0,
        };
        let number = ((flags & flag::CHAIN) >> flag::CHAIN_AT) as usize;
        if flow.plan.has(number) { number } else { flow.plan.entry }
    }

    /// What an answer says that an event of a flow has made. None if it makes no sense.
    pub(super) fn made<'a>(
        &self,
        task: TaskId,
        node: usize,
        header: &Header,
        payload: &'a [u8],
    ) -> Option<Made<'a>> {
        let flow = self.runs.get(&run_of(task))?.flow.as_ref()?;
        let plan = &flow.plan;
        if !header.has(flag::OUTPUTS) {
            plan.node(node).plain.filter(|_| !flow.compactions.contains_key(&task))?;
            let value = Value::new(payload, format_of(header.flags));
            return Some(Made::Plain(header.has(flag::RESPONSE).then_some(value)));
        }
        let made = records(payload, format_of(header.flags))?;
        let is_sound = match flow.compactions.get(&task) {
            Some(compaction) => is_merged(compaction, &made),
            None => made.iter().all(|record| is_sound(plan.node(node), record)),
        };
        is_sound.then_some(Made::Records(made))
    }

    /// Nobody looks at a run's flow any more. What that has done may stop the run.
    pub(super) fn give_back(&mut self, pool: &Pool, id: RunId, mut flow: Box<Flow>) {
        let stops = flow.stops.take();
        if let Some(run) = self.runs.get_mut(&id) {
            run.flow = Some(flow);
        }
        if let Some(task) = stops {
            self.stop_for_failure(pool, task);
        }
    }

    /// An event of a flow was answered well.
    pub(super) fn has_made(
        &mut self,
        pool: &Pool,
        slot: usize,
        (id, position, node): (TaskId, Option<Position>, usize),
        header: &Header,
        (made, bytes_out): (Made<'_>, usize),
    ) {
        self.attempt_ended(id, shared::Ended::Answered);
        let mut text = std::mem::take(&mut self.text);
        let flags = self.end(id, position, &mut text);
        let worker = self.slots[slot].worker;
        let Some(run) = self.runs.get_mut(&run_of(id)) else {
            self.text = text;
            return;
        };
        let attempts = run.attempts(id).max(1);
        if let Some(retries) = run.retries.as_mut() {
            retries.forget(id);
        }
        run.ended += 1;
        run.record.end(Ended {
            task: id,
            node,
            slot: Some(slot),
            started: Some(header.started),
            finished: header.finished,
            outcome: Outcome::Answered,
            data: Data { bytes: &text, flags },
            bytes_out,
            error: None,
            attempts,
        });
        let digest = digest_of(run, id, (&text, flags));
        self.text = text;
        let Some(mut flow) = run.flow.take() else { return };
        flow.forget(id);
        let (before, plain) = (flow.progress.total(), flow.plan.node(node).plain);
        if let Some(lineage) = &mut flow.lineage {
            let count = if let Made::Records(records) = &made { records.len() } else { 1 };
            lineage.answered(id, digest);
            lineage.makes(id, count);
        }
        if run.state.is_open() {
            match made {
                Made::Plain(value) => {
                    if let Some(exit) = plain {
                        flow.node(node).made += 1;
                        self.put_value(pool, (run_of(id), &mut flow), worker, exit, value);
                    }
                }
                Made::Records(records) => {
                    for record in records {
                        self.put_record(pool, (id, node, &mut flow), (slot, header), record);
                    }
                }
            }
        }
        let made = flow.progress.total().saturating_sub(before);
        flow.made(node, made);
        self.ended_in_flow(&mut flow, id, node);
        self.give_back(pool, run_of(id), flow);
    }

    /// An event of a flow has ended, and all that it made was put out.
    pub(super) fn ended_in_flow(&mut self, flow: &mut Flow, task: TaskId, node: usize) {
        let Some(ended) = flow.ended(task, node) else { return };
        let is_manual = self.scheduler.is_manual();
        if let Some(run) = self.runs.get_mut(&run_of(task))
            && run.deliver_all(ended, is_manual)
        {
            flow.stops.get_or_insert(task);
        }
    }

    /// Hands the events of flows out as far as there is room for what they make, and opens what nothing more comes to.
    /// False if a run came to its end by that.
    pub(super) fn advance_flows(&mut self, pool: &Pool) -> bool {
        let mut are_open = true;
        let has_flow = |run: &Run| run.flow.is_some() && run.state.is_open();
        let ids: Vec<RunId> =
            self.runs.values().filter(|run| has_flow(run)).map(|run| run.id).collect();
        for id in ids {
            let Some(run) = self.runs.get_mut(&id) else { continue };
            let Some(mut flow) = run.flow.take() else { continue };
            if run.is_draining && flow.source_left(run.words.handed_over()) == 0 {
                flow.progress.source_is_over();
            }
            loop {
                while let Some(node) = flow.progress.next(&flow.plan) {
                    self.open_node(pool, (id, &mut flow), node);
                }
                if !self.hand_out(pool, id, &mut flow) || flow.stops.is_some() {
                    break;
                }
            }
            self.give_back(pool, id, flow);
            are_open &= self.runs.get(&id).is_some_and(|run| run.state.is_open());
        }
        are_open
    }

    /// True if something has ended by that.
    fn hand_out(&mut self, pool: &Pool, id: RunId, flow: &mut Flow) -> bool {
        // What backs off needs no worker; there must be an end to it.
        let backing_off = (self.scheduler.backing_off() + flow.backing_off.len())
            .min(pool.launch.max_window * self.slots.len());
        let is_full = self.runs.get(&id).is_some_and(is_full);
        let mut holding_up = 0;
        for at in 0..flow.plan.last_first.len() {
            let number = flow.plan.last_first[at];
            if flow.node(number).queue.is_empty() {
                continue;
            }
            let lane = self.lane_of(id, number);
            let (most, places) = self.most_in(lane, backing_off);
            let room = flow.room_of(number, most, places, is_full);
            while flow.active(number) < room.events {
                let Some(task) = flow.node(number).queue.pop_front() else { break };
                let refusal = if let Some(lane) = lane {
                    self.refusal_in(lane)
                } else {
                    let tags = flow.plan.node(number).tags.clone();
                    self.router.add_further(task, Routing { tags, ..Routing::default() }).err()
                };
                if let Some(error) = refusal {
                    self.fail_in_flow(pool, task, (number, flow), &error);
                    return true;
                }
                self.put_in_lane(id, task, number);
            }
            if !flow.node(number).queue.is_empty() {
                holding_up |= bit_of(room);
            }
        }
        if self.runs.get(&id).is_some_and(|run| run.words.waiting_for().is_some()) {
            let (most, places) = self.most_in(self.lane_of(id, flow.plan.entry), backing_off);
            holding_up |= bit_of(flow.room_of(flow.plan.entry, most, places, is_full));
        }
        flow.hold_up(holding_up, clock);
        false
    }

    /// How many events may be on their way through a lane, or the router, and how many run at once there.
    fn most_in(&self, lane: Option<usize>, backing_off: usize) -> (usize, usize) {
        match lane {
            Some(lane) if !self.is_refused(lane) => {
                let (capacity, places) = self.room_in(lane);
                (capacity.max(places) + backing_off, places)
            }
            // The router offers few at a time, and what no worker will run fails.
            _ => (MOST_ROUTED, self.slots.len().max(self.scheduler.places())),
        }
    }

    /// How many events of the source may be on their way; none if that does not matter.
    pub(super) fn room_of_source(run: &Run, most: usize, places: usize) -> Option<usize> {
        let flow = run.flow.as_ref()?;
        Some(flow.room_of(flow.plan.entry, most.max(places), places, is_full(run)).events)
    }
}

/// The node that holds others up, as a set of numbers.
fn bit_of(room: Room) -> u64 {
    room.held_up_by.map_or(0, |number| 1 << number)
}

/// Whether the reader of a stream is behind.
pub(super) fn is_full(run: &Run) -> bool {
    run.stream.is_some()
        && (run.results.len() >= UNREAD || run.results.bytes() >= run.options.max_bytes)
}

/// Whether an event that entered at this node may have made that.
fn is_sound(node: &Node, record: &Record<'_>) -> bool {
    match *record {
        Record::Out { exit, .. } => node.may_put_out(exit),
        Record::Failed { node: at, error, .. } => node.may_fail_at(at) && !error.is_empty(),
        Record::Spilled { node: to, told } => {
            node.may_spill_for(to) && serde_json::from_slice::<Told>(told).is_ok()
        }
        Record::Further { data } => node.hold == Some(Hold::Spill) && !data.is_empty(),
    }
}

/// Whether an event has merged what it was to merge: its extents are nowhere else.
fn is_merged(compaction: &Compaction, made: &[Record<'_>]) -> bool {
    let &[Record::Spilled { node, told }] = made else { return false };
    let told = serde_json::from_slice::<Told>(told).ok();
    let is_all = |&(partition, _, _, records): &(u32, u64, u64, u64)| {
        partition == compaction.partition && records > 0
    };
    node == compaction.node
        && told.is_some_and(|told| !told.parts.is_empty() && told.parts.iter().all(is_all))
}
