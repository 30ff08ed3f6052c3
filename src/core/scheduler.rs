//! Decides what becomes of events and workers, and how many events there is room for. A pure state machine: no clock, no
//! I/O, no process.
//!
//! Most events wait in lanes, where each worker claims the next one when it is free. The scheduler is told of each thing
//! that happened as an [`Event`], and adds to a list of [`Effect`]s what is to be done. Its promises:
//! - an event is on one worker at a time and ends once;
//! - what a lost worker had not started goes back into the first lane; what it had started fails;
//! - an event that is tried again comes before those that were never tried; one for a worker that the program chose, or
//!   under manual dispatch, stays that worker's, which is not free before it has ended;
//! - under manual dispatch, what still waits goes to each worker that ends an event, and to no other: so a worker that is
//!   free is free for the program;
//! - there is credit for as many events a worker as it runs at once until its events are measured short ([`SHORT`]), and
//!   for no more again as soon as one of them takes long.

mod known;
mod manual;
mod resize;
mod slot;

use std::collections::{HashSet, VecDeque};

use self::slot::Slot;
use crate::core::event::{Effect, Event, Held, How, Origin};
use crate::core::lifecycle::{Kill, Leave, Worker};
use crate::core::task_id::TaskId;

/// An event that ran less than this, in milliseconds, is short: there may be more of them than workers, so that none
/// need wait for the next. Also the run time that a window aims at: a program that stops sending has sent about this
/// much work too much for each worker.
pub(crate) const SHORT: f64 = 1.0;

/// About how long it takes to wake a process, in milliseconds.
const WAKE_UP: f64 = 0.03;

/// The most events there is credit for a worker: enough to hide a wake-up (30 us) behind the shortest events (100 ns),
/// and few enough that a program which stops sending has sent not much more.
pub(crate) const MAX_WINDOW: usize = 512;

/// The state: what every worker is and holds, and what waits outside of the lanes.
#[derive(Debug)]
pub(crate) struct Scheduler {
    slots: Vec<Slot>,
    max_window: usize,
    /// Events that failed, and back off until any worker tries them again.
    backing_off: HashSet<TaskId>,
    /// Under manual dispatch: events for the next worker that ends one.
    waiting: VecDeque<TaskId>,
    is_manual: bool,
}

impl Scheduler {
    /// One slot a worker, which runs so many events at once; no process is there yet. There is credit for at most
    /// `max_window` events a worker, which is [`MAX_WINDOW`] unless the program wants it otherwise.
    pub(crate) fn new(concurrency: impl Iterator<Item = usize>, max_window: usize) -> Self {
        let slots = concurrency.map(|concurrency| Slot::new(concurrency, max_window)).collect();
        let (waiting, backing_off) = (VecDeque::new(), HashSet::new());
        Self { slots, max_window, backing_off, waiting, is_manual: false }
    }

    // ---- what happens ----

    pub(crate) fn on(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Started { slot } => self.slots[slot].worker.started(),
            Event::Registered { slot } => self.registered(slot, effects),
            Event::Leaves { slot, why } => self.leaves(slot, why, effects),
            Event::Released { slot } => self.released(slot, effects),
            Event::Settled { slot } => {
                self.slots[slot].is_settled = true;
                self.release_idle(slot, effects);
            }
            Event::Killed { slot, why } => self.killed(slot, why, effects),
            Event::Exited { slot, unstarted } => self.exited(slot, unstarted, effects),
            Event::Closed { slot } => self.closed(slot, effects),
            Event::Claimed { slot, task, from, is_long } => {
                let origin = if is_long { Origin::Text } else { Origin::Claimed(from) };
                self.slots[slot].held.push_back(Held { task, origin });
                if is_long {
                    effects.push(Effect::Give { slot, task, how: How::Text });
                    // A recall that is not carried out yet takes this one for the last that was given.
                    effects.extend((!self.is_ready(slot)).then_some(Effect::Recall { slot }));
                }
            }
            Event::Unclaimed { task } => self.unclaimed(task, effects),
            Event::TakenBack { task } => self.wait(task, effects),
            Event::Chosen { slot, task } => self.choose(slot, task, effects),
            Event::Recalled { slot, unstarted } => self.recalled(slot, unstarted, effects),
            Event::Answered { slot, task, run } => {
                let state = &mut self.slots[slot];
                if let Some(at) = state.held.iter().position(|held| held.task == task) {
                    state.held.remove(at);
                    state.learn(run, self.max_window);
                    self.release_idle(slot, effects);
                }
            }
            Event::Abandoned { slot, task } => {
                let state = &mut self.slots[slot];
                if let Some(at) = state.held.iter().position(|held| held.task == task) {
                    state.abandoned.extend(state.held.remove(at));
                    self.release_idle(slot, effects);
                }
            }
            Event::LetGo { slot, held } => {
                let abandoned = &mut self.slots[slot].abandoned;
                if let Some(at) = abandoned.iter().position(|&other| other == held) {
                    abandoned.remove(at);
                }
            }
            Event::Retried { slot, task, is_chosen, backs_off } => {
                self.retried(slot, task, is_chosen, backs_off, effects);
            }
            Event::BackedOff { task } => self.backed_off(task, effects),
            Event::Manual { waiting } => self.be_manual(waiting, effects),
        }
    }

    fn registered(&mut self, slot: usize, effects: &mut Vec<Effect>) {
        let state = &mut self.slots[slot];
        if !state.worker.registered() {
            self.release_idle(slot, effects);
            return;
        }
        state.window = state.least_window(self.max_window);
        state.mean = 0.0;
        for task in std::mem::take(&mut state.pinned) {
            self.choose(slot, task, effects);
        }
    }

    fn leaves(&mut self, slot: usize, why: Leave, effects: &mut Vec<Effect>) {
        self.slots[slot].worker.leaves(why);
        self.withhold(slot, effects);
        self.release_idle(slot, effects);
    }

    fn withhold(&self, slot: usize, effects: &mut Vec<Effect>) {
        if !self.slots[slot].worker.has_process() {
            return;
        }
        effects.push(Effect::Withhold { slot });
        if self.slots[slot].held.iter().any(|held| !matches!(held.origin, Origin::Claimed(_))) {
            effects.push(Effect::Recall { slot });
        }
    }

    fn released(&mut self, slot: usize, effects: &mut Vec<Effect>) {
        let is_leaving = matches!(self.slots[slot].worker, Worker::Leaving { .. });
        if self.slots[slot].worker.tell() {
            if !is_leaving {
                self.withhold(slot, effects);
            }
            effects.push(Effect::Release { slot });
        }
    }

    /// A worker that leaves once it runs nothing is released then. One that is recycled must have seen that it leaves:
    /// it might claim another event.
    fn release_idle(&mut self, slot: usize, effects: &mut Vec<Effect>) {
        let state = &self.slots[slot];
        let may_go = match state.worker {
            Worker::Leaving { why: Leave::Recycled, told: false } => state.is_settled,
            Worker::Leaving { why: Leave::Stopped, told: false } => true,
            _ => false,
        };
        if may_go && state.held.is_empty() {
            self.released(slot, effects);
        }
    }

    fn killed(&mut self, slot: usize, why: Kill, effects: &mut Vec<Effect>) {
        if self.slots[slot].worker.killed(why) {
            self.withhold(slot, effects);
            effects.push(Effect::Kill { slot });
        }
    }

    fn exited(&mut self, slot: usize, unstarted: usize, effects: &mut Vec<Effect>) {
        let state = &mut self.slots[slot];
        state.worker.exited();
        state.is_settled = false;
        state.abandoned.clear();
        state.window = state.least_window(self.max_window);
        self.recalled(slot, unstarted, effects);
        for Held { task, origin } in self.slots[slot].held.drain(..) {
            effects.push(Effect::Fail { slot, task, from: origin.position() });
        }
    }

    fn closed(&mut self, slot: usize, effects: &mut Vec<Effect>) {
        let state = &mut self.slots[slot];
        state.worker.closed();
        let backing_off = state.backing_off.drain(..).map(|(task, _)| task);
        for task in state.pinned.drain(..).chain(backing_off) {
            effects.push(Effect::Fail { slot, task, from: None });
        }
    }

    fn unclaimed(&mut self, task: TaskId, effects: &mut Vec<Effect>) {
        for slot in 0..self.slots.len() {
            let held = &mut self.slots[slot].held;
            if let Some(at) = held.iter().position(|held| held.task == task) {
                held.remove(at);
                if self.is_manual {
                    // Its end tells the program that the worker is free; nothing else would.
                    self.choose(slot, task, effects);
                } else {
                    self.wait(task, effects);
                }
                self.release_idle(slot, effects);
                return;
            }
        }
    }

    /// An event that is no worker's, and that any worker may run.
    fn wait(&mut self, task: TaskId, effects: &mut Vec<Effect>) {
        if self.is_manual {
            let at = self.waiting.partition_point(|&other| other < task);
            self.waiting.insert(at, task);
        } else {
            effects.push(Effect::PutBack { task });
        }
    }

    fn choose(&mut self, slot: usize, task: TaskId, effects: &mut Vec<Effect>) {
        let state = &mut self.slots[slot];
        if state.worker.is_ready() {
            state.held.push_back(Held { task, origin: Origin::Chosen });
            effects.push(Effect::Give { slot, task, how: How::Chosen });
        } else if state.worker.is_closed() {
            effects.push(Effect::Fail { slot, task, from: None });
        } else {
            state.pinned.push_back(task);
        }
    }

    fn recalled(&mut self, slot: usize, unstarted: usize, effects: &mut Vec<Effect>) {
        for _ in 0..unstarted {
            let state = &mut self.slots[slot];
            let is_given = |held: &Held| !matches!(held.origin, Origin::Claimed(_));
            let given = state.held.iter().rposition(is_given);
            let Some(Held { task, origin }) = given.and_then(|at| state.held.remove(at)) else {
                break;
            };
            if origin == Origin::Chosen || self.is_manual {
                state.pinned.push_front(task);
            } else {
                self.wait(task, effects);
            }
        }
        if self.slots[slot].worker.is_ready() {
            // What the program meant for this worker stays here.
            for task in std::mem::take(&mut self.slots[slot].pinned) {
                self.choose(slot, task, effects);
            }
        }
        self.release_idle(slot, effects);
    }

    fn retried(
        &mut self,
        slot: usize,
        task: TaskId,
        is_chosen: bool,
        backs_off: bool,
        effects: &mut Vec<Effect>,
    ) {
        match (is_chosen, backs_off) {
            (true, false) => self.choose(slot, task, effects),
            (false, true) if !self.is_manual => _ = self.backing_off.insert(task),
            (_, true) => {
                self.slots[slot].backing_off.push((task, is_chosen));
                self.pass_on(slot, effects);
            }
            (false, false) => {
                self.wait(task, effects);
                self.pass_on(slot, effects);
            }
        }
    }

    /// Nothing happens if the event does not back off any more.
    fn backed_off(&mut self, task: TaskId, effects: &mut Vec<Effect>) {
        if self.backing_off.remove(&task) {
            self.wait(task, effects);
            return;
        }
        for slot in 0..self.slots.len() {
            let backing_off = &mut self.slots[slot].backing_off;
            if let Some(at) = backing_off.iter().position(|&(other, _)| other == task) {
                let (_, is_chosen) = backing_off.remove(at);
                self.retried(slot, task, is_chosen, false, effects);
                return;
            }
        }
    }

    /// Takes out those that no worker runs, and no lane has, of the events that are `meant`, in order of submission.
    pub(crate) fn withdraw(&mut self, meant: impl Fn(TaskId) -> bool) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> = self.backing_off.extract_if(|&task| meant(task)).collect();
        let lists = self.slots.iter_mut().map(|slot| &mut slot.pinned).chain([&mut self.waiting]);
        for list in lists {
            tasks.extend(list.iter().copied().filter(|&task| meant(task)));
            list.retain(|&task| !meant(task));
        }
        for slot in &mut self.slots {
            let backing_off = slot.backing_off.extract_if(.., |(task, _)| meant(*task));
            tasks.extend(backing_off.map(|(task, _)| task));
        }
        tasks.sort_unstable();
        tasks
    }
}

#[cfg(test)]
mod tests;
