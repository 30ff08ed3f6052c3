//! Streams and memory as they are on Linux and macOS, with the little that each has of its own beside: socket
//! pairs, and files without a name.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::MutexGuard;

use rustix::net::{RecvFlags, recv};

#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(target_os = "macos")]
use super::macos as system;
use super::{Theirs, Wires};
use crate::os::tried::{Step, tried};

/// What a child can be given.
pub(crate) type Handle = OwnedFd;

/// One end of a pair; whoever has a clone of it uses the same end.
pub(crate) type Stream = UnixStream;

/// A stream as the I/O thread waits at it.
pub(crate) type Polled = tokio::net::UnixStream;

pub(super) use system::random;

/// Whether [`receive_now`] finds whatever there is.
pub(crate) const NOTHING_IS_NOTHING: bool = true;

/// Waits until the last words of a peer that has ended are there. They are.
pub(crate) fn settle(_stream: &Polled) -> std::future::Ready<bool> {
    std::future::ready(true)
}

/// The end that this process was given.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to arrange something")]
pub(crate) fn taken_over(handle: OwnedFd) -> io::Result<Stream> {
    Ok(handle.into())
}

/// Makes what joins a master and one worker, who share `len` bytes of memory.
pub(crate) fn wires(len: usize) -> io::Result<Wires> {
    let (control, their_control) = pair()?;
    let (channel, their_channel) = pair()?;
    control.set_nonblocking(true)?;
    tell_senders(&control, true)?;
    channel.set_nonblocking(true)?;
    let memory = memory(len)?;
    let theirs = Theirs {
        control: their_control.into(),
        channel: their_channel.into(),
        memory: memory.try_clone()?,
    };
    Ok(Wires { control, channel, memory, theirs })
}

/// Two ends of one socket.
fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let undisturbed = undisturbed();
    let ends = UnixStream::pair().map_err(tried(
        Step::Resource,
        "creating a pair of sockets",
        "socketpair",
    ))?;
    drop(undisturbed);
    system::prepare(&ends.0)?;
    system::prepare(&ends.1)?;
    Ok(ends)
}

/// Held while a process is started. Where the system makes descriptors that are close-on-exec only a moment
/// later, it is held in that moment too: a process that is started in it would have them.
pub(crate) fn undisturbed() -> Option<MutexGuard<'static, ()>> {
    system::undisturbed()
}

/// Makes a memory file: zeroed, at least `len` bytes long, and never to be cut (a shorter file under a
/// mapping would be a `SIGBUS` for the other side).
pub(crate) fn memory(len: usize) -> io::Result<Handle> {
    Ok(system::memory(len)?.into())
}

/// Sends as much of `bytes` as there is room for, without blocking.
pub(crate) fn send_some(socket: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    system::send(socket, bytes)
}

/// Receives what is there, without blocking; 0 bytes are the end of the stream.
pub(crate) fn receive_now(socket: &impl AsFd, bytes: &mut [u8]) -> io::Result<usize> {
    let (received, _) = recv(socket, bytes, RecvFlags::DONTWAIT)?;
    Ok(received)
}

/// Whether [`receive_from`] is told who sends.
pub(crate) fn tell_senders(socket: &impl AsFd, tell: bool) -> io::Result<()> {
    system::tell_senders(socket, tell)
}

/// The same as [`receive_now`], and the id of the process that has sent it, as the system knows that:
/// nobody can give another's. None where the system does not tell.
pub(crate) fn receive_from(
    socket: &impl AsFd,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<u32>)> {
    system::receive_from(socket, bytes)
}

#[cfg(test)]
mod tests;
