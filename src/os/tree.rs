//! Kills the descendants of a process.
//!
//! Workers are in the terminal's process group, as the master is, so no group can be signalled: the descendants are found by
//! walking the system's list of processes. Each is stopped before its children are looked up, and the walk is over when it
//! finds no new process and all are stopped: then none can fork unseen. A process is identified by its pid and its start time,
//! because pids are reused. A daemon, which init has adopted, is no descendant.

// On Windows a worker is in a job, which is terminated with all that is in it.
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
use rustix::process::{Pid, Signal, kill_process};

use crate::os::pidfd::Pidfd;

/// How long all of them may take to stop: a moment, as a rule. After that, those that were found are killed.
const STANDSTILL: Duration = Duration::from_secs(2);

/// How many walks in a row must find no new process, and all stopped: the system makes its list while processes start, so one
/// walk may miss one.
const CALM_WALKS: u32 = 2;

/// The pause between two walks.
const PAUSE: Duration = Duration::from_millis(1);

/// A process, told from every other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pid: u32,
    /// In a unit of the system's.
    started: u64,
}

/// What the system says of a process.
#[derive(Debug, Clone, Copy)]
struct Stat {
    identity: Identity,
    parent: u32,
    /// It is stopped, a zombie, or waits in the kernel and stops before it does anything else. (So does a parent whose stopped
    /// child has not yet executed its program.)
    is_still: bool,
}

/// The process that has this pid now; none if the system does not tell.
pub(crate) fn identity(pid: u32) -> Option<Identity> {
    Some(system::stat(pid)?.identity)
}

/// When the process started that has this pid now, in a unit of the system's; none if the system does not tell.
pub(crate) fn started(pid: u32) -> Option<u64> {
    Some(identity(pid)?.started)
}

/// Kills the descendants of a process that is stopped, or of this one. Kill that process next.
pub(crate) fn kill_descendants(root: Identity) {
    for member in to_kill(&stop_descendants(root)) {
        signal(member, Signal::KILL);
    }
}

/// In which order a family is killed, without its root: children before their parents. Should this process be killed
/// meanwhile, whoever goes on finds those that are left.
fn to_kill(family: &[Identity]) -> impl Iterator<Item = Identity> {
    family[1..].iter().rev().copied()
}

/// Stops the descendants of a process. Returns it with all of them, each behind its parent.
fn stop_descendants(root: Identity) -> Vec<Identity> {
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
    family
}

/// Adds the descendants that are not in the family yet. True if all others are stopped.
fn find(family: &mut Vec<Identity>) -> bool {
    let all: Vec<Stat> = system::pids().into_iter().filter_map(system::stat).collect();
    let mut pids = HashSet::new();
    let mut are_still = true;
    for stat in all.iter().filter(|stat| family.contains(&stat.identity)) {
        pids.insert(stat.identity.pid);
        // This process cannot be stopped while it walks its own descendants.
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

/// Sends a signal to a process, and to no other that has its pid by now. (Without a pidfd: to no other that had it when it
/// was last checked, just before.)
fn signal(to: Identity, signal: Signal) {
    let Some(pid) = i32::try_from(to.pid).ok().and_then(Pid::from_raw) else { return };
    // Opened before the check: whichever process the descriptor stands for, it stays that one.
    let pidfd = Pidfd::open(pid);
    if identity(to.pid) != Some(to) {
        return;
    }
    // It fails if the process is gone, or another user's: nothing can be done then.
    let _ = match pidfd {
        Some(pidfd) => pidfd.signal(pid, signal),
        None => kill_process(pid, signal),
    };
}

#[cfg(test)]
mod tests;
