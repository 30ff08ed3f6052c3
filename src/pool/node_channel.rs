//! The master's writing end of Node's own channel to a worker.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::os::socket::{self, Stream};

/// The writing end of Node's own channel to the worker. Lines leave whole and in order, whichever
/// thread sends them, and at once if there is room: this process may be about to end.
#[derive(Debug)]
pub(crate) struct NodeChannel {
    socket: Stream,
    /// What there was no room for; it may begin inside a line.
    unsent: Mutex<VecDeque<u8>>,
    /// Notified when something stays unsent: the I/O thread waits for room, and sends the rest.
    pub(crate) is_full: Notify,
}

impl NodeChannel {
    pub(crate) fn new(socket: Stream) -> Self {
        Self { socket, unsent: Mutex::default(), is_full: Notify::new() }
    }

    /// Sends a line. False if nobody is there to take it.
    pub(crate) fn send(&self, line: &str) -> bool {
        self.lock().extend(line.as_bytes());
        match self.send_rest() {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_full.notify_one();
                true
            }
            Err(_) => {
                *self.lock() = VecDeque::new();
                false
            }
        }
    }

    /// Sends what is unsent; [`io::ErrorKind::WouldBlock`] if there is no room for all of it.
    pub(crate) fn send_rest(&self) -> io::Result<()> {
        let mut unsent = self.lock();
        while !unsent.is_empty() {
            let sent = socket::send_some(&self.socket, unsent.as_slices().0)?;
            unsent.drain(..sent);
        }
        Ok(())
    }

    /// Whether nothing waits for the worker to read what came before.
    pub(crate) fn is_sent(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
