//! What the I/O thread looks after now and then, where the program limits its workers. Each look is made
//! under the lock like everything else; when the next one is due is the supervisor's business.

use std::time::Duration;

use super::{Pool, State};
use crate::clock::clock;
use crate::link::Fate;
use crate::scheduler::TaskId;
use crate::stopwatch::{Tick, elapsed, tick};

/// Looks for events that are due soon are put together to so many in the time that an event may run.
const MOST_LOOKS: u32 = 64;

impl Pool {
    /// Ends the workers that run an event longer than it may. Says how long until the next can be late.
    pub(crate) fn look_for_late(&self, timeout: u32) -> Duration {
        let next = self.enter(|state| state.look_for_late(timeout));
        Duration::from_millis(next.into())
    }
}

impl State {
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
    fn running(&mut self, slot: usize, now: Tick) -> Vec<(TaskId, Tick)> {
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
        if let Some(link) = self.slots[slot].link.as_mut() {
            link.fate = Some(fate);
            link.child.kill();
        }
    }
}
