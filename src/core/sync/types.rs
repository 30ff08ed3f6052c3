//! What the core of the locks is told and what it says, beside the messages of [`wire::sync`](crate::wire::sync).

use std::sync::Arc;

use crate::core::task_id::TaskId;
use crate::wire::sync::{Asked, Mode, Told};

/// An event of any pool of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EventName {
    pub(crate) pool: u32,
    pub(crate) task: TaskId,
}

/// Who asks: a process, and the event that it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Party {
    /// The process's number.
    pub(crate) owner: u16,
    pub(crate) event: Option<EventName>,
}

/// What a process says, or asks.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) party: Party,
    /// When it said so, by its own account.
    pub(crate) at: f64,
    pub(crate) asked: Asked,
    /// The bytes behind the message, if it has any.
    pub(crate) value: Option<Arc<[u8]>>,
}

/// What texts and snapshots say of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Who {
    /// None: it is no worker, but the master or a client.
    pub(crate) worker: Option<u32>,
    pub(crate) pid: u32,
}

/// An exclusive grant, as the shared memory has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Holder {
    pub(crate) owner: u16,
    pub(crate) event: Option<EventName>,
    pub(crate) token: u64,
    /// When it was granted, in milliseconds of the same clock as every `now`.
    pub(crate) since: f64,
}

/// The memory that all processes of the program share, in which a lock is taken without asking anybody. A lock that the core
/// knows is *managed*: no process can take or release it there.
pub(crate) trait Words {
    /// The lock is managed from now on. Returns who had taken it without asking.
    fn adopt(&mut self, name: &str) -> Option<Holder>;
    /// A managed lock has this only holder. Returns the lock's place and generation, if there is a place for it.
    fn hold(&mut self, name: &str, holder: &Holder) -> Option<(u32, u32)>;
    /// A managed lock is free, and not managed any more.
    fn free(&mut self, name: &str);
    /// Greater than all before it, in the whole program.
    fn next_token(&mut self) -> u64;
    /// The locks that are taken and not managed, with their names.
    fn unmanaged(&self) -> Vec<(String, Holder)>;
}

/// A message to a process.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Out {
    pub(crate) owner: u16,
    pub(crate) told: Told,
    pub(crate) value: Option<Arc<[u8]>>,
}

/// How an attempt of an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Answered,
    /// It failed, and the event with it.
    Failed,
    /// It failed, and there will be another attempt.
    Retried,
}

/// Who is able to come to a barrier, or to count a latch down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Able {
    /// Whether another event could begin: a worker is free, or there will be another one.
    pub(crate) is_open: bool,
    /// The events that run, of all pools.
    pub(crate) running: Vec<EventName>,
}

/// What the core knows of the use of one lock. Locks that were taken without asking are not counted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LockStatistics {
    pub(crate) name: Arc<str>,
    /// How many requests were granted.
    pub(crate) granted: u64,
    /// How many of them had to wait.
    pub(crate) waited: u64,
    /// How long requests waited, those included that did not. Milliseconds, as all that follows.
    pub(crate) wait_p50: f64,
    pub(crate) wait_p99: f64,
    pub(crate) wait_max: f64,
    /// How long it was held in all, the time of each holder counted.
    pub(crate) held: f64,
}

/// Something that a process has waited for, or has held.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) is_hold: bool,
    pub(crate) who: Who,
    pub(crate) party: Party,
    /// A lock, a barrier, …
    pub(crate) kind: &'static str,
    /// Of a lock.
    pub(crate) mode: Option<Mode>,
    pub(crate) name: Arc<str>,
    pub(crate) from: f64,
    pub(crate) until: f64,
}
