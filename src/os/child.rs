//! Starts one process and says how it ended. It knows nothing of what the process is for.

#[cfg(any(windows, test))]
mod block;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{fmt, io};

use crate::os::socket::Handle;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    Child, advice, descriptor, end_now, end_with_descendants, is_shortage, parent, resident,
    watch_parent,
};

/// How a process ended.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i64),
    Signal(i32),
    /// The system could not say.
    Unknown,
}

impl Exit {
    pub(crate) fn code(self) -> Option<i64> {
        if let Self::Code(code) = self { Some(code) } else { None }
    }

    /// Whether somebody killed it for good.
    pub(crate) fn is_kill(self) -> bool {
        system::is_kill(self)
    }

    /// Whether it gave up itself, in any of the ways in which V8 does, by its version and the compiler.
    pub(crate) fn is_abort(self) -> bool {
        system::is_abort(self)
    }

    /// The signal's name, such as `SIGKILL`.
    pub(crate) fn signal(self) -> Option<String> {
        let Self::Signal(number) = self else { return None };
        Some(system::name_of(number).unwrap_or_else(|| format!("signal {number}")))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(_) => write!(f, "was killed by {}", self.signal().unwrap_or_default()),
            Self::Unknown => f.write_str("ended in a way that the system did not tell"),
        }
    }
}

/// Where one of a child's file descriptors leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Inherit,
    Ignore,
    /// A new pipe; this end is in [`Child::pipes`].
    Pipe,
    /// This process's own descriptor of that number.
    Fd(i32),
}

/// What a descriptor stands for that a parent has put into this process.
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

/// Takes over the descriptors that a parent has put into this process, close-on-exec from now on: all of them, or none
/// if there is one that cannot have come so. Their numbers are not believed.
///
/// # Safety
/// Those that are what they are said to be are owned by nobody else in this process.
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
    // SAFETY: open, and another than the rest (above); owned by nobody else (the contract).
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
    /// No console window is to be seen, where processes have one.
    #[cfg_attr(not(windows), expect(dead_code, reason = "only Windows gives processes a console"))]
    pub(crate) hides_window: bool,
}

/// A process as the pool needs it; a test has its own.
pub(crate) trait Process: fmt::Debug + Send {
    fn pid(&self) -> u32;
    /// Sends a signal; does nothing once the process has been reaped.
    fn signal(&self, number: i32) -> io::Result<()>;
    /// Has it ended soon, with all its descendants: one that is ended by force cannot end them itself.
    fn kill(&self);
    /// It ends by itself from now on when this process has ended, if it is to: the system need not do it.
    fn watches(&self) {}
}

/// This process's ends of the pipes that a recipe asked for: the child's descriptor, and ours.
pub(crate) type Pipes = Vec<(usize, Handle)>;
