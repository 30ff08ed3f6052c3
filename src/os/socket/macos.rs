//! Sockets and shared memory on macOS. Without `memfd`, a shared memory object has a name for a moment. The system does not
//! say who sent a message, only who used the other end last.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, ftruncate};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::net::{RecvFlags, SendFlags, recv, sockopt};
use rustix::shm;

use super::Handle;
use crate::os::tried::{Step, tried};

/// How long sending may take at an end that blocks, because macOS ignores `MSG_DONTWAIT` there. A socket is full only if the
/// peer does not read, so it need not be shorter.
const SEND_TIMEOUT: Duration = Duration::from_millis(1);

/// How many bytes may be in flight. The default of 8 KiB is less than the longest control frame.
const SEND_BUFFER: usize = 128 << 10;

/// How many names are tried. One that is already taken is as good as impossible.
const ATTEMPTS: u32 = 4;

/// Writing to a closed end is an error and no signal, in whichever process: these options belong to the socket, not to a
/// descriptor.
pub(super) fn prepare(end: &UnixStream) -> io::Result<()> {
    sockopt::set_socket_nosigpipe(end, true)?;
    sockopt::set_socket_send_buffer_size(end, SEND_BUFFER)?;
    end.set_write_timeout(Some(SEND_TIMEOUT))
}

/// Sockets become close-on-exec a moment after they are made. (A process that Node itself starts in that moment inherits them:
/// then a worker's end of file waits for that process.)
#[expect(clippy::unnecessary_wraps, reason = "other systems need nothing")]
pub(crate) fn undisturbed() -> Option<MutexGuard<'static, ()>> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    Some(ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner))
}

/// An object's length can be set once, so nobody can cut it. The system rounds it up to whole pages.
pub(crate) fn memory(len: usize) -> io::Result<Handle> {
    let _undisturbed = undisturbed();
    for _ in 0..ATTEMPTS {
        let mut bytes = [0; 8];
        random(&mut bytes)?;
        // At most 31 characters.
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
        return Ok(memory);
    }
    Err(Errno::EXIST.into())
}

pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    // SAFETY: writes at most `bytes.len()` bytes to `bytes`.
    let done = unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

pub(crate) fn send_some(socket: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, SendFlags::empty())?)
}

/// Nothing: the question can be asked at any time.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to be told, which may fail")]
pub(crate) fn tell_senders(_socket: &impl AsFd, _tell: bool) -> io::Result<()> {
    Ok(())
}

/// The process that used the other end last is this one, which made it, until the worker's first message: then only the token
/// tells. Any other process is known by its pid, unless the worker writes between that process's message and the question.
pub(crate) fn receive_from(
    socket: &impl AsFd,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<u32>)> {
    let (received, _) = recv(socket, bytes, RecvFlags::DONTWAIT)?;
    let user = last_user(socket).filter(|&pid| pid != std::process::id());
    Ok((received, user))
}

/// The process that used the other end last; none if that is closed, for example.
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
