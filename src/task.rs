//! The events that are not answered yet, with their bytes: what a worker is given, what a result
//! says of its data, and what would be sent again.

use std::collections::VecDeque;

use smallvec::SmallVec;

use crate::link::Texts;
use crate::ring::flag;
use crate::scheduler::TaskId;

/// An event as JavaScript handed it over. Most are a number or a short string: those need no
/// allocation of their own.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) text: SmallVec<[u8; 24]>,
    /// [`flag::HOLE`] or [`flag::WHOLE`] or nothing.
    pub(crate) flags: u32,
}

impl Task {
    /// The event's data, unless it is `undefined`.
    pub(crate) fn data(&self) -> Option<&[u8]> {
        (self.flags & flag::HOLE == 0).then_some(&self.text)
    }
}

/// A table by number; numbers rise by one.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    first: TaskId,
    tasks: VecDeque<Option<Task>>,
}

impl Tasks {
    /// Takes an event in and names it.
    pub(crate) fn add(&mut self, text: &[u8], flags: u32) -> TaskId {
        let id = self.first + self.tasks.len() as TaskId;
        self.tasks.push_back(Some(Task { text: SmallVec::from_slice(text), flags }));
        id
    }

    /// Removes an event, which has ended.
    pub(crate) fn remove(&mut self, id: TaskId) -> Option<Task> {
        let at = usize::try_from(id.checked_sub(self.first)?).ok()?;
        let task = self.tasks.get_mut(at)?.take();
        while let Some(None) = self.tasks.front() {
            self.tasks.pop_front();
            self.first += 1;
        }
        task
    }
}

impl Texts for Tasks {
    fn text(&self, id: TaskId) -> (&[u8], u32) {
        let at = usize::try_from(id - self.first).expect("a table in memory");
        let task = self.tasks[at].as_ref().expect("given events are not answered");
        (&task.text, task.flags)
    }
}
