//! What the system does for us, each system in its own way: memory that processes share, processes, sockets, the
//! terminal, the clock. Nothing in here knows what it is used for.

pub(crate) mod cgroup;
pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod host;
pub(crate) mod memory;
pub(crate) mod socket;
pub(crate) mod terminal;
pub(crate) mod tree;
pub(crate) mod tried;
