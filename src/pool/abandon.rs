//! Events that end although their worker goes on: one that ran too long, or whose run was stopped, while others run beside it
//! in the same process. The worker is told, so that the program can stop by itself. It claims nothing more until it is done
//! with them; if it is not in time, it is killed as soon as nothing else runs there.

use std::time::Duration;

use super::Pool;
use super::fail::{Failing, Failure};
use super::order::Order;
use super::state::State;
use crate::core::event::{Event, Held, Origin};
use crate::core::lifecycle::{Kill, Worker};
use crate::core::retry::{Attempt, Cause};
use crate::core::sync::Ended;
use crate::core::task_id::{RunId, TaskId, run_of};
use crate::observe::record::Outcome;

/// How long a worker that runs an event too long may take to hear of it. One that does not is busy with that event, unless the
/// machine is so busy that a thread waits for so long.
const HEARING: Duration = Duration::from_secs(1);

impl Pool {
    /// The grace of a stopped run is over: what still runs of it ends. A worker that runs nothing else is killed, and where
    /// it is the pool's only run, who is left.
    pub(crate) fn end_run(&self, run: RunId) {
        self.enter(|state| {
            state.collect(self);
            for slot in 0..state.slots.len() {
                if self.launch.is_for_one_run {
                    state.on(Event::Killed { slot, why: Kill::Other });
                } else {
                    state.end_run_in(self, slot, run);
                }
            }
        });
    }

    /// Some time ago the worker of `slot` was to give events up. The `is_last` look gives up on it.
    pub(crate) fn see_abandoned(&self, slot: usize, pid: u32, is_last: bool) {
        self.enter(|state| {
            if state.pid(slot) != pid || state.scheduler.abandoned(slot, |_| true).is_none() {
                return;
            }
            state.collect(self);
            let Some(connection) = state.slots[slot].connection.as_mut() else { return };
            if is_last {
                connection.is_overdue = true;
                state.end_overdue(slot);
            } else if !connection.has_heard_aborts() {
                state.on(Event::Killed { slot, why: Kill::Other });
            }
        });
    }
}

impl State {
    fn end_run_in(&mut self, pool: &Pool, slot: usize, run: RunId) {
        let is_ours = |held: &Held| run_of(held.task) == run;
        let ours: Vec<Held> = self.scheduler.held(slot).filter(is_ours).collect();
        if ours.is_empty() {
            return;
        }
        let has_others = self.runs_others(slot, is_ours);
        for Held { task, origin } in ours {
            if !has_others || !self.abandon(pool, slot, task, None) {
                self.on(Event::Killed { slot, why: Kill::Other });
                return;
            }
            let mut text = std::mem::take(&mut self.text);
            self.end(task, origin.position(), &mut text);
            self.attempt_ended(task, Ended::Failed);
            self.text = text;
            if let Some(run) = self.run_mut(task) {
                run.ended += 1;
            }
        }
    }

    /// An event has run longer than the limit, in milliseconds, beside others. False if its worker must be killed.
    pub(super) fn time_out(&mut self, pool: &Pool, slot: usize, task: TaskId, limit: u32) -> bool {
        let from = self.scheduler.origin(slot, task).and_then(Origin::position);
        if !self.runs_others(slot, |held| held.task == task)
            || !self.abandon(pool, slot, task, Some(HEARING))
        {
            return false;
        }
        let (worker, pid) = (self.slots[slot].worker, self.pid(slot));
        let message = format!("this event ran longer than the taskTimeout of {limit} ms");
        let error = serde_json::json!({
            "name": "Error",
            "message": message,
            "stack": format!("Error: {message}"),
            "code": "ERR_SONIC_TASK_TIMEOUT",
            "worker": worker,
            "pid": pid,
        });
        let error = error.to_string().into_bytes();
        let (cause, duration) = (Cause::Timeout, Some(limit.into()));
        let attempt = Attempt { worker, pid, cause, is_shared: false, duration, error: &error };
        if !self.try_again(pool, slot, (task, from), false, attempt) {
            let outcome = Outcome::of(cause);
            let failing = Failing { slot: Some(slot), outcome, has_run: true, duration };
            if self.fail_task(pool, task, from, Failure::Attempt(&error), failing) {
                self.stop_for_failure(pool, task);
            }
        }
        true
    }

    /// Has the worker of `slot` give an event up. The caller ends it. False, with nothing done, if that cannot be: it was
    /// given to this worker by the program, or is on its way there.
    fn abandon(
        &mut self,
        pool: &Pool,
        slot: usize,
        task: TaskId,
        hearing: Option<Duration>,
    ) -> bool {
        let is_chosen = self.scheduler.is_chosen(slot, task);
        let Some(origin) = self.scheduler.origin(slot, task).filter(|_| !is_chosen) else {
            return false;
        };
        let Some(connection) = self.slots[slot].connection.as_mut() else { return false };
        if !connection.abort(Held { task, origin }, hearing.is_some()) {
            return false;
        }
        connection.pause();
        let pid = connection.child.pid();
        let looks = [(hearing, false), (Some(pool.launch.limits.abort_grace), true)];
        for (after, is_last) in looks {
            if let Some(after) = after {
                pool.order(Order::SeeAbandoned { slot, pid, after, is_last });
            }
        }
        self.on(Event::Abandoned { slot, task });
        true
    }

    /// The worker of `slot` is done with an event that was abandoned.
    pub(super) fn let_go(&mut self, pool: &Pool, slot: usize, held: Held) {
        self.on(Event::LetGo { slot, held });
        self.has_answered(pool, slot);
        self.resume(slot);
    }

    /// Lets a worker claim events again that was paused, unless it has yet to give some up.
    pub(super) fn resume(&mut self, slot: usize) {
        if self.scheduler.abandoned(slot, |_| true).is_some() {
            return;
        }
        if let Some(connection) = &mut self.slots[slot].connection {
            connection.is_overdue = false;
            connection.resume();
        }
    }

    /// Kills the worker of `slot` if it runs only what it should have given up by now.
    pub(super) fn end_overdue(&mut self, slot: usize) {
        let connection = self.slots[slot].connection.as_ref();
        if connection.is_some_and(|connection| connection.is_overdue)
            && !self.scheduler.held(slot).any(|held| self.has_begun(slot, held))
            && !matches!(self.scheduler.worker(slot), Worker::Dying { .. })
        {
            self.on(Event::Killed { slot, why: Kill::Other });
        }
    }

    /// Whether the worker of `slot` runs anything but these, what it is to give up included.
    fn runs_others(&self, slot: usize, these: impl Fn(&Held) -> bool) -> bool {
        let mut others = self.scheduler.held(slot).filter(|held| !these(held));
        self.scheduler.abandoned(slot, |_| true).is_some()
            || others.any(|held| self.has_begun(slot, held))
    }

    /// Whether the worker of `slot` has begun what it holds. An event of `each` waits there for a place: it must not be why what
    /// has the place goes on.
    pub(super) fn has_begun(&self, slot: usize, held: Held) -> bool {
        let connection = self.slots[slot].connection.as_ref();
        held.origin != Origin::Chosen
            || connection.is_some_and(|connection| connection.has_begun(held.task))
    }

    /// Tells workers that run something of a run that it is stopped.
    pub(super) fn abort_run(&mut self, run: RunId) {
        for slot in 0..self.slots.len() {
            let ours = self.scheduler.held(slot).filter(|held| run_of(held.task) == run);
            if let Some(connection) = &mut self.slots[slot].connection {
                for held in ours {
                    connection.abort(held, false);
                }
            }
        }
    }
}
