//! Linux's list of processes is `/proc`.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use rustix::process::{kill_process, pidfd_open, pidfd_send_signal};

use super::{Identity, Stat, identity};

/// Every process that there is.
pub(super) fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries.filter_map(pid).collect()
}

pub(super) fn stat(pid: u32) -> Option<Stat> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// See `proc_pid_stat(5)`: the name is in brackets, and may have any in it. It starts at one of the system's
/// ticks since it was booted.
fn parse(pid: u32, text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let is_still = matches!(fields.next()?, "T" | "t" | "Z" | "X" | "D");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Stat { identity: Identity { pid, started }, parent, is_still })
}

/// Sends a signal to a process and to no other that has its pid by now.
pub(super) fn signal(to: Identity, signal: Signal) {
    let Some(pid) = i32::try_from(to.pid).ok().and_then(Pid::from_raw) else { return };
    // Whoever it is that the descriptor stands for, it will be the same one later.
    let open = pidfd_open(pid, PidfdFlags::empty());
    if identity(to.pid) != Some(to) {
        return;
    }
    // One that cannot be signalled is gone, or another user's: nothing can be done then.
    let _ = match open {
        Ok(process) => pidfd_send_signal(process, signal),
        Err(Errno::SRCH) => Ok(()),
        // An old system has none, and a container may forbid them.
        Err(_) => kill_process(pid, signal),
    };
}

#[cfg(test)]
pub(super) fn parsed(text: &str) -> Option<(u32, u64, bool)> {
    let stat = parse(1, text)?;
    Some((stat.parent, stat.identity.started, stat.is_still))
}
