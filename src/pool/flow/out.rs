//! What events of flows have made goes on its way: to sinks, where it is an entry, and to nodes, where it waits.

use super::super::Pool;
use super::super::entry::data_of;
use super::super::state::State;
use super::failure::Failed;
use crate::core::task_id::{RunId, TaskId, run_of};
use crate::os::clock::clock;
use crate::queue::tasks::Task;
use crate::run::flow::{Flow, Kept};
use crate::run::results::entry;
use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::flow::{Hold, Record, Target, Told};
use crate::wire::header::{Header, chain, flag};

impl State {
    pub(super) fn put_record(
        &mut self,
        pool: &Pool,
        (id, node, flow): (TaskId, usize, &mut Flow),
        (slot, header): (usize, &Header),
        record: Record<'_>,
    ) {
        let run = run_of(id);
        match record {
            Record::Out { exit, item } => {
                let worker = self.slots[slot].worker;
                flow.node(node).made += 1;
                let value = (!item.is_hole).then(|| Value::new(item.bytes, item.format));
                self.put_value(pool, (run, flow), worker, exit, value);
            }
            Record::Failed { node, error, redo, item } => {
                let failed = Failed { node, error, redo, item };
                self.item_failed(pool, (run, flow), (slot, header), failed);
            }
            Record::Spilled { node: to, told } => {
                if let Ok(told) = serde_json::from_slice::<Told>(told) {
                    let records = flow.node(to).shuffle.add(told);
                    if to != node {
                        flow.node(to).shuffle.has_come(records);
                        let made = &mut flow.node(node).made;
                        *made = made.saturating_add(records);
                    }
                    self.compact(run, flow, to);
                }
            }
            Record::Further { data } => {
                let event = Task::new(Bytes::from(data), 0);
                self.enter_node(run, flow, node, event);
            }
        }
    }

    /// An item of an answer leaves an exit; none is `undefined`. Its bytes are copied only where it waits, or goes to several places.
    pub(super) fn put_value(
        &mut self,
        pool: &Pool,
        (id, flow): (RunId, &mut Flow),
        worker: u32,
        exit: usize,
        value: Option<Value<'_>>,
    ) {
        let Some(sink) = flow.plan.only_sink(exit) else {
            return self.put_out(pool, (id, flow), worker, exit, Kept::of_value(value));
        };
        flow.leaves(exit);
        if let Some(run) = self.runs.get_mut(&id) {
            run.has_come(flow, (0, worker), sink, value);
        }
    }

    /// An item leaves an exit.
    pub(super) fn put_out(
        &mut self,
        pool: &Pool,
        (run, flow): (RunId, &mut Flow),
        worker: u32,
        exit: usize,
        item: Kept,
    ) {
        flow.leaves(exit);
        let count = flow.plan.targets(exit).map_or(0, <[Target]>::len);
        let mut item = Some(item);
        for at in 0..count {
            let Some(target) = flow.plan.targets(exit).map(|targets| targets[at]) else { return };
            let is_last = at + 1 == count;
            let next = if is_last { item.take() } else { item.as_ref().map(Kept::copy) };
            let Some(next) = next else { return };
            match target {
                Target::Sink { sink } => self.sink((run, flow), worker, sink, next),
                Target::Node { node } => self.enter(pool, (run, flow), node, next),
            }
        }
    }

    /// An item that was kept has come to a sink.
    fn sink(&mut self, (run, flow): (RunId, &mut Flow), worker: u32, sink: usize, item: Kept) {
        let Some(run) = self.runs.get_mut(&run) else { return };
        let Kept { mut bytes, flags } = item;
        let failure = if flags & flag::FAILURE != 0 { entry::RESPONSE_FAILURE } else { 0 };
        let item = data_of(&mut bytes, flags);
        run.has_come(flow, (failure, worker), sink, item);
    }

    /// An item comes to a node.
    fn enter(&mut self, pool: &Pool, (run, flow): (RunId, &mut Flow), node: usize, item: Kept) {
        match flow.plan.node(node).hold {
            None => {
                let event = Task::new(item.bytes, item.flags);
                self.enter_node(run, flow, node, event);
            }
            Some(Hold::Batch) => self.gather(pool, (run, flow), node, item),
            Some(Hold::All | Hold::Master) => flow.node(node).held.push(item),
            // Workers write for those.
            Some(Hold::Spill) => {}
        }
    }

    /// A new event for a node: it waits there.
    pub(in crate::pool) fn enter_node(
        &mut self,
        run: RunId,
        flow: &mut Flow,
        node: usize,
        mut event: Task,
    ) -> Option<TaskId> {
        let run = self.runs.get_mut(&run)?;
        let task = run.next_direct();
        event.queued = if run.record.has_times() { clock() } else { 0.0 };
        run.record.direct(task, event.queued);
        event.flags = event.flags & !flag::CHAIN | chain(node);
        self.tasks.keep(task, event);
        flow.entered(task, node);
        flow.node(node).queue.push_back(task);
        Some(task)
    }
}
