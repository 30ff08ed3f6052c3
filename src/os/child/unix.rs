//! Processes as they are on Linux and macOS, with the little that each has of its own beside.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use rustix::fs::{FileType, fstat};
use shared_child::SharedChild;
use shared_child::unix::SharedChildExt;

#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(target_os = "macos")]
use super::macos as system;
use super::{Exit, Given, Pipes, Process, Recipe, Stream};
use crate::os::socket;
use crate::os::tree::{self, Identity};
use crate::os::tried::{Step, origin, tried};

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code.into()),
            (_, Some(signal)) => Self::Signal(signal),
            _ => Self::Unknown,
        }
    }
}

pub(super) fn is_kill(exit: Exit) -> bool {
    is(exit, libc::SIGKILL)
}

pub(super) fn is_abort(exit: Exit) -> bool {
    [libc::SIGABRT, libc::SIGTRAP, libc::SIGILL].iter().any(|&signal| is(exit, signal))
}

/// Whether this signal ended it, or a shell that says so.
fn is(exit: Exit, signal: i32) -> bool {
    exit == Exit::Signal(signal) || exit == Exit::Code((128 + signal).into())
}

pub(super) fn name_of(signal: i32) -> Option<String> {
    let signal = nix::sys::signal::Signal::try_from(signal).ok()?;
    Some(signal.as_str().to_owned())
}

impl Process for Child {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn signal(&self, number: i32) -> io::Result<()> {
        self.shared.send_signal(number)
    }

    fn kill(&self) {
        if self.is_being_killed.swap(true, Ordering::SeqCst) {
            return;
        }
        let child = self.clone();
        let kill = Kill::begin();
        // The walk takes longer than anybody who holds a lock may.
        let walk =
            thread::Builder::new().name("sonic-killer".into()).stack_size(STACK).spawn(move || {
                let _ends = kill;
                child.kill_tree();
            });
        if walk.is_err() {
            self.kill_alone();
        }
    }
}

/// A running process, which somebody else may wait for meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    shared: Arc<SharedChild>,
    pid: u32,
    identity: Option<Identity>,
    is_being_killed: Arc<AtomicBool>,
}

/// A kill that is under way, with processes that stand still for it. This process does not exit before it
/// is over: they would stand still for ever.
struct Kill;

/// How many there are.
static KILLS: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Kill {
    fn begin() -> Self {
        static AT_EXIT: Once = Once::new();
        AT_EXIT.call_once(|| {
            // SAFETY: the handler may run at any time, as long as this library is loaded; the system
            // runs it before that ends. Without it there is only a gap of a moment.
            unsafe { libc::atexit(finish_kills) };
        });
        *lock_kills() += 1;
        Self
    }
}

impl Drop for Kill {
    fn drop(&mut self) {
        *lock_kills() -= 1;
        KILLS.1.notify_all();
    }
}

fn lock_kills() -> MutexGuard<'static, usize> {
    KILLS.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until those are over that are under way: some milliseconds, as a rule.
extern "C" fn finish_kills() {
    const LONGEST: Duration = Duration::from_secs(3);
    // Poisoned or late, nothing more can be done.
    let _ = KILLS.1.wait_timeout_while(lock_kills(), LONGEST, |count| *count > 0);
}

/// What the threads need that wait for a process or end it.
const STACK: usize = 64 * 1024;

impl Child {
    /// Starts the process with `extra` descriptors at the numbers given; no other descriptor of
    /// this process reaches it.
    pub(crate) fn spawn(
        recipe: &Recipe,
        extra: Vec<(OwnedFd, RawFd)>,
    ) -> io::Result<(Self, Pipes)> {
        let mut command = Command::new(&recipe.program);
        command.args(&recipe.args).env_clear().envs(recipe.env.iter().map(|(k, v)| (k, v)));
        if let Some(cwd) = &recipe.cwd {
            command.current_dir(cwd);
        }
        if let Some(uid) = recipe.uid {
            command.uid(uid);
        }
        if let Some(gid) = recipe.gid {
            command.gid(gid);
        }
        let mut mappings: Vec<FdMapping> = extra
            .into_iter()
            .map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd })
            .collect();
        let mut pipes = Vec::new();
        let undisturbed = socket::undisturbed();
        for (at, stream) in recipe.stdio.iter().enumerate() {
            let (ours, theirs) = open(*stream, at)?;
            if let Some(ours) = ours {
                pipes.push((at, ours));
            }
            match at {
                0 => drop(command.stdin(Stdio::from(theirs))),
                1 => drop(command.stdout(Stdio::from(theirs))),
                2 => drop(command.stderr(Stdio::from(theirs))),
                _ => mappings.push(FdMapping {
                    parent_fd: theirs,
                    child_fd: RawFd::try_from(at).map_err(io::Error::other)?,
                }),
            }
        }
        command.fd_mappings(mappings).map_err(io::Error::other)?;
        system::end_with_parent(&mut command);
        let shared =
            Arc::new(SharedChild::spawn(&mut command).map_err(|error| refused(recipe, error))?);
        drop(undisturbed);
        let pid = shared.id();
        // Nobody else has the pid before this one has been waited for.
        let identity = tree::identity(pid);
        let is_being_killed = Arc::default();
        Ok((Self { shared, pid, identity, is_being_killed }, pipes))
    }

    fn kill_tree(&self) {
        if let Some(identity) = self.identity {
            // It fails only for a process that is gone, which has no descendants any more.
            let _ = self.shared.send_signal(libc::SIGSTOP);
            tree::kill_descendants(identity);
        }
        self.kill_alone();
    }

    fn kill_alone(&self) {
        // It fails only for a process that is gone, which is what is wanted.
        let _ = self.shared.kill();
    }

    /// Ends a process that nobody waits for.
    pub(crate) fn discard(&self) {
        self.kill_alone();
        // Killed, it ends; without this it would stay among the dead.
        let _ = self.shared.wait();
    }

    /// Calls `ended` when the process has ended and is reaped. A thread that blocks in `waitpid`
    /// is the one way that works on every system and leaves Node's own `SIGCHLD` alone.
    pub(crate) fn on_exit(&self, ended: impl FnOnce(Exit) + Send + 'static) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new()
            .name("sonic-reaper".into())
            .stack_size(STACK)
            .spawn(move || ended(shared.wait().map_or(Exit::Unknown, Exit::from)))
            .map_err(tried(Step::Resource, "starting a thread", "clone"))?;
        Ok(())
    }
}

/// This process, a child's, ends with its parent no more by itself: from now on something watches for that.
/// If it is stopped when the parent ends, it is only continued, where the system does that, so that what
/// watches can see it. On the thread that the process began with.
///
/// `is_doomed` says whether the parent is about to kill this process: if it then exits by itself, it does what
/// the parent may not come to.
pub(crate) fn watch_parent(is_doomed: impl Fn() -> bool + Send + Sync + 'static) {
    system::continue_with_parent();
    if DOOM.set(Box::new(is_doomed)).is_ok() {
        // SAFETY: the handler may run at any time, as long as this library is loaded; the system runs it
        // before that ends. Without it there is only a gap of a moment.
        unsafe { libc::atexit(finish_doom) };
    }
}

static DOOM: OnceLock<Box<dyn Fn() -> bool + Send + Sync>> = OnceLock::new();

extern "C" fn finish_doom() {
    if DOOM.get().is_some_and(|is_doomed| is_doomed()) {
        end_with_descendants();
    }
}

/// Kills this process, a child's, and all its descendants.
pub(crate) fn end_with_descendants() {
    if let Some(identity) = tree::identity(std::process::id()) {
        tree::kill_descendants(identity);
    }
    // It cannot fail for this process itself.
    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
}

/// The error of a process that could not be started: the system has one number for all that happens on the way.
fn refused(recipe: &Recipe, error: io::Error) -> io::Error {
    let folder = recipe.cwd.as_ref().filter(|folder| {
        rustix::fs::access(folder.as_str(), rustix::fs::Access::EXEC_OK).is_err()
            || !std::path::Path::new(folder.as_str()).is_dir()
    });
    match folder {
        Some(folder) => tried(Step::Folder, format!("changing to {folder}"), "chdir")(error),
        None => tried(Step::Process, "starting the process", "fork, execve")(error),
    }
}

/// Whether the machine had nothing to spare: it may have later.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    !reached(error).is_empty()
}

/// What has refused a system call as far as its error tells, and what to do; begins with a space. Empty if nobody knows.
pub(crate) fn advice(error: &io::Error) -> String {
    let limit = reached(error);
    if !limit.is_empty() {
        return limit.to_owned();
    }
    let (Some(code), Some((step, call))) = origin(error) else { return String::new() };
    match (step, code) {
        (Step::Resource, libc::EFBIG) => {
            " (this process may make no files of that size: raise `ulimit -f`)".into()
        }
        (Step::Resource, libc::EPERM | libc::EACCES | libc::ENOSYS) => format!(
            " (a security policy refuses it, the seccomp profile of a container or service for example: allow {call} \
             there)"
        ),
        (Step::Folder, _) => " (the program has named that folder with cluster.setupPrimary({ cwd }), and nobody can \
                               be there)"
            .into(),
        (Step::Process, libc::ENOENT) => {
            " (process.execPath names no file, or one whose interpreter or loader is missing: is that Node still \
             installed?)"
                .into()
        }
        (Step::Process, libc::EACCES) => {
            " (this user may not execute that file, or its file system is mounted noexec)".into()
        }
        (Step::Process, libc::ENOEXEC) => " (this system cannot run that file)".into(),
        (Step::Process, libc::E2BIG) => {
            " (the program's arguments and environment are longer together than the system allows: shorten them, or \
             raise `ulimit -s`)"
                .into()
        }
        (Step::Process, libc::EPERM | libc::ENOSYS) => {
            " (a security policy refuses it, or uid or gid of cluster.setupPrimary, which only the superuser may set)"
                .into()
        }
        _ => String::new(),
    }
}

/// The limit of the machine that a system call has met, and what to do; empty if it was none.
fn reached(error: &io::Error) -> &'static str {
    match origin(error).0 {
        Some(libc::EMFILE) => {
            " (this process has as many files open as it may: raise `ulimit -n`, or start fewer workers)"
        }
        Some(libc::ENFILE) => system::TOO_MANY_FILES,
        Some(libc::EAGAIN) => {
            " (this user or its container has as many processes and threads as it may: raise `ulimit -u` \
             or the container's limit of pids, or start fewer workers)"
        }
        Some(libc::ENOMEM) => {
            " (there is not enough memory, or address space where `ulimit -v` limits that: raise it, or start fewer workers)"
        }
        _ => "",
    }
}

/// How many bytes of a process are in memory; none where the system does not tell, or it is gone.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    system::resident(pid)
}

/// This process's end of a stream, if it has one, and the child's.
fn open(stream: Stream, at: usize) -> io::Result<(Option<OwnedFd>, OwnedFd)> {
    match stream {
        // Also 0 to 2 have to be handed over: Node marks even those close-on-exec.
        Stream::Inherit => {
            let fd = RawFd::try_from(at).map_err(io::Error::other)?;
            Ok((None, duplicate(fd).or_else(|_| null())?))
        }
        Stream::Fd(fd) => Ok((None, duplicate(fd)?)),
        Stream::Ignore => Ok((None, null()?)),
        Stream::Pipe => {
            // Both directions in one, as Node's own `pipe` streams are.
            let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(tried(
                Step::Resource,
                "creating a pipe",
                "socketpair",
            ))?;
            Ok((Some(ours.into()), theirs.into()))
        }
    }
}

fn null() -> io::Result<OwnedFd> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null");
    Ok(null.map_err(tried(Step::Resource, "opening /dev/null", "openat"))?.into())
}

fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: it is only duplicated while it is borrowed.
    unsafe { borrowed(fd) }?.try_clone_to_owned().map_err(tried(
        Step::Resource,
        "duplicating a descriptor",
        "fcntl",
    ))
}

/// The descriptor of a number that somebody else has named.
///
/// # Safety
/// It is used for as long as nobody else closes it, or for one call of the system: `EBADF` if it is not open.
unsafe fn borrowed<'a>(fd: RawFd) -> io::Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: not -1; the rest is the caller's.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Whether a descriptor is open, and what it is said to be.
pub(super) fn is_given(given: Given) -> bool {
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
pub(super) unsafe fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the contract.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::io::fcntl_setfd(&owned, rustix::io::FdFlags::CLOEXEC)?;
    Ok(owned)
}

/// The number by which JavaScript knows one of [`Pipes`], and which is its own from now on.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to find a number, which may fail")]
pub(crate) fn descriptor(pipe: OwnedFd) -> io::Result<i32> {
    Ok(pipe.into_raw_fd())
}

/// The process that has started this one, as long as it is there.
pub(crate) fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// Ends this process without running anything of it.
pub(crate) fn end_now(code: i32) -> ! {
    // SAFETY: no memory is touched.
    unsafe { libc::_exit(code) }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::os::child::adopt;
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
            assert_eq!(origin(&error).0, Some(libc::EBADF), "{fd}");
        }
    }
}
