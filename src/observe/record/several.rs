//! The records of several runs together.

use std::collections::HashMap;

use super::Record;
use super::kept::Outcome;

impl Record {
    /// The same without what is kept of single events.
    pub(crate) fn counts_alone(&self) -> Self {
        let (shares, lifetimes) = (self.shares.clone(), self.lifetimes.clone());
        let counters = self.counters.clone();
        let (counts, nodes, labels) = (self.counts, Vec::new(), HashMap::new());
        let (hosts, recent) = (HashMap::new(), None);
        Self {
            counts,
            counters,
            shares,
            lifetimes,
            nodes,
            labels,
            hosts,
            detail: None,
            recent,
            ..*self
        }
    }

    /// Adds the events of another run on the same workers.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.add_events(&other.counts);
        self.count_up(other.counters.clone());
        for (share, other) in self.shares.iter_mut().zip(&other.shares) {
            share.tasks += other.tasks;
            share.busy += other.busy;
        }
    }

    /// So many events were aborted with their run.
    pub(crate) fn abort(&mut self, events: u64) {
        self.counts.ended[Outcome::Aborted as usize] += events;
    }

    /// How many events have not ended, of those that `Map` handed over and those for one worker.
    pub(crate) fn unfinished(&self, handed_over: u64) -> u64 {
        (handed_over + self.counts.direct).saturating_sub(self.counts.ended.iter().sum())
    }
}
