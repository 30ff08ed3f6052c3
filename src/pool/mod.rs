//! A pool: its workers, its lanes, and the runs that it serves, under one lock that the master's JavaScript thread and the
//! I/O thread take turns at.
//!
//! Whoever has something to do locks the state, does it to the end and leaves: JavaScript when a worker has to be woken or
//! it looks at results, the I/O thread when a worker notifies or exits. Nothing in here waits, and under the lock nothing
//! runs but memory copies and a few bytes to a socket. So an idle worker is woken straight from the thread that sent the
//! event, and results are collected without JavaScript. What has to wait (reading sockets, timers, restarts) is the I/O
//! thread's: the pool sends it an [`Order`].
//!
//! | file | what it does |
//! |---|---|
//! | `calls` | what JavaScript asks of a pool and its runs |
//! | `heard` | what the I/O thread tells it |
//! | `state`, `runs` | what a pool and its runs know; what follows from each change |
//! | `collect` | claims and frames from workers, turned into what they mean |
//! | `dispatch` | effects carried out: lanes, task rings, wake-ups |
//! | `flow` | events of flows: what they make, what fails, nodes that hold what comes |
//! | `route`, `tagged` | events that name their workers, by tags or a key; lanes of their own for tags |
//! | `credit` | how much more each run may hand over |
//! | `each`, `resize` | work that every worker runs; how many there are |
//! | `exit`, `fail` | what an exit costs, how events fail, whether they are tried again |
//! | `sharing` | locks and what else its workers share with all processes of the program, through the hub |
//! | `checkpoint` | answers written down, and taken from the file |
//! | `note` | what events add to their run beside their answers |
//! | `abandon` | events that end although their worker goes on |
//! | `monitor`, `hints`, `tell` | limits, advice, and how far a run has come |
//! | `entry` | answers and entries made of their parts |
//! | `connection`, `node_channel` | the wires to one worker |

mod abandon;
mod calls;
mod chain;
pub(crate) mod checkpoint;
mod collect;
pub(crate) mod connection;
mod credit;
mod dispatch;
pub(crate) mod each;
mod entry;
mod exit;
mod fail;
mod flow;
mod heard;
mod hints;
pub(crate) mod launch;
mod listen;
mod monitor;
pub(crate) mod node_channel;
mod note;
pub(crate) mod order;
pub(crate) mod resize;
pub(crate) mod route;
mod runs;
mod sharing;
mod slot;
mod state;
mod tagged;
pub(crate) mod tell;
mod wake;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::launch::Launch;
pub(crate) use self::monitor::HEARTBEATS;
use self::order::Order;
use self::sharing::Sharing;
use self::state::State;
use crate::os::cgroup::Kills;
use crate::os::child::Exit;
use crate::os::memory::Memory;
use crate::os::socket::Handle;
use crate::sync::{Looks, Stay};

pub(crate) type SendOrder = Arc<dyn Fn(Order) + Send + Sync>;

/// Shared by the two threads; see the module's text.
pub(crate) struct Pool {
    state: Mutex<State>,
    /// JavaScript was called, and has not come yet.
    is_called: AtomicBool,
    /// Calls JavaScript, from any thread: there is something to look at.
    call: Box<dyn Fn() + Send + Sync>,
    /// Processes that the system killed.
    kills: Mutex<Kills>,
    /// Sends an order to the I/O thread.
    send: SendOrder,
    pub(crate) launch: Launch,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("launch", &self.launch).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool without processes yet. `memory` is mapped from `shared`.
    pub(crate) fn new(
        launch: Launch,
        (shared, memory): (Handle, Arc<Memory>),
        stay: Stay,
        send: SendOrder,
        call: Box<dyn Fn() + Send + Sync>,
    ) -> io::Result<Self> {
        let mail = Arc::clone(&send);
        let member = stay.hub().enter(Looks::ByItself, move || mail(Order::Mail));
        let sharing = Sharing::new(stay, member);
        let state = Mutex::new(State::new(&launch, memory, shared, sharing)?);
        let (is_called, kills) = (AtomicBool::new(false), Mutex::default());
        Ok(Self { state, is_called, call, kills, send, launch })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock aborts the process in a release build; in a test build the state is still whole enough
        // to fail with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` on the state, then everything that follows from it.
    fn enter<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let value = work(&mut state);
        state.settle(self);
        value
    }

    fn order(&self, order: Order) {
        (self.send)(order);
    }

    /// Calls JavaScript, unless it was called and has not come yet.
    fn call(&self) {
        if !self.is_called.swap(true, Ordering::SeqCst) {
            (self.call)();
        }
    }

    // ---- processes that the system kills ----

    /// From now on it is noted which processes the system kills for want of memory.
    pub(crate) fn watch_kills(&self) {
        *self.kills() = Kills::watch();
    }

    /// Notes which ones it has killed by now: so what it killed long ago is no worker that exits later.
    pub(crate) fn look_for_kills(&self) {
        self.kills().look();
    }

    /// Whether the system has killed for want of memory what has just exited so.
    fn has_system_killed(&self, exit: Exit) -> bool {
        exit.is_kill() && self.kills().has_killed()
    }

    fn kills(&self) -> MutexGuard<'_, Kills> {
        self.kills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// They play the other side with a socket.
#[cfg(all(test, unix))]
pub(crate) mod tests;
