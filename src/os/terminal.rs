//! Whether this process may write to its error stream now. Knows nothing about what is written.

#[cfg(unix)]
use rustix::{event, process::getpgrp, termios::tcgetpgrp};

/// Whether this process may draw on its terminal, which somebody else uses while it is in the background.
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    tcgetpgrp(std::io::stderr()).map_or(true, |group| group == getpgrp())
}

/// Whether a short text can be written to the error stream without blocking.
#[cfg(unix)]
pub(crate) fn has_room() -> bool {
    let stream = std::io::stderr();
    let mut polled = [event::PollFd::new(&stream, event::PollFlags::OUT)];
    // macOS cannot poll terminals: then the write itself tells.
    event::poll(&mut polled, Some(&event::Timespec::default())) != Ok(0)
}

/// Windows has no background jobs.
#[cfg(windows)]
pub(crate) fn is_in_foreground() -> bool {
    true
}

/// Windows cannot poll a stream.
#[cfg(windows)]
pub(crate) fn has_room() -> bool {
    true
}
