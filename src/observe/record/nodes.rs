//! What the events of each node of a flow came to.

use serde_json::{Value, json};

use super::{Ended, Outcome, Record};
use crate::observe::tally::Busy;
use crate::os::clock::rounded;

/// What a record counts of one node.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    name: String,
    answered: u64,
    failed: u64,
    retried: u64,
    /// How many events a worker had, and how long those ran, in milliseconds.
    ran: u64,
    busy: f64,
    longest: f64,
    /// How long events waited for a worker, if the record has times.
    waited: f64,
}

/// What the flow knows of one node at a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeState {
    /// How many events have entered, and how many of them a worker runs.
    pub(crate) events: u64,
    pub(crate) running: u64,
    /// How many items have left it.
    pub(crate) made: u64,
    /// How long those before it could not go on, because too much waited for it, in milliseconds.
    pub(crate) held_up: f64,
    /// More items may come: `open`; it works on what it held: `draining`; nothing comes of it any more: `closed`.
    pub(crate) stage: &'static str,
    pub(crate) held: Option<Holding>,
    pub(crate) spilled: Option<Spilled>,
}

/// What a node holds in the master's memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Holding {
    /// How many items have come in all.
    pub(crate) came: u64,
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

/// What workers have written down for a node.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spilled {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) extents: u64,
}

impl Record {
    /// Its events go through nodes of these names.
    pub(crate) fn has_nodes(&mut self, names: impl Iterator<Item = String>) {
        self.nodes = names.map(|name| Counts { name, ..Counts::default() }).collect();
    }

    /// The name of a node; none if there is none of this number.
    pub(crate) fn node_name(&self, number: usize) -> Option<&str> {
        Some(&self.nodes.get(number.checked_sub(1)?)?.name)
    }

    /// The nodes at which something waits or runs.
    pub(crate) fn busy_nodes(&self, states: &[NodeState]) -> Vec<Busy> {
        let busy = self.nodes.iter().zip(states).filter_map(|(counts, state)| {
            let (waiting, running) = counts.left(state);
            let name = || counts.name.clone();
            (waiting + running > 0).then(|| Busy { name: name(), waiting, running })
        });
        busy.collect()
    }

    fn node(&mut self, number: usize) -> Option<&mut Counts> {
        self.nodes.get_mut(number.checked_sub(1)?)
    }

    pub(super) fn node_ended(&mut self, ended: &Ended<'_>, run: f64, wait: f64) {
        let (ran, outcome) = (ended.slot.is_some(), ended.outcome);
        let Some(node) = self.node(ended.node) else { return };
        match outcome {
            Outcome::Answered | Outcome::Nothing => node.answered += 1,
            _ => node.failed += 1,
        }
        if ran {
            node.ran += 1;
            node.busy += run;
            node.longest = node.longest.max(run);
            node.waited += wait;
        }
    }

    pub(super) fn node_retried(&mut self, number: usize) {
        if let Some(node) = self.node(number) {
            node.retried += 1;
        }
    }

    /// The counts of all nodes, each with what the flow knows of it, as `NodeStatistics` in index.d.ts but for what the plan
    /// says.
    pub(crate) fn nodes(&self, states: &[NodeState]) -> Value {
        let has_times = self.has_times();
        self.nodes.iter().zip(states).map(|(counts, state)| counts.show(state, has_times)).collect()
    }
}

impl Counts {
    /// How many events wait and how many run.
    fn left(&self, state: &NodeState) -> (u64, u64) {
        let left = state.events.saturating_sub(self.answered + self.failed);
        let running = state.running.min(left);
        (left - running, running)
    }

    fn show(&self, state: &NodeState, has_times: bool) -> Value {
        let &Self { answered, failed, retried, ran, busy, longest, waited, .. } = self;
        let (waiting, running) = self.left(state);
        let mean = if ran > 0 { busy / ran as f64 } else { 0.0 };
        let mut shown = json!({
            "events": state.events,
            "answered": answered,
            "failed": failed,
            "retried": retried,
            "waiting": waiting,
            "running": running,
            "made": state.made,
            "state": state.stage,
            "busy": rounded(busy),
            "mean": rounded(mean),
            "longest": rounded(longest),
            "heldUp": rounded(state.held_up),
        });
        if has_times {
            shown["waited"] = json!(rounded(waited));
        }
        if let Some(Holding { came, items, bytes }) = state.held {
            shown["held"] = json!({ "came": came, "items": items, "bytes": bytes });
        }
        if let Some(Spilled { records, bytes, extents }) = state.spilled {
            shown["spilled"] = json!({ "records": records, "bytes": bytes, "extents": extents });
        }
        shown
    }
}

#[cfg(test)]
mod tests;
