//! What decides: no clock, no channel, no socket.

pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod flow;
pub(crate) mod lifecycle;
pub(crate) mod retry;
pub(crate) mod router;
pub(crate) mod scheduler;
pub(crate) mod share;
pub(crate) mod sync;
pub(crate) mod task_id;
pub(crate) mod verdict;
