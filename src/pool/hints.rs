//! What is said of a run that is not wrong, and may not be what the program wants: lines for its log.

use tracing::warn;

use super::{Pool, State};
use crate::os::clock::clock;
use crate::pool::stopwatch::{Tick, elapsed, tick};
use crate::wire::note::Note;

impl Pool {
    /// Tells of workers that have run one event for `after` milliseconds or more, and again each time that
    /// it has become twice as long.
    pub(crate) fn look_for_long(&self, after: u32) {
        self.enter(|state| state.look_for_long(after));
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
            let passed = state.slots[slot].link.as_ref().map_or(&[][..], |link| &link.passed);
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
    fn look_for_long(&mut self, after: u32) {
        // What is answered does not run.
        self.collect();
        let now = tick(clock());
        for slot in 0..self.slots.len() {
            self.look_at(slot, after, now);
        }
    }

    fn look_at(&mut self, slot: usize, after: u32, now: Tick) {
        // Who runs several at once was given the later ones by the program.
        let Some(&(task, started)) = self.running(slot, now).first() else { return };
        let ran = elapsed(started, now);
        let Some(link) = self.slots[slot].link.as_mut() else { return };
        let next = link.told_long.filter(|&(told, _)| told == task).map_or(after, |(_, next)| next);
        if ran < next {
            return;
        }
        link.told_long = Some((task, ran.saturating_mul(2)));
        let how = if link.is_waiting() {
            "its function has returned a promise that is not settled yet"
        } else {
            "its function has not returned yet"
        };
        let (worker, data) = (self.slots[slot].worker, self.shown(task));
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
