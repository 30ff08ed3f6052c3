//! What is Windows' own about streams and memory: named pipes, and sections of the paging file.
//!
//! Pipes rather than loopback sockets: a child inherits a pipe as it does any handle, no port is open that
//! somebody else could come to first, and Node's own channel is one anyway. They are overlapped, because one
//! thread reads while others write, and a write must not wait.

mod pipe;

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::windows::named_pipe::NamedPipeServer;
use tokio::time::{sleep, timeout};
use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom,
};

pub(crate) use self::pipe::{Stream, blocking_pair};
use super::Wires;
use super::frames::Frames;
pub(crate) use crate::os::memory::section as memory;

/// What a child can be given.
pub(crate) type Handle = OwnedHandle;

/// How often a pipe is looked at that had no room: nothing tells when a write that somebody else began is
/// over, and a full pipe is a peer that does not read.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the last words of a peer that has ended may take through the system.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Makes what joins a master and one worker, who share `len` bytes of memory.
pub(crate) fn wires(len: usize) -> io::Result<Wires> {
    let (control, their_control) = pipe::pair(false)?;
    let (channel, their_channel) = pipe::pair(true)?;
    let memory = memory(len)?;
    let theirs = super::Theirs {
        control: their_control,
        channel: their_channel,
        memory: memory.try_clone()?,
    };
    Ok(Wires { control, channel, memory, theirs })
}

/// Random bytes that nobody can guess.
pub(super) fn random(bytes: &mut [u8]) -> io::Result<()> {
    let (at, len) = (bytes.as_mut_ptr(), bytes.len() as u32);
    // SAFETY: writes so many bytes to where they are.
    let status =
        unsafe { BCryptGenRandom(std::ptr::null_mut(), at, len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) };
    if status >= 0 {
        Ok(())
    } else {
        Err(io::Error::other(format!("no random numbers: {status:#x}")))
    }
}

/// Takes over what a call of the system has returned.
///
/// # Safety
/// It is a new handle that nobody else owns, or null or -1 if the call failed just now.
unsafe fn owned(handle: *mut std::ffi::c_void) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Sends as much of `bytes` as there is room for, without blocking.
pub(crate) fn send_some(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    stream.send(bytes)
}

/// Receives what is there, without blocking; 0 bytes are the end of the stream.
pub(crate) fn receive_now(stream: &Polled, bytes: &mut [u8]) -> io::Result<usize> {
    stream.try_read(bytes)
}

/// Whether [`receive_from`] is told who sends: it never is. A pipe knows who has opened it, which is the master.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to be told, which may fail")]
pub(crate) fn tell_senders(_stream: &Polled, _tell: bool) -> io::Result<()> {
    Ok(())
}

/// The same as [`receive_now`]; the token alone says who sends.
pub(crate) fn receive_from(stream: &Polled, bytes: &mut [u8]) -> io::Result<(usize, Option<u32>)> {
    Ok((stream.try_read(bytes)?, None))
}

/// Whether [`receive_now`] finds whatever there is: it finds what the system has delivered so far.
pub(crate) const NOTHING_IS_NOTHING: bool = false;

/// Waits until the last words of a peer that has ended are there, or the end of the stream is. False if nothing
/// comes: some other process has the pipe too, and says nothing.
pub(crate) async fn settle(stream: &Polled) -> bool {
    timeout(LAST_WORDS, stream.readable()).await.is_ok()
}

/// The end that this process was given.
pub(crate) fn taken_over(handle: OwnedHandle) -> io::Result<Stream> {
    Stream::new(handle, false)
}

/// A stream as the I/O thread waits at it.
#[derive(Debug)]
pub(crate) struct Polled {
    /// Reads, with the runtime's own operations.
    pipe: NamedPipeServer,
    /// Writes, with operations that the runtime does not hear of.
    stream: Stream,
    frames: Mutex<Frames>,
}

impl Polled {
    /// Within the runtime.
    pub(crate) fn from_std(stream: Stream) -> io::Result<Self> {
        let handle = stream.handle().try_clone()?;
        // SAFETY: an overlapped pipe that is connected, of which this is a handle of its own.
        let pipe = unsafe { NamedPipeServer::from_raw_handle(handle.into_raw_handle())? };
        Ok(Self { pipe, stream, frames: Mutex::default() })
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.pipe.readable().await
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        while !self.stream.has_room() {
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Receives what is there, without blocking; 0 bytes are the end of the stream.
    pub(crate) fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = match self.pipe.try_read(bytes) {
            Err(error) if is_end(&error) => return Ok(0),
            read => read?,
        };
        if !self.stream.is_framed() || count == 0 {
            return Ok(count);
        }
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        match frames.strip(&mut bytes[..count]) {
            // A part of a frame's header. What follows is looked at in its turn: a peer that sends nothing else
            // holds nobody up.
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    /// What `act` does looks for itself whether the stream is ready.
    #[expect(clippy::unused_self, reason = "as it is with a socket")]
    pub(crate) fn try_io<T>(
        &self,
        _interest: Interest,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        act()
    }
}

/// Whether the other end is closed, which is no error for who reads.
fn is_end(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed())
}

/// The handle as the system takes it.
fn raw(handle: &OwnedHandle) -> windows_sys::Win32::Foundation::HANDLE {
    handle.as_raw_handle()
}

#[cfg(test)]
mod tests;
