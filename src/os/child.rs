//! One child process: how it is started, signalled, killed and awaited, and what a child does for its parent. A system's own
//! ways are in `unix` and `windows`; what both have in common is here.

#[cfg(any(windows, test))]
mod block;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
mod watch;
#[cfg(windows)]
mod windows;

use std::{fmt, io};

use crate::os::socket::Handle;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    Child, advice, descriptor, end_now, end_with_descendants, parent, resident, watch_parent,
};
pub(crate) use watch::ExitWatch;

/// Whether the machine had no more to give: it may have later.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    !system::reached(error).is_empty()
}

/// How a process exited.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i64),
    Signal(i32),
    /// The system does not tell.
    Unknown,
}

impl Exit {
    pub(crate) fn code(self) -> Option<i64> {
        if let Self::Code(code) = self { Some(code) } else { None }
    }

    /// Whether it was killed with `SIGKILL`.
    pub(crate) fn is_kill(self) -> bool {
        system::KILLS.contains(&self)
    }

    /// Whether it aborted, in any of the ways that V8 has, by its version and the compiler.
    pub(crate) fn is_abort(self) -> bool {
        system::ABORTS.contains(&self)
    }

    /// The signal's name, such as `SIGKILL`.
    pub(crate) fn signal(self) -> Option<String> {
        let Self::Signal(number) = self else { return None };
        let named = system::SIGNALS.iter().find(|(signal, _)| *signal == number);
        Some(named.map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_owned()))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(_) => write!(f, "was killed by {}", self.signal().unwrap_or_default()),
            Self::Unknown => f.write_str("exited with an unknown status"),
        }
    }
}

/// What one of a child's descriptors is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Inherit,
    Ignore,
    /// A new pipe; this end is in [`Child::pipes`].
    Pipe,
    /// This process's own descriptor of that number.
    Fd(i32),
}

/// What a descriptor is that the parent has placed in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Stream(i32),
    Memory(i32),
}

impl Given {
    fn fd(self) -> i32 {
        let (Self::Stream(fd) | Self::Memory(fd)) = self;
        fd
    }
}

/// Takes over the descriptors that the parent has placed in this process, close-on-exec from now on: all of them, or none if one
/// of them is not what it should be. Their numbers are not trusted.
///
/// # Safety
/// Those that are what they should be are owned by nobody else in this process.
pub(crate) unsafe fn adopt<const N: usize>(given: [Given; N]) -> io::Result<[Handle; N]> {
    /// The standard streams, which are the program's.
    const FIRST: i32 = 3;
    for (at, &one) in given.iter().enumerate() {
        let is_twice = given[..at].iter().any(|other| other.fd() == one.fd());
        if one.fd() < FIRST || is_twice || !system::is_given(one) {
            let what = format!("descriptor {} cannot be one that a worker was given", one.fd());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
    }
    // SAFETY: open, and each a different one (above); owned by nobody else (the contract).
    let handles: io::Result<Vec<Handle>> =
        given.iter().map(|one| unsafe { system::adopt(one.fd()) }).collect();
    Ok(handles?.try_into().expect("as many"))
}

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    /// The whole environment: nothing is added from this process.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: Option<String>,
    /// Descriptors from 0 on.
    pub(crate) stdio: Vec<Stream>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    /// Whether its console window is hidden.
    #[cfg_attr(not(windows), expect(dead_code, reason = "only Windows gives processes a console"))]
    pub(crate) hides_window: bool,
}

/// A process as the pool needs it; tests have their own.
pub(crate) trait Process: fmt::Debug + Send {
    fn pid(&self) -> u32;
    /// Sends a signal; does nothing once the process is reaped.
    fn signal(&self, number: i32) -> io::Result<()>;
    /// Kills it with all its descendants, soon: it cannot end them itself then.
    fn kill(&self);
    /// From now on it watches for the exit of this process itself: the system need not kill it then.
    fn watches(&self) {}
}

/// This process's ends of the pipes that a recipe asks for, each with the child's descriptor.
pub(crate) type Pipes = Vec<(usize, Handle)>;
