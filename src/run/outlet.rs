//! One of the lanes that a run's events go into, and what waits for a place there.

use std::collections::VecDeque;

use crate::core::task_id::TaskId;

#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) lane: usize,
    /// What all events name that go into it.
    pub(crate) tags: Vec<String>,
    /// Events that wait for a place, in this order.
    pub(crate) overflow: VecDeque<TaskId>,
}

impl Outlet {
    pub(crate) fn new(lane: usize, tags: &[String]) -> Self {
        Self { lane, tags: tags.to_vec(), overflow: VecDeque::new() }
    }
}
