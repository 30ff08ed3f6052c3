//! Kills what a process has started, and what that has started, and so on.
//!
//! The workers are in the terminal's process group, as the master is, so no group can be signalled: the
//! descendants are found by walking the system's list of processes. Each is stopped before its children are
//! looked for, and the walk is over when it finds nobody new and everybody stands still: nobody forks behind
//! its back. A pid may be another process's by the time it is signalled; with the time at which its process
//! started it never is. What has been left to init (a daemon) is nobody's descendant any more.

// On Windows a worker is in a job, which ends with all that is in it.
#![cfg(unix)]

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

use std::collections::HashSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(target_os = "macos")]
pub(crate) use macos::process_info;
use rustix::process::Signal;

/// How long everybody may take to stand still: a moment, as a rule. After that whoever was found is
/// killed.
const STANDSTILL: Duration = Duration::from_secs(2);

/// So many walks in a row that find nobody new, and everybody standing still: a list of processes
/// is made while they change, and the first may have missed one that began meanwhile.
const CALM_WALKS: u32 = 2;

/// The pause between two walks.
const PAUSE: Duration = Duration::from_millis(1);

/// A process, told from every other: pids come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pid: u32,
    /// In whatever the system counts.
    started: u64,
}

/// What the system says of a process.
#[derive(Debug, Clone, Copy)]
struct Stat {
    identity: Identity,
    parent: u32,
    /// It is stopped, or dead and not yet waited for, or the system holds it; then it stops before it
    /// does anything else. (So is a parent that waits until its stopped child runs its program.)
    is_still: bool,
}

/// Who has this pid now; none where the system does not tell.
pub(crate) fn identity(pid: u32) -> Option<Identity> {
    Some(system::stat(pid)?.identity)
}

/// Kills the descendants of a process, which should be stopped or this one, and is to be killed next.
pub(crate) fn kill_descendants(root: Identity) {
    let end = Instant::now() + STANDSTILL;
    let mut family = vec![root];
    let mut calm_walks = 0;
    while calm_walks < CALM_WALKS && Instant::now() < end {
        let known = family.len();
        let are_still = find(&mut family);
        family[known..].iter().for_each(|&new| system::signal(new, Signal::STOP));
        let is_calm = are_still && family.len() == known;
        calm_walks = if is_calm { calm_walks + 1 } else { 0 };
        sleep(PAUSE);
    }
    family[1..].iter().for_each(|&member| system::signal(member, Signal::KILL));
}

/// Adds the descendants that are not in the family yet. True if all others stand still.
fn find(family: &mut Vec<Identity>) -> bool {
    let all: Vec<Stat> = system::pids().into_iter().filter_map(system::stat).collect();
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

#[cfg(test)]
mod tests;
