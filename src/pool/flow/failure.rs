//! What fails in a flow: it is tried again by the rules of its node, or becomes an item of the node's errors, or an entry.

use super::super::Pool;
use super::super::entry::entry_of;
use super::super::order::Order;
use super::super::state::{State, json_of};
use crate::core::error::Error;
use crate::core::retry::{Attempt, Cause, parsed_error};
use crate::core::task_id::{RunId, TaskId, run_of};
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Outcome};
use crate::os::clock::clock;
use crate::queue::tasks::Task;
use crate::run::flow::{Flow, Kept, failure_of};
use crate::run::results::{Entry, entry};
use crate::run::value::Value;
use crate::wire::flow::{Hold, Item};
use crate::wire::header::{Header, chain, flag, format_of};
use crate::wire::note::Note;

/// What cannot be written down or read again stops the run.
const SPILL: &str = "ERR_SONIC_SPILL";

/// An item that failed in a node behind the one that its event entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed<'a> {
    pub(super) node: usize,
    pub(super) error: &'a [u8],
    pub(super) redo: &'a [u8],
    pub(super) item: Item<'a>,
}

impl State {
    /// It counts as an event of its own from here on.
    pub(super) fn item_failed(
        &mut self,
        pool: &Pool,
        (id, flow): (RunId, &mut Flow),
        (slot, header): (usize, &Header),
        failed: Failed<'_>,
    ) {
        let Failed { node, error, redo, item } = failed;
        let (worker, pid) = (self.slots[slot].worker, self.pid(slot));
        let Some(run) = self.runs.get_mut(&id) else { return };
        let task = run.next_direct();
        run.record.direct(task, if run.record.has_times() { header.finished } else { 0.0 });
        flow.entered(task, node);
        let kept = Kept::of(&item);
        let (cause, duration) = (Cause::Error, None);
        let attempt = Attempt { worker, pid, cause, is_shared: false, duration, error };
        let retries = run.retries.as_mut();
        if let Some(again) = retries.and_then(|retries| retries.failed(task, node, attempt)) {
            run.record.retried((task, node), slot, cause, again.after, clock());
            let mut event = if redo.is_empty() {
                Task::new(kept.bytes, kept.flags)
            } else {
                flow.redone.insert(task, kept);
                Task::new(redo.into(), 0)
            };
            event.flags |= chain(node);
            self.tasks.keep(task, event);
            self.tasks.try_again(task, again.after, false);
            if again.delay > 0.0 {
                flow.backing_off.insert(task, node);
                pool.order(Order::BackOff { task, again });
            } else {
                flow.node(node).queue.push_back(task);
            }
            return;
        }
        let report = run.retries.as_mut().and_then(|retries| retries.conclude(task, None));
        let error = report.as_deref().unwrap_or(error);
        run.ended += 1;
        run.record.end(Ended {
            task,
            node,
            slot: Some(slot),
            started: Some(header.finished),
            finished: header.finished,
            outcome: Outcome::Error,
            data: Data { bytes: &kept.bytes, flags: kept.flags },
            bytes_out: 0,
            error: Some(error),
            attempts: 1,
        });
        let data = Some((&*kept.bytes, kept.flags));
        if self.put_failure(pool, (id, flow), (task, node, worker), error, data) {
            flow.stops.get_or_insert(task);
        }
        self.ended_in_flow(flow, task, node);
    }

    /// An event that enters at a node has failed for good, with this entry. True if its run is to be stopped for that.
    pub(in super::super) fn has_failed_in_flow(
        &mut self,
        pool: &Pool,
        (task, node): (TaskId, usize),
        flags: u32,
        entry: &Entry<'_>,
    ) -> bool {
        let id = run_of(task);
        let Some(mut flow) = self.runs.get_mut(&id).and_then(|run| run.flow.take()) else {
            return false;
        };
        let error = entry.response.as_deref().unwrap_or_default();
        let data = entry
            .data
            .as_ref()
            .map(|data| (&**data, flags & !flag::FORMAT | data.format.number() << flag::FORMAT_AT));
        let at = (task, node, entry.worker);
        let stops = self.event_failed(pool, at, &mut flow, error, data);
        self.ended_in_flow(&mut flow, task, node);
        self.give_back(pool, id, flow);
        stops
    }

    /// The same of any event: what that stood for fails. `data`: what the event itself has.
    fn event_failed(
        &mut self,
        pool: &Pool,
        (task, node, worker): (TaskId, usize, u32),
        flow: &mut Flow,
        error: &[u8],
        data: Option<(&[u8], u32)>,
    ) -> bool {
        let id = run_of(task);
        if let Some(merge) = flow.compactions.remove(&task) {
            let is_open = self.runs.get(&id).is_some_and(|run| run.state.is_open());
            if !flow.node(merge.node).shuffle.put_back(merge.partition, merge.extents) {
                self.fail_run(id, error);
            } else if is_open {
                self.compact(id, flow, merge.node);
            }
            return false;
        }
        // What such an event has as data is the package's own.
        let is_own = flow.plan.node(node).hold == Some(Hold::Spill);
        let redone = flow.redone.remove(&task);
        let of_item = redone.as_ref().map(|kept| (&*kept.bytes, kept.flags));
        let data = of_item.or(data.filter(|_| !is_own));
        self.put_failure(pool, (id, flow), (task, node, worker), error, data)
    }

    /// No worker will ever run this event, which has not been handed out.
    pub(super) fn fail_in_flow(
        &mut self,
        pool: &Pool,
        task: TaskId,
        (node, flow): (usize, &mut Flow),
        error: &Error,
    ) {
        self.fail_held(pool, (task, node), flow, json_of(error).as_bytes());
    }

    /// An event fails that no worker has.
    pub(super) fn fail_held(
        &mut self,
        pool: &Pool,
        (task, node): (TaskId, usize),
        flow: &mut Flow,
        error: &[u8],
    ) {
        let event = self.tasks.remove(task);
        let data = event.as_ref().map(|event| (&*event.text, event.flags));
        let retries = self.run_mut(task).and_then(|run| run.retries.as_mut());
        let report = retries.and_then(|retries| retries.conclude(task, Some(error)));
        let error = report.as_deref().unwrap_or(error);
        self.end_held((task, node), Outcome::Error, Some(error));
        if self.event_failed(pool, (task, node, 0), flow, error, data) {
            flow.stops.get_or_insert(task);
        }
        self.ended_in_flow(flow, task, node);
    }

    /// True if the run is to be stopped for it. `data`: its bytes and flags as an event has them.
    fn put_failure(
        &mut self,
        pool: &Pool,
        (id, flow): (RunId, &mut Flow),
        (task, node, worker): (TaskId, usize, u32),
        error: &[u8],
        data: Option<(&[u8], u32)>,
    ) -> bool {
        let data = data.filter(|(_, flags)| flags & flag::HOLE == 0);
        let Some(run) = self.runs.get_mut(&id) else { return false };
        let is_open = run.state.is_open();
        if is_open && flow.plan.is_spilling() && parsed_error(error)["code"] == SPILL {
            self.fail_run(id, error);
            return false;
        }
        if let Some(exit) = flow.plan.node(node).errors.filter(|_| is_open) {
            let item = failure_of(worker, &flow.plan.node(node).name, error, data);
            self.put_out(pool, (id, flow), worker, exit, item);
            return false;
        }
        let has =
            |flag: u32, bit: u32| if data.is_some_and(|(_, it)| it & flag != 0) { bit } else { 0 };
        let kind = entry::FAILED
            | has(flag::PARTS, entry::DATA_PARTS)
            | has(flag::FAILURE, entry::DATA_FAILURE)
            | (node as u32) << entry::PLACE_AT;
        let data = data.map(|(bytes, flags)| Value::new(bytes, format_of(flags)));
        let entry = entry_of(kind, worker, data, Some(Value::json(error)));
        let place = flow.lineage.as_ref().map(|lineage| lineage.place_of(task));
        run.deliver_of(flow, place, entry)
    }

    /// A run cannot go on, because of this error.
    pub(in crate::pool) fn fail_run(&mut self, id: RunId, error: &[u8]) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if !run.state.is_open() || !run.state.fail(&String::from_utf8_lossy(error)) {
            return;
        }
        let told = parsed_error(error);
        let word = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let (name, code, message) = (word("name"), word("code"), word("message"));
        self.notes.push(Note::Failed { run: Some(id), name, code, message, stderr: None });
    }
}
