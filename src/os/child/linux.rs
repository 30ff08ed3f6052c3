//! What is Linux's own about processes: they can be told to end with their parents.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::FileType;
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

pub(super) const TOO_MANY_FILES: &str =
    " (the system has as many files open as it can: see fs.file-max)";

/// What shared memory is among files.
pub(super) const IS_MEMORY: [FileType; 1] = [FileType::RegularFile];

/// Has the system kill the child when the thread that starts it is gone, and with it this process: until the
/// child has loaded what watches its master ([`super::watch_parent`]), whatever its program does before.
pub(super) fn end_with_parent(command: &mut Command) {
    let parent = getpid();
    let arrange = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have ended before this was arranged.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    };
    // SAFETY: between fork and exec it makes two system calls, and neither allocates nor locks.
    unsafe { command.pre_exec(arrange) };
}

/// From now on this process is only continued when its parent ends: for one that runs, that signal is nothing.
pub(super) fn continue_with_parent() {
    // It fails only for signals that there are not.
    let _ = set_parent_process_death_signal(Some(Signal::CONT));
}

pub(super) fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes * 1024)
}
