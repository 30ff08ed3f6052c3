//! One run of a pool, for JavaScript: events in, entries out.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::External;
use napi::sys;
use napi_derive::napi;

use super::direct::{Callee, Direct, number, word};
use super::options::RunSettings;
use super::pool::{PoolHandle, Result, failed, not_begun, start_failed};
use super::text::Argument;
use crate::core::router::Routing;
use crate::core::task_id::RunId;
use crate::io::spawn::mapping;
use crate::observe::record::Record;
use crate::observe::tally::{Detail, Tally};
use crate::os::clock::clock;
use crate::pool::Pool;
use crate::pool::each::Each;
use crate::pool::route::Room;
use crate::pool::tell::Seen;
use crate::queue::writer::Writer;
use crate::run::results::Piece;
use crate::run::words::Words;
use crate::run::{Queue, RunOptions};
use crate::wire::format::Format;
use crate::wire::header::{flag, format_of};
use crate::wire::number;

/// A run, and the function that puts its events in.
pub struct RunHandle {
    pub(super) pool: Arc<Pool>,
    pub(super) id: RunId,
    pub(super) words: Arc<Words>,
    pub(super) putter: Rc<Putter>,
    is_tagged: bool,
}

impl RunHandle {
    /// Looks at what is kept of the run, and how many events it has handed over; none if it is closed.
    pub(super) fn recorded<T>(&self, look: impl FnOnce(&Record, u64) -> T) -> Option<T> {
        self.pool.recorded(self.id, look)
    }

    /// The same, with the nodes of its flow.
    pub(super) fn seen<T>(&self, look: impl FnOnce(Seen<'_>) -> T) -> Option<T> {
        self.pool.see(self.id, look)
    }

    /// How far the run has come, for whoever draws that; none once it is closed.
    pub(super) fn tallies(&self) -> impl Fn(Detail) -> Option<Tally> + Send + 'static {
        let (pool, id) = (Arc::downgrade(&self.pool), self.id);
        move |detail| pool.upgrade()?.tally(id, detail)
    }
}

/// Begins a run.
#[napi]
pub fn run_open(pool: &External<PoolHandle>, options: RunSettings) -> Result<External<RunHandle>> {
    let pool = Arc::clone(pool.pool());
    let options = RunOptions::from(options);
    pool.check_chains(&options).map_err(|error| start_failed(&error))?;
    let opened = pool.open(options).map_err(mapping()).map_err(not_begun)?;
    let (id, words, is_tagged) = (opened.id, opened.words, opened.is_tagged);
    let putter = Rc::new(Putter {
        pool: Arc::clone(&pool),
        writer: opened.writer,
        words: Arc::clone(&words),
        turned: Cell::new(clock()),
        uncounted: Cell::new(0),
    });
    Ok(External::new(RunHandle { pool, id, words, putter, is_tagged }))
}

/// The run's number, by which notes name it.
#[napi]
pub fn run_number(run: &External<RunHandle>) -> u32 {
    run.id.into()
}

/// Whether its lane is for events with the tags that the settings tell. All others have to go through `runRoute`. If not, it is
/// for events without tags.
#[napi]
pub fn run_is_tagged(run: &External<RunHandle>) -> bool {
    run.is_tagged
}

/// Nobody asks for the run any more: its queues go with it.
#[napi]
pub fn run_close(run: &External<RunHandle>) {
    run.pool.close(run.id);
}

// ---- events in ----

/// What the program calls the next event that it hands over.
#[napi]
pub fn run_label(run: &External<RunHandle>, label: String) {
    run.pool.label_next(run.id, &label);
}

/// An event was put in.
const DONE: u32 = 1;
/// There is credit for it.
const HAS_CREDIT: u32 = 2;
/// The event loop has not turned for a while, or has an answer to show.
const IS_LATE: u32 = 4;

/// Milliseconds after which a loop of `Map`s lets the event loop turn.
const TURN: f64 = 1.0;

/// After so many bytes of text the pool counts the bytes that wait before there is more credit.
const LARGE: usize = 16 * 1024;

/// The function that puts events in: `(value, flags)`. `value` is the data if it is a number, or with the flag for it a
/// string; else the text of its JSON, or bytes where the format is binary. `flags` are those of the ring. It returns the
/// sum of 1 if that was done, 2 if there is credit for the event, 4 if the event loop is to turn first. Without the 1
/// nothing is done: the event has to go through `runSubmit`, or a number that is not whole has to be given as its JSON, as
/// does a string that is not ASCII.
#[napi(ts_return_type = "(value: number | string | Uint8Array, flags: number) => number")]
pub fn run_putter(run: &External<RunHandle>) -> Direct<Putter> {
    Direct { state: Rc::clone(&run.putter) }
}

/// What the putting function works on.
pub struct Putter {
    pool: Arc<Pool>,
    writer: Writer,
    words: Arc<Words>,
    /// When the event loop last turned.
    turned: Cell<f64>,
    /// How many bytes the pool has not counted.
    uncounted: Cell<usize>,
}

impl Callee for Putter {
    const NAME: &'static str = "put";

    unsafe fn call(&self, env: sys::napi_env, [value, flags, ..]: [sys::napi_value; 4]) -> u32 {
        let event = self.words.handed_over();
        // SAFETY: the trait's contract.
        let done = unsafe {
            let flags = word(env, flags);
            match number(env, value) {
                Some(value) => put_number(self, value, flags),
                None => put_encoded(self, env, value, flags),
            }
        };
        let Some(len) = done else { return 0 };
        self.uncounted.set(self.uncounted.get() + len);
        if self.uncounted.get() > LARGE || self.writer.has_parked() {
            self.uncounted.set(0);
            self.pool.flush();
        }
        self.done(event)
    }
}

impl Putter {
    /// What JavaScript is told of an event that was put in.
    pub(super) fn done(&self, event: u64) -> u32 {
        let also = |condition: bool, flag: u32| if condition { flag } else { 0 };
        // A program that follows its answers may send no more after the next one.
        let is_late = self.words.has_observed() || clock() - self.turned.get() > TURN;
        DONE | also(self.words.has_credit(event), HAS_CREDIT) | also(is_late, IS_LATE)
    }
}

/// Puts a whole number in; returns how many bytes that took.
fn put_number(putter: &Putter, value: f64, flags: u32) -> Option<usize> {
    let Putter { writer, words, .. } = putter;
    let mut digits = itoa::Buffer::new();
    let text = digits.format(number::whole(value)?).as_bytes();
    let room = writer.room(text.len())?;
    // SAFETY: the room that was asked for.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), writer.bytes(&room), text.len()) };
    writer.publish(&room, words.hand_over(), text.len() as u32, flags | flag::ASCII);
    Some(text.len())
}

/// Puts a text or bytes in; returns how many bytes that took.
///
/// # Safety
/// In a call of `env`, whose value `value` is.
unsafe fn put_encoded(
    putter: &Putter,
    env: sys::napi_env,
    value: sys::napi_value,
    flags: u32,
) -> Option<usize> {
    let Putter { writer, words, .. } = putter;
    let format = format_of(flags);
    let mut found = None;
    let place = |len| {
        let room = writer.room(len)?;
        let bytes = writer.bytes(&room);
        found = Some((room, len));
        Some(bytes)
    };
    // SAFETY: the caller's; there is the room that was asked for.
    let len = unsafe { Argument::new(env, value).write(format, place)? };
    let (room, longest) = found?;
    // A JSON text of ASCII takes a third of what there is room for, and the zero.
    let is_ascii = format == Format::Json && longest == len * 3 + 1;
    let flags = if is_ascii { flags | flag::ASCII } else { flags };
    writer.publish(&room, words.hand_over(), len as u32, flags);
    Some(len)
}

/// The event loop has turned.
#[napi]
pub fn run_turned(run: &External<RunHandle>) {
    run.putter.turned.set(clock());
}

/// Hands over an event that JavaScript has not put in itself: `text` is its JSON, or what the format in `flags`, those of
/// the ring, says. False, with nothing done, if it is said to be a string as it is and has to be JSON.
#[napi]
pub fn run_submit(
    run: &External<RunHandle>,
    #[napi(ts_arg_type = "string | Uint8Array")] text: Argument<'_>,
    flags: u32,
) -> napi::Result<bool> {
    let Some(text) = text.read(format_of(flags))? else { return Ok(false) };
    run.pool.submit(run.id, text, flags);
    Ok(true)
}

/// Why no worker runs the events of the run's lane, or will: throws that.
#[napi]
pub fn run_check(run: &External<RunHandle>) -> Result<()> {
    run.pool.refusal(run.id).map_or(Ok(()), |error| Err(start_failed(&error)))
}

/// Hands over an event for workers with all of these tags, before all others of a lower priority, and where it has a key behind
/// all others of that: see `runSubmit`.
/// Returns -1 if there is room for it, and -2 if there is and `poolFlush` is to be called soon; otherwise its number, which a note
/// names when there is. Throws if no worker will ever run it.
#[napi]
pub fn run_route(
    run: &External<RunHandle>,
    tags: Vec<String>,
    key: Option<String>,
    priority: i32,
    #[napi(ts_arg_type = "string | Uint8Array")] text: Argument<'_>,
    flags: u32,
) -> Result<f64> {
    let text = text.read(format_of(flags)).map_err(failed)?.unwrap_or_default();
    let routed = run.pool.submit_routed(run.id, Routing { tags, key, priority }, text, flags);
    Ok(match routed.map_err(|error| start_failed(&error))? {
        Room::Is => -1.0,
        Room::IsSoon => -2.0,
        Room::Awaits(number) => number as f64,
    })
}

/// Hands an event to one worker, to start at once; see `runSubmit`. False if the pool has no such worker.
#[napi]
pub fn run_submit_to(
    run: &External<RunHandle>,
    worker: u32,
    #[napi(ts_arg_type = "string | Uint8Array")] text: Argument<'_>,
    flags: u32,
) -> napi::Result<bool> {
    let Some(text) = text.read(format_of(flags))? else { return Ok(false) };
    Ok(run.pool.submit_to(run.id, worker, text, flags))
}

/// Hands an event to every worker with these tags, to start when that runs nothing; see `runSubmit`. With a `title` it is kept:
/// each worker that comes later runs it before it claims anything. The ids of the workers, in the order of the events' numbers.
/// Throws if no worker has the tags.
#[napi]
pub fn run_each(
    run: &External<RunHandle>,
    tags: Vec<String>,
    #[napi(ts_arg_type = "string | Uint8Array")] text: Argument<'_>,
    flags: u32,
    title: Option<String>,
) -> Result<Vec<u32>> {
    let text = text.read(format_of(flags)).map_err(failed)?.unwrap_or_default();
    let each = Each { text, flags, tags, title };
    run.pool.each(run.id, each).map_err(|error| start_failed(&error))
}

/// Waits for credit for the event of this number, for a moment. True if there is some; otherwise JavaScript is called when
/// there is.
#[napi]
pub fn run_wait(run: &External<RunHandle>, number: f64) -> bool {
    run.pool.wait_for_credit(run.id, &run.words, number as u64)
}

/// Listens for credit for the event of this number, for which JavaScript is to be called already, for as long as the event
/// loop can wait: 0 if that does not pay, 1 if there is credit, 2 if the event loop is to turn first.
#[napi]
pub fn run_listen(run: &External<RunHandle>, number: f64) -> u32 {
    let now = clock();
    run.putter.turned.set(now);
    run.pool.listen_for_credit(&run.words, number as u64, now + TURN) as u32
}

/// The number of the first event that there is no credit for. `next` waits for that now; none if it is negative.
#[napi]
pub fn run_credit(run: &External<RunHandle>, next: f64) -> f64 {
    if next < 0.0 {
        run.pool.stop_waiting(run.id, &run.words);
    } else {
        run.words.wait_for(Some(next as u64));
    }
    run.words.allowed() as f64
}

/// True if every event is answered; otherwise a note says when.
#[napi]
pub fn run_drained(run: &External<RunHandle>) -> bool {
    run.pool.drained(run.id)
}

/// Starts nothing of the run any more, and kills what is left when its grace is over.
#[napi]
pub fn run_stop(run: &External<RunHandle>) {
    run.pool.stop(run.id);
}

// ---- entries out ----

fn queue_of(number: u32) -> Queue {
    match number {
        0 => Queue::Results,
        1 => Queue::Failures,
        _ => Queue::Observed,
    }
}

/// The oldest piece of a queue (0 results, 1 failures, 2 observed), null if the queue is empty. `lib/master/decode.js`
/// decodes it.
#[napi(ts_return_type = "string | Int32Array | any[] | null")]
pub fn run_take(run: &External<RunHandle>, queue: u32) -> Option<Piece> {
    run.pool.take(run.id, queue_of(queue))
}

/// How many entries a queue has.
#[napi]
pub fn run_count(run: &External<RunHandle>, queue: u32) -> u32 {
    u32::try_from(run.pool.count(run.id, queue_of(queue))).unwrap_or(u32::MAX)
}

/// Has JavaScript called when there is an entry for a stream's reader, or not any more.
#[napi]
pub fn run_read(run: &External<RunHandle>, reads: bool) {
    run.words.set_reads(reads);
}

/// Whether a stream's reader has so many entries, or so many bytes of them, still to take.
#[napi]
pub fn run_is_full(run: &External<RunHandle>, entries: u32, bytes: f64) -> bool {
    run.words.is_full(entries, bytes)
}

/// Whether answers go to the observed queue as they come.
#[napi]
pub fn run_observe(run: &External<RunHandle>, observing: bool) {
    run.pool.observe(run.id, observing);
}

/// What a program that dispatches events itself sees at its first look.
#[napi(object, object_from_js = false)]
pub struct ManualState {
    /// The ids of the workers with nothing to do.
    pub free: Vec<u32>,
    /// What was observed before, each as `runTake` gives it.
    #[napi(ts_type = "Array<string | Int32Array | any[]>")]
    pub observed: Vec<Piece>,
}

/// From now on the program hands events to workers itself, and answers go to the observed queue.
#[napi]
pub fn run_manual(run: &External<RunHandle>) -> ManualState {
    let manual = run.pool.be_manual(run.id);
    ManualState { free: manual.free, observed: manual.observed }
}
