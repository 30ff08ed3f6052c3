//! The exit of a worker: what it costs, and what comes next.

use tracing::debug;

use super::Pool;
use super::order::Order;
use super::state::State;
use super::wake::WakeUp;
use crate::core::error::{Said, Search};
use crate::core::event::{Effect, Event};
use crate::core::lifecycle::Kill;
use crate::core::retry::Cause;
use crate::core::task_id::TaskId;
use crate::core::verdict::{Ending, Unprepared, Verdict, judge};
use crate::os::child::Exit;
use crate::os::clock::clock;
use crate::shm::stopwatch::{elapsed, tick};
use crate::wire::note::Note;

/// What is known of a worker's exit, for the errors of the events that it ran.
pub(super) struct Crash {
    pub(super) worker: u32,
    pub(super) pid: u32,
    /// It ran several events: any of them may be why.
    pub(super) is_shared: bool,
    exit: Exit,
    said: Said,
    /// Why the master killed it, if it did.
    kill: Option<Kill>,
    /// How many milliseconds each of its events ran, where that is asked for.
    ran: Vec<(TaskId, u32)>,
    /// What its program wrote last to its error stream.
    stderr: String,
    shortage: Option<Shortage>,
}

/// Whose memory was used up when a worker exited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shortage {
    /// The limit of V8's heap.
    Heap,
    /// The system's, or the control group's.
    System,
}

impl Shortage {
    fn of(exit: Exit, is_heap_full: bool, has_system_killed: bool) -> Option<Self> {
        if is_heap_full && exit.is_abort() {
            Some(Self::Heap)
        } else if has_system_killed {
            Some(Self::System)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::System => "system",
        }
    }
}

impl Crash {
    /// Why one of its events failed.
    pub(super) fn cause(&self, task: TaskId) -> Cause {
        match self.kill {
            Some(Kill::Late { task: late, .. }) if late == task => Cause::Timeout,
            _ => Cause::Crash,
        }
    }

    /// How many milliseconds one of its events ran, if that was noted.
    pub(super) fn duration(&self, task: TaskId) -> Option<f64> {
        self.ran.iter().find(|&&(ran, _)| ran == task).map(|&(_, milliseconds)| milliseconds.into())
    }

    /// The code and the message for one of its events.
    fn reason(&self, task: TaskId) -> (&'static str, String) {
        let Self { worker, pid, exit, .. } = self;
        match &self.kill {
            Some(Kill::Late { task: late, limit }) if *late == task => (
                "ERR_SONIC_TASK_TIMEOUT",
                format!(
                    "this event ran longer than the taskTimeout of {limit} ms: worker {worker} (pid {pid}) was killed"
                ),
            ),
            Some(Kill::Late { limit, .. }) => (
                "ERR_SONIC_WORKER_EXIT",
                format!(
                    "worker {worker} was killed while it ran this event, because of another that ran longer than the \
                     taskTimeout of {limit} ms"
                ),
            ),
            Some(Kill::Stalled { limit }) => (
                "ERR_SONIC_WORKER_STALLED",
                format!(
                    "worker {worker} (pid {pid}) gave no sign of life for {limit} ms (heartbeatTimeout) while it ran \
                     this event, and was killed"
                ),
            ),
            Some(Kill::Lingering { limit }) => (
                "ERR_SONIC_WORKER_EXIT",
                format!(
                    "worker {worker} was released while it ran this event, and was killed because it did not exit \
                     within {limit} ms (shutdownGrace)"
                ),
            ),
            Some(Kill::Other) | None => {
                let said = &self.said;
                let how = match self.shortage {
                    None => exit.to_string(),
                    Some(Shortage::Heap) => format!("{exit}, its heap being full,"),
                    Some(Shortage::System) => format!("{exit}, by the system for want of memory,"),
                };
                let message = format!("worker {worker} {how} while it ran this event{said}");
                ("ERR_SONIC_WORKER_EXIT", message)
            }
        }
    }

    pub(super) fn error(&self, task: TaskId) -> Vec<u8> {
        let (code, message) = self.reason(task);
        let mut error = serde_json::json!({
            "name": "Error",
            "message": message,
            "stack": format!("Error: {message}"),
            "code": code,
            "exitCode": self.exit.code(),
            "signal": self.exit.signal(),
            "worker": self.worker,
            "pid": self.pid,
        });
        if let Some(shortage) = self.shortage.filter(|_| self.kill.is_none()) {
            error["outOfMemory"] = shortage.name().into();
        }
        if !self.stderr.is_empty() {
            error["stderr"] = self.stderr.clone().into();
        }
        error.to_string().into_bytes()
    }
}

impl Pool {
    /// The worker of `slot` has exited, and everything it said is heard.
    pub(crate) fn exited(&self, slot: usize, exit: Exit, timed_out: bool) {
        let has_system_killed = self.has_system_killed(exit);
        self.enter(|state| {
            // Its last claims and answers, and what they lead to, before what it still has is counted.
            state.collect(self);
            state.free_locks(slot);
            state.lanes.forget(slot);
            state.carry_out(self);
            if let Some(ending) = state.bury(self, slot, exit, has_system_killed) {
                state.succeed(self, slot, Ending { timed_out, ..ending });
            }
            state.close_if_done(self);
        });
    }
}

impl State {
    /// Ends the events that the exited worker of `slot` ran; those that it had not started run elsewhere. What is known of
    /// its end.
    fn bury(
        &mut self,
        pool: &Pool,
        slot: usize,
        exit: Exit,
        has_system_killed: bool,
    ) -> Option<Ending> {
        let mut connection = self.slots[slot].connection.take()?;
        let worker = self.slots[slot].worker;
        let unstarted = connection.recall();
        let running = self.scheduler.held(slot).len().saturating_sub(unstarted);
        let has_abandoned = self.scheduler.abandoned(slot, |_| true).is_some();
        let ran_something = running > 0 || has_abandoned;
        let was_released = self.scheduler.worker(slot).was_released();
        let preparing = connection.preparing();
        let has_run = connection.is_proven || ran_something;
        let is_proven = was_released || (has_run && preparing.is_none());
        debug!(worker, %exit, unstarted, "worker exited");
        let (code, signal) = (exit.code(), exit.signal());
        self.tell_records(|record| record.exited(slot, code, signal.clone(), clock()));
        let has_left = was_released || (code == Some(0) && !ran_something);
        if !has_left {
            for run in self.runs.values_mut().filter(|run| run.state.is_open()) {
                run.record.crashed(slot, exit, clock());
            }
            self.total.record.crashed(slot, exit, clock());
        }
        self.notes.push(Note::Exit { worker, code, signal });
        let said = Said { uncaught: connection.last_error.take(), exits: connection.exits.take() };
        let stderr = connection.stderr_tail();
        let crash = Crash {
            worker,
            pid: connection.child.pid(),
            is_shared: running > 1,
            exit,
            said: said.clone(),
            kill: self.scheduler.worker(slot).kill().cloned(),
            ran: self.ran(slot, &mut connection),
            stderr: stderr.clone(),
            shortage: Shortage::of(exit, connection.is_heap_full(), has_system_killed),
        };
        let unprepared = preparing.and_then(|task| {
            let title = self.kept_of(task)?.title.clone();
            let what = connection.failed_work.take().unwrap_or_else(|| crash.reason(task).1);
            Some(Unprepared { title, what })
        });
        self.lose(pool, slot, unstarted, &crash);
        let state = &mut self.slots[slot];
        state.is_unheard = connection.reached == crate::core::verdict::Reached::Nothing;
        state.failures = if is_proven { 0 } else { state.failures + 1 };
        let search = Search { title: pool.launch.title.clone(), passed: connection.passed };
        Some(Ending {
            worker,
            exit,
            reached: connection.reached,
            timed_out: false,
            proven: is_proven,
            failures: state.failures,
            said,
            search: Box::new(search),
            stderr,
            deadline: pool.launch.deadline,
            unprepared,
            refusal: connection.refusal,
        })
    }

    fn lose(&mut self, pool: &Pool, slot: usize, unstarted: usize, crash: &Crash) {
        self.slots[slot].wake_up = WakeUp::None;
        let chosen: Vec<TaskId> = {
            let held = self.scheduler.held(slot);
            held.map(|held| held.task)
                .filter(|&task| self.scheduler.is_chosen(slot, task))
                .collect()
        };
        let mut effects = Vec::new();
        self.scheduler.on(Event::Exited { slot, unstarted }, &mut effects);
        for effect in effects {
            if let Effect::Fail { task, from, .. } = effect {
                self.crash_event(pool, (slot, chosen.contains(&task)), (task, from), crash);
            } else {
                self.effects.push(effect);
            }
        }
    }

    /// Has another worker take the place of one that exited, or gives the slot up.
    fn succeed(&mut self, pool: &Pool, slot: usize, ending: Ending) {
        if self.is_over() {
            self.on(Event::Closed { slot });
            return;
        }
        if self.close_surplus(pool, slot) {
            return;
        }
        match judge(ending) {
            Verdict::Restart(delay) => pool.order(Order::Start { slot, delay }),
            Verdict::Retire(error) => self.retire(pool, slot, error),
        }
    }

    /// How many milliseconds by now each event has run that the worker at this connection has started, where somebody asks
    /// for that.
    fn ran(
        &self,
        slot: usize,
        connection: &mut super::connection::Connection,
    ) -> Vec<(TaskId, u32)> {
        if !self.runs.values().any(|run| run.retries.is_some() || run.record.has_times()) {
            return Vec::new();
        }
        let now = tick(clock());
        let running = connection.running(self.claims(slot), now);
        running.into_iter().map(|(task, started)| (task, elapsed(started, now))).collect()
    }
}
