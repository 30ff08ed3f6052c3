//! The events whose text the master keeps itself: those for one worker, those too long for a lane, and those that had
//! to leave one.

use std::collections::HashMap;

use crate::core::task_id::TaskId;
#[cfg(test)]
use crate::core::task_id::{RunId, run_of};
use crate::shm::store::Bytes;
use crate::wire::header::flag;

/// What is kept of an event's flags.
const KEPT: u32 = flag::HOLE
    | flag::WHOLE
    | flag::TURN
    | flag::FORMAT
    | flag::CHAIN
    | flag::PARTS
    | flag::FAILURE;

/// An event as JavaScript handed it over.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) text: Bytes,
    /// [`flag::HOLE`], [`flag::WHOLE`], [`flag::TURN`], [`flag::ALONE`], the format and the chain, or nothing.
    pub(crate) flags: u32,
    /// How many attempts at it have failed.
    pub(crate) failed: u16,
    /// When it was handed over; 0 where nobody asks, or it is noted elsewhere.
    pub(crate) queued: f64,
}

impl Task {
    pub(crate) fn new(text: Bytes, flags: u32) -> Self {
        Self { text, flags: flags & KEPT, failed: 0, queued: 0.0 }
    }
}

/// What an event came with that has gone on since: its entry has that data.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) text: Bytes,
    pub(crate) flags: u32,
    /// The number of the chain that it goes through now, from 2 on.
    pub(crate) chain: usize,
    /// It went into a lane of that chain's own.
    pub(crate) is_apart: bool,
}

/// A table by id.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    by_id: HashMap<TaskId, Task>,
    /// Of the events that have gone on.
    origins: HashMap<TaskId, Origin>,
    bytes: usize,
}

impl Tasks {
    /// Takes an event in, until it ends.
    pub(crate) fn keep(&mut self, id: TaskId, task: Task) {
        self.bytes += task.text.len();
        self.by_id.insert(id, task);
    }

    pub(crate) fn has(&self, id: TaskId) -> bool {
        !self.by_id.is_empty() && self.by_id.contains_key(&id)
    }

    pub(crate) fn get(&self, id: TaskId) -> Option<&Task> {
        self.by_id.get(&id)
    }

    /// An event is tried again: so many attempts at it have failed. From then on no other is to run beside it if it
    /// `is_suspect`.
    pub(crate) fn try_again(&mut self, id: TaskId, failed: usize, is_suspect: bool) {
        if let Some(task) = self.by_id.get_mut(&id) {
            task.failed = u16::try_from(failed).unwrap_or(u16::MAX);
            task.flags |= if is_suspect { flag::ALONE } else { 0 };
        }
    }

    /// Removes an event, which has ended.
    pub(crate) fn remove(&mut self, id: TaskId) -> Option<Task> {
        if self.by_id.is_empty() {
            return None;
        }
        let task = self.by_id.remove(&id)?;
        self.bytes -= task.text.len();
        Some(task)
    }

    /// An event goes on to its next chain. Its own text is what it is to get there.
    pub(crate) fn go_on(&mut self, id: TaskId, origin: Origin) {
        self.bytes += origin.text.len();
        self.origins.insert(id, origin);
    }

    /// What an event came with, if it has gone on since.
    pub(crate) fn take_origin(&mut self, id: TaskId) -> Option<Origin> {
        if self.origins.is_empty() {
            return None;
        }
        let origin = self.origins.remove(&id)?;
        self.bytes -= origin.text.len();
        Some(origin)
    }

    /// The number of the chain that an event goes through, if its run has several.
    pub(crate) fn chain(&self, id: TaskId) -> usize {
        self.origins.get(&id).map_or(1, |origin| origin.chain)
    }

    /// How many events there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// How many events of a run there are.
    #[cfg(test)]
    pub(crate) fn count(&self, run: RunId) -> usize {
        self.by_id.keys().chain(self.origins.keys()).filter(|task| run_of(**task) == run).count()
    }

    /// How many events have gone on from their first chain.
    #[cfg(test)]
    pub(crate) fn gone_on(&self) -> usize {
        self.origins.len()
    }

    /// How many bytes of text there are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
