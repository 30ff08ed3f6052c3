//! Streams on Linux and macOS are socket pairs. What differs between the two is in `linux` and `macos`.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::net::{RecvFlags, recv};

#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(target_os = "macos")]
use super::macos as system;
use super::{Handle, Theirs, Wires};
use crate::os::tried::{Step, tried};

pub(super) use system::random;
pub(crate) use system::{memory, receive_from, send_some, tell_senders, undisturbed};

pub(crate) type Stream = UnixStream;
pub(crate) type Polled = tokio::net::UnixStream;

pub(crate) const NOTHING_IS_NOTHING: bool = true;

/// The last bytes are there when the peer has exited.
pub(crate) fn settle(_stream: &Polled) -> std::future::Ready<bool> {
    std::future::ready(true)
}

#[expect(clippy::unnecessary_wraps, reason = "other systems have to arrange something")]
pub(crate) fn taken_over(handle: Handle) -> io::Result<Stream> {
    Ok(handle.into())
}

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

pub(crate) fn receive_now(socket: &impl AsFd, bytes: &mut [u8]) -> io::Result<usize> {
    let (received, _) = recv(socket, bytes, RecvFlags::DONTWAIT)?;
    Ok(received)
}

#[cfg(test)]
mod tests;
