//! How long the memory of a program's locks is kept open: as long as there are pools, whose workers are given it; and for good
//! once something in it was used, because that ends with the program.

use std::io;
use std::sync::Arc;

use super::Hub;
use crate::os::socket::Handle;

/// A pool that may start workers.
#[derive(Debug)]
pub(crate) struct Stay {
    hub: Arc<Hub>,
}

impl Hub {
    /// One more pool. None if this hub was given up: there is a new one then.
    pub(crate) fn stay(self: &Arc<Self>) -> Option<Stay> {
        let mut state = self.lock();
        state.memory.as_ref()?;
        state.pools += 1;
        Some(Stay { hub: Arc::clone(self) })
    }

    /// The program uses it from now on. False if it was given up.
    pub(crate) fn keep(&self) -> bool {
        let mut state = self.lock();
        state.is_used = state.memory.is_some();
        state.is_used
    }

    /// The common memory, for one more worker.
    pub(crate) fn memory(&self) -> io::Result<Handle> {
        let none = || io::Error::other("the program's locks were given up");
        self.lock().memory.as_ref().ok_or_else(none)?.try_clone()
    }
}

impl Stay {
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }
}

/// The pool starts no worker any more.
impl Drop for Stay {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.pools -= 1;
        if state.pools == 0 && !state.is_used && !self.hub.common.is_used() {
            state.memory = None;
        }
    }
}
