//! What is different about processes on macOS. The system does not kill them when their parents exit: a worker sees the exit
//! of its master at the end of its control socket. So a worker whose master is killed lives until it has loaded this package,
//! and a stopped one until somebody continues it.

use std::process::Command;

use rustix::fs::FileType;

use crate::os::tree::process_info;

pub(super) const TOO_MANY_FILES: &str =
    " (the system has reached its limit of open files: see kern.maxfiles)";

/// Signals that not every system has.
pub(super) const SIGNALS: [(i32, &str); 2] = [(libc::SIGEMT, "SIGEMT"), (libc::SIGINFO, "SIGINFO")];

/// What shared memory is among files: the system does not say.
pub(super) const IS_MEMORY: [FileType; 2] = [FileType::RegularFile, FileType::Unknown];

pub(super) fn end_with_parent(_command: &mut Command) {}

pub(super) fn continue_with_parent() {}

pub(crate) fn resident(pid: u32) -> Option<u64> {
    // SAFETY: a struct of numbers, for which any bytes are valid.
    let info: libc::proc_taskinfo = unsafe { process_info(pid, libc::PROC_PIDTASKINFO) }?;
    Some(info.pti_resident_size)
}
