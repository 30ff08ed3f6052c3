//! Sockets and shared memory on Linux: sealed `memfd`s, and the sender of every message.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::MutexGuard;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, sockopt,
};
use rustix::rand::{GetRandomFlags, getrandom};

use super::Handle;
use crate::os::tried::{Step, tried};

/// Nothing: each call has its own flags.
#[expect(clippy::unnecessary_wraps, reason = "other systems have something to do, which may fail")]
pub(super) fn prepare(_end: &UnixStream) -> io::Result<()> {
    Ok(())
}

/// Descriptors are close-on-exec from the first moment.
pub(crate) fn undisturbed() -> Option<MutexGuard<'static, ()>> {
    None
}

pub(crate) fn memory(len: usize) -> io::Result<Handle> {
    let making = "creating shared memory";
    let memory = memfd_create("sonic-distribute", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
        .map_err(tried(Step::Resource, making, "memfd_create"))?;
    // Above the limit of file sizes there is a signal too, which Node ignores.
    let sizing = format!("creating {len} bytes of shared memory");
    ftruncate(&memory, len as u64).map_err(tried(Step::Resource, sizing, "ftruncate"))?;
    fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
        .map_err(tried(Step::Resource, making, "fcntl"))?;
    Ok(memory)
}

pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom(bytes, GetRandomFlags::empty())?;
    Ok(())
}

pub(crate) fn send_some(socket: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
}

pub(crate) fn tell_senders(socket: &impl AsFd, tell: bool) -> io::Result<()> {
    Ok(sockopt::set_socket_passcred(socket, tell)?)
}

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
