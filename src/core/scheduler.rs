//! Decides what becomes of events, and how many there is room for. A pure state machine: no clock,
//! no I/O, no process.
//!
//! Most events wait in the backlog, where each worker claims the next one when it is free; of those
//! it is told what was claimed, answered and lost. What it hands out itself are the few events that
//! are not, or no longer, in the backlog: those for one worker, and those taken back. It is told what
//! happened ([`Scheduler::claimed`], [`Scheduler::answered`], …) and adds to a list of [`Action`]s
//! what is to be done. Its promises:
//! - an event is on one worker at a time and ends once;
//! - an idle worker never waits while an event does that it could take;
//! - what a lost worker had not started runs elsewhere, in order; what it had started fails;
//! - once the program hands events out itself, what still waits goes to each worker that ends one, and
//!   to no other: so whoever is free is free for the program;
//! - an event that is to be tried again comes before those that were never tried; one for a worker that
//!   the program chose, or once the program hands events out itself, stays that worker's, which is not
//!   free before it has ended;
//! - there is room for one event a worker until its events are measured short ([`SHORT`]), and for
//!   one again as soon as one of them takes long.

use std::collections::{HashSet, VecDeque};

/// Names an event for its whole life; those of the backlog in the order of submission.
pub(crate) type TaskId = u64;

/// An event that ran less than this, in milliseconds, is short: there may be more of them than
/// workers, so that none need wait for the next. Also the run time that a window aims at: a program
/// that stops sending has sent about this much work too much for each worker.
pub(crate) const SHORT: f64 = 1.0;

/// The most events there is room for a worker: enough to hide a wake-up (30 us) behind the shortest
/// events (100 ns), and few enough that a program which stops sending has sent not much more.
pub(crate) const MAX_WINDOW: usize = 512;

/// What is to be done, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Hand `task` to the worker of `slot`.
    Give { slot: usize, task: TaskId, how: How },
    /// Take back what the worker of `slot` was given and has not started; the answer is
    /// [`Scheduler::recalled`], whose actions come before those that follow this one.
    Recall { slot: usize },
    /// `task` was running when the worker of `slot` ended, or can run nowhere: it failed.
    Fail { slot: usize, task: TaskId },
}

/// How an event is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// To be started at once: the program chose the worker.
    Direct,
    /// To be started unless the worker runs another now; then it comes back ([`Scheduler::returned`]).
    InTurn,
    /// The worker has claimed it, and waits for its text.
    Claimed,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    task: TaskId,
    origin: Origin,
}

/// How a worker came by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// It claimed it, and had its text.
    Claimed,
    /// It was given it, or its text, and so might anybody else have been.
    Given,
    /// It was given it because the program chose this worker.
    Chosen,
}

#[derive(Debug)]
struct Slot {
    ready: bool,
    /// It will not be replaced.
    retired: bool,
    /// On the worker and not answered, in the order of claiming or giving.
    held: VecDeque<Held>,
    /// Events for this worker that wait for it to be (re)started.
    pinned: VecDeque<TaskId>,
    /// Events of this worker that failed, and rest until they are tried again.
    resting: Vec<Held>,
    /// An event that was taken from it, as long as it may believe to have it.
    missing: Option<TaskId>,
    window: usize,
    /// Mean run time in milliseconds of its events, newer ones counting more.
    mean: f64,
}

impl Slot {
    fn new() -> Self {
        let (held, pinned) = (VecDeque::new(), VecDeque::new());
        let resting = Vec::new();
        let missing = None;
        Self { ready: false, retired: false, held, pinned, resting, missing, window: 1, mean: 0.0 }
    }

    fn is_idle(&self) -> bool {
        self.ready && self.held.is_empty() && self.missing.is_none()
    }

    /// One long event closes the window at once; short ones open it by doubling.
    fn learn(&mut self, run: f64, max_window: usize) {
        self.mean = if self.mean == 0.0 { run } else { self.mean * 0.75 + run * 0.25 };
        self.window = if run >= SHORT {
            1
        } else {
            let fits = (SHORT / self.mean.max(SHORT / max_window as f64)) as usize;
            (self.window * 2).min(fits).clamp(1, max_window)
        };
    }
}

/// The state: what every worker holds, and what was taken back and waits.
#[derive(Debug)]
pub(crate) struct Scheduler {
    slots: Vec<Slot>,
    max_window: usize,
    /// Events for whoever is idle first.
    waiting: VecDeque<TaskId>,
    /// Events that failed, and rest until they are tried again by anybody.
    resting: HashSet<TaskId>,
    /// Where the search for an idle worker begins: they take turns.
    next: usize,
    /// The program hands events out itself.
    exact: bool,
}

impl Scheduler {
    /// One slot a worker; none is ready yet. There will be room for at most `max_window` events a worker,
    /// which is [`MAX_WINDOW`] unless the program wants it otherwise.
    pub(crate) fn new(slots: usize, max_window: usize) -> Self {
        let slots = (0..slots).map(|_| Slot::new()).collect();
        let (waiting, resting) = (VecDeque::new(), HashSet::new());
        Self { slots, max_window, waiting, resting, next: 0, exact: false }
    }

    /// How many events there is room for, those that are held or wait included.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.iter().filter(|slot| slot.ready).map(|slot| slot.window).sum()
    }

    /// Whether the program hands events out itself.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }

    /// How many workers can run events.
    pub(crate) fn ready_count(&self) -> usize {
        self.slots.iter().filter(|slot| slot.ready).count()
    }

    /// Whether the worker of `slot` can run events.
    pub(crate) fn is_ready(&self, slot: usize) -> bool {
        self.slots[slot].ready
    }

    /// Whether the worker of `slot` has nothing to do.
    pub(crate) fn is_idle(&self, slot: usize) -> bool {
        self.slots[slot].is_idle()
    }

    /// Whether the worker of `slot`, or its replacement to come, has nothing to do.
    pub(crate) fn is_free(&self, slot: usize) -> bool {
        let state = &self.slots[slot];
        let is_for_nobody = state.pinned.is_empty() && state.resting.is_empty();
        !state.retired && state.held.is_empty() && state.missing.is_none() && is_for_nobody
    }

    /// How many of the events that it was told of are neither answered nor failed.
    pub(crate) fn outstanding(&self) -> usize {
        let held: usize = self.slots.iter().map(|s| s.held.len() + s.pinned.len()).sum();
        held + self.waiting.len() + self.resting()
    }

    /// How many events rest until they are tried again.
    pub(crate) fn resting(&self) -> usize {
        let for_one: usize = self.slots.iter().map(|slot| slot.resting.len()).sum();
        for_one + self.resting.len()
    }

    /// Whether events that were taken back wait for an idle worker.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.exact && !self.waiting.is_empty()
    }

    /// How many events the worker of `slot` holds.
    pub(crate) fn held(&self, slot: usize) -> usize {
        self.slots[slot].held.len()
    }

    /// The worker of `slot` has registered.
    pub(crate) fn ready(&mut self, slot: usize, actions: &mut Vec<Action>) {
        let state = &mut self.slots[slot];
        state.ready = true;
        state.window = 1;
        state.mean = 0.0;
        for task in std::mem::take(&mut state.pinned) {
            self.give(slot, task, Origin::Chosen, actions);
        }
        self.dispatch(actions);
    }

    /// The worker of `slot` took `task` from the backlog. It has started it, unless it waits for the
    /// text because that is long.
    pub(crate) fn claimed(
        &mut self,
        slot: usize,
        task: TaskId,
        is_long: bool,
        actions: &mut Vec<Action>,
    ) {
        let origin = if is_long { Origin::Given } else { Origin::Claimed };
        self.slots[slot].held.push_back(Held { task, origin });
        if is_long {
            actions.push(Action::Give { slot, task, how: How::Claimed });
        }
    }

    /// `task` was taken from the worker that had claimed it and has not begun with it, if there is one;
    /// [`Scheduler::dispatch`] follows. That worker is given nothing before it has seen that.
    pub(crate) fn taken_away(&mut self, task: TaskId) {
        if let Some(slot) = (0..self.slots.len()).find(|&slot| self.has_claimed(slot, task)) {
            self.slots[slot].held.retain(|held| held.task != task);
            self.slots[slot].missing = Some(task);
            self.wait(task);
        }
    }

    /// The worker of `slot` has seen that `task` was taken from it; [`Scheduler::dispatch`] follows. False if it
    /// was not.
    #[must_use]
    pub(crate) fn missed(&mut self, slot: usize, task: TaskId) -> bool {
        let missing = &mut self.slots[slot].missing;
        missing.take_if(|missing| *missing == task).is_some()
    }

    /// Whether the worker of `slot` holds `task` because it claimed it, text and all.
    pub(crate) fn has_claimed(&self, slot: usize, task: TaskId) -> bool {
        let is_it = |held: &Held| held.task == task && held.origin == Origin::Claimed;
        self.slots[slot].held.iter().any(is_it)
    }

    /// Whether the worker of `slot` holds `task`, however it came by it.
    pub(crate) fn holds(&self, slot: usize, task: TaskId) -> bool {
        self.slots[slot].held.iter().any(|held| held.task == task)
    }

    /// What the worker of `slot` holds because it claimed it, text and all: it has started it.
    pub(crate) fn claims(&self, slot: usize) -> impl Iterator<Item = TaskId> {
        let held = self.slots[slot].held.iter();
        held.filter(|held| held.origin == Origin::Claimed).map(|held| held.task)
    }

    /// `task` was taken back from the backlog; [`Scheduler::dispatch`] follows.
    pub(crate) fn taken_back(&mut self, task: TaskId) {
        self.waiting.push_back(task);
    }

    /// An event for the worker of `slot` and no other, to be started at once.
    pub(crate) fn submit_to(&mut self, slot: usize, task: TaskId, actions: &mut Vec<Action>) {
        if self.slots[slot].ready {
            self.give(slot, task, Origin::Chosen, actions);
        } else {
            self.slots[slot].pinned.push_back(task);
        }
    }

    /// `task` is done on `slot`, having run for `run` milliseconds; [`Scheduler::dispatch`] follows.
    /// False if the worker does not hold it: then it was never given, or answered already.
    #[must_use]
    pub(crate) fn answered(&mut self, slot: usize, task: TaskId, run: f64) -> bool {
        let state = &mut self.slots[slot];
        let Some(at) = state.held.iter().position(|held| held.task == task) else { return false };
        state.held.remove(at);
        state.learn(run, self.max_window);
        true
    }

    /// Which of the events of `slot`'s worker it got because the program chose it.
    pub(crate) fn chosen(&self, slot: usize) -> impl Iterator<Item = TaskId> {
        let held = self.slots[slot].held.iter();
        held.filter(|held| held.origin == Origin::Chosen).map(|held| held.task)
    }

    /// `task` failed on `slot`, whose worker does not hold it any more, and is to be tried again now;
    /// [`Scheduler::dispatch`] follows. `is_chosen`: the program chose the worker.
    pub(crate) fn again(
        &mut self,
        slot: usize,
        task: TaskId,
        is_chosen: bool,
        actions: &mut Vec<Action>,
    ) {
        if is_chosen {
            self.submit_to(slot, task, actions);
            return;
        }
        self.wait(task);
        self.pass_on(slot, actions);
    }

    /// Once the program hands events out itself: a worker whose event is to be tried again later gets one
    /// that waits. One that is busy gets it when that has ended: see [`Scheduler::is_taken`].
    fn pass_on(&mut self, slot: usize, actions: &mut Vec<Action>) {
        let Slot { retired, held, pinned, resting, .. } = &self.slots[slot];
        // Where that event is the program's choice, another's end would say that the worker is free.
        let is_chosen = resting.iter().any(|held| held.origin == Origin::Chosen);
        if self.exact && !retired && held.is_empty() && pinned.is_empty() && !is_chosen {
            self.give_next(slot, actions);
        }
    }

    /// The same, but not before [`Scheduler::rested`].
    pub(crate) fn rest(
        &mut self,
        slot: usize,
        task: TaskId,
        is_chosen: bool,
        actions: &mut Vec<Action>,
    ) {
        if is_chosen || self.exact {
            let origin = if is_chosen { Origin::Chosen } else { Origin::Given };
            self.slots[slot].resting.push(Held { task, origin });
            self.pass_on(slot, actions);
        } else {
            self.resting.insert(task);
        }
    }

    /// `task` has rested; [`Scheduler::dispatch`] follows. False if it does not rest any more.
    pub(crate) fn rested(&mut self, task: TaskId, actions: &mut Vec<Action>) -> bool {
        if self.resting.remove(&task) {
            self.wait(task);
            return true;
        }
        for slot in 0..self.slots.len() {
            let resting = &mut self.slots[slot].resting;
            if let Some(at) = resting.iter().position(|held| held.task == task) {
                let Held { task, origin } = resting.remove(at);
                self.again(slot, task, origin == Origin::Chosen, actions);
                return true;
            }
        }
        false
    }

    /// Takes out those that no worker runs of the events that are `meant`, in order of submission.
    pub(crate) fn withdraw(&mut self, meant: impl Fn(TaskId) -> bool) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> = self.take_resting();
        for list in self.slots.iter_mut().map(|slot| &mut slot.pinned).chain([&mut self.waiting]) {
            let is_meant = |&task: &TaskId| meant(task);
            tasks.extend(list.iter().copied().filter(is_meant));
            list.retain(|task| !is_meant(task));
        }
        tasks.sort_unstable();
        tasks
    }

    fn take_resting(&mut self) -> Vec<TaskId> {
        let for_one = self.slots.iter_mut().flat_map(|slot| slot.resting.drain(..));
        let mut tasks: Vec<TaskId> = for_one.map(|held| held.task).collect();
        tasks.extend(self.resting.drain());
        tasks
    }

    /// The worker of `slot` had not started the last `unstarted` of what it was given, and will not.
    pub(crate) fn recalled(&mut self, slot: usize, unstarted: usize, actions: &mut Vec<Action>) {
        for _ in 0..unstarted {
            let state = &mut self.slots[slot];
            let given = state.held.iter().rposition(|held| held.origin != Origin::Claimed);
            let Some(Held { task, origin }) = given.and_then(|at| state.held.remove(at)) else {
                break;
            };
            if origin == Origin::Chosen || self.exact {
                state.pinned.push_front(task);
            } else {
                self.wait(task);
            }
        }
        if self.slots[slot].ready {
            // What the program meant for this worker stays here.
            for task in std::mem::take(&mut self.slots[slot].pinned) {
                self.give(slot, task, Origin::Chosen, actions);
            }
        }
        self.dispatch(actions);
    }

    /// The worker of `slot` was given `task` when it had just claimed another; [`Scheduler::dispatch`]
    /// follows. False if it was not given it so.
    #[must_use]
    pub(crate) fn returned(&mut self, slot: usize, task: TaskId) -> bool {
        let held = &mut self.slots[slot].held;
        let is_it = |held: &Held| held.task == task && held.origin == Origin::Given;
        let Some(at) = held.iter().position(is_it) else { return false };
        held.remove(at);
        self.wait(task);
        true
    }

    fn wait(&mut self, task: TaskId) {
        let at = self.waiting.partition_point(|&other| other < task);
        self.waiting.insert(at, task);
    }

    /// The worker of `slot` has ended. The last `unstarted` of what it was given had not started.
    pub(crate) fn lost(&mut self, slot: usize, unstarted: usize, actions: &mut Vec<Action>) {
        self.slots[slot].ready = false;
        self.slots[slot].window = 1;
        self.slots[slot].missing = None;
        self.recalled(slot, unstarted, actions);
        for held in self.slots[slot].held.drain(..) {
            actions.push(Action::Fail { slot, task: held.task });
        }
    }

    /// The worker of `slot` will not be replaced: what waits for it, and no other, failed.
    pub(crate) fn retired(&mut self, slot: usize, actions: &mut Vec<Action>) {
        self.slots[slot].retired = true;
        let state = &mut self.slots[slot];
        let resting = state.resting.drain(..).map(|held| held.task);
        for task in state.pinned.drain(..).chain(resting) {
            actions.push(Action::Fail { slot, task });
        }
    }

    /// The worker of `slot` is leaving: it gets nothing more, but may still answer.
    pub(crate) fn leaving(&mut self, slot: usize, actions: &mut Vec<Action>) {
        self.slots[slot].ready = false;
        if self.slots[slot].held.iter().any(|held| held.origin != Origin::Claimed) {
            actions.push(Action::Recall { slot });
        }
    }

    /// Gives up: everything that is on no worker, in order of submission.
    pub(crate) fn abandon(&mut self) -> Vec<TaskId> {
        self.withdraw(|_| true)
    }

    /// From now on the program hands events out itself. What waits goes to whoever is free now, and then
    /// to each worker that ends an event: see [`Scheduler::is_taken`]. So does what rests for nobody in
    /// particular: no worker that the program has would be free for it later.
    pub(crate) fn be_exact(&mut self, actions: &mut Vec<Action>) {
        for task in std::mem::take(&mut self.resting) {
            self.wait(task);
        }
        self.exact = true;
        let (count, next) = (self.slots.len(), self.next);
        for slot in (0..count).map(|offset| (next + offset) % count) {
            if self.is_free(slot) && !self.give_next(slot, actions) {
                return;
            }
        }
    }

    /// Whether the worker of `slot`, which has just ended an event, is not the program's to use: it has
    /// another that it claimed or was given before the program looked, has got one that waited, or will
    /// not be replaced.
    pub(crate) fn is_taken(&mut self, slot: usize, actions: &mut Vec<Action>) -> bool {
        if !self.exact {
            return false;
        }
        let state = &self.slots[slot];
        let is_other = |held: &Held| held.origin != Origin::Chosen;
        if state.retired || state.held.iter().any(is_other) {
            return true;
        }
        let rests = state.resting.iter().any(is_other);
        self.give_next(slot, actions) || rests
    }

    fn give_next(&mut self, slot: usize, actions: &mut Vec<Action>) -> bool {
        let Some(task) = self.waiting.pop_front() else { return false };
        self.submit_to(slot, task, actions);
        true
    }

    /// Hands what was taken back to whoever is idle.
    pub(crate) fn dispatch(&mut self, actions: &mut Vec<Action>) {
        if self.exact {
            return;
        }
        while let Some(&task) = self.waiting.front() {
            let count = self.slots.len();
            let mut in_turn = (0..count).map(|offset| (self.next + offset) % count);
            let Some(slot) = in_turn.find(|&at| self.slots[at].is_idle()) else { return };
            self.next = (slot + 1) % count;
            self.waiting.pop_front();
            self.give(slot, task, Origin::Given, actions);
        }
    }

    fn give(&mut self, slot: usize, task: TaskId, origin: Origin, actions: &mut Vec<Action>) {
        self.slots[slot].held.push_back(Held { task, origin });
        let how = if origin == Origin::Chosen { How::Direct } else { How::InTurn };
        actions.push(Action::Give { slot, task, how });
    }
}

#[cfg(test)]
mod tests;
