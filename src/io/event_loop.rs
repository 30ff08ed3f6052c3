//! The thread and its event loop. It sleeps unless a worker says something or the pool orders something.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::spawn::{self, Served};
use super::{listen, monitors};
use crate::os::tried::{Step, tried};
use crate::pool::Pool;
use crate::pool::order::Order;

/// How long a worker that was notified of an event may take to claim it before another is woken too, up to twice: much
/// longer than a wake-up takes, and no longer than an event that counts as short.
const WATCH: Duration = Duration::from_millis(1);

/// How often answers are taken in that no worker notifies for: what was answered is known within five milliseconds
/// whatever its worker does next, and a timer may be one or two late.
const POLL: Duration = Duration::from_millis(2);

/// What the I/O thread is sent.
#[derive(Debug)]
pub(crate) enum Input {
    /// The pool wants something.
    Order(Order),
    /// Listen to a worker that was started.
    Serve(Box<Served>),
}

/// The pool, and the way to its I/O thread.
#[derive(Debug, Clone)]
pub(crate) struct Io {
    pub(crate) pool: Arc<Pool>,
    pub(crate) inputs: mpsc::UnboundedSender<Input>,
}

impl Io {
    /// The thread outlives every worker; when it is gone, so is the pool.
    pub(super) fn send(&self, input: Input) {
        let _ = self.inputs.send(input);
    }
}

/// Starts the I/O thread of a pool.
pub(crate) fn run(
    io: Io,
    inputs: mpsc::UnboundedReceiver<Input>,
) -> io::Result<thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(
        tried(Step::Resource, "preparing to wait for workers", "epoll_create1, eventfd"),
    )?;
    thread::Builder::new()
        .name("sonic-io".into())
        .spawn(move || runtime.block_on(obey(io, inputs)))
        .map_err(tried(Step::Resource, "starting a thread", "clone"))
}

pub(super) async fn obey(io: Io, mut inputs: mpsc::UnboundedReceiver<Input>) {
    io.pool.watch_kills();
    monitors::begin(&io.pool);
    while let Some(input) = inputs.recv().await {
        let pool = Arc::clone(&io.pool);
        let order = match input {
            Input::Serve(served) => {
                tokio::spawn(listen::listen(pool, served));
                continue;
            }
            Input::Order(order) => order,
        };
        match order {
            Order::Start { slot, delay } => {
                tokio::spawn(spawn::restart(io.clone(), slot, delay));
            }
            Order::Watch => {
                tokio::spawn(repeat(pool, WATCH, Pool::watched));
            }
            Order::Poll => {
                tokio::spawn(repeat(pool, POLL, Pool::polled));
            }
            Order::BackOff { task, again } => {
                let delay = Duration::try_from_secs_f64(again.delay / 1e3).unwrap_or_default();
                after(delay, move || pool.backed_off(task, again.after));
            }
            Order::Flush { run, node, generation, after: delay } => {
                after(delay, move || pool.flush_batch(run, node, generation));
            }
            Order::Monitor { run } => monitors::follow(&pool, run),
            Order::EndRun { run, grace } => after(grace, move || pool.end_run(run)),
            Order::SeeAbandoned { slot, pid, after: delay, is_last } => {
                after(delay, move || pool.see_abandoned(slot, pid, is_last));
            }
            Order::EndLingering { slot, pid, grace } => {
                after(grace, move || pool.has_lingered(slot, pid, grace));
            }
            Order::Mail => pool.flush(),
            Order::Stop => break,
            Order::Abandon => {
                pool.abandon();
                break;
            }
        }
    }
}

fn after(delay: Duration, act: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        sleep(delay).await;
        act();
    });
}

/// Does this after each such pause, until it is false.
async fn repeat(pool: Arc<Pool>, pause: Duration, act: fn(&Pool) -> bool) {
    loop {
        sleep(pause).await;
        if !act(&pool) {
            break;
        }
    }
}
