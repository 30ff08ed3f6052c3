//! The one error type of the core. Every variant names the `code` that JavaScript sees.

use std::io;

use crate::os::child::{Exit, advice, is_shortage};

/// Why a run could not start or could not go on. The text names the worker, the reason and what to
/// do; [`Error::code`] is the `code` property of the JavaScript error made of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// `ERR_SONIC_WORKER_START`: a worker process could not be created at all.
    #[error("worker {worker} could not be started from {program}: {source}{}", advice(source))]
    Spawn { worker: u32, program: String, source: io::Error },

    /// `ERR_SONIC_WORKER_START`: a worker ended before it registered.
    #[error(
        "worker {worker} {exit} without reaching {} ({attempts} attempts){said}{}; \
         the worker re-runs the program, which must reach the same call{}",
        search.title, search.passed(), shown(stderr)
    )]
    StartExit {
        worker: u32,
        exit: Exit,
        attempts: u32,
        said: Said,
        search: Box<Search>,
        stderr: String,
    },

    /// `ERR_SONIC_WORKER_START`: a worker is alive, but nothing in it loaded this package in time.
    #[error(
        "worker {worker} did not load @tiemma/sonic-distribute within {milliseconds} ms: either the \
         program does not come to that there, or its Node stands still, as it may where it gets no \
         thread (`ulimit -u`, the process limit of a container) \
         (SONIC_DISTRIBUTE_START_TIMEOUT sets the deadline in ms){}",
        shown(stderr)
    )]
    NotLoaded { worker: u32, milliseconds: u64, stderr: String },

    /// `ERR_SONIC_CALL_UNREACHABLE`: a worker is alive, but did not register in time.
    #[error(
        "worker {worker} did not reach {} within {milliseconds} ms{}; the worker re-runs the \
         program, which must reach the same call there too: what only the master needs \
         before it belongs behind isMaster(){} \
         (SONIC_DISTRIBUTE_START_TIMEOUT sets the deadline in ms)",
        search.title, search.passed(), search.advice()
    )]
    StartTimeout { worker: u32, milliseconds: u64, search: Box<Search> },

    /// `ERR_SONIC_WORKER_START`: workers keep ending without having run an event.
    #[error(
        "worker {worker} {exit} again and again without having run an event{said}{}",
        said.advice()
    )]
    CrashLoop { worker: u32, exit: Exit, said: Said },

    /// `ERR_SONIC_WORKER_START`: what each worker has to run before any event failed in this one.
    #[error(
        "{title}, which each worker runs first, failed {attempts} times in a row in worker {worker}: {what}"
    )]
    Unprepared { worker: u32, title: String, attempts: u32, what: String },

    /// The code that the worker gave: the worker reached the call and turned it down.
    #[error("{message}")]
    Refused { worker: u32, name: String, code: String, message: String },

    /// `ERR_SONIC_PROTOCOL`: the process at the other end is not a worker of this version.
    #[error("worker {worker} does not speak this version's protocol: {what}")]
    Protocol { worker: u32, what: String },

    /// `ERR_SONIC_NO_WORKER`: no worker runs events with these tags, or will.
    #[error("no worker can run this event: {0}")]
    NoWorker(String),
}

/// The last words of a worker, where it had any.
#[derive(Debug, Default, Clone)]
pub(crate) struct Said {
    /// The uncaught error that it reported.
    pub(crate) uncaught: Option<String>,
    /// The call by which the program ended it, and where that is: `process.exit(0) at /program.js:9:3`.
    pub(crate) exits: Option<String>,
}

impl Said {
    /// What to do about what follows the call, because the call resolves to nothing in a worker as a rule.
    fn advice(&self) -> &'static str {
        match self {
            Self { exits: Some(_), .. } => {
                "; workers run the program too, what comes after the call included, and the call \
                 resolves to undefined there: exit only if isMaster(), or set process.exitCode instead"
            }
            Self { uncaught: Some(_), .. } => {
                "; workers run the program too, what comes after the call included, and the call \
                 resolves to undefined there: what only the master is to do belongs behind isMaster()"
            }
            Self { .. } => "",
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.uncaught, &self.exits) {
            (Some(error), Some(call)) => write!(f, ": {error}; then it called {call}"),
            (Some(error), None) => write!(f, ": {error}"),
            (None, Some(call)) => write!(f, ": it called {call}"),
            (None, None) => Ok(()),
        }
    }
}

/// The call that a worker was started for, and those that it has reached instead.
#[derive(Debug, Default, Clone)]
pub(crate) struct Search {
    /// How texts name the call.
    pub(crate) title: String,
    pub(crate) passed: Vec<String>,
}

impl Search {
    fn passed(&self) -> String {
        if self.passed.is_empty() {
            return String::new();
        }
        format!("; it reached {}", self.passed.join("; "))
    }

    /// What else may be done where one of them may be the call.
    fn advice(&self) -> &'static str {
        if self.passed.is_empty() { "" } else { ", and a name (the option) tells calls apart" }
    }
}

/// So many lines at the end of what a worker wrote are in the text: an uncaught error of Node's with its stack.
const SHOWN: usize = 24;

/// The last lines of what a worker wrote, if there are any, as the end of a text.
fn shown(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return String::new();
    }
    let from = lines.len().saturating_sub(SHOWN);
    format!(". It last wrote to stderr:\n{}", lines[from..].join("\n"))
}

impl Error {
    /// Whether a worker could not be started because the machine had nothing to spare: it may have later.
    pub(crate) fn is_shortage(&self) -> bool {
        matches!(self, Self::Spawn { source, .. } if is_shortage(source))
    }

    /// The `code` of the JavaScript error.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Spawn { .. }
            | Self::StartExit { .. }
            | Self::NotLoaded { .. }
            | Self::CrashLoop { .. }
            | Self::Unprepared { .. } => "ERR_SONIC_WORKER_START",
            Self::StartTimeout { .. } => "ERR_SONIC_CALL_UNREACHABLE",
            Self::Refused { code, .. } => code,
            Self::Protocol { .. } => "ERR_SONIC_PROTOCOL",
            Self::NoWorker(_) => "ERR_SONIC_NO_WORKER",
        }
    }

    /// What the worker last wrote to its error stream, where that tells why.
    pub(crate) fn stderr(&self) -> Option<&str> {
        match self {
            Self::StartExit { stderr, .. } | Self::NotLoaded { stderr, .. }
                if !stderr.is_empty() =>
            {
                Some(stderr)
            }
            _ => None,
        }
    }

    /// The class of the JavaScript error: `TypeError`, `RangeError` or `Error`.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Refused { name, .. } => name,
            _ => "Error",
        }
    }
}
