//! Work that each worker is to have run before any event: `each` of a pool, where it is kept.

use crate::core::task_id::{TaskId, is_direct, number_of};
use crate::shm::store::Bytes;

#[derive(Debug)]
pub(crate) struct Kept {
    /// How texts name it.
    pub(crate) title: String,
    /// The data, and its flags.
    pub(crate) text: Bytes,
    pub(crate) flags: u32,
    /// Only workers with all of these run it.
    pub(crate) tags: Vec<String>,
    /// How many events the program handed over: those behind them are the pool's own, for workers that came later.
    pub(crate) given: u64,
}

impl Kept {
    /// Whether an event of the run is the pool's own, of which the program hears nothing.
    pub(crate) fn is_own(&self, task: TaskId) -> bool {
        is_direct(task) && number_of(task) >= self.given
    }
}
