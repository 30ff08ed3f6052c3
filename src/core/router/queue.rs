//! The events of one address: which of them wait to be offered, and for which there was no room.

use std::collections::VecDeque;

use crate::core::task_id::{TaskId, run_of};

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// To be offered, in this order.
    pub(super) waiting: VecDeque<TaskId>,
    /// How many are offered, and nobody was seen to have claimed them.
    pub(super) offered: usize,
    /// How many there are that have not ended, those included that wait for others of their key.
    pub(super) count: usize,
    /// For these there was no room, in this order.
    blocked: VecDeque<TaskId>,
}

impl Queue {
    /// Whether there is room for one more event, with room for `limit`.
    pub(super) fn has_room(&self, limit: usize) -> bool {
        self.blocked.is_empty() && self.count < limit
    }

    /// One more event, for which there was room or not.
    pub(super) fn adopt(&mut self, task: TaskId, is_blocked: bool) {
        self.count += 1;
        self.blocked.extend(is_blocked.then_some(task));
    }

    /// An event that was offered waits again: before those that never were.
    pub(super) fn put_back(&mut self, task: TaskId) {
        let is_before = |other: &&TaskId| run_of(**other) == run_of(task) && **other < task;
        let at = self.waiting.iter().take_while(is_before).count();
        self.waiting.insert(at, task);
    }

    /// An event has ended.
    pub(super) fn remove(&mut self, task: TaskId, is_blocked: bool) {
        self.count -= 1;
        if is_blocked {
            self.unblock(task);
        }
    }

    /// An event does not wait for room here any more.
    pub(super) fn unblock(&mut self, task: TaskId) {
        if self.blocked.front() == Some(&task) {
            self.blocked.pop_front();
        } else {
            self.blocked.retain(|&other| other != task);
        }
    }

    pub(super) fn is_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }

    /// The next event for which there is room now.
    pub(super) fn admit(&mut self, limit: usize) -> Option<TaskId> {
        if self.count - self.blocked.len() < limit { self.blocked.pop_front() } else { None }
    }
}
