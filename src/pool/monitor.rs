//! What the I/O thread looks after now and then, where the program limits its workers. Each look is made under the lock
//! like everything else; when the next one is due is the I/O thread's business.

use std::time::Duration;

use tracing::debug;

use super::Pool;
use super::connection::Connection;
use super::state::State;
use crate::core::event::{Event, Origin};
use crate::core::lifecycle::{self, Kill, Leave, Worker};
use crate::core::task_id::{Position, RunId, TaskId, run_of};
use crate::os::child::resident;
use crate::os::clock::clock;
use crate::shm::stopwatch::{Tick, elapsed, tick};

/// Looks for events that are due soon are put together to so many in the time that an event may run.
const MOST_LOOKS: u32 = 64;

/// So many heartbeats are asked for in the time that a worker may give no sign of life. They are counted, and not the
/// time: while this process was stopped itself, no worker was asked.
pub(crate) const HEARTBEATS: u32 = 8;

/// The time between two looks at the workers' memory: one that grows by a gigabyte a second is seen soon enough, and the
/// looks cost nothing.
const MEMORY_LOOK: Duration = Duration::from_millis(250);

/// The same while a worker is to be replaced.
const SOON: Duration = Duration::from_millis(2);

impl Pool {
    /// Kills the workers that run an event of this run longer than it may. Says how long until the next can be late; none
    /// if the run is over, and no worker has anything of it: what still runs when nobody asks for it any more holds its place.
    pub(crate) fn check_late(&self, run: RunId, timeout: u32) -> Option<Duration> {
        let next = self.enter(|state| {
            let may_run = state.runs.contains_key(&run) || state.holds_any_of(run);
            may_run.then(|| state.check_late(self, run, timeout))
        });
        next.map(|next| Duration::from_millis(next.into()))
    }

    /// Kills the workers whose I/O thread gives no sign of life.
    pub(crate) fn check_heartbeats(&self, limit: Duration) {
        self.look_for_kills();
        self.enter(|state| state.check_heartbeats(self, limit));
    }

    /// Has workers replaced that have more bytes in memory than they may. Says when to look again.
    pub(crate) fn check_memory(&self) -> Duration {
        let workers = self.enter(|state| state.replaceable());
        for (slot, pid) in workers {
            let Some(most) = self.launch.max_memory(slot) else { continue };
            if resident(pid).is_some_and(|bytes| bytes > most) {
                self.enter(|state| {
                    if state.pid(slot) == pid {
                        state.recycle(slot);
                    }
                });
            }
        }
        if self.lock().scheduler.is_recycling() { SOON } else { MEMORY_LOOK }
    }

    /// A worker that was released has had its time to exit.
    pub(crate) fn has_lingered(&self, slot: usize, pid: u32, limit: Duration) {
        self.enter(|state| {
            if state.pid(slot) == pid {
                state.on(Event::Killed { slot, why: Kill::Lingering { limit: limit.as_millis() } });
            }
        });
    }
}

impl State {
    fn check_heartbeats(&mut self, pool: &Pool, limit: Duration) {
        for slot in 0..self.slots.len() {
            let is_dying = matches!(self.scheduler.worker(slot), Worker::Dying { .. });
            let connection = self.slots[slot].connection.as_mut().filter(|_| !is_dying);
            let Some(connection) = connection.filter(|connection| connection.is_registered())
            else {
                continue;
            };
            if connection.ask_for_heartbeat() > HEARTBEATS {
                connection.pause();
                self.collect(pool);
                self.on(Event::Killed { slot, why: Kill::Stalled { limit: limit.as_millis() } });
            }
        }
    }

    /// The workers that may be replaced: slot and pid. One that has run nothing yet would be followed by another like it.
    fn replaceable(&self) -> Vec<(usize, u32)> {
        let slots = self.slots.iter().enumerate();
        let has_run = |connection: &&Connection| connection.answers_given > 0;
        slots
            .filter(|&(slot, _)| self.scheduler.is_ready(slot))
            .filter_map(|(slot, state)| {
                Some((slot, state.connection.as_ref().filter(has_run)?.child.pid()))
            })
            .collect()
    }

    /// The worker of `slot` has answered an event.
    pub(super) fn has_answered(&mut self, pool: &Pool, slot: usize) {
        let Some(connection) = self.slots[slot].connection.as_mut() else { return };
        connection.is_proven = true;
        connection.answers_given = connection.answers_given.saturating_add(1);
        if Some(connection.answers_given) == pool.launch.max_tasks(slot) {
            self.recycle(slot);
            // It counts as well, and claims nothing more.
            self.on(Event::Settled { slot });
        }
    }

    /// Has those replaced that answered their last event before every worker was ready.
    pub(super) fn recycle_spent(&mut self, pool: &Pool) {
        for slot in 0..self.slots.len() {
            let Some(max_tasks) = pool.launch.max_tasks(slot) else { continue };
            let connection = self.slots[slot].connection.as_ref();
            if connection.is_some_and(|connection| connection.answers_given >= max_tasks) {
                self.recycle(slot);
                self.on(Event::Settled { slot });
            }
        }
    }

    /// Has the worker of `slot` replaced as soon as it runs nothing.
    pub(super) fn recycle(&mut self, slot: usize) {
        // Before all are ready a worker that cannot be started ends the pool: none is replaced at will.
        let may_go = self.phase == lifecycle::Pool::Running && self.error.is_none();
        if !may_go || !self.scheduler.is_ready(slot) {
            return;
        }
        let worker = self.slots[slot].worker;
        debug!(worker, "worker will be replaced");
        let text = || format!("worker {worker} has run enough, or grown too large");
        self.tell_records(|record| record.mark("recycle", Some(worker), clock(), text));
        self.on(Event::Leaves { slot, why: Leave::Recycled });
    }

    fn check_late(&mut self, pool: &Pool, run: RunId, timeout: u32) -> u32 {
        // What is answered is not late.
        self.collect(pool);
        let now = tick(clock());
        // An event that starts after this look is not late before that.
        let mut next = timeout;
        for slot in 0..self.slots.len() {
            let mut late = Vec::new();
            for (task, started) in self.running(slot, now) {
                if run_of(task) != run {
                    continue;
                }
                let Some(timeout) = self.limit_of(slot, task, timeout) else { continue };
                let ran = elapsed(started, now);
                // Both times are rounded: so it ran no less.
                if ran > timeout {
                    late.push(task);
                } else {
                    next = next.min(timeout - ran + 1);
                }
            }
            for task in late {
                let timeout = self.limit_of(slot, task, timeout).unwrap_or(timeout);
                self.stop_late(pool, slot, task, timeout);
            }
        }
        next.max(timeout / MOST_LOOKS).max(1)
    }

    /// How long an event may run, in milliseconds, where those of its run may run for so long: in a flow, each node says.
    fn limit_of(&self, slot: usize, task: TaskId, of_run: u32) -> Option<u32> {
        let position = self.scheduler.origin(slot, task).and_then(Origin::position);
        match self.node_of(task, position) {
            0 => Some(of_run),
            node => self.runs.get(&run_of(task))?.flow.as_ref()?.plan.node(node).timeout,
        }
    }

    /// Whether a worker has an event of this run.
    fn holds_any_of(&self, run: RunId) -> bool {
        let has_any = |slot| self.scheduler.held(slot).any(|held| run_of(held.task) == run);
        (0..self.slots.len()).any(has_any)
    }

    /// What the worker of `slot` runs, and since when; nothing if it is being killed.
    pub(super) fn running(&mut self, slot: usize, now: Tick) -> Vec<(TaskId, Tick)> {
        if matches!(self.scheduler.worker(slot), Worker::Dying { .. }) {
            return Vec::new();
        }
        let claims: Vec<(TaskId, Position)> = self.claims(slot).collect();
        let connection = self.slots[slot].connection.as_mut();
        connection.map_or_else(Vec::new, |connection| connection.running(claims.into_iter(), now))
    }

    /// What the worker of `slot` has claimed, and where.
    pub(super) fn claims(&self, slot: usize) -> impl Iterator<Item = (TaskId, Position)> {
        let held = self.scheduler.held(slot);
        held.filter_map(|held| Some((held.task, held.origin.position()?)))
    }

    /// Ends an event that is late, and its worker if nothing else runs there; unless it has ended by now.
    fn stop_late(&mut self, pool: &Pool, slot: usize, task: TaskId, limit: u32) {
        if let Some(connection) = &self.slots[slot].connection {
            connection.pause();
        }
        // From here on the worker starts nothing after this event: so nothing else is cut.
        self.collect(pool);
        if self.scheduler.origin(slot, task).is_none() {
            self.resume(slot);
        } else if !self.time_out(pool, slot, task, limit) {
            self.on(Event::Killed { slot, why: Kill::Late { task, limit } });
        }
    }
}
