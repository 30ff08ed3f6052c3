//! What the I/O thread looks after now and then, where the program limits its workers. Each look is made
//! under the lock like everything else; when the next one is due is the supervisor's business.

use std::time::Duration;

use tracing::debug;

use super::state::Slot;
use super::{Phase, Pool, State};
use crate::core::scheduler::TaskId;
use crate::io::supervisor::Command;
use crate::os::child::resident;
use crate::os::clock::clock;
use crate::pool::link::{Fate, Link};
use crate::pool::stopwatch::{Tick, elapsed, tick};
use crate::wire::note::Note;

/// Looks for events that are due soon are put together to so many in the time that an event may run.
const MOST_LOOKS: u32 = 64;

/// So many looks in the time that a worker may give no sign of life. Looks are counted, and not the time:
/// while this process was stopped itself, nobody was asked for any.
pub(crate) const BEATS: u32 = 8;

/// The time between two looks at the workers' memory: one that grows by a gigabyte a second is seen soon
/// enough, and the looks cost nothing.
const MEMORY_LOOK: Duration = Duration::from_millis(250);

/// The same while one of them is to be let go.
const SOON: Duration = Duration::from_millis(2);

impl Pool {
    /// Ends the workers that run an event longer than it may. Says how long until the next can be late.
    pub(crate) fn look_for_late(&self, timeout: u32) -> Duration {
        let next = self.enter(|state| state.look_for_late(timeout));
        Duration::from_millis(next.into())
    }

    /// Ends the workers whose I/O thread gives no sign of life.
    pub(crate) fn look_for_stalled(&self, limit: Duration) {
        self.look_for_kills();
        self.enter(|state| state.look_for_stalled(limit));
    }

    /// Has workers replaced that have more bytes in memory than `most`. Says when to look again.
    pub(crate) fn look_for_large(&self, most: u64) -> Duration {
        let workers = self.enter(|state| state.live());
        for (slot, pid) in workers {
            if resident(pid).is_some_and(|bytes| bytes > most) {
                self.enter(|state| state.recycle_large(slot, pid));
            }
        }
        if self.lock().is_recycling { SOON } else { MEMORY_LOOK }
    }

    /// A worker that was let go has had its time to end.
    pub(crate) fn has_lingered(&self, slot: usize, pid: u32, limit: Duration) {
        self.enter(|state| {
            let link = state.slots[slot].link.as_ref();
            if link.is_some_and(|link| link.child.pid() == pid && link.fate.is_none()) {
                state.doom(slot, Fate::Lingering { limit: limit.as_millis() });
            }
        });
    }
}

impl State {
    fn look_for_stalled(&mut self, limit: Duration) {
        for slot in 0..self.slots.len() {
            let link = self.slots[slot].link.as_mut();
            let link = link.filter(|link| link.registered && link.fate.is_none());
            if link.is_some_and(|link| link.feel() > BEATS) {
                if let Some(link) = &self.slots[slot].link {
                    link.stops();
                }
                self.collect();
                self.doom(slot, Fate::Stalled { limit: limit.as_millis() });
            }
        }
    }

    /// The workers that may be replaced: place and pid. One that has run nothing yet would be followed by
    /// another like it.
    fn live(&self) -> Vec<(usize, u32)> {
        let may_go = |link: &&Link| link.answers_given > 0 && !link.released && !link.is_recycled;
        let slots = self.slots.iter().enumerate();
        slots
            .filter_map(|(slot, state)| {
                Some((slot, state.link.as_ref().filter(may_go)?.child.pid()))
            })
            .collect()
    }

    pub(super) fn recycle_large(&mut self, slot: usize, pid: u32) {
        let link = self.slots[slot].link.as_ref();
        if link.is_some_and(|link| link.child.pid() == pid && !link.released) {
            self.recycle(slot);
            if let Some(link) = &self.slots[slot].link {
                // It may sleep, and is to see that it leaves.
                link.ring();
            }
        }
    }

    /// The worker of `slot` has answered an event.
    pub(super) fn has_answered(&mut self, slot: usize) {
        let max_tasks = self.max_tasks;
        let Some(link) = self.slots[slot].link.as_mut() else { return };
        link.answers_given = link.answers_given.saturating_add(1);
        if link.answers_given == max_tasks {
            self.recycle(slot);
        }
    }

    /// Has those replaced that answered their last event before every worker was ready.
    pub(super) fn recycle_spent(&mut self) {
        for slot in 0..self.slots.len() {
            let link = self.slots[slot].link.as_ref();
            if link.is_some_and(|link| link.answers_given >= self.max_tasks) {
                self.recycle(slot);
            }
        }
    }

    /// Has the worker of `slot` replaced as soon as it runs nothing.
    fn recycle(&mut self, slot: usize) {
        // Before all are ready a worker that cannot be started ends the run: nobody is replaced at will.
        if self.phase != Phase::Running || self.failed.is_some() {
            return;
        }
        let link = self.slots[slot].link.as_mut();
        if let Some(link) = link.filter(|link| !link.released && !link.is_recycled) {
            link.is_recycled = true;
            self.is_recycling = true;
            let worker = self.slots[slot].worker;
            debug!(worker, "worker is to be replaced");
            let text = || format!("worker {worker} has run enough, or grown too large");
            self.record.mark("recycle", Some(worker), clock(), text);
            self.leaving(slot);
        }
    }

    /// Lets those go that are to be replaced and run nothing. They claim nothing more: either they have
    /// answered so many events that they know it themselves, or they have said that they saw it.
    pub(super) fn release_recycled(&mut self) {
        self.is_recycling = false;
        for slot in 0..self.slots.len() {
            let link = self.slots[slot].link.as_ref();
            let Some(link) = link.filter(|link| link.is_recycled && !link.released) else {
                continue;
            };
            let claims_nothing = link.answers_given >= self.max_tasks || link.rests();
            if claims_nothing && self.scheduler.held(slot) == 0 {
                let worker = self.slots[slot].worker;
                self.notes.push(Note::Recycled { worker });
                self.release(slot);
            } else {
                self.is_recycling = true;
            }
        }
    }

    /// The worker of `slot` is let go now: it may take some time to end.
    pub(super) fn has_been_let_go(&mut self, slot: usize) {
        let link = self.slots[slot].link.as_mut();
        if let Some(link) = link.filter(|link| !link.is_let_go) {
            link.is_let_go = true;
            self.let_go.push((slot, link.child.pid()));
        }
    }

    /// Has the I/O thread see to it that those end that were let go, where there is a limit.
    pub(super) fn have_ended(&mut self, pool: &Pool) {
        for (slot, pid) in self.let_go.drain(..) {
            if pool.launch.limits.grace.is_some() {
                // Without the I/O thread there are no workers left.
                let _ = pool.commands.send(Command::EndLingering { slot, pid });
            }
        }
    }

    fn look_for_late(&mut self, timeout: u32) -> u32 {
        // What is answered is not late.
        self.collect();
        let now = tick(clock());
        // An event that starts after this look is not late before that.
        let mut next = timeout;
        for slot in 0..self.slots.len() {
            let mut late = None;
            for (task, started) in self.running(slot, now) {
                let ran = elapsed(started, now);
                // Both times are rounded: so it ran no less.
                if ran > timeout {
                    late = Some(task);
                } else {
                    next = next.min(timeout - ran + 1);
                }
            }
            if let Some(task) = late {
                self.stop_late(slot, Fate::Late { task, limit: timeout }, task);
            }
        }
        next.max(timeout / MOST_LOOKS).max(1)
    }

    /// What the worker of `slot` runs, and since when; nothing if it is being killed.
    pub(super) fn running(&mut self, slot: usize, now: Tick) -> Vec<(TaskId, Tick)> {
        let claims = self.scheduler.claims(slot);
        let link = self.slots[slot].link.as_mut().filter(|link| link.fate.is_none());
        link.map_or_else(Vec::new, |link| link.running(claims, now))
    }

    /// Ends a worker for the sake of an event, unless that has ended by now.
    fn stop_late(&mut self, slot: usize, fate: Fate, task: TaskId) {
        if let Some(link) = &self.slots[slot].link {
            link.stops();
        }
        // From here on the worker starts nothing after this event: so nothing else is cut.
        self.collect();
        if self.scheduler.holds(slot, task) {
            self.doom(slot, fate);
        } else if let Some(link) = &self.slots[slot].link {
            link.goes_on();
        }
    }

    /// Kills the worker of `slot`, and has what it has not started run elsewhere.
    fn doom(&mut self, slot: usize, fate: Fate) {
        self.leaving(slot);
        self.act();
        let Slot { worker, link, .. } = &mut self.slots[slot];
        if let Some(link) = link.as_mut() {
            let worker = *worker;
            debug!(worker, ?fate, "worker is killed");
            self.record.mark("kill", Some(worker), clock(), || fate.text(worker));
            link.fate = Some(fate);
            link.kill();
        }
    }
}
