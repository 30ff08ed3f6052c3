//! How far the run has come and what its workers do, for people who look on.

use super::{Pool, State};
use crate::core::scheduler::TaskId;
use crate::observe::record::number_of;
use crate::observe::tally::{Activity, Detail, Doing, Tally};
use crate::os::clock::clock;
use crate::pool::link::Texts;
use crate::pool::stopwatch::{elapsed, tick};
use crate::shm::store::Bytes;
use crate::wire::format::Format;
use crate::wire::header::{flag, format_of};

/// So much of an event's text is shown: more than a line of a terminal has room for.
const SHOWN: usize = 256;

/// Whether a terminal would not show this, but do something, to the rest of the line for one. (What stands for
/// half a character is not wanted either.)
fn is_obeyed(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || c == char::REPLACEMENT_CHARACTER
}

impl Pool {
    /// How far the run has come by now.
    pub(crate) fn tally(&self, detail: Detail) -> Tally {
        // Workers that are busy ring nobody for what they have answered.
        self.enter(|_| ());
        let mut state = self.lock();
        let (answered, failed) = state.record.ended();
        let slots = if detail == Detail::Workers { 0..state.slots.len() } else { 0..0 };
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
        let text = text.replace(is_obeyed, " ");
        if format == Format::String { format!("\"{text}\"") } else { text }
    }
}
