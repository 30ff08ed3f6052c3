//! Decides which worker gets which event. A pure state machine: no clock, no I/O, no process.
//!
//! It is told what happened ([`Scheduler::submit`], [`Scheduler::answered`], …) and adds to a list
//! of [`Action`]s what is to be done. Its promises:
//! - an event is on one worker at a time and ends once;
//! - an idle worker never waits while an event does: events that wait behind another worker's are
//!   recalled for it;
//! - a worker holds one event until its events are measured short ([`SHORT`]), and one again as soon
//!   as one of them takes long: what waits in all workers then comes back and goes out anew, in order,
//!   so that an event behind the long one overtakes nothing that was sent later;
//! - events go out in the order in which they came, recalled ones first.

use std::collections::VecDeque;

/// Names an event for its whole life, in the order of submission.
pub(crate) type TaskId = u64;

/// An event that ran less than this, in milliseconds, is short: its worker may be handed more than
/// one, so that it need not wait for the next. Also the run time that a window aims at: a worker
/// that dies or blocks holds up no more than about this much work.
pub(crate) const SHORT: f64 = 1.0;

/// The most events that one worker may hold: enough to hide a wake-up (30 us) behind the shortest
/// events (100 ns), and few enough that a program which stops sending has sent not much more.
pub(crate) const MAX_WINDOW: usize = 512;

/// The most bytes of events that one worker may hold beyond the one that runs.
pub(crate) const MAX_WINDOW_BYTES: usize = 1 << 20;

/// What is to be done, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Hand `task` to the worker of `slot`.
    Give { slot: usize, task: TaskId, how: How },
    /// Take back what the worker of `slot` has not started; the answer is [`Scheduler::recalled`],
    /// whose actions come before those that follow this one.
    Recall { slot: usize },
    /// `task` was running when the worker of `slot` ended: it failed.
    Fail { slot: usize, task: TaskId },
}

/// Whether an event may wait behind another in its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// One at a time.
    InTurn,
    /// At once: the program chose the worker itself.
    Direct,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    task: TaskId,
    bytes: usize,
    how: How,
    /// In turn, but started already, or sent to be started at once: nothing waits behind it.
    started: bool,
}

impl Held {
    fn new(task: TaskId, bytes: usize, how: How) -> Self {
        Self { task, bytes, how, started: false }
    }
}

#[derive(Debug)]
struct Slot {
    ready: bool,
    /// Given and not answered, in the order of giving.
    held: VecDeque<Held>,
    bytes: usize,
    /// Direct events that wait for the worker to be (re)started.
    pinned: VecDeque<Held>,
    window: usize,
    /// Mean run time in milliseconds of its events, newer ones counting more.
    mean: f64,
}

impl Slot {
    fn new() -> Self {
        Self {
            ready: false,
            held: VecDeque::new(),
            bytes: 0,
            pinned: VecDeque::new(),
            window: 1,
            mean: 0.0,
        }
    }

    fn is_idle(&self) -> bool {
        self.ready && self.held.is_empty()
    }

    fn has_room(&self) -> bool {
        self.ready
            && self.held.len() < self.window
            && (self.held.is_empty() || self.bytes < MAX_WINDOW_BYTES)
    }

    /// Whether an event waits its turn behind another one.
    fn has_waiting(&self) -> bool {
        self.held.iter().skip(1).any(|held| held.how == How::InTurn && !held.started)
    }

    fn hold(&mut self, held: Held) {
        self.bytes += held.bytes;
        self.held.push_back(held);
    }

    /// One long event closes the window at once; short ones open it by doubling.
    fn learn(&mut self, run: f64) {
        self.mean = if self.mean == 0.0 { run } else { self.mean * 0.75 + run * 0.25 };
        self.window = if run >= SHORT {
            1
        } else {
            let fits = (SHORT / self.mean.max(SHORT / MAX_WINDOW as f64)) as usize;
            (self.window * 2).min(fits).clamp(1, MAX_WINDOW)
        };
    }
}

/// The state: what waits, and what every worker holds.
#[derive(Debug)]
pub(crate) struct Scheduler {
    slots: Vec<Slot>,
    waiting: VecDeque<Held>,
    /// Where the search for the next worker begins: equal workers take turns.
    next: usize,
    /// False while the program looks at the free workers itself: then nothing is prefetched.
    prefetch: bool,
    /// Recalls whose answers are awaited before anything is handed out again.
    recalling: usize,
}

impl Scheduler {
    /// One slot a worker; none is ready yet.
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots: (0..slots).map(|_| Slot::new()).collect(),
            waiting: VecDeque::new(),
            next: 0,
            prefetch: true,
            recalling: 0,
        }
    }

    /// How many events there is room for, those that are held included.
    pub(crate) fn capacity(&self) -> usize {
        self.slots.iter().filter(|slot| slot.ready).map(|slot| slot.window).sum()
    }

    /// How many workers have nothing to do.
    pub(crate) fn idle(&self) -> usize {
        self.slots.iter().filter(|slot| slot.is_idle()).count()
    }

    /// How many events are neither answered nor failed.
    pub(crate) fn outstanding(&self) -> usize {
        let held: usize = self.slots.iter().map(|s| s.held.len() + s.pinned.len()).sum();
        held + self.waiting.len()
    }

    /// How many events no worker has been given.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many events the worker of `slot` holds.
    pub(crate) fn held(&self, slot: usize) -> usize {
        self.slots[slot].held.len()
    }

    /// Hands out one event at a time from now on, and takes back what waits in the workers.
    pub(crate) fn stop_prefetch(&mut self, actions: &mut Vec<Action>) {
        self.prefetch = false;
        for (slot, state) in self.slots.iter_mut().enumerate() {
            state.window = 1;
            if state.held.len() > 1 {
                actions.push(Action::Recall { slot });
            }
        }
    }

    /// The worker of `slot` has registered.
    pub(crate) fn ready(&mut self, slot: usize, actions: &mut Vec<Action>) {
        let state = &mut self.slots[slot];
        state.ready = true;
        state.window = 1;
        state.mean = 0.0;
        self.give_pinned(slot, actions);
        self.dispatch(actions);
    }

    /// An event of `bytes` bytes for whichever worker is free; [`Scheduler::dispatch`] follows.
    pub(crate) fn submit(&mut self, task: TaskId, bytes: usize) {
        self.waiting.push_back(Held::new(task, bytes, How::InTurn));
    }

    /// An event for the worker of `slot` and no other, to be started at once.
    pub(crate) fn submit_to(
        &mut self,
        slot: usize,
        task: TaskId,
        bytes: usize,
        actions: &mut Vec<Action>,
    ) {
        let held = Held::new(task, bytes, How::Direct);
        let state = &mut self.slots[slot];
        if !state.ready {
            state.pinned.push_back(held);
            return;
        }
        if state.held.iter().any(|held| held.how == How::InTurn && !held.started) {
            // A worker starts events in the order of their giving, so what waits its turn there must
            // not stand before it.
            state.pinned.push_back(held);
            actions.push(Action::Recall { slot });
            return;
        }
        state.hold(held);
        actions.push(Action::Give { slot, task, how: How::Direct });
    }

    /// `task` is done on `slot`, having run for `run` milliseconds; [`Scheduler::dispatch`] follows.
    /// False if the worker does not hold it: then it was never given, or answered already.
    #[must_use]
    pub(crate) fn answered(&mut self, slot: usize, task: TaskId, run: f64) -> bool {
        let prefetch = self.prefetch;
        let state = &mut self.slots[slot];
        let Some(at) = state.held.iter().position(|held| held.task == task) else { return false };
        let held = state.held.remove(at).expect("just found");
        state.bytes -= held.bytes;
        if prefetch {
            state.learn(run);
        }
        true
    }

    /// Whether an event waits in any worker behind the one that runs there.
    pub(crate) fn has_prefetched(&self) -> bool {
        self.slots.iter().any(Slot::has_waiting)
    }

    /// Whether an event waits in the worker of `slot` behind the one that runs there.
    pub(crate) fn has_waiting(&self, slot: usize) -> bool {
        self.slots[slot].has_waiting()
    }

    /// The event that the worker of `slot` runs takes long, and others wait behind it.
    pub(crate) fn stuck(&mut self, slot: usize, actions: &mut Vec<Action>) {
        self.slots[slot].window = 1;
        for (slot, state) in self.slots.iter().enumerate() {
            if state.has_waiting() {
                self.recalling += 1;
                actions.push(Action::Recall { slot });
            }
        }
    }

    /// The worker of `slot` had not started the last `unstarted` of its events, and will not.
    pub(crate) fn recalled(&mut self, slot: usize, unstarted: usize, actions: &mut Vec<Action>) {
        let state = &mut self.slots[slot];
        let is_next = |held: &Held| held.how == How::InTurn && unstarted == state.held.len();
        let keeps_next =
            state.ready && !state.pinned.is_empty() && state.held.front().is_some_and(is_next);
        self.take_back(slot, unstarted);
        let state = &mut self.slots[slot];
        for held in &mut state.held {
            held.started = true;
        }
        if keeps_next && let Some(next) = self.waiting.pop_front() {
            // It was about to start: what was sent to this worker later does not overtake it.
            state.pinned.push_front(Held { started: true, ..next });
        }
        self.give_pinned(slot, actions);
        let was_one_of_many = self.recalling > 0;
        self.recalling = self.recalling.saturating_sub(1);
        if was_one_of_many && self.recalling == 0 {
            self.waiting.make_contiguous().sort_unstable_by_key(|held| held.task);
        }
        if unstarted > 0 || was_one_of_many {
            self.dispatch(actions);
        }
    }

    /// The worker of `slot` has ended. All but its last `unstarted` events had started.
    pub(crate) fn lost(&mut self, slot: usize, unstarted: usize, actions: &mut Vec<Action>) {
        self.take_back(slot, unstarted);
        let state = &mut self.slots[slot];
        state.ready = false;
        state.window = 1;
        state.bytes = 0;
        for held in state.held.drain(..) {
            actions.push(Action::Fail { slot, task: held.task });
        }
        self.dispatch(actions);
    }

    /// The worker of `slot` will not be replaced: what waits for it, and no other, failed.
    pub(crate) fn retired(&mut self, slot: usize, actions: &mut Vec<Action>) {
        for held in self.slots[slot].pinned.drain(..) {
            actions.push(Action::Fail { slot, task: held.task });
        }
    }

    /// The worker of `slot` is leaving: it gets nothing more, but may still answer.
    pub(crate) fn leaving(&mut self, slot: usize, actions: &mut Vec<Action>) {
        self.slots[slot].ready = false;
        if !self.slots[slot].held.is_empty() {
            actions.push(Action::Recall { slot });
        }
    }

    /// Gives up: everything that no worker runs, in order of submission.
    pub(crate) fn abandon(&mut self) -> Vec<TaskId> {
        let pinned = self.slots.iter_mut().flat_map(|slot| slot.pinned.drain(..));
        let mut tasks: Vec<TaskId> = pinned.map(|held| held.task).collect();
        tasks.extend(self.waiting.drain(..).map(|held| held.task));
        tasks.sort_unstable();
        tasks
    }

    /// Hands out what waits to whoever is idle, then to whoever has room, and recalls for idle
    /// workers what waits behind busy ones.
    pub(crate) fn dispatch(&mut self, actions: &mut Vec<Action>) {
        if self.recalling > 0 {
            return;
        }
        while let Some(&held) = self.waiting.front() {
            let Some(slot) = self.roomiest() else { return };
            self.waiting.pop_front();
            self.slots[slot].hold(held);
            actions.push(Action::Give { slot, task: held.task, how: How::InTurn });
        }
        if self.idle() == 0 {
            return;
        }
        for (slot, state) in self.slots.iter().enumerate() {
            if state.has_waiting() && !actions.contains(&Action::Recall { slot }) {
                actions.push(Action::Recall { slot });
            }
        }
    }

    /// The worker that holds fewest events among those with room.
    fn roomiest(&mut self) -> Option<usize> {
        let count = self.slots.len();
        let mut best: Option<usize> = None;
        for offset in 0..count {
            let at = (self.next + offset) % count;
            let slot = &self.slots[at];
            if slot.has_room() && best.is_none_or(|b| slot.held.len() < self.slots[b].held.len()) {
                best = Some(at);
                if slot.held.is_empty() {
                    break;
                }
            }
        }
        if let Some(at) = best {
            self.next = (at + 1) % count;
        }
        best
    }

    fn give_pinned(&mut self, slot: usize, actions: &mut Vec<Action>) {
        let state = &mut self.slots[slot];
        if !state.ready {
            return;
        }
        while let Some(held) = state.pinned.pop_front() {
            state.hold(held);
            actions.push(Action::Give { slot, task: held.task, how: How::Direct });
        }
    }

    fn take_back(&mut self, slot: usize, unstarted: usize) {
        let state = &mut self.slots[slot];
        for _ in 0..unstarted {
            let Some(held) = state.held.pop_back() else { break };
            state.bytes -= held.bytes;
            let held = Held { started: false, ..held };
            match held.how {
                How::InTurn => self.waiting.push_front(held),
                How::Direct => state.pinned.push_front(held),
            }
        }
    }
}

#[cfg(test)]
mod tests;
