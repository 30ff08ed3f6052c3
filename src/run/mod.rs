//! What belongs to one run: its events and their results.

pub(crate) mod results;
pub(crate) mod stream;
pub(crate) mod task;
