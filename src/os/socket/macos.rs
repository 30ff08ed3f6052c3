//! What is macOS's own about sockets and memory files.
//!
//! It has no `memfd`: a shared memory object has a name for as long as it takes to take that away. It does not
//! say who has sent a message, only who used the other end last.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, ftruncate};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::net::{RecvFlags, SendFlags, recv, sockopt};
use rustix::shm;

use crate::os::tried::{Step, tried};

/// How long a message may take whose end is not nonblocking: this system heeds `MSG_DONTWAIT` only where it
/// receives. The shortest wait that it has need not be shorter: a full socket is a peer that does not read.
const SEND_TIMEOUT: Duration = Duration::from_millis(1);

/// How many bytes may be under way. The system's own 8 KiB are less than the longest control frame.
const SEND_BUFFER: usize = 128 << 10;

/// How often another name is tried; one that is taken by chance is as good as impossible.
const ATTEMPTS: u32 = 4;

/// Who writes to an end that is closed is told so by an error, whichever process it is: these belong to the
/// socket, not to a descriptor.
pub(super) fn prepare(end: &UnixStream) -> io::Result<()> {
    sockopt::set_socket_nosigpipe(end, true)?;
    sockopt::set_socket_send_buffer_size(end, SEND_BUFFER)?;
    end.set_write_timeout(Some(SEND_TIMEOUT))
}

/// Sockets are made, and are close-on-exec a moment later. (What Node itself starts in that moment, on its own thread,
/// has them too: a worker's end of file then waits for that.)
#[expect(clippy::unnecessary_wraps, reason = "other systems need nothing")]
pub(super) fn undisturbed() -> Option<MutexGuard<'static, ()>> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    Some(ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner))
}

/// An object's length can be set once, so nobody can cut it; the system rounds it up to whole pages.
pub(super) fn memory(len: usize) -> io::Result<File> {
    let _undisturbed = undisturbed();
    for _ in 0..ATTEMPTS {
        let mut bytes = [0; 8];
        random(&mut bytes)?;
        // A name may have 31 characters.
        let name = format!("/sonic-{:016x}", u64::from_be_bytes(bytes));
        let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
        let memory = match shm::open(&name, flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => continue,
            opened => {
                opened.map_err(tried(Step::Resource, "creating shared memory", "shm_open"))?
            }
        };
        shm::unlink(&name)?;
        fcntl_setfd(&memory, FdFlags::CLOEXEC)?;
        let sizing = format!("creating {len} bytes of shared memory");
        ftruncate(&memory, len as u64).map_err(tried(Step::Resource, sizing, "ftruncate"))?;
        return Ok(memory.into());
    }
    Err(Errno::EXIST.into())
}

pub(super) fn random(bytes: &mut [u8]) -> io::Result<()> {
    // SAFETY: writes so many bytes to where they are.
    let done = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub(super) fn send(socket: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, SendFlags::empty())?)
}

/// It can be asked at any time.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to be told, which may fail")]
pub(super) fn tell_senders(_socket: &impl AsFd, _tell: bool) -> io::Result<()> {
    Ok(())
}

/// The other end was made by this process, and belongs to whoever used it last: this process, until the
/// worker's first message. So somebody else is known by his pid, unless the worker writes between his message
/// and the question; and this process's own pid says nothing, and leaves it to the token.
pub(super) fn receive_from(
    socket: &impl AsFd,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<u32>)> {
    let (received, _) = recv(socket, bytes, RecvFlags::DONTWAIT)?;
    let user = last_user(socket).filter(|&pid| pid != std::process::id());
    Ok((received, user))
}

/// Who used the other end last. None if it is closed, for example.
fn last_user(socket: &impl AsFd) -> Option<u32> {
    let mut pid: libc::pid_t = 0;
    let mut len = size_of_val(&pid) as libc::socklen_t;
    // SAFETY: writes at most `len` bytes to `pid`, which has as many, and how many to `len`.
    let done = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_LOCAL,
            libc::LOCAL_PEERPID,
            (&raw mut pid).cast(),
            &raw mut len,
        )
    };
    u32::try_from(pid).ok().filter(|&pid| done == 0 && pid != 0)
}
