//! The handles that join a master and its workers: streams, and memory that they share.
//!
//! All are private to these processes: they have no name, or one that nobody can open a second time, and no
//! process inherits them but for those that [`crate::os::child`] places into the one child.

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

#[cfg(windows)]
pub(crate) use system::blocking_pair;
#[cfg(unix)]
pub(crate) use system::undisturbed;
pub(crate) use system::{
    Handle, NOTHING_IS_NOTHING, Polled, Stream, memory, receive_from, receive_now, send_some,
    settle, taken_over, tell_senders, wires,
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

/// 128 random bits in hexadecimal, for a worker to show that it is the one.
pub(crate) fn token() -> io::Result<String> {
    let mut bytes = [0; 16];
    system::random(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
