//! What people look at: record, trace, progress.

pub(crate) mod excerpt;
pub(crate) mod progress;
pub(crate) mod recent;
pub(crate) mod record;
pub(crate) mod tally;
pub(crate) mod total;
pub(crate) mod trace;
