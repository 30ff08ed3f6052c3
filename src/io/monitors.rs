//! When the limits of a pool and of its runs are checked. Nothing is scheduled for what is not limited.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::core::task_id::RunId;
use crate::pool::{HEARTBEATS, Pool};

/// So many checks in the time after which an event is long: nobody minds if that is told a little late.
const LONG_CHECKS: u32 = 4;

/// Checks workers until the pool is over, and the runtime with it.
pub(super) fn begin(pool: &Arc<Pool>) {
    let limits = &pool.launch.limits;
    if let Some(limit) = limits.heartbeat {
        tokio::spawn(check_heartbeats(Arc::clone(pool), limit));
    }
    if pool.launch.limits_memory() {
        tokio::spawn(check_memory(Arc::clone(pool)));
    }
}

/// Checks the events of a run until it is over.
pub(super) fn follow(pool: &Arc<Pool>, run: RunId) {
    let Some(options) = pool.options_of(run) else { return };
    if let Some(timeout) = options.task_timeout {
        tokio::spawn(check_late(Arc::clone(pool), run, timeout));
    }
    // Where events have a limit of their own, nobody needs to be told of one that is long.
    if let Some(after) = options.hint.filter(|_| options.task_timeout.is_none()) {
        tokio::spawn(check_long(Arc::clone(pool), run, after));
    }
}

async fn check_late(pool: Arc<Pool>, run: RunId, timeout: u32) {
    while let Some(next) = pool.check_late(run, timeout) {
        sleep(next).await;
    }
}

async fn check_long(pool: Arc<Pool>, run: RunId, after: u32) {
    while pool.check_long(run, after) {
        sleep(Duration::from_millis(after.into()) / LONG_CHECKS).await;
    }
}

async fn check_heartbeats(pool: Arc<Pool>, limit: Duration) {
    loop {
        sleep(limit / HEARTBEATS).await;
        pool.check_heartbeats(limit);
    }
}

async fn check_memory(pool: Arc<Pool>) {
    loop {
        sleep(pool.check_memory()).await;
    }
}
