//! Linux's list of processes is `/proc`.

use std::fs;

use super::{Identity, Stat};

/// All processes.
pub(super) fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries.filter_map(pid).collect()
}

pub(super) fn stat(pid: u32) -> Option<Stat> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// See `proc_pid_stat(5)`. The name is in brackets, and may contain brackets. The start time is in ticks since boot.
fn parse(pid: u32, text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let is_still = matches!(fields.next()?, "T" | "t" | "Z" | "X" | "D");
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Stat { identity: Identity { pid, started }, parent, is_still })
}

#[cfg(test)]
pub(super) fn parsed(text: &str) -> Option<(u32, u64, bool)> {
    let stat = parse(1, text)?;
    Some((stat.parent, stat.identity.started, stat.is_still))
}
