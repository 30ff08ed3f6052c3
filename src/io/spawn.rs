//! Starts workers: the process, its wires, and what it is told.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::event_loop::{Input, Io};
use super::relay::Relay;
use crate::core::error::Error;
use crate::core::sync::Who;
use crate::os::child::{self, Child, ExitWatch, Pipes, Process, Recipe, descriptor};
use crate::os::memory::Memory;
use crate::os::socket::{self, Handle, Stream};
use crate::os::tried::{Step, tried};
use crate::pool::Pool;
use crate::pool::connection::Connection;
use crate::pool::node_channel::NodeChannel;
use crate::pool::order::Order;
use crate::pool::resize::Place;
use crate::shm::stopwatch;
use crate::wire::layout::Layout;
use crate::wire::note::Note;
use crate::wire::protocol::{Invitation, VARIABLE, VERSION};

/// How often a worker is tried to be started again when the machine has no process, descriptor or memory to spare, and the
/// first pause; each further one is twice as long, so that it is three seconds in all.
const SHORTAGE_ATTEMPTS: u32 = 5;
const SHORTAGE_DELAY: Duration = Duration::from_millis(100);

/// A started worker's streams, for the I/O thread.
#[derive(Debug)]
pub(crate) struct Served {
    pub(super) slot: usize,
    pub(super) worker: u32,
    pub(super) pid: u32,
    pub(super) token: String,
    pub(super) control: Stream,
    pub(super) channel: Stream,
    pub(super) writer: Arc<NodeChannel>,
    pub(super) exit: ExitWatch,
    pub(super) relay: Option<Relay>,
}

/// A process that was started, as JavaScript needs to know it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) worker: u32,
    pub(crate) pid: u32,
    /// The worker's descriptor and this process's end of the pipe, which is the caller's now.
    pub(crate) pipes: Vec<(usize, i32)>,
}

/// What to make of an error where memory was to be mapped that processes share.
pub(crate) fn mapping() -> impl FnOnce(io::Error) -> io::Error {
    tried(Step::Resource, "mapping shared memory", "mmap")
}

/// Starts a worker in `slot`, from whichever thread, and has the I/O thread listen to it. With
/// `announce` JavaScript is told by a note.
fn start(io: &Io, slot: usize, announce: bool) -> Result<Started, Error> {
    let pool = &io.pool;
    let launch = &pool.launch;
    let Place { worker, node_args } = pool.place(slot);
    let failed =
        |source: io::Error| Error::Spawn { worker, program: launch.recipe.program.clone(), source };
    let wires = socket::wires(Layout::LEN).map_err(failed)?;
    let token = socket::token()
        .map_err(tried(Step::Resource, "taking random bytes", "getrandom"))
        .map_err(failed)?;
    let memory = Arc::new(Memory::of(&wires.memory).map_err(mapping()).map_err(failed)?);
    let first = i32::try_from(launch.recipe.stdio.len().max(3)).unwrap_or(3);
    stopwatch::reset(&memory);
    if !launch.is_for_one_run {
        memory.word(Layout::WITHHELD).store(Layout::PREPARES, Ordering::SeqCst);
    }
    let (common, owner) = pool.membership().map_err(failed)?;
    let invitation = Invitation {
        version: VERSION,
        pool: launch.number,
        call: launch.call.clone(),
        worker,
        control: first + 1,
        memory: first + 2,
        lanes: first + 3,
        common: first + 4,
        owner: owner.number(),
        slot: u32::try_from(slot).expect("fewer slots than ids"),
        group: u32::try_from(launch.group_of(slot)).unwrap_or_default(),
        serialization: launch.serialization.clone(),
        spill: launch.spill(),
        times: launch.notes_times,
        concurrency: u32::try_from(launch.concurrency(slot)).unwrap_or(u32::MAX),
        max_tasks: launch.max_tasks(slot),
        parent: std::process::id(),
        token: token.clone(),
    };
    let mut recipe = launch.recipe.clone();
    recipe.args.splice(0..0, node_args);
    let is_relayed = relay_stderr(pool, slot, &mut recipe);
    recipe.env.extend(launch.group(slot).env.iter().cloned());
    let invitation = serde_json::to_string(&invitation).expect("plain data is serialisable");
    recipe.env.extend([
        ("NODE_UNIQUE_ID".to_owned(), worker.to_string()),
        ("NODE_CHANNEL_FD".to_owned(), first.to_string()),
        ("NODE_CHANNEL_SERIALIZATION_MODE".to_owned(), "json".to_owned()),
        (VARIABLE.to_owned(), invitation),
    ]);
    let extra = vec![
        (wires.theirs.channel, first),
        (wires.theirs.control, first + 1),
        (wires.theirs.memory, first + 2),
        (pool.shared_memory().map_err(failed)?, first + 3),
        (common, first + 4),
    ];
    let control = wires.control.try_clone().map_err(failed)?;
    let writer = wires.channel.try_clone().map_err(failed)?;
    let writer = Arc::new(NodeChannel::new(writer));
    let (child, mut pipes) = Child::spawn(&recipe, extra).map_err(failed)?;
    let theirs = if is_relayed { take_pipe(&mut pipes, STDERR) } else { None };
    let relay = theirs.map(Relay::begin).transpose().map_err(|error| {
        child.discard();
        failed(error)
    })?;
    let exit = child.watch();
    let pid = child.pid();
    debug!(worker, pid, "worker started");
    let number = |(at, pipe)| Ok((at, descriptor(pipe)?));
    let pipes: io::Result<Vec<(usize, i32)>> = pipes.into_iter().map(number).collect();
    let pipes = pipes.map_err(|error| {
        child.discard();
        failed(error)
    })?;
    let fork = announce.then(|| Note::Fork { worker, pid, pipes: pipes.clone() });
    owner.came(Who { worker: Some(worker), pid });
    let connection =
        Connection::new(Box::new(child), wires.control, Arc::clone(&writer), memory).of(owner);
    pool.started(slot, connection, fork);
    let channel = wires.channel;
    let served = Served { slot, worker, pid, token, control, channel, writer, exit, relay };
    io.send(Input::Serve(Box::new(served)));
    Ok(Started { worker, pid, pipes })
}

/// A process's error stream.
const STDERR: usize = 2;

/// Has a worker's error stream pass through this process, if the one before it died before it could say why. The first
/// one has this process's own stream, and so has every one that comes up at once.
fn relay_stderr(pool: &Pool, slot: usize, recipe: &mut Recipe) -> bool {
    match recipe.stdio.get_mut(STDERR) {
        Some(stream @ child::Stream::Inherit) if pool.is_unheard(slot) => {
            *stream = child::Stream::Pipe;
            true
        }
        _ => false,
    }
}

/// Takes this process's end of the pipe to one of a worker's descriptors.
fn take_pipe(pipes: &mut Pipes, descriptor: usize) -> Option<Handle> {
    let at = pipes.iter().position(|(at, _)| *at == descriptor)?;
    Some(pipes.swap_remove(at).1)
}

/// Starts a worker in `slot` when the run begins. None if the machine has none to spare now: then the I/O
/// thread tries again.
pub(crate) fn start_first(io: &Io, slot: usize) -> Result<Option<Started>, Error> {
    match start(io, slot, false) {
        Err(error) if error.is_shortage() => {
            io.send(Input::Order(Order::Start { slot, delay: SHORTAGE_DELAY }));
            Ok(None)
        }
        started => {
            if started.is_err() {
                // The call rejects: this and the others are never started.
                (slot..io.pool.launch.places.len()).for_each(|slot| io.pool.not_needed(slot));
            }
            started.map(Some)
        }
    }
}

/// Starts a worker after `delay`, and again after longer ones as long as the machine has no process to
/// spare, a few times.
pub(super) async fn restart(io: Io, slot: usize, mut delay: Duration) {
    let delays = (0..SHORTAGE_ATTEMPTS).map(|attempt| SHORTAGE_DELAY * 2_u32.pow(attempt));
    for next in delays.map(Some).chain([None]) {
        pause(&io.pool, slot, delay).await;
        if io.pool.is_unwanted(slot) {
            io.pool.not_needed(slot);
            return;
        }
        let Err(error) = start(&io, slot, true) else { return };
        warn!(%error, "worker could not be started");
        match next {
            Some(next) if error.is_shortage() => delay = next,
            _ => {
                io.pool.not_started(slot, error);
                return;
            }
        }
    }
}

/// Waits for so long, or until there is nothing to wait for.
async fn pause(pool: &Pool, slot: usize, delay: Duration) {
    let end = Instant::now() + delay;
    while !delay.is_zero() && Instant::now() < end && !pool.is_unwanted(slot) {
        sleep_until(end.min(Instant::now() + SHORTAGE_DELAY)).await;
    }
}
