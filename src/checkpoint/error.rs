//! The error type of checkpoints. Every variant names the `code` that JavaScript sees.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// `ERR_SONIC_CHECKPOINT`: the system refused something.
    #[error("options.checkpoint: {} could not be {tried}: {source}{}", path.display(), advice(source))]
    System { path: PathBuf, tried: &'static str, source: io::Error },

    /// `ERR_SONIC_CHECKPOINT`: it is something else.
    #[error(
        "options.checkpoint: {} {what}, and is left as it is: name another file, or remove it to begin anew",
        path.display()
    )]
    Foreign { path: PathBuf, what: &'static str },

    /// `ERR_SONIC_CHECKPOINT`: somebody else has changed it while it was open.
    #[error(
        "options.checkpoint: {} is damaged at offset {offset}: it was changed while the run had it open",
        path.display()
    )]
    Damaged { path: PathBuf, offset: u64 },

    /// `ERR_SONIC_CHECKPOINT_BUSY`: another run has it open.
    #[error(
        "options.checkpoint: {} is in use by another run, of this program or of another: give each run a file of its own, or \
         wait for that one to end",
        path.display()
    )]
    Busy { path: PathBuf },

    /// `ERR_SONIC_CHECKPOINT_CHANGED`: the answer that is written is one to something else.
    #[error(
        "options.checkpoint: event {number} has other data than the event {number} whose answer is in {}: hand the same \
         events over in the same order, or remove the file to begin anew",
        path.display()
    )]
    Data { path: PathBuf, number: u64 },
}

impl Error {
    /// Turns an error of the system into one that says what was tried.
    pub(crate) fn system(path: &Path, tried: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::System { path, tried, source }
    }

    /// The same of opening it.
    pub(crate) fn opening(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::WouldBlock => Self::Busy { path },
            _ => Self::System { path, tried: "opened", source },
        }
    }

    /// The `code` of the JavaScript error.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::System { .. } | Self::Foreign { .. } | Self::Damaged { .. } => {
                "ERR_SONIC_CHECKPOINT"
            }
            Self::Busy { .. } => "ERR_SONIC_CHECKPOINT_BUSY",
            Self::Data { .. } => "ERR_SONIC_CHECKPOINT_CHANGED",
        }
    }
}

/// What to do, where that is known.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; what was answered until then is in the file: make room, and run the program again"
        }
        io::ErrorKind::NotFound => "; the folder that it is to be in must exist",
        io::ErrorKind::Unsupported => "; its file system has no locks: name a file on another one",
        _ => "",
    }
}
