//! The master's side, for JavaScript: one pool a run.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use napi::bindgen_prelude::{Either3, External, Function, Int32Array};
use napi::{Env, sys};
use napi_derive::napi;
use tokio::sync::mpsc;

use super::call::Call;
use super::direct::{Callee, Direct, encode, number, word};
use super::text::{Argument, Content, Text};
use crate::core::error::Error;
use crate::core::retry::{Cause, Policy};
use crate::core::scheduler::MAX_WINDOW;
use crate::io::supervisor::{self, Command, Launch, MAX_BYTES, STOP_GRACE, mapping};
use crate::observe::record::Level;
use crate::os::child::{Recipe, Stream, advice, resident};
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket;
use crate::pool::limits::Limits;
use crate::pool::{Pool, Queue};
use crate::queue::backlog::Writer;
use crate::run::results::{Long, Piece};
use crate::run::stream::Order;
use crate::wire::format::Format;
use crate::wire::header::{flag, format_of};
use crate::wire::protocol::{Board, Common};

type Result<T> = std::result::Result<T, napi::Error<String>>;

/// What a run's workers are made of.
#[napi(object)]
pub struct LaunchOptions {
    /// The Node to run, and its arguments after those of `nodeArgs`: program and program arguments.
    pub program: String,
    pub args: Vec<String>,
    /// For each worker, what goes before `args`.
    pub node_args: Vec<Vec<String>>,
    /// The whole environment: name, value, name, value, …
    pub env: Vec<String>,
    pub cwd: Option<String>,
    /// For each descriptor from 0 on: -1 inherit, -2 ignore, -3 pipe, or a descriptor's number.
    pub stdio: Vec<i32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// On Windows no console window is to be seen.
    pub windows_hide: Option<bool>,
    /// The workers' ids.
    pub workers: Vec<u32>,
    pub run: u32,
    /// Which call of the program the workers serve, for their JavaScript, and how texts name it.
    pub call: String,
    pub title: String,
    /// `json` or `advanced`.
    pub serialization: String,
    /// Milliseconds from a worker's start to the program's call.
    pub deadline: f64,
    /// The most events there is room for a worker, running and waiting.
    pub max_events_per_worker: Option<u32>,
    /// Bytes of events that wait or run, beyond which there is room for one event a worker.
    pub max_bytes_waiting: Option<f64>,
    /// `completion` or `submission`: the order in which entries are read while the run goes on.
    pub stream: Option<String>,
    /// Which events that failed are tried again, and how.
    pub retries: Option<RetryOptions>,
    /// Whether the first event that fails stops the run.
    pub stop_on_failure: bool,
    /// Milliseconds from the stop of a run until its workers are killed.
    pub stop_grace: Option<f64>,
    /// Whole milliseconds that an event may run.
    pub task_timeout: Option<u32>,
    /// Milliseconds that a worker's I/O thread may give no sign of life.
    pub heartbeat_timeout: Option<u32>,
    /// Milliseconds that a worker may take to end when it was let go.
    pub shutdown_grace: Option<u32>,
    /// How many events a worker runs before it is replaced.
    pub max_tasks_per_worker: Option<u32>,
    /// Bytes that a worker may have in memory before it is replaced.
    pub max_worker_memory: Option<f64>,
    /// Whole milliseconds after which the program is told of an event that still runs.
    pub hint_after: Option<u32>,
    /// What is kept of the run for people to look at: by default what costs nothing; `times` also how long
    /// events waited and ran, `events` also each of them.
    #[napi(ts_type = "'times' | 'events'")]
    pub record: Option<String>,
    /// Whether it is shown what the workers do while they do it.
    pub shows_workers: bool,
    /// Whether this process draws on the terminal that the workers may write to.
    pub shares_terminal: bool,
    /// Milliseconds of the epoch when the run begins.
    pub epoch: f64,
}

/// Which events that failed are tried again, and how. Times are in milliseconds.
#[napi(object)]
pub struct RetryOptions {
    /// How many attempts follow the first.
    pub limit: u32,
    /// Milliseconds before the second attempt; `factor` times as many before each later one, up to `maxDelay`.
    pub backoff: f64,
    pub factor: f64,
    pub max_delay: f64,
    /// What is tried again.
    #[napi(ts_type = "('crash' | 'timeout' | 'error')[]")]
    pub on: Vec<String>,
}

fn policy(options: RetryOptions) -> Policy {
    let RetryOptions { limit, backoff, factor, max_delay, on } = options;
    let cause = |name: &String| match name.as_str() {
        "crash" => Cause::Crash,
        "timeout" => Cause::Timeout,
        _ => Cause::Error,
    };
    // The scheduler's times are durations in the end.
    let max_delay = max_delay.clamp(0.0, 1e12);
    Policy { limit, backoff, factor, max_delay, on: on.iter().map(cause).collect() }
}

/// A worker process that was started.
#[napi(object)]
pub struct StartedWorker {
    pub worker: u32,
    pub pid: u32,
    /// The worker's descriptor, this process's end of the pipe, …
    pub pipes: Vec<i32>,
}

/// A pool and the function that it calls.
pub struct PoolHandle {
    pool: Arc<Pool>,
    board: Arc<Memory>,
    putter: Rc<Putter>,
    call: Arc<Call>,
}

impl PoolHandle {
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}

/// So many milliseconds; none if that is no number of them.
fn duration(milliseconds: f64) -> Duration {
    /// Longer than anybody waits.
    const MOST: f64 = 1e9;
    Duration::try_from_secs_f64((milliseconds / 1e3).min(MOST)).unwrap_or_default()
}

fn failed(error: impl std::fmt::Display) -> napi::Error<String> {
    napi::Error::new("ERR_SONIC_POOL".to_owned(), error.to_string())
}

fn not_begun(error: std::io::Error) -> napi::Error<String> {
    failed(format!("the run could not begin: {error}{}", advice(&error)))
}

fn start_failed(error: &Error) -> napi::Error<String> {
    napi::Error::new(error.code().to_owned(), error.to_string())
}

fn queue_of(number: u32) -> Queue {
    match number {
        0 => Queue::Results,
        1 => Queue::Failures,
        _ => Queue::Observed,
    }
}

/// Makes a pool without processes. `call` is called on this thread when there is something to look
/// at; until `poolHold(pool, false)` it keeps the event loop alive.
#[napi]
pub fn pool_create(
    env: Env,
    options: LaunchOptions,
    call: Function<'_, u32, ()>,
) -> Result<External<PoolHandle>> {
    if options.node_args.len() != options.workers.len()
        || options.workers.len() > Common::MAX_WORKERS as usize
    {
        return Err(failed(
            "the run could not begin: its workers are not what they are said to be",
        ));
    }
    let milliseconds = |count: u32| Duration::from_millis(count.into());
    let stdio = options.stdio.iter().map(|&number| match number {
        -1 => Stream::Inherit,
        -2 => Stream::Ignore,
        -3 => Stream::Pipe,
        fd => Stream::Fd(fd),
    });
    let (env_pairs, _) = options.env.as_chunks::<2>();
    let recipe = Recipe {
        program: options.program,
        args: options.args,
        env: env_pairs.iter().map(|[name, value]| (name.clone(), value.clone())).collect(),
        cwd: options.cwd,
        stdio: stdio.collect(),
        uid: options.uid,
        gid: options.gid,
        hides_window: options.windows_hide.unwrap_or_default(),
    };
    let launch = Launch {
        recipe,
        workers: options.workers,
        node_args: options.node_args,
        run: options.run,
        call: options.call,
        title: options.title,
        serialization: options.serialization,
        deadline: duration(options.deadline),
        max_window: options.max_events_per_worker.map_or(MAX_WINDOW, |count| count as usize),
        max_bytes: options.max_bytes_waiting.map_or(MAX_BYTES, |bytes| bytes as usize),
        stream: options.stream.map(|order| match &*order {
            "submission" => Order::Submission,
            _ => Order::Completion,
        }),
        retries: options.retries.map(policy),
        stop_on_failure: options.stop_on_failure,
        stop_grace: options.stop_grace.map_or(STOP_GRACE, duration),
        limits: Limits {
            task_timeout: options.task_timeout,
            heartbeat: options.heartbeat_timeout.map(milliseconds),
            grace: options.shutdown_grace.map(milliseconds),
            max_tasks: options.max_tasks_per_worker,
            max_memory: options.max_worker_memory.map(|bytes| bytes as u64),
            hint: options.hint_after,
        },
        record: match options.record.as_deref() {
            None => Level::Counts,
            Some("times") => Level::Times,
            Some(_) => Level::Events,
        },
        shows_workers: options.shows_workers,
        shares_terminal: options.shares_terminal,
        epoch: options.epoch,
    };
    if launch.limits.max_memory.is_some() && resident(std::process::id()).is_none() {
        return Err(failed(
            "options.maxWorkerMemory: this system does not tell how much memory a process has (on Linux: /proc is not \
             mounted, or hidden); mount it, or leave the option out",
        ));
    }
    let board = Arc::new(Memory::anonymous(Board::LEN).map_err(mapping()).map_err(not_begun)?);
    let (commands, orders) = mpsc::unbounded_channel();
    let gone = commands.clone();
    let call = Call::new(&env, &call, move || {
        // Without the I/O thread the pool is closed already.
        let _ = gone.send(Command::Abandon);
    });
    let call = Arc::new(call.map_err(failed)?);
    let wake = Arc::clone(&call);
    let shared = socket::memory(Common::LEN).map_err(not_begun)?;
    let backlog = Arc::new(Memory::of(&shared).map_err(mapping()).map_err(not_begun)?);
    let workers = launch.workers.len();
    let writer = Writer::new(Arc::clone(&backlog), Arc::clone(&board), workers);
    let shared = (shared, backlog);
    let wake = Box::new(move || wake.call(1));
    let pool = Pool::new(launch, Arc::clone(&board), shared, commands, wake);
    let pool = Arc::new(pool);
    let writer = writer.noting(pool.recorded(|record, _| record.queued()));
    supervisor::run(Arc::clone(&pool), orders).map_err(not_begun)?;
    let putter = Rc::new(Putter { writer, turned: Cell::new(clock()) });
    Ok(External::new(PoolHandle { pool, board, putter, call }))
}

/// Starts the process of one of the pool's places (0 is the first worker). Null if the machine has none to
/// spare now: it is tried again, and a note says what comes of it.
#[napi]
pub fn pool_spawn(pool: &External<PoolHandle>, place: u32) -> Result<Option<StartedWorker>> {
    if place as usize >= pool.pool.launch.workers.len() {
        return Err(failed(format!("the run has no place {place}")));
    }
    let started = supervisor::start_first(&pool.pool, place as usize)
        .map_err(|error| start_failed(&error))?;
    let pipe = |(at, fd): (usize, i32)| [i32::try_from(at).unwrap_or(-1), fd];
    Ok(started.map(|started| StartedWorker {
        worker: started.worker,
        pid: started.pid,
        pipes: started.pipes.into_iter().flat_map(pipe).collect(),
    }))
}

/// An event was put in.
const DONE: u32 = 1;
/// There is room for it.
const HAS_ROOM: u32 = 2;
/// The pool is to look at it at once: a worker sleeps, or it is long.
const IS_URGENT: u32 = 4;

/// The event loop has not turned for a while.
const IS_LATE: u32 = 8;

/// Milliseconds after which a loop of `Map`s lets the event loop turn.
const TURN: f64 = 1.0;

/// After a longer text the pool counts the bytes that wait before there is more room.
const LARGE: usize = 16 * 1024;

/// The function that puts events in: `(value, flags, number)`. `value` is the data if it is a number, or
/// with the flag for it a string; else the text of its JSON, or bytes where the format is binary. `flags`
/// are those of the ring. It returns the sum of 1 if that was done, 2 if there is room for the event of
/// this `number`, 4 if `poolFlush` is to be called now, 8 if the event loop is to turn first. Without the
/// 1 nothing is done: the event has to go through `poolSubmit`, or a number that is not whole has to be
/// given as its JSON, as does a string that is not ASCII.
#[napi(
    ts_return_type = "(value: number | string | Uint8Array, flags: number, number: number) => number"
)]
pub fn pool_putter(pool: &External<PoolHandle>) -> Direct<Putter> {
    Direct { state: Rc::clone(&pool.putter) }
}

/// What the putting function works on.
pub struct Putter {
    writer: Writer,
    /// When the event loop last turned.
    turned: Cell<f64>,
}

/// The largest number up to which all whole ones are exact.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

impl Callee for Putter {
    const NAME: &'static str = "put";

    unsafe fn call(
        &self,
        env: sys::napi_env,
        [value, flags, event, _]: [sys::napi_value; 4],
    ) -> u32 {
        let writer = &self.writer;
        // SAFETY: the trait's contract.
        let done = unsafe {
            let flags = word(env, flags);
            match number(env, value) {
                Some(value) => put_number(writer, value, flags),
                None => put_encoded(writer, env, value, flags),
            }
        };
        let Some(len) = done else { return 0 };
        // SAFETY: the same.
        let event = unsafe { word(env, event) };
        let also = |condition: bool, flag: u32| if condition { flag } else { 0 };
        DONE | also(writer.has_room_for(event), HAS_ROOM)
            | also(len > LARGE || writer.has_sleepers(), IS_URGENT)
            | also(clock() - self.turned.get() > TURN, IS_LATE)
    }
}

/// Puts a whole number in; returns how many bytes that took.
fn put_number(writer: &Writer, value: f64, flags: u32) -> Option<usize> {
    if value.fract() != 0.0 || value.abs() > MAX_SAFE {
        return None;
    }
    let mut digits = itoa::Buffer::new();
    let text = digits.format(value as i64).as_bytes();
    let room = writer.room(text.len())?;
    // SAFETY: the room that was asked for.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), writer.bytes(&room), text.len()) };
    writer.publish(&room, text.len() as u32, flags | flag::ASCII);
    Some(text.len())
}

/// Puts a text or bytes in; returns how many bytes that took.
///
/// # Safety
/// In a call of `env`, whose value `value` is.
unsafe fn put_encoded(
    writer: &Writer,
    env: sys::napi_env,
    value: sys::napi_value,
    flags: u32,
) -> Option<usize> {
    let format = format_of(flags);
    let mut found = None;
    let place = |len| {
        let room = writer.room(len)?;
        let bytes = writer.bytes(&room);
        found = Some((room, len));
        Some(bytes)
    };
    // SAFETY: the caller's; there is the room that was asked for.
    let len = unsafe { encode(env, value, format, place)? };
    let (room, longest) = found?;
    // A JSON text of ASCII takes a third of what there is room for, and the zero.
    let is_ascii = format == Format::Json && longest == len * 3 + 1;
    let flags = if is_ascii { flags | flag::ASCII } else { flags };
    writer.publish(&room, len as u32, flags);
    Some(len)
}

/// The event loop has turned.
#[napi]
pub fn pool_turned(pool: &External<PoolHandle>) {
    pool.putter.turned.set(clock());
}

/// Whether there is room for the event of this number.
#[napi]
pub fn pool_has_room(pool: &External<PoolHandle>, number: i32) -> bool {
    pool.putter.writer.has_room_for(number.cast_unsigned())
}

/// Has JavaScript called when there is room for the event of this number; null: for none.
#[napi]
pub fn pool_await_room(pool: &External<PoolHandle>, number: Option<i32>) {
    if let Some(number) = number {
        pool.board.word(Board::WAITING_FOR).store(number.cast_unsigned(), Ordering::SeqCst);
    }
    pool.board.word(Board::WAITING).store(u32::from(number.is_some()), Ordering::SeqCst);
    if pool.pool.launch.record == Level::Events {
        pool.pool.pressed(number.is_some());
    }
}

/// Whether the pool keeps the event loop alive.
#[napi]
pub fn pool_hold(env: Env, pool: &External<PoolHandle>, hold: bool) {
    pool.call.hold(&env, hold);
}

/// Wakes workers for what is in the backlog, and takes in what is answered.
#[napi]
pub fn pool_flush(pool: &External<PoolHandle>) {
    pool.pool.flush();
}

/// Looks for room for the event of this number, for a moment. True if there is.
#[napi]
pub fn pool_look_for_room(pool: &External<PoolHandle>, number: i32) -> bool {
    pool.pool.look_for_room(number.cast_unsigned())
}

/// Hands over an event that JavaScript has not put into the backlog itself: `text` is its JSON, or what
/// the format in `flags`, those of the ring, says. False, with nothing done, if it is said to be a
/// string as it is and has to be JSON.
#[napi]
pub fn pool_submit(
    pool: &External<PoolHandle>,
    #[napi(ts_arg_type = "string | Uint8Array")] text: Argument<'_>,
    flags: u32,
) -> napi::Result<bool> {
    let Some(text) = text.read(format_of(flags))? else { return Ok(false) };
    pool.pool.submit(text, flags);
    Ok(true)
}

/// Hands an event to one worker, to start at once; see `poolSubmit`. False if the pool has no such
/// worker.
#[napi]
pub fn pool_submit_to(
    pool: &External<PoolHandle>,
    worker: u32,
    #[napi(ts_arg_type = "string | Uint8Array")] text: Argument<'_>,
    flags: u32,
) -> napi::Result<bool> {
    let Some(text) = text.read(format_of(flags))? else { return Ok(false) };
    Ok(pool.pool.submit_to(worker, text, flags))
}

/// Sends a message to one worker's program. False if it is gone.
#[napi]
pub fn pool_message(
    pool: &External<PoolHandle>,
    worker: u32,
    #[napi(ts_arg_type = "string")] text: Argument<'_>,
) -> napi::Result<bool> {
    let text = text.read(Format::Json)?.unwrap_or_default();
    Ok(pool.pool.message(worker, text))
}

/// An entry of a queue that is a piece of its own.
#[napi(object, object_from_js = false)]
pub struct LongPiece {
    pub kind: u32,
    pub worker: u32,
    /// The data and the response, each in its format: JSON or a string itself is a string, what is
    /// binary a Buffer; null if there is none.
    #[napi(ts_type = "string | Buffer | null")]
    pub data: Option<Content>,
    pub data_format: u32,
    #[napi(ts_type = "string | Buffer | null")]
    pub response: Option<Content>,
    pub response_format: u32,
}

/// What is taken out of a queue at once.
type Shown = Either3<Text, Int32Array, LongPiece>;

fn shown(piece: Piece) -> Shown {
    match piece {
        Piece::Array(text) => Either3::A(Text(text)),
        Piece::Numbers(row) => Either3::B(Int32Array::new(row)),
        Piece::Long(entry) => {
            let number = |value: &Option<Long>| value.as_ref().map_or(0, |it| it.format.number());
            let content = |Long { format, bytes }| Content { bytes, format };
            Either3::C(LongPiece {
                kind: entry.kind,
                worker: entry.worker,
                data_format: number(&entry.data),
                data: entry.data.map(content),
                response_format: number(&entry.response),
                response: entry.response.map(content),
            })
        }
    }
}

/// The oldest piece of a queue (0 results, 1 failures, 2 observed): four values an entry, as one JSON array
/// or where all are small whole numbers as such; or an entry with long texts; null if the queue is empty.
#[napi(ts_return_type = "string | Int32Array | LongPiece | null")]
pub fn pool_take(pool: &External<PoolHandle>, queue: u32) -> Option<Shown> {
    pool.pool.take(queue_of(queue)).map(shown)
}

/// Has JavaScript called when there is an entry for a stream's reader, or not any more.
#[napi]
pub fn pool_read(pool: &External<PoolHandle>, reads: bool) {
    pool.board.word(Board::READS).store(u32::from(reads), Ordering::SeqCst);
}

/// Whether a stream's reader has so many entries, or so many bytes of them, still to take.
#[napi]
pub fn pool_is_full(pool: &External<PoolHandle>, entries: u32, bytes: f64) -> bool {
    let word = |at| pool.board.word(at).load(Ordering::SeqCst);
    word(Board::UNREAD) >= entries || f64::from(word(Board::UNREAD_BYTES)) >= bytes
}

/// How many entries a queue has.
#[napi]
pub fn pool_count(pool: &External<PoolHandle>, queue: u32) -> u32 {
    u32::try_from(pool.pool.count(queue_of(queue))).unwrap_or(u32::MAX)
}

/// Whether answers go to the observed queue as they come.
#[napi]
pub fn pool_observe(pool: &External<PoolHandle>, observing: bool) {
    pool.pool.observe(observing);
}

/// What a program that looks at the free workers sees at its first look.
#[napi(object, object_from_js = false)]
pub struct ExactState {
    /// The ids of the workers with nothing to do.
    pub idle: Vec<u32>,
    /// What was observed before, each as `poolTake` gives it.
    #[napi(ts_type = "Array<string | Int32Array | LongPiece>")]
    pub observed: Vec<Shown>,
}

/// From now on the program hands events to workers itself, and answers go to the observed queue.
#[napi]
pub fn pool_exact(pool: &External<PoolHandle>) -> ExactState {
    let exact = pool.pool.be_exact();
    ExactState { idle: exact.idle, observed: exact.observed.into_iter().map(shown).collect() }
}

/// The ids of the workers with nothing to do.
#[napi]
pub fn pool_free(pool: &External<PoolHandle>) -> Vec<u32> {
    pool.pool.free()
}

/// Whether a worker has nothing to do.
#[napi]
pub fn pool_is_free(pool: &External<PoolHandle>, worker: u32) -> bool {
    pool.pool.is_free(worker)
}

/// True if every event is answered; otherwise a note says when.
#[napi]
pub fn pool_drained(pool: &External<PoolHandle>) -> bool {
    pool.pool.drained()
}

/// What happened, as a JSON array; null if nothing did. JavaScript, which was called, has come: what
/// happens from now on calls it again.
#[napi(ts_return_type = "string | null")]
pub fn pool_notes(pool: &External<PoolHandle>) -> Option<Text> {
    pool.board.word(Board::CALLED).store(0, Ordering::SeqCst);
    let notes = pool.pool.notes();
    let json = || serde_json::to_vec(&notes).expect("plain data is serialisable");
    (!notes.is_empty()).then(|| Text(json()))
}

/// Lets every worker go.
#[napi]
pub fn pool_release(pool: &External<PoolHandle>) {
    pool.pool.release();
}

/// Starts nothing more, and ends the workers when the run's grace is over.
#[napi]
pub fn pool_stop(pool: &External<PoolHandle>) {
    pool.pool.stop();
}

/// Lets one worker go. False if it is gone.
#[napi]
pub fn pool_disconnect(pool: &External<PoolHandle>, worker: u32) -> bool {
    pool.pool.disconnect(worker)
}

/// Sends a signal, by number, to one worker. False if it is gone.
#[napi]
pub fn pool_signal(pool: &External<PoolHandle>, worker: u32, signal: i32) -> bool {
    pool.pool.signal(worker, signal)
}
