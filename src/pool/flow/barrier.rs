//! Nodes that hold what comes until there is enough of it, or nothing more comes.

use std::time::Duration;

use super::super::Pool;
use super::super::order::Order;
use super::super::state::State;
use crate::core::task_id::{DIRECT, RunId, TaskId, first_of, number_of, run_of};
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Outcome, Spilled};
use crate::os::clock::clock;
use crate::queue::tasks::Task;
use crate::run::flow::{Compaction, Flow, Kept, text_of};
use crate::shm::store::Bytes;
use crate::wire::flow::Hold;
use crate::wire::header::flag;
use crate::wire::note::Note;

/// What a node fails with whose items are too many.
fn too_large(message: &str) -> Vec<u8> {
    let stack = format!("RangeError: {message}");
    let error = serde_json::json!({
        "name": "RangeError", "message": message, "stack": stack, "code": "ERR_SONIC_TOO_LARGE",
    });
    error.to_string().into_bytes()
}

impl Pool {
    /// A batch has waited for long enough, if it is still the same.
    pub(crate) fn flush_batch(&self, run: RunId, node: usize, generation: u64) {
        self.enter(|state| {
            let Some(run) = state.runs.get_mut(&run).filter(|run| run.state.is_open()) else {
                return;
            };
            let (id, Some(mut flow)) = (run.id, run.flow.take()) else { return };
            if flow.node(node).held.generation == generation {
                state.flush(self, (id, &mut flow), node);
            }
            state.give_back(self, id, flow);
        });
    }

    /// All items that the master's JavaScript is to reduce, for the note with this number: their bytes, and flags as an event
    /// has them. None if the run is over.
    pub(crate) fn to_reduce(&self, run: RunId, number: u64) -> Option<(Bytes, u32)> {
        let task = first_of(run) + DIRECT + number;
        let state = self.lock();
        let event = state.tasks.get(task)?;
        // A copy: should that fail, the failure has all items as its data.
        Some((Bytes::from(&*event.text), event.flags))
    }

    /// What they came to: an item, or the JSON of an error.
    pub(crate) fn reduced(&self, run: RunId, number: u64, item: Result<Kept, Vec<u8>>) {
        let task = first_of(run) + DIRECT + number;
        self.enter(|state| state.reduced(self, task, item));
    }
}

impl State {
    /// An item comes to a node that makes batches.
    pub(super) fn gather(
        &mut self,
        pool: &Pool,
        (id, flow): (RunId, &mut Flow),
        node: usize,
        item: Kept,
    ) {
        let batch = flow.plan.node(node).batch;
        let held = &mut flow.node(node).held;
        held.push(item);
        let is_full = batch.count.is_some_and(|count| held.len() >= count)
            || batch.bytes.is_some_and(|bytes| held.bytes() >= bytes);
        if is_full {
            self.flush(pool, (id, flow), node);
        } else if let Some(ms) = batch.ms.filter(|_| held.len() == 1) {
            let after = Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default();
            let generation = held.generation;
            pool.order(Order::Flush { run: id, node, generation, after });
        }
    }

    /// What a node holds becomes an event of it.
    fn flush(
        &mut self,
        pool: &Pool,
        (id, flow): (RunId, &mut Flow),
        node: usize,
    ) -> Option<TaskId> {
        match flow.node(node).held.take() {
            Ok(Kept { bytes, flags }) => self.enter_node(id, flow, node, Task::new(bytes, flags)),
            Err(message) => {
                let task =
                    self.enter_node(id, flow, node, Task::new(Bytes::default(), flag::HOLE))?;
                flow.node(node).queue.pop_back();
                self.fail_held(pool, (task, node), flow, &too_large(&message));
                None
            }
        }
    }

    /// Nothing more comes to a node: it gives away what it holds.
    pub(super) fn open_node(&mut self, pool: &Pool, (id, flow): (RunId, &mut Flow), node: usize) {
        let is_empty = flow.node(node).held.len() == 0;
        let hold = flow.plan.node(node).hold;
        if hold != Some(Hold::Spill) {
            self.opens(id, flow, node);
        }
        match hold {
            None => {}
            // The last batch may have been full.
            Some(Hold::Batch) if is_empty => {}
            Some(Hold::Batch | Hold::All) => {
                self.flush(pool, (id, flow), node);
            }
            Some(Hold::Master) => {
                if let Some(task) = self.flush(pool, (id, flow), node) {
                    flow.node(node).queue.pop_back();
                    flow.in_master.insert(task, node);
                    self.notes.push(Note::Reduce { run: id, number: number_of(task), node });
                }
            }
            Some(Hold::Spill) => {
                self.compact(id, flow, node);
                if flow.progress.events(node) > 0 {
                    flow.progress.postpone(node);
                    return;
                }
                self.opens(id, flow, node);
                for (partition, extents) in flow.node(node).shuffle.take() {
                    let text = text_of(partition, &extents, false);
                    self.enter_node(id, flow, node, Task::new(text.as_bytes().into(), 0));
                }
            }
        }
    }

    /// The record shows when a node has all its items.
    fn opens(&mut self, id: RunId, flow: &mut Flow, number: usize) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let (name, hold) = (flow.plan.node(number).name.clone(), flow.plan.node(number).hold);
        let node = flow.node(number);
        run.record.mark("barrier", None, clock(), || match hold {
            Some(Hold::Spill) => {
                let Spilled { records, bytes, extents } = node.shuffle.written();
                format!("node {name} has all its items: {records} records, {bytes} bytes in {extents} extents")
            }
            _ => format!("node {name} has all its items: {}", node.held.came),
        });
    }

    /// Has workers merge what one of them could not read at once.
    pub(super) fn compact(&mut self, id: RunId, flow: &mut Flow, node: usize) {
        while let Some((partition, extents)) = flow.node(node).shuffle.excess() {
            let text = text_of(partition, &extents, true);
            let event = Task::new(text.as_bytes().into(), 0);
            if let Some(task) = self.enter_node(id, flow, node, event) {
                flow.compactions.insert(task, Compaction { node, partition, extents });
            }
        }
    }

    fn reduced(&mut self, pool: &Pool, task: TaskId, item: Result<Kept, Vec<u8>>) {
        let id = run_of(task);
        let Some(mut flow) = self.runs.get_mut(&id).and_then(|run| run.flow.take()) else { return };
        if let Some(node) = flow.in_master.remove(&task) {
            match item {
                Ok(item) => {
                    self.tasks.remove(task);
                    self.end_held((task, node), Outcome::Answered, None);
                    if let Some(exit) = flow.plan.node(node).plain {
                        flow.node(node).made += 1;
                        self.put_out(pool, (id, &mut flow), 0, exit, item);
                    }
                    self.ended_in_flow(&mut flow, task, node);
                }
                Err(error) => self.fail_held(pool, (task, node), &mut flow, &error),
            }
        }
        self.give_back(pool, id, flow);
    }

    /// An event that no worker has had ends.
    pub(super) fn end_held(
        &mut self,
        (task, node): (TaskId, usize),
        outcome: Outcome,
        error: Option<&[u8]>,
    ) {
        let Some(run) = self.runs.get_mut(&run_of(task)) else { return };
        run.ended += 1;
        run.record.end(Ended {
            task,
            node,
            slot: None,
            started: None,
            finished: clock(),
            outcome,
            data: Data::default(),
            bytes_out: 0,
            error,
            attempts: 0,
        });
    }
}
