//! The I/O thread: it starts workers, listens to them and ends them.

pub(crate) mod relay;
pub(crate) mod supervisor;
