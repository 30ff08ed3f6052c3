//! When the I/O thread looks after what a program limits. Nothing is scheduled for what it does not.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::pool::{BEATS, Pool};

/// So many looks in the time after which an event is long: nobody minds if that is told a little late.
const LONG_LOOKS: u32 = 4;

/// Looks until the run is over, and the runtime with it.
pub(super) fn begin(pool: &Arc<Pool>) {
    let limits = &pool.launch.limits;
    if let Some(timeout) = limits.task_timeout {
        tokio::spawn(look_for_late(Arc::clone(pool), timeout));
    }
    if let Some(limit) = limits.heartbeat {
        tokio::spawn(look_for_stalled(Arc::clone(pool), limit));
    }
    // Where events have a limit of their own, nobody needs to be told of one that is long.
    if let Some(after) = limits.hint.filter(|_| limits.task_timeout.is_none()) {
        tokio::spawn(look_for_long(Arc::clone(pool), after));
    }
    if let Some(most) = limits.max_memory {
        tokio::spawn(look_for_large(Arc::clone(pool), most));
    }
}

async fn look_for_late(pool: Arc<Pool>, timeout: u32) {
    loop {
        sleep(pool.look_for_late(timeout)).await;
    }
}

async fn look_for_stalled(pool: Arc<Pool>, limit: Duration) {
    loop {
        sleep(limit / BEATS).await;
        pool.look_for_stalled(limit);
    }
}

async fn look_for_long(pool: Arc<Pool>, after: u32) {
    loop {
        sleep(Duration::from_millis(after.into()) / LONG_LOOKS).await;
        pool.look_for_long(after);
    }
}

async fn look_for_large(pool: Arc<Pool>, most: u64) {
    loop {
        sleep(pool.look_for_large(most)).await;
    }
}

/// Gives a worker that was let go its time to end.
pub(super) async fn end_lingering(pool: Arc<Pool>, slot: usize, pid: u32) {
    if let Some(limit) = pool.launch.limits.grace {
        sleep(limit).await;
        pool.has_lingered(slot, pid, limit);
    }
}
