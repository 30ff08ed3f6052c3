//! When the I/O thread looks after what a program limits. Nothing is scheduled for what it does not.

use std::sync::Arc;

use tokio::time::sleep;

use crate::pool::Pool;

/// Looks until the run is over, and the runtime with it.
pub(super) fn begin(pool: &Arc<Pool>) {
    let limits = &pool.launch.limits;
    if let Some(timeout) = limits.task_timeout {
        tokio::spawn(look_for_late(Arc::clone(pool), timeout));
    }
}

async fn look_for_late(pool: Arc<Pool>, timeout: u32) {
    loop {
        sleep(pool.look_for_late(timeout)).await;
    }
}
