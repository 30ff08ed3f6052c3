//! Waits for the exit of a child: without a thread where a descriptor stands for the child (a pidfd on Linux), with a
//! thread for each child elsewhere. It reaps the child in any case, and decides nothing.

use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::{Child, Exit};

/// How often a child is checked for which there was neither a thread nor a descriptor to spare.
const POLL: Duration = Duration::from_millis(10);

/// What the thread needs that waits for a child.
const STACK: usize = 64 * 1024;

/// The exit of a child, to be awaited on the I/O thread.
#[must_use]
#[derive(Debug)]
pub(crate) enum ExitWatch {
    /// A thread waits, and sends the exit.
    Thread(oneshot::Receiver<Exit>),
    /// The I/O thread waits itself.
    Here(Unreaped),
}

impl ExitWatch {
    pub(super) fn new(child: Child) -> Self {
        let thread = if child.pidfd().is_none() { reap_in_thread(child.clone()) } else { None };
        thread.map_or_else(|| Self::here(child), Self::Thread)
    }

    pub(super) fn here(child: Child) -> Self {
        Self::Here(Unreaped(child))
    }

    /// Waits for the exit, within the I/O thread's runtime.
    pub(crate) async fn wait(self) -> Exit {
        let child = match self {
            Self::Thread(exit) => return exit.await.unwrap_or(Exit::Unknown),
            Self::Here(child) => child,
        };
        if let Some(pidfd) = child.0.pidfd() {
            pidfd.until_exit().await;
        }
        loop {
            if let Some(exit) = child.0.exit() {
                return exit;
            }
            // Only where nothing could be waited for.
            sleep(POLL).await;
        }
    }
}

/// A child that a thread reaps if nobody has by the time this is dropped: the I/O thread ends first where JavaScript is
/// gone.
#[derive(Debug)]
pub(crate) struct Unreaped(Child);

impl Drop for Unreaped {
    fn drop(&mut self) {
        if self.0.exit().is_none() {
            // Without a thread the child stays a zombie until this process exits.
            let _ = reap_in_thread(self.0.clone());
        }
    }
}

/// Has a thread wait for the child. None if there is no thread to spare.
fn reap_in_thread(child: Child) -> Option<oneshot::Receiver<Exit>> {
    let (ended, exit) = oneshot::channel();
    let reap = move || {
        // Nobody may want to know any more.
        let _ = ended.send(child.block_until_exit());
    };
    let thread = thread::Builder::new().name("sonic-reaper".into()).stack_size(STACK);
    thread.spawn(reap).is_ok().then_some(exit)
}
