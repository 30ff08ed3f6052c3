//! What the scheduler knows of one slot: its worker, what that holds, and how long its events run.

use std::collections::VecDeque;

use super::SHORT;
use crate::core::event::Held;
use crate::core::lifecycle::Worker;
use crate::core::task_id::TaskId;

#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) worker: Worker,
    /// The worker leaves, has seen that, and claims nothing more.
    pub(super) is_settled: bool,
    /// On the worker and not answered, in the order of claiming or giving.
    pub(super) held: VecDeque<Held>,
    /// Events for this worker that wait for it to be (re)started.
    pub(super) pinned: VecDeque<TaskId>,
    /// Events of this worker that failed, and back off until they are tried again; and whether the program chose it.
    pub(super) backing_off: Vec<(TaskId, bool)>,
    pub(super) window: usize,
    /// Mean run time in milliseconds of its events, newer ones counting more.
    pub(super) mean: f64,
}

impl Slot {
    pub(super) fn is_idle(&self) -> bool {
        self.worker.is_ready() && self.held.is_empty()
    }

    /// One long event closes the window at once; short ones open it by doubling.
    pub(super) fn learn(&mut self, run: f64, max_window: usize) {
        self.mean = if self.mean == 0.0 { run } else { self.mean * 0.75 + run * 0.25 };
        self.window = if run >= SHORT {
            1
        } else {
            let fits = (SHORT / self.mean.max(SHORT / max_window as f64)) as usize;
            (self.window * 2).min(fits).clamp(1, max_window)
        };
    }
}
