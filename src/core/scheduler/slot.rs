//! What the scheduler knows of one slot: its worker, what that holds, and how long its events run.

use std::collections::VecDeque;

use super::SHORT;
use crate::core::event::Held;
use crate::core::lifecycle::Worker;
use crate::core::task_id::TaskId;

#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) worker: Worker,
    /// How many events it runs at once.
    concurrency: usize,
    /// It runs only what is addressed to it.
    pub(super) is_reserved: bool,
    /// The worker leaves, has seen that, and claims nothing more.
    pub(super) is_settled: bool,
    /// On the worker and not answered, in the order of claiming or giving.
    pub(super) held: VecDeque<Held>,
    /// The same of those that were abandoned: nothing that becomes of them matters.
    pub(super) abandoned: Vec<Held>,
    /// Events for this worker that wait for it to be (re)started.
    pub(super) pinned: VecDeque<TaskId>,
    /// Events of this worker that failed, and back off until they are tried again; and whether the program chose it.
    pub(super) backing_off: Vec<(TaskId, bool)>,
    pub(super) window: usize,
    /// Mean run time in milliseconds of its events, newer ones counting more.
    pub(super) mean: f64,
}

impl Slot {
    pub(super) fn new(concurrency: usize, max_window: usize) -> Self {
        let slot = Self { concurrency, ..Self::default() };
        Self { window: slot.least_window(max_window), ..slot }
    }

    /// The same slot as it was before its first process.
    pub(super) fn emptied(&self, max_window: usize) -> Self {
        Self { is_reserved: self.is_reserved, ..Self::new(self.concurrency, max_window) }
    }

    /// Whether the worker takes another event.
    pub(super) fn has_room(&self) -> bool {
        self.worker.is_ready() && self.held.len() + self.abandoned.len() < self.concurrency
    }

    /// The fewest events that there is credit for.
    pub(super) fn least_window(&self, max_window: usize) -> usize {
        self.concurrency.min(max_window)
    }

    /// One long event closes the window at once, to as many events as the worker runs at once, which is what it is at least;
    /// short ones open it by doubling.
    pub(super) fn learn(&mut self, run: f64, max_window: usize) {
        let least = self.least_window(max_window);
        self.mean = if self.mean == 0.0 { run } else { self.mean * 0.75 + run * 0.25 };
        self.window = if run >= SHORT {
            least
        } else {
            // Those that run at once share the time that each of them seems to take.
            let mean = (self.mean / least as f64).max(SHORT / max_window as f64);
            (self.window * 2).min((SHORT / mean) as usize).clamp(least, max_window)
        };
    }
}
