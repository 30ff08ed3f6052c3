//! Where a pool's files are, and the removal of what was left by processes that are gone.
//!
//! A pool's folder has in its name the process that it belongs to, so that others can tell whether it is still needed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Result;
use super::error::Error;
use crate::os::file::{folders, private_folder};
use crate::os::started::{home, started};

/// What the names of all folders of pools begin with.
const PREFIX: &str = "sonic-spill-";

/// How often a folder is emptied that is being written to.
const TRIES: u32 = 5;

const CREATED: &str = "created";

/// The path of a pool's folder. Nothing is created.
pub(crate) fn base(folder: &Path, number: u32) -> PathBuf {
    let pid = std::process::id();
    folder.join(format!("{PREFIX}{pid}-{}-{number}", mark(started(pid))))
}

/// When a process started, and where.
fn mark(started: Option<u64>) -> String {
    format!("{}.{:x}", started.unwrap_or(0), home())
}

/// Creates the folder of files, and those that it is in. A pool's folder and what is in it are for this user alone.
pub(crate) fn create(folder: &Path) -> Result<()> {
    let top = folder.ancestors().find(|path| is_pool(path)).unwrap_or(folder);
    if let Some(parent) = top.parent() {
        folders(parent).map_err(Error::system(parent, CREATED))?;
    }
    let mut within: Vec<&Path> = folder.ancestors().take_while(|&path| path != top).collect();
    within.push(top);
    for path in within.into_iter().rev() {
        private_folder(path).map_err(Error::system(path, CREATED))?;
    }
    Ok(())
}

fn is_pool(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
}

/// Removes the folders of pools whose process is gone. What cannot be removed stays.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.file_name().to_str().is_some_and(is_left) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a folder of this name is a pool's whose process was here, and is gone.
fn is_left(name: &str) -> bool {
    let parse = || {
        let (pid, rest) = name.strip_prefix(PREFIX)?.split_once('-')?;
        let (mark, number) = rest.split_once('-')?;
        number.parse::<u32>().ok()?;
        let (start, place) = mark.split_once('.')?;
        let start: u64 = start.parse().ok()?;
        let is_here = u32::from_str_radix(place, 16).ok()? == home();
        let running = started(pid.parse().ok()?);
        // A process whose start could not be told may be any.
        let is_gone = running.is_none_or(|running| start != 0 && running != start);
        Some(is_here && is_gone)
    };
    parse().unwrap_or(false)
}

/// Removes a pool's folder, or one in it, with all that is in it. It may not be there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    if !path.ancestors().any(is_pool) || path.components().any(|part| part.as_os_str() == "..") {
        return Err(Error::argument(format!("{} is no folder of a pool", path.display())));
    }
    for _ in 1..TRIES {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            done => return removed(path, done),
        }
    }
    removed(path, fs::remove_dir_all(path))
}

fn removed(path: &Path, done: io::Result<()>) -> Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(Error::system(path, "removed")),
    }
}

#[cfg(test)]
mod tests;
