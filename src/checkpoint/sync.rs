//! When what is written reaches the disk: it survives this process at once, and the machine from then on.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// When the system likes.
    Never,
    /// Before anybody hears of the answer.
    Always,
    /// So long after it was written, at most.
    Every(Duration),
}

/// Has the system write a file to the disk every now and then, on a thread of its own: that may take long.
#[derive(Debug)]
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_written: AtomicBool,
    is_over: AtomicBool,
    error: Mutex<Option<io::Error>>,
}

impl Syncer {
    pub(super) fn start(file: Arc<File>, interval: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let run = move || {
            while !its.is_over.load(Ordering::Acquire) {
                std::thread::park_timeout(interval);
                its.sync(&file);
            }
        };
        let thread = Builder::new().name("sonic-checkpoint".into()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// There is something that is not on the disk.
    pub(super) fn has_written(&self) {
        self.shared.is_written.store(true, Ordering::Release);
    }

    /// Writes what is left. Why the disk did not take it, if that is so.
    pub(super) fn stop(self) -> Option<io::Error> {
        let shared = Arc::clone(&self.shared);
        drop(self);
        shared.error()
    }

    /// Why the disk did not take it, if that is so.
    pub(super) fn error(&self) -> Option<io::Error> {
        self.shared.error()
    }
}

impl Shared {
    fn error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn sync(&self, file: &File) {
        if self.is_written.swap(false, Ordering::AcqRel)
            && let Err(error) = file.sync_data()
        {
            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It has nothing to say that is not in `error`.
            let _ = thread.join();
        }
    }
}
