//! The terminal that the error stream may be: whether there is room, whose turn it is, and what a signal takes off
//! it. It knows nothing of what is drawn.

#[cfg(unix)]
mod signals;

use std::sync::atomic::AtomicBool;

#[cfg(unix)]
pub(crate) use signals::{arm, disarm};
#[cfg(windows)]
pub(crate) use windows::{arm, disarm, has_room, is_in_foreground};

/// Clears the terminal from the cursor on.
pub(crate) const ERASE: &str = "\x1b[J";

/// Something is drawn, from the cursor on: a signal that ends or stops this process takes it off, once
/// [`arm`]ed.
pub(crate) static IS_DRAWN: AtomicBool = AtomicBool::new(false);

/// Whether this process may draw on the terminal that its error stream is: somebody else may be typing there
/// while it runs in the background. True if that terminal is not the one that controls it.
#[cfg(unix)]
pub(crate) fn is_in_foreground() -> bool {
    rustix::termios::tcgetpgrp(std::io::stderr())
        .map_or(true, |group| group == rustix::process::getpgrp())
}

/// Whether a short text can be written to the error stream now without waiting for anybody.
#[cfg(unix)]
pub(crate) fn has_room() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stream = std::io::stderr();
    let mut polled = [PollFd::new(&stream, PollFlags::OUT)];
    // A stream that cannot be asked, as macOS says of terminals, says so when it is written to.
    poll(&mut polled, Some(&Timespec::default())) != Ok(0)
}

/// There is no background, nobody can ask a stream whether it has room, and what is drawn stays where Ctrl-C leaves it.
#[cfg(windows)]
mod windows {
    pub(crate) fn is_in_foreground() -> bool {
        true
    }

    pub(crate) fn has_room() -> bool {
        true
    }

    pub(crate) fn arm() {}

    pub(crate) fn disarm() {}
}
