//! Processes as they are on Windows. There are no signals: a process is ended, or it is not. Each worker is in a
//! job, which its own children are in too, so that all of them end at once; and which ends with this process,
//! until the worker watches for that itself.

mod start;

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

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

use super::{Exit, Given, Pipes, Process, Recipe, block};
use crate::os::host::exported;
use crate::os::tried::{Step, origin, tried};

/// The signals that end a process here, as Node numbers them, and a question whether there is one.
const ALIVE: i32 = 0;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// The exit code of a process that was ended, as libuv sets it.
const ENDED: u32 = 1;

/// What a process ends with that gives up: Node's own code, and those of V8 and of the C library.
const ABORTS: [i64; 3] = [134, 0x8000_0003, 0xC000_0409];

/// What a thread needs that waits for a process.
const STACK: usize = 64 * 1024;

pub(super) fn is_kill(exit: Exit) -> bool {
    exit == Exit::Signal(SIGKILL)
}

pub(super) fn is_abort(exit: Exit) -> bool {
    matches!(exit, Exit::Code(code) if ABORTS.contains(&code))
}

pub(super) fn name_of(signal: i32) -> Option<String> {
    let name = match signal {
        SIGINT => "SIGINT",
        SIGQUIT => "SIGQUIT",
        SIGKILL => "SIGKILL",
        SIGTERM => "SIGTERM",
        _ => return None,
    };
    Some(name.to_owned())
}

/// A running process, which somebody else may wait for meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Child(Arc<Running>);

#[derive(Debug)]
struct Running {
    pid: u32,
    process: OwnedHandle,
    /// None where the system would not have it: then the process is ended alone, and not with this one.
    job: Option<OwnedHandle>,
    /// By which signal it was ended, as far as this process has done that.
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
            // It fails only for a process that is gone, which is what is wanted.
            let _ = self.0.end(SIGKILL);
        }
    }

    fn watches(&self) {
        let Some(job) = &self.0.job else { return };
        // If it fails, the worker ends a moment sooner when this process does, and one that was let go too.
        let _ = limit(job, 0);
    }
}

/// Sets how a job ends.
fn limit(job: &OwnedHandle, flags: u32) -> io::Result<()> {
    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    limits.BasicLimitInformation.LimitFlags = flags;
    let len = size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32;
    let class = JobObjectExtendedLimitInformation;
    // SAFETY: reads the limits, which are as long as is said.
    let done = unsafe { SetInformationJobObject(raw(job), class, (&raw const limits).cast(), len) };
    if done != 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

impl Running {
    /// Notes what ends it, unless something does already.
    fn note(&self, signal: i32) {
        // Whoever was first has ended it.
        let _ = self.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Ends this process alone.
    fn end(&self, signal: i32) -> io::Result<()> {
        if self.has_ended() {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Before it ends: who waits for that looks here then.
        self.note(signal);
        // SAFETY: a process that this one has started.
        let done = unsafe { TerminateProcess(raw(&self.process), ENDED) };
        if done != 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn has_ended(&self) -> bool {
        self.wait(0)
    }

    /// Whether it ends within so many milliseconds.
    fn wait(&self, milliseconds: u32) -> bool {
        // SAFETY: a process that this one has started.
        unsafe { WaitForSingleObject(raw(&self.process), milliseconds) == WAIT_OBJECT_0 }
    }

    /// How it has ended.
    fn exit(&self) -> Exit {
        let mut code = 0;
        // SAFETY: writes one number.
        if unsafe { GetExitCodeProcess(raw(&self.process), &raw mut code) } == 0 {
            return Exit::Unknown;
        }
        match self.signal.load(Ordering::SeqCst) {
            // It may have ended by itself just before.
            signal if signal != 0 && code == ENDED => Exit::Signal(signal),
            _ => Exit::Code(code.into()),
        }
    }
}

impl Child {
    /// Starts the process with `extra` handles at the descriptors given; no other handle of this process
    /// reaches it.
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

    /// Ends a process that nobody waits for.
    pub(crate) fn discard(&self) {
        self.kill();
        self.0.wait(INFINITE);
    }

    /// Calls `ended` when the process has ended.
    pub(crate) fn on_exit(&self, ended: impl FnOnce(Exit) + Send + 'static) -> io::Result<()> {
        let running = Arc::clone(&self.0);
        thread::Builder::new().name("sonic-reaper".into()).stack_size(STACK).spawn(move || {
            running.wait(INFINITE);
            ended(running.exit());
        })?;
        Ok(())
    }
}

/// This process, a child's, ends with its parent no more by itself: from now on something watches for that. The
/// parent sees to it, when it hears that this is so ([`Process::watches`]). One that kills this process does so at
/// once, with its descendants: nothing is left to do for a process that is doomed.
pub(crate) fn watch_parent(_is_doomed: impl Fn() -> bool + Send + Sync + 'static) {}

/// Ends this process, a child's. Its descendants end with its job, if the parent comes to that.
pub(crate) fn end_with_descendants() {
    end_now(ENDED.cast_signed());
}

/// Ends this process without running anything of it. The C library's `_exit` would have every library that is
/// loaded say goodbye, with locks that threads held that are no more.
pub(crate) fn end_now(code: i32) -> ! {
    // SAFETY: no memory is touched.
    unsafe { TerminateProcess(GetCurrentProcess(), code.cast_unsigned()) };
    // It does not return for the process itself.
    std::process::abort()
}

/// The process that has started this one; 0 if the system does not tell.
pub(crate) fn parent() -> u32 {
    let mut about = PROCESS_BASIC_INFORMATION::default();
    let len = size_of::<PROCESS_BASIC_INFORMATION>() as u32;
    // SAFETY: writes to `about`, which is as long as is said.
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

/// The limit of the machine that a system call has met, and what to do; empty if it was none.
fn reached(error: &io::Error) -> &'static str {
    let Some(code) = origin(error).0 else { return "" };
    match code.cast_unsigned() {
        ERROR_TOO_MANY_OPEN_FILES => {
            " (this process has as many files open as it may: start fewer workers)"
        }
        ERROR_NOT_ENOUGH_MEMORY
        | ERROR_OUTOFMEMORY
        | ERROR_COMMITMENT_LIMIT
        | ERROR_NO_SYSTEM_RESOURCES => " (there is not enough memory: start fewer workers)",
        _ => "",
    }
}

/// Whether the machine had nothing to spare: it may have later.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    !reached(error).is_empty()
}

/// The same as a text, which begins with a space.
pub(crate) fn advice(error: &io::Error) -> String {
    reached(error).to_owned()
}

/// How many bytes of a process are in memory; none if it is gone.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    let mut counters = PROCESS_MEMORY_COUNTERS::default();
    let len = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    // SAFETY: the handle is new, and nobody else's.
    let process = unsafe {
        let process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
        (!process.is_null()).then(|| OwnedHandle::from_raw_handle(process))?
    };
    // SAFETY: writes to the counters, which are as long as is said.
    let done = unsafe { K32GetProcessMemoryInfo(raw(&process), &raw mut counters, len) };
    (done != 0).then_some(counters.WorkingSetSize as u64)
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
    // SAFETY: nobody has taken it.
    drop(unsafe { OwnedHandle::from_raw_handle(handle) });
    Err(io::Error::from_raw_os_error(ERROR_TOO_MANY_OPEN_FILES.cast_signed()))
}

/// Whether a descriptor is among those that the parent gave.
pub(super) fn is_given(given: Given) -> bool {
    number_of(given.fd()).is_some()
}

/// Takes over what the parent put into this process as a descriptor. The C library has its own handle still, which
/// it would close where a program closes that descriptor.
///
/// # Safety
/// As on other systems. Nothing is asked of the caller here: the handle is a new one.
pub(super) unsafe fn adopt(fd: i32) -> io::Result<OwnedHandle> {
    let number = number_of(fd).ok_or(io::ErrorKind::NotFound)?;
    duplicate(ptr::without_provenance_mut(number), false)
}

/// The handle of a descriptor that the parent gave, as the number that it is.
fn number_of(fd: i32) -> Option<usize> {
    let mut startup = STARTUPINFOW::default();
    // SAFETY: the table is as long as is said, and stays where it is as long as the process lives.
    let table = unsafe {
        GetStartupInfoW(&raw mut startup);
        let len = if startup.lpReserved2.is_null() { 0 } else { startup.cbReserved2.into() };
        let at = if len == 0 { ptr::dangling() } else { startup.lpReserved2.cast_const() };
        std::slice::from_raw_parts(at, len)
    };
    block::descriptor(table, usize::try_from(fd).ok()?)
}

/// Another handle of the same thing, which children inherit or not.
fn duplicate(handle: HANDLE, is_inherited: bool) -> io::Result<OwnedHandle> {
    let mut copy = ptr::null_mut();
    // SAFETY: a number that is no handle makes the call fail; the copy is nobody else's.
    unsafe {
        let this = GetCurrentProcess();
        let inherit = is_inherited.into();
        if DuplicateHandle(this, handle, this, &raw mut copy, 0, inherit, DUPLICATE_SAME_ACCESS)
            == 0
        {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedHandle::from_raw_handle(copy))
    }
}

/// The handle as the system takes it.
fn raw(handle: &OwnedHandle) -> HANDLE {
    handle.as_raw_handle()
}
