//! Events that wait, in memory that the master and all workers share.

pub(crate) mod backlog;
