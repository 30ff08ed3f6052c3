//! How far the run has come and what its workers do, for people who look on.

use super::Pool;
use super::state::State;
use crate::core::event::Origin;
use crate::core::task_id::{RunId, TaskId, first_of, run_of};
use crate::observe::excerpt::{Data, SHOWN};
use crate::observe::record::{NodeState, Record, number_of};
use crate::observe::tally::{Activity, Detail, Doing, Tally};
use crate::os::clock::clock;
use crate::shm::stopwatch::{elapsed, tick};
use crate::shm::store::Bytes;

/// What is kept of a run, with the counts of its flow's nodes if it has one.
pub(crate) struct Seen<'a> {
    pub(crate) record: &'a Record,
    /// How many events the program handed over.
    pub(crate) handed_over: u64,
    pub(crate) nodes: Option<Nodes<'a>>,
}

pub(crate) struct Nodes<'a> {
    pub(crate) states: Vec<NodeState>,
    /// How many items have left each exit.
    pub(crate) left: &'a [u64],
}

impl Pool {
    /// Looks at what is kept of a run, and at its flow's nodes; none if it is closed.
    pub(crate) fn see<T>(&self, run: RunId, look: impl FnOnce(Seen<'_>) -> T) -> Option<T> {
        let mut state = self.lock();
        state.record_spans(run);
        let running = state.running_nodes(run);
        let run = state.runs.get(&run)?;
        let handed_over = run.words.handed_over();
        let nodes = run.flow.as_deref().map(|flow| Nodes {
            states: flow.states(handed_over, &running, clock()),
            left: flow.left(),
        });
        Some(look(Seen { record: &run.record, handed_over, nodes }))
    }

    /// What the program calls the next event that it hands over.
    pub(crate) fn label_next(&self, run: RunId, label: &str) {
        if let Some(open) = self.lock().runs.get_mut(&run) {
            open.record.name(first_of(run) + open.words.handed_over(), label);
        }
    }

    /// How far a run has come by now; none if it is over.
    pub(crate) fn tally(&self, run: RunId, detail: Detail) -> Option<Tally> {
        // Workers that are busy notify nobody of what they have answered.
        self.enter(|_| ());
        let mut state = self.lock();
        let slots = if detail == Detail::Workers { 0..state.slots.len() } else { 0..0 };
        let workers = slots.map(|slot| state.activity(run, slot)).collect();
        let running = state.running_nodes(run);
        let run = state.runs.get(&run)?;
        let (answered, failed) = run.record.ended();
        let own = run.words.handed_over();
        let nodes = run.flow.as_deref().map(|flow| flow.states(own, &running, clock()));
        let nodes = nodes.map(|states| run.record.busy_nodes(&states)).unwrap_or_default();
        let handed_over = own + run.record.chosen();
        Some(Tally { handed_over, answered, failed, nodes, workers })
    }

    /// The workers that run an event of a run: each with the event's number, and the milliseconds for which it has run.
    pub(crate) fn doing(&self, run: RunId) -> Vec<(u32, i64, u32)> {
        self.enter(|_| ());
        let mut state = self.lock();
        let now = tick(clock());
        let mut all = Vec::new();
        for slot in 0..state.slots.len() {
            let running = state.running(slot, now);
            if let Some(&(task, started)) = running.iter().find(|(task, _)| run_of(*task) == run) {
                all.push((state.slots[slot].worker, number_of(task), elapsed(started, now)));
            }
        }
        all
    }
}

impl State {
    /// The node of each event of a flow that some worker runs.
    fn running_nodes(&mut self, id: RunId) -> Vec<usize> {
        if self.runs.get(&id).is_none_or(|run| run.flow.is_none()) {
            return Vec::new();
        }
        let now = tick(clock());
        let mut nodes = Vec::new();
        for slot in 0..self.slots.len() {
            for (task, _) in self.running(slot, now) {
                if run_of(task) == id {
                    let origin = self.scheduler.origin(slot, task);
                    nodes.push(self.node_of(task, origin.and_then(Origin::position)));
                }
            }
        }
        nodes
    }

    fn activity(&mut self, run: RunId, slot: usize) -> Activity {
        let now = tick(clock());
        let running = self.running(slot, now);
        // Who runs several at once was given the later ones by the program.
        let doing = if let Some(&(task, started)) = running.first() {
            Doing::Running {
                event: number_of(task),
                milliseconds: elapsed(started, now),
                text: self.shown(slot, task),
            }
        } else if self.scheduler.is_ready(slot) {
            Doing::Waiting
        } else if self.phase.is_released() || self.scheduler.worker(slot).is_closed() {
            Doing::Gone
        } else {
            Doing::Starting
        };
        let tasks = self.runs.get(&run).map_or(0, |run| run.record.tasks(slot));
        Activity { worker: self.slots[slot].worker, host: None, tasks, doing }
    }

    /// The label of an event that the worker of `slot` runs, or the beginning of its data; nothing if that is no text.
    pub(super) fn shown(&self, slot: usize, task: TaskId) -> String {
        let run = self.runs.get(&run_of(task));
        if let Some(label) = run.and_then(|run| run.record.label(task)) {
            return label.to_owned();
        }
        let mut peeked = Bytes::default();
        let position = self.scheduler.origin(slot, task).and_then(Origin::position);
        let (text, flags) = match (self.tasks.get(task), position) {
            (Some(task), _) => (&*task.text, task.flags),
            (None, Some(position)) => {
                let flags = self.lanes.peek(position, SHOWN, &mut peeked);
                (&peeked[..], flags)
            }
            (None, None) => return String::new(),
        };
        Data { bytes: text, flags }.excerpt()
    }
}
