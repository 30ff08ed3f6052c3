//! How far the run has come and what its workers do, for people who look on.

use super::{Pool, State};
use crate::clock::clock;
use crate::format::Format;
use crate::link::Texts;
use crate::record::number_of;
use crate::ring::{flag, format_of};
use crate::scheduler::TaskId;
use crate::stopwatch::{elapsed, tick};
use crate::store::Bytes;
use crate::tally::{Activity, Doing, Tally};

/// So much of an event's text is shown: more than a line of a terminal has room for.
const SHOWN: usize = 256;

impl Pool {
    /// How far the run has come by now; also each worker, if they are wanted.
    pub(crate) fn tally(&self, with_workers: bool) -> Tally {
        // Workers that are busy ring nobody for what they have answered.
        self.enter(|_| ());
        let mut state = self.lock();
        let (answered, failed) = state.record.ended();
        let slots = if with_workers { 0..state.slots.len() } else { 0..0 };
        Tally {
            handed_over: state.handed_over() + state.record.chosen(),
            answered,
            failed,
            workers: slots.map(|slot| state.activity(slot)).collect(),
        }
    }
}

impl State {
    fn activity(&mut self, slot: usize) -> Activity {
        let now = tick(clock());
        let running = self.running(slot, now);
        // Who runs several at once was given the later ones by the program.
        let doing = if let Some(&(task, started)) = running.first() {
            Doing::Running {
                event: number_of(task),
                milliseconds: elapsed(started, now),
                text: self.shown(task),
            }
        } else if self.scheduler.is_ready(slot) {
            Doing::Waiting
        } else if self.is_released() || self.slots[slot].closed {
            Doing::Gone
        } else {
            Doing::Starting
        };
        Activity { worker: self.slots[slot].worker, tasks: self.record.tasks(slot), doing }
    }

    /// The beginning of the data of an event that runs; nothing if it is no text.
    pub(super) fn shown(&self, task: TaskId) -> String {
        let mut peeked = Bytes::default();
        let (text, flags) = if self.tasks.has(task) {
            self.tasks.text(task)
        } else {
            let flags = self.backlog.peek(task, SHOWN, &mut peeked);
            (&peeked[..], flags)
        };
        let format = format_of(flags);
        if flags & flag::HOLE != 0 || format.is_binary() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&text[..text.len().min(SHOWN)]);
        // What a terminal would obey.
        let text = text.replace(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER, " ");
        if format == Format::String { format!("\"{text}\"") } else { text }
    }
}
