//! Whether another worker takes the place of one that exited while its pool goes on.

use std::time::Duration;

use crate::core::error::{Error, Said, Search};
use crate::os::child::Exit;

/// How often in a row a worker may exit without having run an event before it is given up: once may be an accident, and
/// what fails three times fails always.
pub(crate) const ATTEMPTS: u32 = 3;

/// The wait before the second restart in a row, so that workers which cannot live do not use up the machine; the first
/// restart is immediate.
const BACKOFF: Duration = Duration::from_millis(100);

/// How far a worker came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reached {
    /// It did not say who it is, so nothing in it loaded this package.
    Nothing,
    Package,
    /// The program reached its call there.
    Call,
}

/// What is known when a worker has exited.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) worker: u32,
    pub(crate) exit: Exit,
    pub(crate) reached: Reached,
    pub(crate) timed_out: bool,
    /// It ran an event, or was asked to go.
    pub(crate) proven: bool,
    /// Exits in a row that were not proven, this one included.
    pub(crate) failures: u32,
    pub(crate) said: Said,
    pub(crate) search: Box<Search>,
    /// What it last wrote to its error stream, as far as that is known.
    pub(crate) stderr: String,
    pub(crate) deadline: Duration,
    /// The work that it had to run before any event, if that failed.
    pub(crate) unprepared: Option<Unprepared>,
    /// Why it turned the call down, if it did.
    pub(crate) refusal: Option<Error>,
}

/// Work that a worker had to run before any event.
#[derive(Debug)]
pub(crate) struct Unprepared {
    /// How texts name it.
    pub(crate) title: String,
    /// How it failed.
    pub(crate) what: String,
}

/// What follows from an exit.
#[derive(Debug)]
pub(crate) enum Verdict {
    Restart(Duration),
    Retire(Error),
}

/// See the module's text.
pub(crate) fn judge(ending: Ending) -> Verdict {
    let Ending {
        worker,
        exit,
        reached,
        timed_out,
        proven,
        failures,
        said,
        search,
        stderr,
        deadline,
        unprepared,
        refusal,
    } = ending;
    if timed_out {
        let milliseconds = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        return Verdict::Retire(if reached == Reached::Nothing {
            Error::NotLoaded { worker, milliseconds, stderr }
        } else {
            Error::StartTimeout { worker, milliseconds, search }
        });
    }
    if proven || failures < ATTEMPTS {
        let delay = if failures > 1 { BACKOFF * (failures - 1) } else { Duration::ZERO };
        return Verdict::Restart(delay);
    }
    if let Some(error) = refusal {
        return Verdict::Retire(error);
    }
    if let Some(Unprepared { title, what }) = unprepared {
        return Verdict::Retire(Error::Unprepared { worker, title, attempts: failures, what });
    }
    Verdict::Retire(if reached == Reached::Call {
        Error::CrashLoop { worker, exit, said }
    } else {
        Error::StartExit { worker, exit, attempts: failures, said, search, stderr }
    })
}

#[cfg(test)]
mod tests;
