//! Manual dispatch: the program takes free workers out of a queue, and hands each event to one itself.

use super::{Scheduler, Slot};
use crate::core::event::{Effect, Held, Origin};
use crate::core::task_id::TaskId;

impl Scheduler {
    /// What waits goes to the workers that are free now, and then to each worker that ends an event: see
    /// [`Scheduler::is_taken`]. So does what backs off for nobody in particular: no worker that the program has would be
    /// free for it later.
    pub(super) fn be_manual(&mut self, waiting: Vec<TaskId>, effects: &mut Vec<Effect>) {
        self.is_manual = true;
        for task in waiting.into_iter().chain(std::mem::take(&mut self.backing_off)) {
            self.wait(task, effects);
        }
        for slot in 0..self.slots.len() {
            if self.is_free(slot) && !self.give_next(slot, effects) {
                return;
            }
        }
    }

    /// Whether the worker of `slot`, which has just ended an event, is not the program's to use: it has another that it
    /// claimed before the program looked, has got one that waited, or will not be replaced.
    pub(crate) fn is_taken(&mut self, slot: usize, effects: &mut Vec<Effect>) -> bool {
        if !self.is_manual {
            return false;
        }
        let state = &self.slots[slot];
        let is_other = |held: &Held| held.origin != Origin::Chosen;
        if state.worker.is_closed() || state.held.iter().any(is_other) {
            return true;
        }
        let backs_off = state.backing_off.iter().any(|&(_, is_chosen)| !is_chosen);
        self.give_next(slot, effects) || backs_off
    }

    /// Under manual dispatch: a worker whose event is to be tried again later gets one that waits. One that is busy gets
    /// it when that has ended: see [`Scheduler::is_taken`].
    pub(super) fn pass_on(&mut self, slot: usize, effects: &mut Vec<Effect>) {
        let Slot { worker, held, pinned, backing_off, .. } = &self.slots[slot];
        // Where that event is the program's choice, another's end would say that the worker is free.
        let is_chosen = backing_off.iter().any(|&(_, is_chosen)| is_chosen);
        if self.is_manual
            && !worker.is_closed()
            && held.is_empty()
            && pinned.is_empty()
            && !is_chosen
        {
            self.give_next(slot, effects);
        }
    }

    fn give_next(&mut self, slot: usize, effects: &mut Vec<Effect>) -> bool {
        let Some(task) = self.waiting.pop_front() else { return false };
        self.choose(slot, task, effects);
        true
    }
}
