//! What joins a master and its workers: a control stream, the stream of Node's own channel, and shared memory.
//!
//! All of it is private to these processes: it has no name, or one that nobody can open a second time, and no process
//! inherits it but the child that [`crate::os::child`] places it in. This module moves bytes and does not read them.

#[cfg(any(windows, test))]
mod frames;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod sender;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;

pub(crate) use sender::Sender;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use super::Handle;
#[cfg(windows)]
pub(crate) use system::blocking_pair;
/// Held while a child is started. Where descriptors become close-on-exec only a moment after they are made, it is held in
/// that moment too: a child that is started then would inherit them.
#[cfg(unix)]
pub(crate) use system::undisturbed;
/// - `Stream` is one end of a pair, `Polled` the same end on the I/O thread.
/// - `wires(len)` makes everything for one worker; `memory(len)` makes zeroed memory of at least `len` bytes, which nobody can
///   cut: a shorter file under a mapping would be a `SIGBUS` for the other side.
/// - `send_some` sends what there is room for, `receive_now` receives what is there; 0 bytes are the end. Neither blocks.
/// - `receive_from` does the same, and names the process that sent it as the system knows it, if the system tells. It is told
///   while `tell_senders` is on.
/// - `settle` waits for the last bytes of a peer that has exited; false if none come. `NOTHING_IS_NOTHING`: then
///   `receive_now` finds all there is.
/// - `taken_over` makes a stream of the end that this process was given.
pub(crate) use system::{
    NOTHING_IS_NOTHING, Polled, Stream, memory, receive_from, receive_now, send_some, settle,
    taken_over, tell_senders, wires,
};

/// Both ends of everything.
#[derive(Debug)]
pub(crate) struct Wires {
    pub(crate) control: Stream,
    pub(crate) channel: Stream,
    pub(crate) memory: Handle,
    pub(crate) theirs: Theirs,
}

/// The worker's ends.
#[derive(Debug)]
pub(crate) struct Theirs {
    pub(crate) control: Handle,
    pub(crate) channel: Handle,
    pub(crate) memory: Handle,
}

/// 128 random bits in hexadecimal, by which a worker proves that it is the one that was started.
pub(crate) fn token() -> io::Result<String> {
    let mut bytes = [0; 16];
    system::random(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
