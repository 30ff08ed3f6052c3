//! A child process on Windows. There are no signals: a process is terminated, or it is not. Each child is in a job with
//! everything that it starts, so all of it is terminated at once; and the system terminates the job when this process exits,
//! until the child watches for that itself.

mod start;

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{FromRawHandle, IntoRawHandle, OwnedHandle};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use windows_sys::Wdk::System::Threading::{NtQueryInformationProcess, ProcessBasicInformation};
use windows_sys::Win32::Foundation::{
    DUPLICATE_SAME_ACCESS, DuplicateHandle, ERROR_COMMITMENT_LIMIT, ERROR_NO_SYSTEM_RESOURCES,
    ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY, ERROR_TOO_MANY_OPEN_FILES, HANDLE, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::JobObjects::{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
};
use windows_sys::Win32::System::JobObjects::{SetInformationJobObject, TerminateJobObject};
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetExitCodeProcess, GetStartupInfoW, INFINITE, OpenProcess,
    PROCESS_BASIC_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, STARTUPINFOW, TerminateProcess,
    WaitForSingleObject,
};

use super::{Exit, ExitWatch, Given, Pipes, Process, Recipe, block};
use crate::os::host::exported;
use crate::os::pidfd::Pidfd;
use crate::os::tried::{Step, origin, tried};
use crate::os::windows::{done, owned, raw};

/// The signals that terminate a process here, as Node numbers them; and 0, which asks whether it runs.
const ALIVE: i32 = 0;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// The exit code of a terminated process, as libuv sets it.
const ENDED: u32 = 1;

pub(super) const SIGNALS: [(i32, &str); 4] =
    [(SIGINT, "SIGINT"), (SIGQUIT, "SIGQUIT"), (SIGKILL, "SIGKILL"), (SIGTERM, "SIGTERM")];
pub(super) const KILLS: [Exit; 1] = [Exit::Signal(SIGKILL)];
/// Node's own exit code, V8's and the C library's.
pub(super) const ABORTS: [Exit; 3] =
    [Exit::Code(134), Exit::Code(0x8000_0003), Exit::Code(0xC000_0409)];

/// A child process, which any thread may terminate and wait for.
#[derive(Debug, Clone)]
pub(crate) struct Child(Arc<Running>);

#[derive(Debug)]
struct Running {
    pid: u32,
    process: OwnedHandle,
    /// None if the system refused it: then the process is terminated alone, and outlives this one.
    job: Option<OwnedHandle>,
    /// The signal by which this process terminated it, or 0.
    signal: AtomicI32,
}

impl Process for Child {
    fn pid(&self) -> u32 {
        self.0.pid
    }

    fn signal(&self, number: i32) -> io::Result<()> {
        match number {
            ALIVE if self.0.has_ended() => Err(io::ErrorKind::NotFound.into()),
            ALIVE => Ok(()),
            SIGINT | SIGQUIT | SIGKILL | SIGTERM => self.0.end(number),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn kill(&self) {
        self.0.note(SIGKILL);
        let job = self.0.job.as_ref();
        // SAFETY: a job of this process's.
        let is_done = job.is_some_and(|job| unsafe { TerminateJobObject(raw(job), ENDED) } != 0);
        if !is_done {
            // It fails only if the process is gone, which is the goal.
            let _ = self.0.end(SIGKILL);
        }
    }

    fn watches(&self) {
        let Some(job) = &self.0.job else { return };
        // If it fails, the worker is terminated with this process, also if it was released.
        let _ = limit(job, 0);
    }
}

/// Sets when the system terminates a job.
fn limit(job: &OwnedHandle, flags: u32) -> io::Result<()> {
    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    limits.BasicLimitInformation.LimitFlags = flags;
    let len = size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32;
    let class = JobObjectExtendedLimitInformation;
    // SAFETY: reads the limits, whose size is given.
    done(unsafe { SetInformationJobObject(raw(job), class, (&raw const limits).cast(), len) })
}

impl Running {
    /// Notes the signal that terminates it, if it is the first one.
    fn note(&self, signal: i32) {
        let _ = self.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Terminates this process alone.
    fn end(&self, signal: i32) -> io::Result<()> {
        if self.has_ended() {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Before it exits: its exit is told by this.
        self.note(signal);
        // SAFETY: a process that this one has started.
        done(unsafe { TerminateProcess(raw(&self.process), ENDED) })
    }

    fn has_ended(&self) -> bool {
        self.wait(0)
    }

    /// Whether it exits within so many milliseconds.
    fn wait(&self, milliseconds: u32) -> bool {
        // SAFETY: a process that this one has started.
        unsafe { WaitForSingleObject(raw(&self.process), milliseconds) == WAIT_OBJECT_0 }
    }

    /// How it has exited.
    fn exit(&self) -> Exit {
        let mut code = 0;
        // SAFETY: writes one number.
        if unsafe { GetExitCodeProcess(raw(&self.process), &raw mut code) } == 0 {
            return Exit::Unknown;
        }
        match self.signal.load(Ordering::SeqCst) {
            // It may have exited by itself just before.
            signal if signal != 0 && code == ENDED => Exit::Signal(signal),
            _ => Exit::Code(code.into()),
        }
    }
}

impl Child {
    /// Starts a process with `extra` handles at the descriptors given. No other handle of this process reaches it.
    pub(crate) fn spawn(
        recipe: &Recipe,
        extra: Vec<(OwnedHandle, i32)>,
    ) -> io::Result<(Self, Pipes)> {
        let (started, pipes) = start::start(recipe, extra).map_err(tried(
            Step::Process,
            "starting the process",
            "CreateProcessW",
        ))?;
        let start::Started { pid, process, job } = started;
        let signal = AtomicI32::new(0);
        Ok((Self(Arc::new(Running { pid, process, job, signal })), pipes))
    }

    /// Kills a child that nobody waits for.
    pub(crate) fn discard(&self) {
        self.kill();
        self.0.wait(INFINITE);
    }

    /// The exit, to be awaited.
    pub(crate) fn watch(&self) -> ExitWatch {
        ExitWatch::new(self.clone())
    }

    #[expect(clippy::unused_self, reason = "other systems may have one")]
    pub(super) fn pidfd(&self) -> Option<&Pidfd> {
        None
    }

    /// Waits for the exit in this thread.
    pub(super) fn block_until_exit(&self) -> Exit {
        self.0.wait(INFINITE);
        self.0.exit()
    }

    /// How the child has exited; none if it still runs.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.0.has_ended().then(|| self.0.exit())
    }
}

/// Nothing: the parent changes the job when it hears that this child watches for its exit ([`Process::watches`]), and kills a
/// child with its descendants at once.
pub(crate) fn watch_parent(_is_doomed: impl Fn() -> bool + Send + Sync + 'static) {}

/// Ends this process, a child. Its descendants are terminated with its job.
pub(crate) fn end_with_descendants() {
    end_now(ENDED.cast_signed());
}

/// Ends this process at once: no handler of the program or of a library runs. The C library's `_exit` would run those of
/// libraries, which may wait for locks of threads that are gone.
pub(crate) fn end_now(code: i32) -> ! {
    // SAFETY: no memory is touched.
    unsafe { TerminateProcess(GetCurrentProcess(), code.cast_unsigned()) };
    // It does not return for the process itself.
    std::process::abort()
}

/// The process that started this one; 0 if the system does not tell.
pub(crate) fn parent() -> u32 {
    let mut about = PROCESS_BASIC_INFORMATION::default();
    let len = size_of::<PROCESS_BASIC_INFORMATION>() as u32;
    // SAFETY: writes to `about`, whose size is given.
    let status = unsafe {
        NtQueryInformationProcess(
            GetCurrentProcess(),
            ProcessBasicInformation,
            (&raw mut about).cast(),
            len,
            ptr::null_mut(),
        )
    };
    if status >= 0 { about.InheritedFromUniqueProcessId as u32 } else { 0 }
}

/// The limit that a system call has reached, and what to do; empty if it was none.
pub(super) fn reached(error: &io::Error) -> &'static str {
    let Some(code) = origin(error).0 else { return "" };
    match code.cast_unsigned() {
        ERROR_TOO_MANY_OPEN_FILES => {
            " (this process has reached its limit of open files: start fewer workers)"
        }
        ERROR_NOT_ENOUGH_MEMORY
        | ERROR_OUTOFMEMORY
        | ERROR_COMMITMENT_LIMIT
        | ERROR_NO_SYSTEM_RESOURCES => " (there is not enough memory: start fewer workers)",
        _ => "",
    }
}

/// The same: a limit is all that an error tells.
pub(crate) fn advice(error: &io::Error) -> String {
    reached(error).to_owned()
}

/// How many bytes of a process are in memory; none if it is gone.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    let mut counters = PROCESS_MEMORY_COUNTERS::default();
    let len = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    // SAFETY: the handle is new, and nobody else's.
    let process = unsafe { owned(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid)) }.ok()?;
    // SAFETY: writes to the counters, whose size is given.
    done(unsafe { K32GetProcessMemoryInfo(raw(&process), &raw mut counters, len) }).ok()?;
    Some(counters.WorkingSetSize as u64)
}

/// `uv_open_osfhandle`: a handle's descriptor in the C library that is Node's own.
type OpenHandle = unsafe extern "C" fn(*mut c_void) -> i32;

/// The number by which JavaScript knows one of [`Pipes`], and which is its own from now on.
pub(crate) fn descriptor(pipe: OwnedHandle) -> io::Result<i32> {
    let open = exported(c"uv_open_osfhandle");
    // SAFETY: what libuv exports by this name has this type, in every version; null is `None`.
    let open = unsafe { std::mem::transmute::<*mut c_void, Option<OpenHandle>>(open) };
    let open = open.ok_or_else(|| {
        let what =
            "this program does not export uv_open_osfhandle, which stdio: \"pipe\" and silent need";
        io::Error::new(io::ErrorKind::Unsupported, what)
    })?;
    let handle = pipe.into_raw_handle();
    // SAFETY: the handle is this function's, and the descriptor's if there is one.
    let descriptor = unsafe { open(handle) };
    if descriptor >= 0 {
        return Ok(descriptor);
    }
    // SAFETY: the call failed, so nobody has taken it.
    drop(unsafe { OwnedHandle::from_raw_handle(handle) });
    Err(io::Error::from_raw_os_error(ERROR_TOO_MANY_OPEN_FILES.cast_signed()))
}

/// Whether a descriptor is among those that the parent gave.
pub(super) fn is_given(given: Given) -> bool {
    number_of(given.fd()).is_some()
}

/// Takes over a descriptor that the parent gave, as a new handle: the C library keeps its own, and closes that where the program
/// closes the descriptor.
///
/// # Safety
/// As on other systems; here nothing is asked of the caller.
pub(super) unsafe fn adopt(fd: i32) -> io::Result<OwnedHandle> {
    let number = number_of(fd).ok_or(io::ErrorKind::NotFound)?;
    duplicate(ptr::without_provenance_mut(number), false)
}

/// The handle of a descriptor that the parent gave, as the number that it is.
fn number_of(fd: i32) -> Option<usize> {
    let mut startup = STARTUPINFOW::default();
    // SAFETY: the table has the length given, and stays where it is as long as the process lives.
    let table = unsafe {
        GetStartupInfoW(&raw mut startup);
        let len = if startup.lpReserved2.is_null() { 0 } else { startup.cbReserved2.into() };
        let at = if len == 0 { ptr::dangling() } else { startup.lpReserved2.cast_const() };
        std::slice::from_raw_parts(at, len)
    };
    block::descriptor(table, usize::try_from(fd).ok()?)
}

/// A second handle of the same object, which children inherit or not.
fn duplicate(handle: HANDLE, is_inherited: bool) -> io::Result<OwnedHandle> {
    let mut copy = ptr::null_mut();
    let inherit = is_inherited.into();
    // SAFETY: a number that is no handle makes the call fail; the copy is nobody else's.
    unsafe {
        let this = GetCurrentProcess();
        let same = DUPLICATE_SAME_ACCESS;
        done(DuplicateHandle(this, handle, this, &raw mut copy, 0, inherit, same))?;
        owned(copy)
    }
}
