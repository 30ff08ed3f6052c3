//! What is macOS's own about processes. Nothing ends them with their parents: a worker sees the end of its
//! master when its control socket ends, so one whose master is killed before it has loaded this package lives
//! until it has, and one that is stopped then lives until somebody continues it.

use std::process::Command;

use rustix::fs::FileType;

use crate::os::tree::process_info;

pub(super) const TOO_MANY_FILES: &str =
    " (the system has as many files open as it can: see kern.maxfiles)";

/// What shared memory is among files: the system does not say.
pub(super) const IS_MEMORY: [FileType; 2] = [FileType::RegularFile, FileType::Unknown];

pub(super) fn end_with_parent(_command: &mut Command) {}

pub(super) fn continue_with_parent() {}

pub(super) fn resident(pid: u32) -> Option<u64> {
    // SAFETY: these are numbers, whatever they are.
    let info: libc::proc_taskinfo = unsafe { process_info(pid, libc::PROC_PIDTASKINFO) }?;
    Some(info.pti_resident_size)
}
