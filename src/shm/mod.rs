//! Structures in memory that two processes share: rings, and stores of bytes.

pub(crate) mod ring;
pub(crate) mod stopwatch;
pub(crate) mod store;
pub(crate) mod tail;
