//! How events end that no worker answered, and whether they are tried again.

use tracing::debug;

use super::Pool;
use super::entry::{data_of, entry_of};
use super::exit::Crash;
use super::order::Order;
use super::state::{State, json_of};
use crate::core::error::Error;
use crate::core::event::Event;
use crate::core::lifecycle;
use crate::core::retry::Attempt;
use crate::core::sync as shared;
use crate::core::task_id::{Position, TaskId, run_of};
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Outcome};
use crate::os::clock::clock;
use crate::run::results::entry;
use crate::run::value::Value;
use crate::wire::header::flag;
use crate::wire::note::Note;

/// An event that fails without its worker having said so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    /// The slot of the worker that had it.
    pub(super) slot: Option<usize>,
    pub(super) outcome: Outcome,
    /// It had been started there.
    pub(super) has_run: bool,
    /// How many milliseconds it ran, if that is known.
    pub(super) duration: Option<f64>,
}

impl Failing {
    /// Of a run that cannot go on.
    const ABORTED: Self =
        Self { slot: None, outcome: Outcome::Aborted, has_run: false, duration: None };
}

/// Why an event fails that no worker answers, with the JSON of an error. The attempts at it are listed either way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failure<'a> {
    /// Its last attempt came to nothing; if it was never tried, with this error.
    Attempt(&'a [u8]),
    /// The run cannot go on, or no worker will ever run the event.
    Run(&'a [u8]),
}

/// The error of an event for a worker that is gone before it was tried.
const GONE: &[u8] =
    br#"{"name":"Error","message":"the worker is gone","code":"ERR_SONIC_WORKER_EXIT"}"#;

impl State {
    /// An attempt at an event has failed on `slot`. True if there is to be another: then it has not ended.
    pub(super) fn try_again(
        &mut self,
        pool: &Pool,
        slot: usize,
        (task, position): (TaskId, Option<Position>),
        is_chosen: bool,
        attempt: Attempt<'_>,
    ) -> bool {
        let is_over = self.is_over();
        let may_retry = self.may_retry(task);
        let node = self.node_of(task, position);
        let Some(run) = self.run_mut(task).filter(|run| !run.is_own(task)) else { return false };
        let again = run.retries.as_mut().and_then(|retries| retries.failed(task, node, attempt));
        let Some(again) = again.filter(|_| run.state.is_open() && !is_over && may_retry) else {
            return false;
        };
        run.record.retried((task, node), slot, attempt.cause, again.after, clock());
        debug!(worker = attempt.worker, task, after = again.after, "event is tried again");
        if let Some(position) = position {
            // Its place is for others, and its text what the program handed over, whatever was made of it.
            self.leave(task, position.lane);
            self.lanes.keep(position, &mut self.tasks);
            self.lanes.end(position);
        }
        self.attempt_ended(task, shared::Ended::Retried);
        self.tasks.try_again(task, again.after, attempt.is_shared);
        let backs_off = again.delay > 0.0;
        self.on(Event::Retried { slot, task, is_chosen, backs_off });
        if backs_off {
            pool.order(Order::BackOff { task, again });
        }
        true
    }

    /// An event has backed off.
    pub(super) fn backed_off(&mut self, task: TaskId, after: usize) {
        // It may have ended, or have been tried again and back off once more.
        let run = self.runs.get_mut(&run_of(task));
        let Some(run) = run.filter(|run| run.attempts(task) == after) else { return };
        // What failed in the middle of an event is no worker's, and never was.
        let item = run.flow.as_mut().and_then(|flow| Some((flow.backing_off.remove(&task)?, flow)));
        if let Some((node, flow)) = item {
            flow.node(node).queue.push_back(task);
        } else {
            self.on(Event::BackedOff { task });
        }
    }

    /// An event comes back that no worker has: it goes into the first lane, or fails with its run.
    pub(super) fn put_back(&mut self, pool: &Pool, task: TaskId) {
        let Some(run) = self.runs.get_mut(&run_of(task)) else {
            self.forget(task);
            return;
        };
        match &run.state {
            lifecycle::Run::Open => self.put_back_open(pool, task),
            lifecycle::Run::Failed(error) => {
                let error = error.clone();
                self.fail_task(pool, task, None, Failure::Run(error.as_bytes()), Failing::ABORTED);
            }
            _ if run.attempts(task) > 0 => {
                self.fail_task(pool, task, None, Failure::Attempt(GONE), Failing::ABORTED);
            }
            // Nobody will see what becomes of it.
            _ => {
                run.ended += 1;
                self.forget(task);
            }
        }
    }

    /// The same of a run that is open.
    fn put_back_open(&mut self, pool: &Pool, task: TaskId) {
        let refusal = if self.router.has(task) {
            self.router.put_back(task).err()
        } else if self.router.refuses_others() {
            self.router.refusal()
        } else {
            self.returned.push_back(task);
            None
        };
        if let Some(error) = refusal {
            self.fail_unrouted(pool, task, &error);
        }
    }

    /// An event fails that no worker will ever run.
    pub(super) fn fail_unrouted(&mut self, pool: &Pool, task: TaskId, error: &Error) {
        let error = json_of(error);
        if self.fail_task(pool, task, None, Failure::Run(error.as_bytes()), Failing::ABORTED) {
            self.stop_for_failure(pool, task);
        }
    }

    /// An event fails whose slot is closed, or whose run cannot go on.
    pub(super) fn fail_for_slot(
        &mut self,
        pool: &Pool,
        slot: usize,
        task: TaskId,
        from: Option<Position>,
    ) {
        let run = self.run_mut(task);
        let error = run.and_then(|run| run.state.error().map(str::to_owned));
        let failure =
            error.as_ref().map_or(Failure::Attempt(GONE), |error| Failure::Run(error.as_bytes()));
        let failing = Failing { slot: Some(slot), ..Failing::ABORTED };
        if self.fail_task(pool, task, from, failure, failing) {
            self.stop_for_failure(pool, task);
        }
    }

    /// An event was running when its worker exited: it is tried again, or fails.
    pub(super) fn crash_event(
        &mut self,
        pool: &Pool,
        (slot, is_chosen): (usize, bool),
        (task, from): (TaskId, Option<Position>),
        crash: &Crash,
    ) {
        let error = crash.error(task);
        let (cause, duration) = (crash.cause(task), crash.duration(task));
        let Crash { worker, pid, is_shared, .. } = *crash;
        let attempt = Attempt { worker, pid, cause, is_shared, duration, error: &error };
        if self.try_again(pool, slot, (task, from), is_chosen, attempt) {
            return;
        }
        let run = self.run_mut(task);
        let is_stopped = run.is_some_and(|run| run.state == lifecycle::Run::Stopped);
        let outcome = if is_stopped { Outcome::Aborted } else { Outcome::of(cause) };
        let failing = Failing { slot: Some(slot), outcome, has_run: true, duration };
        if self.fail_task(pool, task, from, Failure::Attempt(&error), failing) {
            self.stop_for_failure(pool, task);
        }
    }

    /// Fails an event. True if its run is to be stopped for that.
    pub(super) fn fail_task(
        &mut self,
        pool: &Pool,
        task: TaskId,
        from: Option<Position>,
        failure: Failure<'_>,
        failing: Failing,
    ) -> bool {
        let Failing { slot, outcome, has_run, duration } = failing;
        self.attempt_ended(task, shared::Ended::Failed);
        let (error, other) = match failure {
            Failure::Attempt(error) => (error, None),
            Failure::Run(error) => (error, Some(error)),
        };
        let node = self.node_of(task, from);
        let mut text = std::mem::take(&mut self.text);
        let flags = self.end(task, from, &mut text);
        let is_taken = slot.is_some_and(|slot| self.scheduler.is_taken(slot, &mut self.effects));
        let worker = slot.map_or(0, |slot| self.slots[slot].worker);
        let is_manual = self.scheduler.is_manual();
        let Some(run) = self.runs.get_mut(&run_of(task)) else {
            self.text = text;
            return false;
        };
        let attempts = run.attempts(task).max(usize::from(has_run));
        let report = run.retries.as_mut().and_then(|retries| retries.conclude(task, other));
        let error = report.as_deref().unwrap_or(error);
        let finished = clock();
        run.ended += 1;
        run.record.end(Ended {
            task,
            node,
            slot: slot.filter(|_| has_run),
            started: duration.map(|duration| finished - duration),
            finished,
            outcome,
            data: Data { bytes: &text, flags },
            bytes_out: 0,
            error: Some(error),
            attempts,
        });
        let whole = if flags & flag::WHOLE != 0 { entry::WHOLE } else { 0 };
        let taken = if is_taken { entry::TAKEN } else { 0 };
        let kind = entry::FAILED | entry::CRASH | whole | taken;
        let entry = entry_of(kind, worker, data_of(&mut text, flags), Some(Value::json(error)));
        let stops = if node > 0 {
            self.has_failed_in_flow(pool, (task, node), flags, &entry)
        } else {
            run.deliver(task, entry, is_manual)
        };
        self.text = text;
        stops
    }

    /// The first event that fails stops a run that wants that.
    pub(super) fn stop_for_failure(&mut self, pool: &Pool, task: TaskId) {
        let run = run_of(task);
        if self.stop_run(pool, run) {
            self.notes.push(Note::Stopped { run });
        }
    }
}
