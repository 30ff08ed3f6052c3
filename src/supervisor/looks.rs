//! When the I/O thread looks after what a program limits. Nothing is scheduled for what it does not.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::pool::{BEATS, Pool};

/// Looks until the run is over, and the runtime with it.
pub(super) fn begin(pool: &Arc<Pool>) {
    let limits = &pool.launch.limits;
    if let Some(timeout) = limits.task_timeout {
        tokio::spawn(look_for_late(Arc::clone(pool), timeout));
    }
    if let Some(limit) = limits.heartbeat {
        tokio::spawn(look_for_stalled(Arc::clone(pool), limit));
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
