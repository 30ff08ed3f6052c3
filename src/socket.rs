//! The file descriptors that join a master and its workers: socket pairs and memory files.
//!
//! All are private to these processes: they have no name, and every end is close-on-exec but for
//! those that [`crate::child`] places into the one child.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::MutexGuard;

use rustix::net::{RecvFlags, recv};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

/// Both ends of everything.
#[derive(Debug)]
pub(crate) struct Wires {
    pub(crate) control: UnixStream,
    pub(crate) channel: UnixStream,
    pub(crate) memory: File,
    pub(crate) theirs: Theirs,
}

/// The worker's ends.
#[derive(Debug)]
pub(crate) struct Theirs {
    pub(crate) control: OwnedFd,
    pub(crate) channel: OwnedFd,
    pub(crate) memory: OwnedFd,
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
        memory: memory.try_clone()?.into(),
    };
    Ok(Wires { control, channel, memory, theirs })
}

/// Two ends of one socket.
fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let undisturbed = undisturbed();
    let ends = UnixStream::pair()?;
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
pub(crate) fn memory(len: usize) -> io::Result<File> {
    system::memory(len)
}

/// 128 random bits in hexadecimal, for a worker to show that it is the one.
pub(crate) fn token() -> io::Result<String> {
    let mut bytes = [0; 16];
    system::random(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Sends all of `bytes` or nothing worth mentioning, without blocking: frames on the control
/// socket are few and small, so a full socket means a peer that does not read.
pub(crate) fn send_now(socket: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    let sent = send_some(socket, bytes)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
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
