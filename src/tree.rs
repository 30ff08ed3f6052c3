//! Kills what a process has started, and what that has started, and so on.
//!
//! The workers are in the terminal's process group, as the master is, so no group can be signalled: the
//! descendants are found by walking `/proc`. Each is stopped before its children are looked for, and the
//! walk is over when it finds nobody new and everybody stands still: nobody forks behind its back. A pid
//! may be another process's by the time it is signalled; with the time at which its process started it
//! never is. What has been left to init (a daemon) is nobody's descendant any more.

/// A process, told from every other: pids come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pid: u32,
    /// In the system's ticks since it was booted.
    started: u64,
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::HashSet;
    use std::fs;
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, Signal};
    use rustix::process::{kill_process, pidfd_open, pidfd_send_signal};

    use super::Identity;

    /// How long everybody may take to stand still: a moment, as a rule. After that whoever was found is
    /// killed.
    const STANDSTILL: Duration = Duration::from_secs(2);

    /// So many walks in a row that find nobody new, and everybody standing still: a list of processes
    /// is made while they change, and the first may have missed one that began meanwhile.
    const CALM_WALKS: u32 = 2;

    /// The pause between two walks.
    const PAUSE: Duration = Duration::from_millis(1);

    /// What the system says of a process.
    #[derive(Debug, Clone, Copy)]
    struct Stat {
        identity: Identity,
        parent: u32,
        /// It is stopped, or dead and not yet waited for, or the system holds it; then it stops before it
        /// does anything else. (So is a parent that waits until its stopped child runs its program.)
        is_still: bool,
    }

    pub(crate) fn identity(pid: u32) -> Option<Identity> {
        Some(stat(pid)?.identity)
    }

    pub(crate) fn kill_descendants(root: Identity) {
        let end = Instant::now() + STANDSTILL;
        let mut family = vec![root];
        let mut calm_walks = 0;
        while calm_walks < CALM_WALKS && Instant::now() < end {
            let known = family.len();
            let are_still = find(&mut family);
            family[known..].iter().for_each(|&new| signal(new, Signal::STOP));
            let is_calm = are_still && family.len() == known;
            calm_walks = if is_calm { calm_walks + 1 } else { 0 };
            sleep(PAUSE);
        }
        family[1..].iter().for_each(|&member| signal(member, Signal::KILL));
    }

    /// Adds the descendants that are not in the family yet. True if all others stand still.
    fn find(family: &mut Vec<Identity>) -> bool {
        let all = all();
        let mut pids = HashSet::new();
        let mut are_still = true;
        for stat in all.iter().filter(|stat| family.contains(&stat.identity)) {
            pids.insert(stat.identity.pid);
            // Who walks its own descendants cannot stand still.
            are_still &= stat.is_still || stat.identity.pid == std::process::id();
        }
        loop {
            let is_new =
                |stat: &&Stat| pids.contains(&stat.parent) && !pids.contains(&stat.identity.pid);
            let new: Vec<Identity> = all.iter().filter(is_new).map(|stat| stat.identity).collect();
            if new.is_empty() {
                return are_still;
            }
            pids.extend(new.iter().map(|identity| identity.pid));
            family.extend(new);
        }
    }

    /// Every process that there is.
    fn all() -> Vec<Stat> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pid =
            |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
        entries.filter_map(pid).filter_map(stat).collect()
    }

    fn stat(pid: u32) -> Option<Stat> {
        parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// See `proc_pid_stat(5)`: the name is in brackets, and may have any in it.
    fn parse(pid: u32, text: &str) -> Option<Stat> {
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let is_still = matches!(fields.next()?, "T" | "t" | "Z" | "X" | "D");
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?;
        Some(Stat { identity: Identity { pid, started }, parent, is_still })
    }

    /// Sends a signal to a process and to no other that has its pid by now.
    fn signal(to: Identity, signal: Signal) {
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
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Identity;

    pub(crate) fn identity(_pid: u32) -> Option<Identity> {
        None
    }

    pub(crate) fn kill_descendants(_root: Identity) {}
}

/// Who has this pid now; none where the system does not tell.
pub(crate) fn identity(pid: u32) -> Option<Identity> {
    system::identity(pid)
}

/// Kills the descendants of a process, which should be stopped or this one, and is to be killed next.
pub(crate) fn kill_descendants(root: Identity) {
    system::kill_descendants(root);
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
