//! What the router knows of groups, workers and events.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::core::task_id::{RunId, TaskId, run_of};

/// Workers that are alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) tags: Vec<String>,
    /// Its workers run nothing that does not name them.
    pub(crate) is_exclusive: bool,
}

/// What a program says of where an event may run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Routing {
    pub(crate) tags: Vec<String>,
    pub(crate) key: Option<String>,
    pub(crate) priority: Priority,
}

/// How urgent an event is: of those that wait for the same worker, the highest comes first.
pub(crate) type Priority = i32;

/// Who may claim an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum To {
    /// All workers of these groups, a bit each.
    Groups(u32),
    /// The worker in this slot.
    Slot(usize),
}

#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: u32,
    pub(super) group: usize,
    /// Nothing is started in its slot any more.
    pub(super) is_closed: bool,
    /// How many events it runs in a moment.
    pub(super) window: usize,
}

/// What the events of a queue have in common. Those of a higher priority come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) priority: Reverse<Priority>,
    pub(super) to: To,
    pub(super) run: RunId,
}

impl Place {
    pub(super) fn of(task: TaskId, to: To, priority: Priority) -> Self {
        Self { priority: Reverse(priority), to, run: run_of(task) }
    }

    /// Whether the events of another queue are for the same workers, and as urgent.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.priority, self.to) == (other.priority, other.to)
    }
}

/// An event that has not ended.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) tags: Vec<String>,
    pub(super) priority: Priority,
    pub(super) key: Option<Arc<str>>,
    /// None if no worker will ever run it.
    pub(super) to: Option<To>,
    /// It is offered, and nobody was seen to have claimed it.
    pub(super) is_offered: bool,
    /// There was no room for it, and there was none since.
    pub(super) is_blocked: bool,
    /// It has left a lane of its own.
    pub(super) is_adopted: bool,
}

/// How many events of a run there are, and how many of them have left a lane of their own.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) all: usize,
    pub(super) adopted: usize,
}

impl Routed {
    /// The queue that it is in.
    pub(super) fn place(&self, task: TaskId) -> Option<Place> {
        self.to.map(|to| Place::of(task, to, self.priority))
    }
}

/// A key of which some event has not ended.
#[derive(Debug)]
pub(super) struct Key {
    /// The only one that may be offered.
    pub(super) current: TaskId,
    /// Later ones.
    pub(super) waiting: VecDeque<TaskId>,
}
