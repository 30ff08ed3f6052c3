//! What the pool asks of the I/O thread: everything that waits. The pool only sends these; it knows nobody who obeys.

use std::time::Duration;

use crate::core::retry::Again;
use crate::core::task_id::{RunId, TaskId};

/// An order for the I/O thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Order {
    /// Start a worker in `slot` after `delay`.
    Start { slot: usize, delay: Duration },
    /// See that the workers that were notified come: [`Pool::watched`](super::Pool::watched) again and again, until it
    /// is false.
    Watch,
    /// Take in answers that no worker notifies for: [`Pool::polled`](super::Pool::polled) again and again, until it is
    /// false.
    Poll,
    /// Say when an event has backed off that is to be tried again.
    BackOff { task: TaskId, again: Again },
    /// Say when a batch of a flow has waited for long enough.
    Flush { run: RunId, node: usize, generation: u64, after: Duration },
    /// Look after the limits of a run until it is over.
    Monitor { run: RunId },
    /// Kill what still runs of a stopped run when its grace is over.
    EndRun { run: RunId, grace: Duration },
    /// See after so long what has become of events that a worker was to give up.
    SeeAbandoned { slot: usize, pid: u32, after: Duration, is_last: bool },
    /// Kill a worker that was released, if it is still there after its grace.
    EndLingering { slot: usize, pid: u32, grace: Duration },
    /// There is mail of the hub: [`Pool::flush`](super::Pool::flush).
    Mail,
    /// The pool is over.
    Stop,
    /// JavaScript is gone, and the pool with it.
    Abandon,
}
