//! What is said of a run that is not wrong, and may not be what the program wants: lines for its log.

use tracing::warn;

use super::Pool;
use super::state::State;
use crate::core::task_id::{RunId, run_of};
use crate::os::clock::clock;
use crate::shm::stopwatch::{Tick, elapsed, tick};
use crate::wire::note::Note;

impl Pool {
    /// Tells of workers that have run one event for `after` milliseconds or more, and again each time that
    /// it has become twice as long.
    /// False if the run is over.
    pub(crate) fn check_long(&self, run: RunId, after: u32) -> bool {
        self.enter(|state| {
            let is_on = state.runs.contains_key(&run);
            if is_on {
                state.check_long(self, run, after);
            }
            is_on
        })
    }

    /// A worker has taken so many seconds from its start to its call, which is long. Told of the first one:
    /// the others do the same.
    pub(crate) fn started_slowly(&self, slot: usize, seconds: f64) {
        self.enter(|state| {
            if std::mem::replace(&mut state.has_told_of_start, true) {
                return;
            }
            let worker = state.slots[slot].worker;
            state.hint(
                worker,
                format!(
                    "Worker {worker} has taken {seconds:.1} s to reach the call: every worker runs the \
                     program from its beginning. What only the master needs belongs behind isMaster()"
                ),
            );
        });
    }
}

impl Pool {
    /// The worker of `slot` has not reached its call for long. If it has passed others by, it may never.
    pub(crate) fn searches_long(&self, slot: usize) {
        self.enter(|state| {
            let passed = state.slots[slot].connection.as_ref().map_or(&[][..], |it| &it.passed);
            if passed.is_empty() || std::mem::replace(&mut state.has_told_of_start, true) {
                return;
            }
            let (title, passed) = (&self.launch.title, passed.join("; "));
            let worker = state.slots[slot].worker;
            state.hint(
                worker,
                format!(
                    "Worker {worker} has not found {title}. It reached {passed}. A name, the fifth \
                     argument's option, tells calls apart"
                ),
            );
        });
    }
}

impl State {
    fn check_long(&mut self, pool: &Pool, run: RunId, after: u32) {
        // What is answered does not run.
        self.collect(pool);
        let now = tick(clock());
        for slot in 0..self.slots.len() {
            self.check_slot(slot, run, after, now);
        }
    }

    fn check_slot(&mut self, slot: usize, run: RunId, after: u32, now: Tick) {
        // A worker that runs several at once was given the later ones by the program.
        let Some(&(task, started)) = self.running(slot, now).first() else { return };
        if run_of(task) != run {
            return;
        }
        let ran = elapsed(started, now);
        let Some(connection) = self.slots[slot].connection.as_mut() else { return };
        let next =
            connection.told_long.filter(|&(told, _)| told == task).map_or(after, |(_, next)| next);
        if ran < next {
            return;
        }
        connection.told_long = Some((task, ran.saturating_mul(2)));
        let how = if connection.is_waiting() {
            "its function has returned a promise that is not settled yet"
        } else {
            "its function has not returned yet"
        };
        let how = self.why_waits(task).unwrap_or_else(|| how.to_owned());
        let (worker, data) = (self.slots[slot].worker, self.shown(slot, task));
        let seconds = f64::from(ran) / 1e3;
        let event =
            if data.is_empty() { "one event".into() } else { format!("one event ({data})") };
        self.hint(
            worker,
            format!(
                "Worker {worker} has been running {event} for {seconds:.1} s: {how} \
                 (the option taskTimeout ends events that take too long)"
            ),
        );
    }

    fn hint(&mut self, worker: u32, text: String) {
        warn!(worker, "{text}");
        self.notes.push(Note::Hint { worker, text });
    }
}
