//! The descriptors of a child, at both ends: the parent places them, the child takes them over. Each is close-on-exec in
//! the parent, and in the child once it is taken over.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, FdFlags, dup2, fcntl_dupfd_cloexec, fcntl_setfd};

use super::super::{Given, Pipes, Stream};
use super::system;
use crate::os::tried::{Step, tried};

/// Has a command start its process with these streams, and with `extra` descriptors at the numbers given. Keep what is
/// returned beside this process's ends until the process is started.
pub(super) fn place(
    command: &mut Command,
    stdio: &[Stream],
    extra: Vec<(OwnedFd, RawFd)>,
) -> io::Result<(Pipes, Vec<OwnedFd>)> {
    let (mut places, mut pipes) = (extra, Pipes::new());
    for (at, stream) in stdio.iter().enumerate() {
        let number = RawFd::try_from(at).map_err(io::Error::other)?;
        let (ours, theirs) = open(*stream, number)?;
        pipes.extend(ours.map(|ours| (at, ours)));
        places.push((theirs, number));
    }
    // All are moved above all places first, so that none is overwritten before it is in its place.
    let above = places.iter().map(|&(_, number)| number + 1).max().unwrap_or(0);
    let mut reserved = Vec::new();
    for (fd, number) in &mut places {
        // Its place is open from now on, by this or before: the pipe by which the child reports a failed exec is opened
        // later, and must not be overwritten either.
        reserved.push(duplicate(&*fd, *number)?);
        if fd.as_raw_fd() < above {
            *fd = duplicate(&*fd, above)?;
        }
    }
    let arrange = move || {
        places.iter().try_for_each(|(fd, number)| {
            // SAFETY: whatever has this number in the child is overwritten, and nobody there uses it.
            let mut place = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(*number) });
            Ok(dup2(fd, &mut place)?)
        })
    };
    // SAFETY: between fork and exec it makes system calls, and neither allocates nor locks.
    unsafe { command.pre_exec(arrange) };
    Ok((pipes, reserved))
}

/// This process's end of a stream, if it has one, and the child's, whose number is `at`.
fn open(stream: Stream, at: RawFd) -> io::Result<(Option<OwnedFd>, OwnedFd)> {
    match stream {
        // Also 0 to 2 have to be placed: Node marks even those close-on-exec.
        Stream::Inherit => Ok((None, named(at).or_else(|_| null())?)),
        Stream::Fd(fd) => Ok((None, named(fd)?)),
        Stream::Ignore => Ok((None, null()?)),
        Stream::Pipe => {
            // Both directions in one, as Node's own `pipe` streams are.
            let (ours, theirs) = UnixStream::pair().map_err(tried(
                Step::Resource,
                "creating a pipe",
                "socketpair",
            ))?;
            Ok((Some(ours.into()), theirs.into()))
        }
    }
}

fn null() -> io::Result<OwnedFd> {
    let null = File::options().read(true).write(true).open("/dev/null");
    Ok(null.map_err(tried(Step::Resource, "opening /dev/null", "openat"))?.into())
}

/// A duplicate of the descriptor that has a number which somebody else has named.
fn named(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: borrowed for one call.
    duplicate(&unsafe { borrowed(fd) }?, 0)
}

/// A duplicate with the first free number from `from` on.
fn duplicate(fd: &impl AsFd, from: RawFd) -> io::Result<OwnedFd> {
    let duplicate = fcntl_dupfd_cloexec(fd, from);
    duplicate.map_err(tried(Step::Resource, "duplicating a descriptor", "fcntl"))
}

/// The descriptor that has a number which somebody else has named.
///
/// # Safety
/// It is used for as long as nobody else closes it, or for one system call: `EBADF` if it is not open.
unsafe fn borrowed<'a>(fd: RawFd) -> io::Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: not -1; the rest is the caller's.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Whether a descriptor is open, and what it is said to be.
pub(crate) fn is_given(given: Given) -> bool {
    // SAFETY: borrowed for one call.
    let Ok(stat) = (unsafe { borrowed(given.fd()) }).and_then(|fd| Ok(fstat(fd)?)) else {
        return false;
    };
    let found = FileType::from_raw_mode(stat.st_mode);
    match given {
        Given::Stream(_) => found == FileType::Socket,
        Given::Memory(_) => system::IS_MEMORY.contains(&found),
    }
}

/// Takes over a descriptor, close-on-exec from now on.
///
/// # Safety
/// `fd` is open, and owned by nobody else in this process.
pub(crate) unsafe fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the contract.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    fcntl_setfd(&owned, FdFlags::CLOEXEC)?;
    Ok(owned)
}

/// The number by which JavaScript knows one of [`Pipes`], and which is its own from now on.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to find a number, which may fail")]
pub(crate) fn descriptor(pipe: OwnedFd) -> io::Result<i32> {
    Ok(pipe.into_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::child::adopt;
    use crate::os::socket;
    use crate::os::tried::origin;

    fn is_open(fd: RawFd) -> bool {
        // SAFETY: borrowed for one call.
        unsafe { borrowed(fd) }.is_ok_and(|fd| rustix::io::fcntl_getfd(fd).is_ok())
    }

    #[test]
    fn numbers_that_a_parent_cannot_have_given_are_refused_and_what_they_stand_for_stays_open() {
        let (socket, other) = UnixStream::pair().expect("sockets");
        let memory = socket::memory(4096).expect("memory");
        let null = File::open("/dev/null").expect("a device");
        let [good, file, device] = [socket.as_raw_fd(), memory.as_raw_fd(), null.as_raw_fd()];
        let streams = [-1, i32::MIN, 0, 1, 2, 1 << 20, i32::MAX, file, device];
        let memories = [-1, i32::MIN, 0, 1, 2, 1 << 20, i32::MAX, good, device, other.as_raw_fd()];
        let cases = (streams.iter().map(|&fd| [Given::Memory(file), Given::Stream(fd)]))
            .chain(memories.iter().map(|&fd| [Given::Stream(good), Given::Memory(fd)]))
            .chain([[Given::Stream(good); 2], [Given::Memory(file); 2]]);
        for given in cases {
            // SAFETY: nothing is taken over.
            let error = unsafe { adopt(given) }.expect_err("it is none");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{given:?}");
            assert!([good, file, device].into_iter().all(is_open), "{given:?}");
        }
        let given = [Given::Stream(socket.into_raw_fd()), Given::Memory(memory.into_raw_fd())];
        // SAFETY: nobody else owns them any more.
        let adopted = unsafe { adopt(given) }.expect("a socket and memory");
        assert_eq!(adopted.each_ref().map(AsRawFd::as_raw_fd), [good, file]);
        drop(adopted);
    }

    #[test]
    fn a_stream_that_is_no_descriptor_is_an_error() {
        for fd in [-1, -4, i32::MIN, i32::MAX] {
            let error = open(Stream::Fd(fd), 5).expect_err("it is none");
            assert_eq!(origin(&error).0, Some(Errno::BADF.raw_os_error()), "{fd}");
        }
    }
}
