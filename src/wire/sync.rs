//! What a process asks of the program's locks and what else its processes share, and what it is told: each JSON, with the
//! bytes of a value behind it where there is one.
//!
//! Workers send it through their answer rings and hear through their task rings, in frames of
//! [`Kind::Sync`](crate::wire::header::Kind::Sync); the master's own JavaScript calls the same code. A lock that nobody
//! waits for needs none of this: see [`shm::locks`](crate::shm).

use serde::{Deserialize, Serialize};

/// A question or a notice of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The process's own number for the question; the reply has it. 0 if there is none to come.
    pub(crate) id: u32,
    /// The tokens of the lock callbacks that it stands in, the innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inside: Vec<u64>,
    /// The event that it stands in, named as an answer names it: index and flags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<(u32, u32)>,
    pub(crate) ask: Ask,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Exclusive,
    Shared,
}

/// What is asked. Names of different kinds of things are different names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Ask {
    /// A lock: [`Reply::Granted`], or [`Reply::Unavailable`] where it is asked for only if it is available.
    Lock {
        name: String,
        #[serde(default)]
        mode: Mode,
        /// So many may hold it at once: a semaphore. All that ask for the name at one time must say the same.
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        if_available: bool,
        #[serde(default)]
        steal: bool,
    },
    /// A grant is over. No reply.
    Unlock { name: String, token: u64 },
    /// An earlier question is withdrawn. No reply, and none to that question; if it was granted meanwhile, that is over.
    Cancel { question: u32 },
    /// Who holds and who waits: [`Reply::Snapshot`].
    Query,
    /// [`Reply::Number`]: the place in which this party came, from 0 on.
    Barrier { name: String, parties: u32 },
    /// [`Reply::Number`]: how much is left. `ordinal`: the how-many-eth of the event's attempt it is, from 0 on.
    CountDown { name: String, count: u32, n: u32, ordinal: u32 },
    /// [`Reply::Done`] once the latch has come to 0.
    Latch { name: String, count: u32 },
    /// [`Reply::Value`] if it was done, else [`Reply::Run`] for one that is to do it.
    Once { name: String },
    /// What that came to, with its value. No reply.
    OnceDone { name: String, token: u64 },
    /// It failed: the next that waits is to do it. No reply.
    OnceFailed { name: String, token: u64 },
    /// [`Reply::Done`] once so many tokens of the limiter are there. `per` in milliseconds.
    Take { name: String, tokens: f64, per: f64, burst: f64, n: f64 },
    /// [`Reply::Value`] or [`Reply::Nothing`].
    Get { name: String, key: String },
    /// [`Reply::Number`]: the new version; or [`Reply::Nothing`] if it is not at that version (0: not there).
    Set {
        name: String,
        key: String,
        #[serde(default)]
        if_version: Option<u64>,
    },
    /// [`Reply::Number`]: 1 if it was there.
    Delete { name: String, key: String },
}

/// What a process is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) id: u32,
    pub(crate) reply: Reply,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Reply {
    Granted {
        token: u64,
        /// The lock's place in the shared memory and its generation, for next time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<(u32, u32)>,
    },
    Unavailable,
    Failed {
        name: String,
        code: String,
        message: String,
    },
    Number {
        number: u64,
    },
    Done,
    Run {
        token: u64,
    },
    /// The value's bytes follow.
    Value {
        version: u64,
    },
    Nothing,
    Snapshot {
        held: Vec<Info>,
        pending: Vec<Info>,
    },
    /// Unasked, with the id 0: a grant was taken away by one that steals.
    Stolen {
        token: u64,
    },
}

/// A grant or a request, as `locks.query()` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Info {
    pub(crate) name: String,
    pub(crate) mode: Mode,
    /// The process's, as `locks.query` of the Web's specification has it: a string that is one process's alone.
    pub(crate) client_id: String,
    /// None: the master.
    pub(crate) worker: Option<u32>,
    pub(crate) pid: u32,
    /// The event, if it is known.
    pub(crate) event: Option<u32>,
}

#[cfg(test)]
mod tests;
