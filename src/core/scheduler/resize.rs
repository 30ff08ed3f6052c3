//! Slots that come while a pool runs, and those that may be given up.

use super::{Scheduler, Slot};
use crate::core::event::Origin;
use crate::core::task_id::TaskId;

impl Scheduler {
    /// One more slot, behind the others, whose workers run so many events at once. Nothing is started in it yet.
    pub(crate) fn add_closed(&mut self, concurrency: usize) {
        let mut slot = Slot::new(concurrency, self.max_window);
        slot.worker.closed();
        self.slots.push(slot);
    }

    /// A worker is to be started in `slot`, which is closed, after all.
    pub(crate) fn reopen(&mut self, slot: usize) {
        debug_assert!(self.slots[slot].worker.is_closed(), "nothing waits for it");
        self.slots[slot] = self.slots[slot].emptied(self.max_window);
    }

    /// Of what waits for the worker of `slot`, these come first, in this order.
    pub(crate) fn pin_first(&mut self, slot: usize, tasks: &[TaskId]) {
        let pinned = &mut self.slots[slot].pinned;
        pinned.retain(|task| !tasks.contains(task));
        for &task in tasks.iter().rev() {
            pinned.push_front(task);
        }
    }

    /// Whether there is an event for the worker of `slot` alone, or its replacement.
    pub(crate) fn has_chosen(&self, slot: usize) -> bool {
        let Slot { held, pinned, backing_off, .. } = &self.slots[slot];
        held.iter().any(|held| held.origin == Origin::Chosen)
            || !pinned.is_empty()
            || backing_off.iter().any(|&(_, is_chosen)| is_chosen)
    }
}
