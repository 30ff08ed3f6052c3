//! A pool, for JavaScript: its workers.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{External, Function};
use napi_derive::napi;
use tokio::sync::mpsc;

use super::call::Call;
use super::hub;
use super::options::PoolOptions;
use super::text::Argument;
use crate::core::error::Error;
use crate::io::event_loop::{self, Input, Io};
use crate::io::spawn::{self, mapping};
use crate::os::child::advice;
use crate::os::child::resident;
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket;
use crate::pool::Pool;
use crate::pool::order::Order;
use crate::pool::resize::Place;
use crate::wire::header::format_of;
use crate::wire::layout::Shared;

pub(super) type Result<T> = std::result::Result<T, napi::Error<String>>;

/// A pool and the function that it calls.
pub struct PoolHandle {
    io: Io,
    call: Arc<Call>,
}

impl PoolHandle {
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.io.pool
    }
}

/// A worker process that was started.
#[napi(object)]
pub struct StartedWorker {
    pub worker: u32,
    pub pid: u32,
    /// The worker's descriptor, this process's end of the pipe, …
    pub pipes: Vec<i32>,
}

pub(super) fn failed(error: impl std::fmt::Display) -> napi::Error<String> {
    napi::Error::new("ERR_SONIC_POOL".to_owned(), error.to_string())
}

pub(super) fn not_begun(error: std::io::Error) -> napi::Error<String> {
    failed(format!("the run could not begin: {error}{}", advice(&error)))
}

pub(super) fn start_failed(error: &Error) -> napi::Error<String> {
    napi::Error::new(error.code().to_owned(), error.to_string())
}

/// Makes a pool without processes. `call` is called on this thread when there is something to look at; until
/// `poolHold(pool, false)` it keeps the event loop alive.
#[napi]
pub fn pool_create(
    env: Env,
    options: PoolOptions,
    call: Function<'_, u32, ()>,
) -> Result<External<PoolHandle>> {
    let launch =
        options.launch().map_err(|what| failed(format!("the run could not begin: {what}")))?;
    let (inputs, received) = mpsc::unbounded_channel();
    let gone = inputs.clone();
    // Without the I/O thread the pool is closed already.
    let gone = move || _ = gone.send(Input::Order(Order::Abandon));
    let call = Arc::new(Call::new(&env, &call, gone).map_err(failed)?);
    let shared = socket::memory(Shared::LEN).map_err(not_begun)?;
    let memory = Arc::new(Memory::of(&shared).map_err(mapping()).map_err(not_begun)?);
    let orders = inputs.clone();
    // The same.
    let send = Arc::new(move |order| _ = orders.send(Input::Order(order)));
    let wake = Arc::clone(&call);
    let wake = Box::new(move || wake.call(1));
    let stay = hub::stay().map_err(mapping()).map_err(not_begun)?;
    let pool = Pool::new(launch, (shared, memory), stay, send, wake);
    let pool = Arc::new(pool.map_err(mapping()).map_err(not_begun)?);
    pool.tells_hub();
    let io = Io { pool, inputs };
    event_loop::run(io.clone(), received).map_err(not_begun)?;
    Ok(External::new(PoolHandle { io, call }))
}

/// Starts the process of one of the pool's slots (0 is the first worker). Null if the machine has none to spare now: it is
/// tried again, and a note reports the result.
#[napi]
pub fn pool_spawn(pool: &External<PoolHandle>, slot: u32) -> Result<Option<StartedWorker>> {
    if slot as usize >= pool.pool().launch.places.len() {
        return Err(failed(format!("the pool has no slot {slot}")));
    }
    let started =
        spawn::start_first(&pool.io, slot as usize).map_err(|error| start_failed(&error))?;
    let pipe = |(at, fd): (usize, i32)| [i32::try_from(at).unwrap_or(-1), fd];
    Ok(started.map(|started| StartedWorker {
        worker: started.worker,
        pid: started.pid,
        pipes: started.pipes.into_iter().flat_map(pipe).collect(),
    }))
}

/// There are to be so many workers. `more` are slots for those that there is none for yet: each with the id of its workers, and what
/// goes before `args`.
#[napi]
pub fn pool_resize(pool: &External<PoolHandle>, count: u32, more: Vec<NewWorker>) {
    let place = |NewWorker { id, node_args }| Place { worker: id, node_args };
    pool.pool().resize(count as usize, more.into_iter().map(place).collect());
}

/// The ids of the workers that come or go by now: a note tells of each when it has.
#[napi]
pub fn pool_resizing(pool: &External<PoolHandle>) -> Vec<u32> {
    pool.pool().resizing()
}

/// A slot for one more worker.
#[napi(object)]
pub struct NewWorker {
    pub id: u32,
    pub node_args: Vec<String>,
}

/// Whether the pool keeps the event loop alive.
#[napi]
pub fn pool_hold(env: Env, pool: &External<PoolHandle>, hold: bool) {
    pool.call.hold(&env, hold);
}

/// Wakes workers for what is in the lanes, and takes in what is answered.
#[napi]
pub fn pool_flush(pool: &External<PoolHandle>) {
    pool.pool().flush();
}

/// Sends a message to one worker's program: see `runSubmit`, of whose flags this needs the format. False if the worker is
/// gone.
#[napi]
pub fn pool_message(
    pool: &External<PoolHandle>,
    worker: u32,
    #[napi(ts_arg_type = "string | Uint8Array")] message: Argument<'_>,
    flags: u32,
) -> napi::Result<bool> {
    let Some(message) = message.read(format_of(flags))? else { return Ok(false) };
    Ok(pool.pool().message(worker, message, flags))
}

/// The ids of the workers with nothing to do.
#[napi]
pub fn pool_free(pool: &External<PoolHandle>) -> Vec<u32> {
    pool.pool().free()
}

/// Waits up to so many milliseconds for entries of numbered runs, on JavaScript's thread, which takes all of them then. False
/// if there are none: then it is called when there are.
#[napi]
pub fn pool_listen(pool: &External<PoolHandle>, milliseconds: f64) -> bool {
    pool.pool().listen_for_entries(clock() + milliseconds)
}

/// A worker that is ready.
#[napi(object)]
pub struct ReadyWorker {
    pub id: u32,
    pub pid: u32,
    /// How many events it runs.
    pub running: u32,
    /// Bytes that it has in memory; 0 where the system does not tell.
    pub memory: f64,
}

/// The workers that are ready.
#[napi]
pub fn pool_workers(pool: &External<PoolHandle>) -> Vec<ReadyWorker> {
    let ready = pool.pool().ready_workers().into_iter();
    let memory = |pid| resident(pid).unwrap_or_default() as f64;
    ready.map(|(id, pid, running)| ReadyWorker { id, pid, running, memory: memory(pid) }).collect()
}

/// Whether a worker has nothing to do.
#[napi]
pub fn pool_is_free(pool: &External<PoolHandle>, worker: u32) -> bool {
    pool.pool().is_free(worker)
}

/// What happened, as a JSON array; null if nothing did. JavaScript, which was called, has come: what happens from now on
/// calls it again.
#[napi]
pub fn pool_notes(pool: &External<PoolHandle>) -> Option<String> {
    let notes = pool.pool().notes();
    let json = || serde_json::to_string(&notes).expect("plain data is serialisable");
    (!notes.is_empty()).then(json)
}

/// Releases every worker.
#[napi]
pub fn pool_release(pool: &External<PoolHandle>) {
    pool.pool().release();
}

/// Releases one worker. False if it is gone.
#[napi]
pub fn pool_disconnect(pool: &External<PoolHandle>, worker: u32) -> bool {
    pool.pool().disconnect(worker)
}

/// Sends a signal, by number, to one worker. False if it is gone.
#[napi]
pub fn pool_signal(pool: &External<PoolHandle>, worker: u32, signal: i32) -> bool {
    pool.pool().signal(worker, signal)
}
