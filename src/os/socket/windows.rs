//! Streams on Windows are named pipes, and memory is a section of the paging file.
//!
//! Pipes rather than loopback sockets: a child inherits a pipe as it does any handle, no port is open that another process
//! could reach first, and Node's own channel is a pipe anyway. They are overlapped, because one thread reads while others
//! write, and a write must not block.

mod pipe;

use std::io;
use std::os::windows::io::{IntoRawHandle, OwnedHandle};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::windows::named_pipe::NamedPipeServer;
use tokio::time::{sleep, timeout};
use windows_sys::Win32::Foundation::ERROR_BROKEN_PIPE;
use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom,
};

pub(crate) use self::pipe::{Stream, blocking_pair};
use super::Wires;
use super::frames::Frames;
pub(crate) use crate::os::memory::section as memory;

/// How often a full pipe is checked for room: nothing tells when another thread's write completes, and a pipe is full only if
/// the peer does not read.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the last bytes of a peer that has exited may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(500);

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
    // SAFETY: writes `len` bytes to `bytes`, which has as many.
    let status =
        unsafe { BCryptGenRandom(std::ptr::null_mut(), at, len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) };
    if status >= 0 {
        Ok(())
    } else {
        Err(io::Error::other(format!("no random numbers: {status:#x}")))
    }
}

pub(crate) fn send_some(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    stream.send(bytes)
}

pub(crate) fn receive_now(stream: &Polled, bytes: &mut [u8]) -> io::Result<usize> {
    stream.try_read(bytes)
}

/// Nothing: a pipe only knows who opened it, which is the master.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to be told, which may fail")]
pub(crate) fn tell_senders(_stream: &Polled, _tell: bool) -> io::Result<()> {
    Ok(())
}

/// Only the token tells who sent it.
pub(crate) fn receive_from(stream: &Polled, bytes: &mut [u8]) -> io::Result<(usize, Option<u32>)> {
    Ok((stream.try_read(bytes)?, None))
}

/// [`receive_now`] finds what the system has delivered so far.
pub(crate) const NOTHING_IS_NOTHING: bool = false;

/// Nothing comes if another process has the pipe too, and does not write.
pub(crate) async fn settle(stream: &Polled) -> bool {
    timeout(LAST_WORDS, stream.readable()).await.is_ok()
}

pub(crate) fn taken_over(handle: OwnedHandle) -> io::Result<Stream> {
    Stream::new(handle, false)
}

#[derive(Debug)]
pub(crate) struct Polled {
    /// For reading, with the runtime's own operations.
    pipe: NamedPipeServer,
    /// For writing, with operations that the runtime does not know of.
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
            // A part of a frame's header. The rest is read later, so a peer that sends no more blocks nobody.
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    /// `act` checks itself whether the stream is ready.
    #[expect(clippy::unused_self, reason = "as it is with a socket")]
    pub(crate) fn try_io<T>(
        &self,
        _interest: Interest,
        act: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        act()
    }
}

/// Whether the other end is closed, which is no error when reading.
fn is_end(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed())
}

#[cfg(test)]
mod tests;
