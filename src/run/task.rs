//! The events whose text the master holds itself: those for one worker, those too long for the
//! backlog, and those that had to leave it.

use std::collections::HashMap;

use crate::core::scheduler::TaskId;
use crate::pool::link::Texts;
use crate::shm::store::Bytes;
use crate::wire::header::flag;

/// The ids of the backlog's events are their numbers; those of all others begin here.
pub(crate) const OTHERS: TaskId = 1 << 63;

/// What is kept of an event's flags.
const KEPT: u32 = flag::HOLE | flag::WHOLE | flag::FORMAT;

/// An event as JavaScript handed it over.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) text: Bytes,
    /// [`flag::HOLE`], [`flag::WHOLE`] and the format, or nothing.
    pub(crate) flags: u32,
    /// When it was handed over, where that is asked for and it could not be put into the backlog.
    pub(crate) queued: f64,
}

impl Task {
    pub(crate) fn new(text: Bytes, flags: u32) -> Self {
        Self { text, flags: flags & KEPT, queued: 0.0 }
    }
}

/// A table by id.
#[derive(Debug)]
pub(crate) struct Tasks {
    by_id: HashMap<TaskId, Task>,
    next: TaskId,
    bytes: usize,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { by_id: HashMap::new(), next: OTHERS, bytes: 0 }
    }
}

impl Tasks {
    /// Takes in an event that is not in the backlog, and names it.
    pub(crate) fn add(&mut self, task: Task) -> TaskId {
        let id = self.next;
        self.next += 1;
        self.keep(id, task);
        id
    }

    /// Takes in an event of the backlog.
    pub(crate) fn keep(&mut self, id: TaskId, task: Task) {
        self.bytes += task.text.len();
        self.by_id.insert(id, task);
    }

    pub(crate) fn has(&self, id: TaskId) -> bool {
        self.by_id.contains_key(&id)
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

    /// How many bytes of text there are.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Texts for Tasks {
    fn text(&self, id: TaskId) -> (&[u8], u32) {
        let task = self.by_id.get(&id).expect("what is given to one worker is kept here");
        (&task.text, task.flags)
    }
}
