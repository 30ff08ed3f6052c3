//! The file descriptors that join a master and its workers: socket pairs and memory files.
//!
//! All are private to these processes: they have no name, and every end is close-on-exec but for
//! those that [`crate::child`] places into the one child.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recv, recvmsg, send, sockopt,
};

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
    let (control, their_control) = UnixStream::pair()?;
    let (channel, their_channel) = UnixStream::pair()?;
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

/// Makes a memory file: zeroed, `len` bytes long, and never to be cut (a shorter file under a mapping
/// would be a `SIGBUS` for the other side).
pub(crate) fn memory(len: usize) -> io::Result<File> {
    let memory = memfd_create("sonic-distribute", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&memory, len as u64)?;
    fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(memory.into())
}

/// Sends all of `bytes` or nothing worth mentioning, without blocking: frames on the control
/// socket are few and small, so a full socket means a peer that does not read.
pub(crate) fn send_now(socket: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    let sent = send_some(socket, bytes)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
}

/// Sends as much of `bytes` as there is room for, without blocking.
pub(crate) fn send_some(socket: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(send(socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
}

/// Receives what is there, without blocking; 0 bytes are the end of the stream.
pub(crate) fn receive_now(socket: &impl AsFd, bytes: &mut [u8]) -> io::Result<usize> {
    let (received, _) = recv(socket, bytes, RecvFlags::DONTWAIT)?;
    Ok(received)
}

/// Whether [`receive_from`] is told who sends.
pub(crate) fn tell_senders(socket: &impl AsFd, tell: bool) -> io::Result<()> {
    Ok(sockopt::set_socket_passcred(socket, tell)?)
}

/// The same as [`receive_now`], and the id of the process that has sent it, as the system knows that:
/// nobody can give another's.
pub(crate) fn receive_from(
    socket: &impl AsFd,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<u32>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut also = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut also, flags)?;
    let pid = also.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(sender) => {
            Some(sender.pid.as_raw_nonzero().get().cast_unsigned())
        }
        _ => None,
    });
    Ok((received.bytes, pid))
}
