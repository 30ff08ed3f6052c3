//! What decides: no clock, no channel, no socket.

pub(crate) mod error;
pub(crate) mod retry;
pub(crate) mod scheduler;
