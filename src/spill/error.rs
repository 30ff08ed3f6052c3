//! The error type of the spill. Every variant names the `code` that JavaScript sees.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// `ERR_SONIC_SPILL`: the system refused something.
    #[error("{} could not be {tried}: {source}{}", path.display(), advice(source))]
    System { path: PathBuf, tried: &'static str, source: io::Error },

    /// `ERR_SONIC_SPILL`: the bytes are not those that were written there.
    #[error("{} is damaged at offset {offset}: {what}", path.display())]
    Damaged { path: PathBuf, offset: u64, what: &'static str },

    /// `ERR_INVALID_ARG_TYPE`: a key that has no order among keys.
    #[error("a key must be a string, a number, a boolean or null, not {0}")]
    Key(String),

    /// `ERR_INVALID_ARG_VALUE`: the caller broke the contract.
    #[error("{0}")]
    Argument(String),
}

impl Error {
    /// Turns an error of the system into one that says what was tried.
    pub(crate) fn system(path: &Path, tried: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { path: path.to_owned(), tried, source }
    }

    pub(crate) fn argument(what: impl Into<String>) -> Self {
        Self::Argument(what.into())
    }

    /// The `code` of the JavaScript error.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::System { .. } | Self::Damaged { .. } => "ERR_SONIC_SPILL",
            Self::Key(_) => "ERR_INVALID_ARG_TYPE",
            Self::Argument(_) => "ERR_INVALID_ARG_VALUE",
        }
    }
}

/// What to do, where that is known.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; the option spillDir names a folder on another disk"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; the option spillDir names another folder"
        }
        _ => "",
    }
}
