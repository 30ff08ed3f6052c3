//! What only Linux does with processes: it kills them when their parents exit.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::FileType;
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

pub(super) const TOO_MANY_FILES: &str =
    " (the system has reached its limit of open files: see fs.file-max)";

/// Signals that not every system has.
pub(super) const SIGNALS: [(i32, &str); 2] =
    [(libc::SIGSTKFLT, "SIGSTKFLT"), (libc::SIGPWR, "SIGPWR")];

/// What shared memory is among files.
pub(super) const IS_MEMORY: [FileType; 1] = [FileType::RegularFile];

/// Has the system kill the child when the thread that starts it exits, and with it this process. That holds until the child
/// watches for the exit of its parent itself ([`super::watch_parent`]), whatever its program does before.
pub(super) fn end_with_parent(command: &mut Command) {
    let parent = getpid();
    let arrange = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have exited before this was arranged.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    // SAFETY: between fork and exec it makes two system calls, and neither allocates nor locks.
    unsafe { command.pre_exec(arrange) };
}

/// From now on the system only continues this process when its parent exits. A process that runs ignores that signal.
pub(super) fn continue_with_parent() {
    // It fails only for signals that do not exist.
    let _ = set_parent_process_death_signal(Some(Signal::CONT));
}

pub(crate) fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes * 1024)
}
