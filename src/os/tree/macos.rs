//! macOS's list of processes comes from `libproc`, which tells only of this user's.

use std::mem::MaybeUninit;
use std::ptr;

use super::{Identity, Stat};

/// Space for processes that start between the two questions: how many, and which.
const SPARE: usize = 64;

/// All processes.
pub(super) fn pids() -> Vec<u32> {
    // SAFETY: without a buffer nothing is written.
    let count = unsafe { libc::proc_listallpids(ptr::null_mut(), 0) };
    let mut pids: Vec<libc::pid_t> = vec![0; usize::try_from(count).unwrap_or(0) + SPARE];
    let Ok(size) = i32::try_from(size_of_val(pids.as_slice())) else { return Vec::new() };
    // SAFETY: writes at most `size` bytes to the buffer, which has as many.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), size) };
    pids.truncate(usize::try_from(count).unwrap_or(0));
    // Process 0 is the kernel.
    pids.into_iter().filter_map(|pid| u32::try_from(pid).ok()).filter(|&pid| pid != 0).collect()
}

pub(super) fn stat(pid: u32) -> Option<Stat> {
    // SAFETY: a struct of numbers, for which any bytes are valid.
    let info: libc::proc_bsdinfo = unsafe { process_info(pid, libc::PROC_PIDTBSDINFO) }?;
    // In microseconds of the epoch.
    let started = info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec;
    let is_still = matches!(info.pbi_status, libc::SSTOP | libc::SZOMB);
    Some(Stat { identity: Identity { pid, started }, parent: info.pbi_ppid, is_still })
}

/// What the system says of a process. None if it is gone, or another user's.
///
/// # Safety
/// `T` is what `proc_pidinfo` writes for that flavour, and any bytes are a valid one.
pub(crate) unsafe fn process_info<T>(pid: u32, flavour: i32) -> Option<T> {
    let mut info = MaybeUninit::<T>::uninit();
    let (pid, size) = (i32::try_from(pid).ok()?, i32::try_from(size_of::<T>()).ok()?);
    // SAFETY: writes at most `size` bytes to where as many are.
    let written = unsafe { libc::proc_pidinfo(pid, flavour, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: all of it is written (the contract says of which type).
    (written == size).then(|| unsafe { info.assume_init() })
}
