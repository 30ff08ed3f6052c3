//! What decides: no clock, no channel, no socket.

pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod lifecycle;
pub(crate) mod retry;
pub(crate) mod router;
pub(crate) mod scheduler;
pub(crate) mod share;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "pools do not use it yet"))]
pub(crate) mod sync;
pub(crate) mod task_id;
pub(crate) mod verdict;
