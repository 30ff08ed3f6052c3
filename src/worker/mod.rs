//! The worker's half: its I/O thread, and its JavaScript thread at work.

pub(crate) mod join;
pub(crate) mod memories;
mod reports;
pub(crate) mod runner;
