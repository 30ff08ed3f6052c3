//! What goes to one worker alone, through its task ring.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Connection, Given};
use crate::core::event::{Held, How};
use crate::core::task_id::{Position, RunId, TaskId};
use crate::queue::about;
use crate::queue::tasks::Tasks;
use crate::shm::store::Bytes;
use crate::wire::header::{Header, Kind, flag};
use crate::wire::layout::Layout;
use crate::wire::seq::Seq;

/// What waits for room in the task ring.
#[derive(Debug)]
pub(super) enum Outgoing {
    Task {
        task: TaskId,
        how: How,
    },
    Message {
        bytes: Bytes,
        flags: u32,
    },
    /// What a run is about; none if it is over.
    Run {
        run: RunId,
        about: Option<Arc<str>>,
    },
    /// An event is to be given up, named as an answer names it; and whether it runs too long.
    Abort {
        index: u32,
        flags: u32,
        is_late: bool,
    },
    /// What it is told of locks and the like: JSON and, from `split` on, a value if there `is_value`.
    Sync {
        bytes: Bytes,
        split: u32,
        is_value: bool,
    },
    /// The payload that is partly in the ring went elsewhere.
    Drop,
}

impl Connection {
    /// Puts an event behind what is on its way; [`Self::pump`] sends it.
    pub(crate) fn give(&mut self, task: TaskId, how: How) {
        self.outgoing.push_back(Outgoing::Task { task, how });
    }

    /// Puts a message of the user's behind what is on its way.
    pub(crate) fn message(&mut self, bytes: Bytes, flags: u32) {
        self.outgoing.push_back(Outgoing::Message { bytes, flags });
    }

    /// Tells the worker something of locks and the like.
    pub(crate) fn tell(&mut self, text: &[u8], value: Option<&[u8]>) {
        let mut bytes = Bytes::with_room(text.len() + value.map_or(0, <[u8]>::len));
        bytes.append(text);
        bytes.append(value.unwrap_or_default());
        let split = text.len() as u32;
        self.outgoing.push_back(Outgoing::Sync { bytes, split, is_value: value.is_some() });
    }

    /// Tells the worker what a run is about, or that it is over.
    pub(crate) fn tell_of_run(&mut self, run: RunId, about: Option<Arc<str>>) {
        if about.is_none() {
            // What has not left is of no use any more, and may be large.
            let mut is_first = self.written > 0;
            self.outgoing.retain(|outgoing| {
                let is_about =
                    matches!(outgoing, Outgoing::Run { run: it, about: Some(_) } if *it == run);
                std::mem::take(&mut is_first) || !is_about
            });
        }
        self.outgoing.push_back(Outgoing::Run { run, about });
    }

    /// Tells the worker that an event is over, which it runs. False if it has not got that yet.
    pub(crate) fn abort(&mut self, held: Held, is_late: bool) -> bool {
        let (index, flags) = if let Some(Position { lane, at }) = held.origin.position() {
            (Seq::of(at).0, (lane as u32) << flag::LANE_AT)
        } else if let Some(given) = self.given.iter().find(|given| given.task == held.task) {
            (given.index.0, flag::DIRECT)
        } else {
            return false;
        };
        self.outgoing.push_back(Outgoing::Abort { index, flags, is_late });
        self.aborts = self.aborts.wrapping_add(1);
        true
    }

    /// Moves what waits into the ring as far as there is room, and wakes the worker if it sleeps.
    pub(crate) fn pump(&mut self, tasks: &Tasks) {
        if self.outgoing.is_empty() {
            return;
        }
        let mut moved = false;
        let mut in_vain = false;
        while let Some(first) = self.outgoing.front() {
            let (header, payload) = match first {
                Outgoing::Task { task: id, how } => {
                    let task = tasks.get(*id).expect("what is given to one worker is kept");
                    let how = match how {
                        How::Chosen if task.flags & flag::TURN != 0 => 0,
                        How::Chosen => flag::DIRECT,
                        How::Text => flag::LONG,
                    };
                    let header = Header::new(Kind::Task, task.flags | how);
                    let (index, split) = (self.published.0, about(*id, task.failed));
                    (Header { index, split, ..header }, &*task.text)
                }
                Outgoing::Message { bytes, flags } => {
                    (Header::new(Kind::Message, *flags), &**bytes)
                }
                Outgoing::Run { run, about } => {
                    let over = if about.is_none() { flag::HOLE } else { 0 };
                    let header = Header { index: (*run).into(), ..Header::new(Kind::Run, over) };
                    (header, about.as_deref().unwrap_or_default().as_bytes())
                }
                &Outgoing::Abort { index, flags, is_late } => {
                    let header = Header::new(Kind::Abort, flags);
                    (Header { index, split: is_late.into(), ..header }, &[][..])
                }
                &Outgoing::Sync { ref bytes, split, is_value } => {
                    let value = if is_value { flag::DATA } else { 0 };
                    (Header { split, ..Header::new(Kind::Sync, value) }, &**bytes)
                }
                Outgoing::Drop => (Header::new(Kind::Drop, 0), &[][..]),
            };
            let before = self.written;
            let done = self.tasks.push(&header, payload, &mut self.written);
            let has_moved = done || self.written > before;
            moved |= has_moved;
            if !done {
                // Once it is told that there is more, the worker notifies when it has made room; it may have done so
                // just before. It is not tried a third time: a worker that is told again and again makes no room, and
                // nobody must wait for it.
                let was_told = self.memory.word(Layout::STUCK).swap(1, Ordering::SeqCst) == 1;
                if was_told || (in_vain && !has_moved) {
                    break;
                }
                in_vain = true;
                continue;
            }
            in_vain = false;
            self.written = 0;
            if let Some(Outgoing::Task { task, how }) = self.outgoing.pop_front() {
                let index = self.published;
                self.given.push_back(Given { index, task, how, started: None });
                self.published = index.next();
            }
        }
        if self.outgoing.is_empty() {
            self.memory.word(Layout::STUCK).store(0, Ordering::SeqCst);
        }
        if moved {
            self.ring();
        }
    }

    /// Wakes the worker if it sleeps. True if it did.
    pub(crate) fn ring(&self) -> bool {
        let is_parked = self.memory.word(Layout::PARKED).swap(0, Ordering::SeqCst) == 1;
        if is_parked {
            self.notify();
        }
        is_parked
    }

    /// Takes back what the worker has not started: how many of the events it was given last.
    #[must_use]
    pub(crate) fn recall(&mut self) -> usize {
        let started = self.claim_rest();
        let (mut count, mut has_claim) = (0, false);
        while let Some(given) = self.given.pop_back_if(|given| !given.index.is_before(started)) {
            has_claim |= given.how == How::Text;
            count += 1;
        }
        let torn = self.written > 0 && matches!(self.outgoing[0], Outgoing::Task { .. });
        self.outgoing.retain(|outgoing| {
            let is_task = matches!(outgoing, Outgoing::Task { .. });
            let is_claimed = matches!(outgoing, Outgoing::Task { how: How::Text, .. });
            has_claim |= is_claimed;
            count += usize::from(is_task);
            !is_task
        });
        if torn {
            self.written = 0;
            self.outgoing.push_front(Outgoing::Drop);
        }
        self.has_lost_claim |= has_claim;
        count
    }
}
