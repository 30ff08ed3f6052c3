//! The hub of this process, in the master.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sync::{Hub, Stay};

/// The last one, once something needed it.
static HUB: Mutex<Option<Arc<Hub>>> = Mutex::new(None);

/// The hub, once it is good for something: there is another if the last one was given up.
fn hub_that<T>(is_good: impl Fn(&Arc<Hub>) -> Option<T>) -> io::Result<T> {
    let mut hub = HUB.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(good) = hub.as_ref().and_then(&is_good) {
        return Ok(good);
    }
    let made = Hub::new()?;
    let good = is_good(&made).ok_or_else(|| io::Error::other("a new hub was given up"))?;
    *hub = Some(made);
    Ok(good)
}

/// For the program's own locks.
pub(super) fn hub() -> io::Result<Arc<Hub>> {
    hub_that(|hub| hub.keep().then(|| Arc::clone(hub)))
}

/// For one more pool.
pub(super) fn stay() -> io::Result<Stay> {
    hub_that(Hub::stay)
}

/// The last one, if there was any.
pub(super) fn last() -> Option<Arc<Hub>> {
    HUB.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
