//! What a run of a flow has beside what every run has: how far its nodes have come, the events that wait for them, and what
//! the nodes hold that wait for more.

mod held;
mod lineage;
mod shuffle;

use std::collections::{HashMap, VecDeque};

pub(crate) use self::held::{Held, Kept, failure_of};
pub(crate) use self::lineage::{Lineage, Place};
pub(crate) use self::shuffle::{Compaction, Shuffle, text_of};
use crate::core::flow::{Plan, Progress};
use crate::core::task_id::{TaskId, is_direct};
use crate::observe::record::{Holding, NodeState};
use crate::run::results::Entry;
use crate::wire::flow::Hold;

/// How much of what is new counts in a mean.
const NEWER: f64 = 0.1;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) plan: Plan,
    pub(crate) progress: Progress,
    nodes: Vec<Node>,
    /// Items that failed in the middle of an event, and back off until their nodes try them again.
    pub(crate) backing_off: HashMap<TaskId, usize>,
    /// What an event that tries an item again stands for, where its own data says only how.
    pub(crate) redone: HashMap<TaskId, Kept>,
    /// What the master's JavaScript reduces, by the event that stands for it.
    pub(crate) in_master: HashMap<TaskId, usize>,
    /// Events that merge what workers wrote down.
    pub(crate) compactions: HashMap<TaskId, Compaction>,
    /// How many of the source's events have ended.
    source_ended: u64,
    /// The first event that failed for which the run is to be stopped, once nobody looks at this.
    pub(crate) stops: Option<TaskId>,
    /// How many items have left each exit.
    left: Vec<u64>,
    /// If entries are read in the order in which the source's events were handed over.
    pub(crate) lineage: Option<Lineage>,
}

/// What one node has.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Events that are in no lane.
    pub(crate) queue: VecDeque<TaskId>,
    pub(crate) held: Held,
    pub(crate) shuffle: Shuffle,
    /// How many items an event of it makes, for nodes behind it; none if none was answered.
    outputs: Option<f64>,
    /// How many items its events have made, those written down for others too.
    pub(crate) made: u64,
}

impl Flow {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            progress: Progress::new(&plan),
            nodes: plan.numbers().map(|_| Node::default()).collect(),
            left: vec![0; plan.exits()],
            plan,
            backing_off: HashMap::new(),
            redone: HashMap::new(),
            in_master: HashMap::new(),
            compactions: HashMap::new(),
            source_ended: 0,
            stops: None,
            lineage: None,
        }
    }

    pub(crate) fn node(&mut self, number: usize) -> &mut Node {
        &mut self.nodes[number - 1]
    }

    /// One more event of a node, which another event made.
    pub(crate) fn entered(&mut self, task: TaskId, node: usize) {
        self.progress.entered(node);
        if let Some(lineage) = &mut self.lineage {
            lineage.entered(task);
        }
    }

    /// An event of a node has ended. What it made was told before. If the entries come in order, and this was the last of what
    /// descends from an event of the source: that one, with its entries.
    #[must_use]
    pub(crate) fn ended(
        &mut self,
        task: TaskId,
        node: usize,
    ) -> Option<(TaskId, Vec<Entry<'static>>)> {
        if is_direct(task) {
            self.progress.ended(node);
        } else {
            self.source_ended += 1;
        }
        self.lineage.as_mut()?.ended(task)
    }

    /// How many of the source's events have not ended, if it has handed over so many.
    pub(crate) fn source_left(&self, handed_over: u64) -> u64 {
        handed_over.saturating_sub(self.source_ended)
    }

    /// An event of a node has made so many items for nodes behind it.
    pub(crate) fn made(&mut self, node: usize, items: usize) {
        let outputs = &mut self.nodes[node - 1].outputs;
        let items = items as f64;
        *outputs = Some(outputs.map_or(items, |mean| mean + (items - mean) * NEWER));
    }

    /// How many events of a node may run or be on their way, so that those behind it have room for what they make: at most
    /// `most`. `places`: how many run at once. `is_full`: the reader of a stream is behind.
    pub(crate) fn room_of(
        &self,
        number: usize,
        most: usize,
        places: usize,
        is_full: bool,
    ) -> usize {
        let node = self.plan.node(number);
        if node.has_sink && is_full {
            return 0;
        }
        let Some(free) = node.feeds.iter().map(|&next| self.free(next, places)).min() else {
            return most;
        };
        let fits = match self.nodes[number - 1].outputs {
            _ if free == 0 => return 0,
            // Nobody knows yet.
            None => return most.min(places),
            Some(outputs) => (free as f64 / outputs.max(f64::MIN_POSITIVE)) as usize,
        };
        most.min(fits.max(1))
    }

    /// How many more items may wait for a node.
    fn free(&self, number: usize, places: usize) -> usize {
        let most = self.plan.node(number).most_waiting.saturating_add(places);
        most.saturating_sub(self.progress.events(number))
    }

    /// How many events of a node are on their way or run.
    pub(crate) fn active(&self, number: usize) -> usize {
        self.progress.events(number) - self.nodes[number - 1].queue.len()
    }

    /// An item leaves an exit.
    pub(crate) fn leaves(&mut self, exit: usize) {
        if let Some(left) = self.left.get_mut(exit) {
            *left += 1;
        }
    }

    /// How many items have left each exit.
    pub(crate) fn left(&self) -> &[u64] {
        &self.left
    }

    /// What each node has by now. `handed_over`: by the program. `running`: the node of each event that runs.
    pub(crate) fn states(&self, handed_over: u64, running: &[usize]) -> Vec<NodeState> {
        let state = |number: usize| {
            let node = &self.nodes[number - 1];
            let source = if number == self.plan.entry { handed_over } else { 0 };
            let own = running.iter().chain(self.in_master.values());
            let holds = self.plan.node(number).hold;
            NodeState {
                events: source + self.progress.entered_in_all(number),
                running: own.filter(|&&it| it == number).count() as u64,
                made: node.made,
                stage: self.progress.stage(number),
                held: holds.filter(|&hold| hold != Hold::Spill).map(|_| Holding {
                    came: node.held.came,
                    items: node.held.len(),
                    bytes: node.held.bytes(),
                }),
                spilled: holds.filter(|&hold| hold == Hold::Spill).map(|_| node.shuffle.written()),
            }
        };
        self.plan.numbers().map(state).collect()
    }

    /// Everything that waits, for a run that is not open any more. What is held is nobody's.
    pub(crate) fn withdraw_all(&mut self) -> Vec<TaskId> {
        let in_master = self.in_master.drain().map(|(task, _)| task);
        let backing_off = self.backing_off.drain().map(|(task, _)| task);
        let mut tasks: Vec<TaskId> = in_master.chain(backing_off).collect();
        for node in &mut self.nodes {
            tasks.extend(node.queue.drain(..));
            node.held.clear();
        }
        tasks.sort_unstable();
        tasks
    }
}

#[cfg(test)]
mod tests;
