//! What a program allows its workers. Plain numbers; lib/options.js checks them, who keeps to them is the
//! pool's business. None: nobody looks.

use std::time::Duration;

/// See `RunOptions` in index.d.ts; `hint` is from the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    /// The most milliseconds that an event may run.
    pub(crate) task_timeout: Option<u32>,
    /// How long the I/O thread of a worker may give no sign of life.
    pub(crate) heartbeat: Option<Duration>,
    /// How long a worker that was let go may take to end.
    pub(crate) grace: Option<Duration>,
    /// After so many events a worker is replaced.
    pub(crate) max_tasks: Option<u32>,
    /// When it has more bytes than this in memory a worker is replaced.
    pub(crate) max_memory: Option<u64>,
    /// After so many milliseconds of one event the program is told that it still runs.
    pub(crate) hint: Option<u32>,
}
