//! What a worker shares with others.

use std::io;
use std::sync::Arc;

use crate::os::memory::Memory;
use crate::shm::common::Common;
use crate::wire::layout::{Layout, Shared};

/// With its master alone, with the workers of its pool, with all processes of the program.
#[derive(Debug)]
pub(crate) struct Memories {
    pub(crate) memory: Arc<Memory>,
    pub(crate) lanes: Arc<Memory>,
    pub(crate) common: Arc<Memory>,
}

impl Memories {
    /// What all processes share, if each is as large as it must be.
    pub(crate) fn check(&self) -> io::Result<Common> {
        let common = Common::new(Arc::clone(&self.common));
        let is_large = self.memory.len() >= Layout::LEN && self.lanes.len() >= Shared::LEN;
        let common = common.filter(|_| is_large);
        common.ok_or_else(|| io::Error::other("the shared memory is too small"))
    }
}
