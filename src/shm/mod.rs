//! Structures in memory that two processes share: rings, stores of bytes, and what a program's processes have in common.

pub(crate) mod common;
pub(crate) mod counters;
pub(crate) mod locks;
pub(crate) mod ring;
pub(crate) mod stopwatch;
pub(crate) mod store;
pub(crate) mod tail;
