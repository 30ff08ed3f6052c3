//! What the scheduler knows: of workers, of what they hold, and of how much there is room for.

use super::slot::Slot;
use super::{Scheduler, WAKE_UP};
use crate::core::event::{Held, Origin};
use crate::core::lifecycle::{Leave, Worker};
use crate::core::task_id::{Position, TaskId};

impl Scheduler {
    pub(crate) fn worker(&self, slot: usize) -> &Worker {
        &self.slots[slot].worker
    }

    pub(crate) fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.slots.iter().map(|slot| &slot.worker)
    }

    /// The worker of `slot` runs only what is addressed to it.
    pub(crate) fn reserve(&mut self, slot: usize) {
        self.slots[slot].is_reserved = true;
    }

    /// The workers that take any event.
    fn takers(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.worker.is_ready() && !slot.is_reserved)
    }

    /// How many events there is credit for, those that are held or wait included.
    pub(crate) fn capacity(&self) -> usize {
        self.takers().map(|slot| slot.window).sum()
    }

    /// How many events there is credit for on the worker of `slot`: about so many it runs in a moment.
    pub(crate) fn window(&self, slot: usize) -> usize {
        self.slots[slot].window
    }

    /// The longest mean run time in milliseconds of a worker's events; 0 where nothing was answered yet.
    pub(crate) fn mean_run(&self) -> f64 {
        let ready = self.slots.iter().filter(|slot| slot.worker.is_ready());
        ready.map(|slot| slot.mean).fold(0.0, f64::max)
    }

    /// Whether events take less time than it takes to wake a worker for them, on most of the workers that have run any.
    pub(crate) fn is_swift(&self) -> bool {
        let means = self.slots.iter().map(|slot| slot.mean).filter(|&mean| mean > 0.0);
        let (swift, others): (Vec<f64>, Vec<f64>) = means.partition(|&mean| mean < WAKE_UP);
        swift.len() > others.len()
    }

    /// Whether the program dispatches events itself.
    pub(crate) fn is_manual(&self) -> bool {
        self.is_manual
    }

    /// How many events the workers that take any event run at once.
    pub(crate) fn places(&self) -> usize {
        self.takers().map(|slot| slot.least_window(self.max_window)).sum()
    }

    /// The capacity and the places of the workers of these slots.
    pub(crate) fn room_in(&self, may_claim: impl Fn(usize) -> bool) -> (usize, usize) {
        let slots = self.slots.iter().enumerate();
        let takers = slots.filter(|&(at, slot)| slot.worker.is_ready() && may_claim(at));
        takers.fold((0, 0), |(capacity, places), (_, slot)| {
            (capacity + slot.window, places + slot.least_window(self.max_window))
        })
    }

    /// Whether the worker of `slot` takes events.
    pub(crate) fn is_ready(&self, slot: usize) -> bool {
        self.slots[slot].worker.is_ready()
    }

    /// Whether the worker of `slot` takes another event.
    pub(crate) fn has_room(&self, slot: usize) -> bool {
        self.slots[slot].has_room()
    }

    /// Whether the worker of `slot`, or its replacement to come, has nothing to do.
    pub(crate) fn is_free(&self, slot: usize) -> bool {
        !self.slots[slot].worker.is_closed() && self.is_spare(slot)
    }

    /// Whether nothing is on the worker of `slot`, or waits for it, whether there will be one or not.
    pub(crate) fn is_spare(&self, slot: usize) -> bool {
        let Slot { held, abandoned, pinned, backing_off, .. } = &self.slots[slot];
        held.is_empty() && abandoned.is_empty() && pinned.is_empty() && backing_off.is_empty()
    }

    /// How many events back off until they are tried again.
    pub(crate) fn backing_off(&self) -> usize {
        let for_one: usize = self.slots.iter().map(|slot| slot.backing_off.len()).sum();
        for_one + self.backing_off.len()
    }

    /// Whether the worker of `slot` is to be released once it has seen that it leaves.
    pub(crate) fn awaits_settling(&self, slot: usize) -> bool {
        let is_recycled = Worker::Leaving { why: Leave::Recycled, told: false };
        self.slots[slot].worker == is_recycled && !self.slots[slot].is_settled
    }

    /// Whether some worker is to be replaced as soon as it runs nothing.
    pub(crate) fn is_recycling(&self) -> bool {
        let is_recycled = Worker::Leaving { why: Leave::Recycled, told: false };
        self.workers().any(|worker| *worker == is_recycled)
    }

    /// What the worker of `slot` holds.
    pub(crate) fn held(&self, slot: usize) -> impl ExactSizeIterator<Item = Held> {
        self.slots[slot].held.iter().copied()
    }

    /// What waits for the worker of `slot` to be there.
    pub(crate) fn pinned(&self, slot: usize) -> impl Iterator<Item = TaskId> {
        self.slots[slot].pinned.iter().copied()
    }

    /// What the worker of `slot` has claimed there, text and all.
    pub(crate) fn claimed_at(&self, slot: usize, position: Position) -> Option<TaskId> {
        let origin = Origin::Claimed(position);
        self.slots[slot].held.iter().find(|held| held.origin == origin).map(|held| held.task)
    }

    /// What the worker of `slot` has claimed there, or was given, and that was abandoned.
    pub(crate) fn abandoned(&self, slot: usize, which: impl Fn(Held) -> bool) -> Option<Held> {
        self.slots[slot].abandoned.iter().copied().find(|&held| which(held))
    }

    /// How the worker of `slot` came by `task`, which it holds.
    pub(crate) fn origin(&self, slot: usize, task: TaskId) -> Option<Origin> {
        self.slots[slot].held.iter().find(|held| held.task == task).map(|held| held.origin)
    }

    /// Whether the program chose the worker of `slot` for `task`, which it holds.
    pub(crate) fn is_chosen(&self, slot: usize, task: TaskId) -> bool {
        self.origin(slot, task) == Some(Origin::Chosen)
    }
}
