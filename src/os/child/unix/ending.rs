//! Ends processes in the order that leaves nothing behind: this process does not exit while a kill is under way, and a
//! child whose kill is pending takes its descendants with it.

use std::sync::{Condvar, Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use super::system;
use crate::os::tree;

/// A kill that is under way, with processes that are stopped for it: if this process exited before it is over, they
/// would stay stopped for ever.
pub(super) struct Kill;

/// How many kills are under way.
static KILLS: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Kill {
    pub(super) fn begin() -> Self {
        static AT_EXIT: Once = Once::new();
        AT_EXIT.call_once(|| at_exit(finish_kills));
        *lock_kills() += 1;
        Self
    }
}

impl Drop for Kill {
    fn drop(&mut self) {
        *lock_kills() -= 1;
        KILLS.1.notify_all();
    }
}

fn lock_kills() -> MutexGuard<'static, usize> {
    KILLS.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until all kills are over: some milliseconds, as a rule.
extern "C" fn finish_kills() {
    const LONGEST: Duration = Duration::from_secs(3);
    // Poisoned or late, nothing more can be done.
    let _ = KILLS.1.wait_timeout_while(lock_kills(), LONGEST, |count| *count > 0);
}

/// Has the C library call a function when this process exits.
fn at_exit(function: extern "C" fn()) {
    // SAFETY: the function may run at any time, as long as this library is loaded; the system runs it before it unloads
    // the library. If it is not registered, there is only a gap of a moment.
    unsafe { libc::atexit(function) };
}

/// From now on this child process watches for the exit of its parent itself, so the system no longer kills it then. If
/// it is stopped at that time, Linux continues it, so that it can watch. Called on the thread that the process began with.
///
/// `is_doomed` says whether the parent is about to kill this process. If it then exits by itself, it kills its
/// descendants, because the parent may be too late to find them.
pub(crate) fn watch_parent(is_doomed: impl Fn() -> bool + Send + Sync + 'static) {
    system::continue_with_parent();
    if DOOM.set(Box::new(is_doomed)).is_ok() {
        at_exit(finish_doom);
    }
}

static DOOM: OnceLock<Box<dyn Fn() -> bool + Send + Sync>> = OnceLock::new();

extern "C" fn finish_doom() {
    if DOOM.get().is_some_and(|is_doomed| is_doomed()) {
        end_with_descendants();
    }
}

/// Kills this process, a child, and all its descendants.
pub(crate) fn end_with_descendants() {
    if let Some(identity) = tree::identity(std::process::id()) {
        tree::kill_descendants(identity);
    }
    // It cannot fail for this process itself.
    let _ = kill_process(getpid(), Signal::KILL);
}

/// Ends this process at once: no handler of the program or of a library runs.
pub(crate) fn end_now(code: i32) -> ! {
    // SAFETY: no memory is touched.
    unsafe { libc::_exit(code) }
}
