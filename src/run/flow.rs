//! What a run of a flow has beside what every run has: how far its nodes have come, the events that wait for them, and what
//! the nodes hold that wait for more.

mod deliver;
mod held;
mod lineage;
mod shuffle;
mod written;

use std::collections::{HashMap, VecDeque};

pub(crate) use self::held::{Held, Kept, failure_of};
pub(crate) use self::lineage::{Ended, Lineage, Place};
pub(crate) use self::shuffle::{Compaction, Shuffle, text_of};
pub(crate) use self::written::{read, written};
use crate::core::flow::{Plan, Progress};
use crate::core::task_id::{TaskId, is_direct};
use crate::observe::record::{Holding, NodeState};
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
    /// If entries are read in the order in which the source's events were handed over, or are written down.
    pub(crate) lineage: Option<Lineage>,
    /// The nodes that hold others up: a set of numbers.
    holding_up: u64,
}

/// How many events of a node may run or be on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) events: usize,
    /// The node behind it that has no room for what more of them would make.
    pub(crate) held_up_by: Option<usize>,
}

impl Room {
    /// Nodes have nothing to do with it.
    fn of(events: usize) -> Self {
        Self { events, held_up_by: None }
    }
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
    /// How long it has held others up, in milliseconds, and since when it does so now.
    held_up: f64,
    holds_up_since: Option<f64>,
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
            holding_up: 0,
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
    pub(crate) fn ended(&mut self, task: TaskId, node: usize) -> Option<Ended> {
        if is_direct(task) {
            self.progress.ended(node);
        } else {
            self.source_ended += 1;
        }
        self.lineage.as_mut()?.ended(task)
    }

    /// An event was answered well: what it was about beside its data is of no use any more. Few are about anything.
    pub(crate) fn forget(&mut self, task: TaskId) {
        if !self.compactions.is_empty() {
            self.compactions.remove(&task);
        }
        if !self.redone.is_empty() {
            self.redone.remove(&task);
        }
    }

    /// An event of the source has ended that no worker has run: its entries were written down before.
    pub(crate) fn resumed(&mut self) {
        self.source_ended += 1;
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

    /// How many events of a node may run, so that those behind it have room for what they make: at most `most`. `places`:
    /// how many run at once. `is_full`: the reader of a stream is behind.
    pub(crate) fn room_of(&self, number: usize, most: usize, places: usize, is_full: bool) -> Room {
        let node = self.plan.node(number);
        if node.has_sink && is_full {
            return Room::of(0);
        }
        let free = node.feeds.iter().map(|&next| (self.free(next, places), next));
        let Some((free, next)) = free.min() else { return Room::of(most) };
        let fits = match self.nodes[number - 1].outputs {
            _ if free == 0 => 0,
            // Nobody knows yet.
            None => return Room::of(most.min(places)),
            Some(outputs) => ((free as f64 / outputs.max(f64::MIN_POSITIVE)) as usize).max(1),
        };
        Room { events: most.min(fits), held_up_by: (fits < most).then_some(next) }
    }

    /// These nodes hold others up from now on: a set of numbers.
    pub(crate) fn hold_up(&mut self, nodes: u64, now: impl FnOnce() -> f64) {
        let changed = self.holding_up ^ nodes;
        if changed == 0 {
            return;
        }
        self.holding_up = nodes;
        let now = now();
        for number in self.plan.numbers().filter(|number| changed >> number & 1 == 1) {
            let node = &mut self.nodes[number - 1];
            match node.holds_up_since.take() {
                Some(since) => node.held_up += now - since,
                None => node.holds_up_since = Some(now),
            }
        }
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
    pub(crate) fn states(&self, handed_over: u64, running: &[usize], now: f64) -> Vec<NodeState> {
        let state = |number: usize| {
            let node = &self.nodes[number - 1];
            let source = if number == self.plan.entry { handed_over } else { 0 };
            let own = running.iter().chain(self.in_master.values());
            let holds = self.plan.node(number).hold;
            NodeState {
                events: source + self.progress.entered_in_all(number),
                running: own.filter(|&&it| it == number).count() as u64,
                made: node.made,
                held_up: node.held_up + node.holds_up_since.map_or(0.0, |since| now - since),
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
