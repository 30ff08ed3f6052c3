//! The worker's side, for JavaScript: one worker a process.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{BufferSlice, External, Function};
use napi::{Env, sys};
use napi_derive::napi;

use super::call::Call;
use super::direct::{Callee, Direct, number, word};
use super::heap;
use super::sync::{self, Hold};
use super::text::Argument;
use crate::os::child::{Given, adopt, parent, watch_parent};
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket::{Handle, taken_over};
use crate::run::value::Value;
use crate::shm::tail;
use crate::spill::folder;
use crate::wire::format::Format;
use crate::wire::header::{Header, Kind, data_format_of, flag, format_of};
use crate::wire::layout::Layout;
use crate::wire::protocol::{Invitation, Refusal, VERSION};
use crate::worker::join::{Item, Orphan, Signal, Worker};
use crate::worker::memories::Memories;
use crate::worker::runner::Runner;

type Result<T> = std::result::Result<T, napi::Error<String>>;

/// What a worker is given is there once, however many threads of it have JavaScript.
static HAS_JOINED: Mutex<bool> = Mutex::new(false);

/// A worker and the function that it calls.
pub struct WorkerHandle {
    pub(super) worker: Arc<Worker>,
    pub(super) runner: Rc<Runner>,
    hold: Rc<Hold>,
}

fn failed(error: impl std::fmt::Display) -> napi::Error<String> {
    napi::Error::new("ERR_SONIC_PROTOCOL".to_owned(), error.to_string())
}

/// An event or a message for this worker alone.
#[napi(object, object_from_js = false)]
pub struct Arrived {
    /// Kind and flags.
    pub kind: u32,
    pub index: u32,
    /// Of an event: the number of its run. (That of what is about a run is its index.)
    pub run: u32,
    /// In the format that the flags say: a string, or a Buffer if it is binary.
    #[napi(ts_type = "any")]
    pub text: Value<'static>,
    /// What is behind the text, if it is of locks and the like: the bytes of a value.
    #[napi(ts_type = "Buffer")]
    pub value: Option<Value<'static>>,
}

/// Joins the master that `invitation` (the variable's value) names; null if it is for another
/// process, whose child this one is. `call` is told 1 when something has arrived and 2 when the
/// master lets the worker go; it does not keep the event loop alive until `workerHold(worker, true)`.
#[napi]
pub fn worker_join(
    env: Env,
    invitation: String,
    call: Function<'_, u32, ()>,
) -> Result<Option<External<WorkerHandle>>> {
    let invitation: Invitation = serde_json::from_str(&invitation).map_err(failed)?;
    if parent() != invitation.parent {
        return Ok(None);
    }
    if invitation.version != VERSION {
        let theirs = invitation.version;
        return Err(failed(format!(
            "the master speaks version {theirs} of the protocol, this worker version {VERSION}: \
             the program loads two versions of @tiemma/sonic-distribute"
        )));
    }
    let mut has_joined = HAS_JOINED.lock().unwrap_or_else(PoisonError::into_inner);
    if *has_joined {
        return Err(failed("this process has joined its master already"));
    }
    let Invitation { control, memory, lanes, common, .. } = invitation;
    let given = [
        Given::Stream(control),
        Given::Memory(memory),
        Given::Memory(lanes),
        Given::Memory(common),
    ];
    // SAFETY: a master that started this process, and is its parent, has put them there for this package, and tells
    // nobody else their numbers; and no second call comes here.
    let [control, memory, lanes, common] = unsafe { adopt(given) }.map_err(failed)?;
    *has_joined = true;
    drop(has_joined);
    let call = Arc::new(Call::new(&env, &call, || ()).map_err(failed)?);
    call.hold(&env, false);
    let caller = Arc::clone(&call);
    let signal = move |signal| {
        caller.call(match signal {
            Signal::Arrived => 1,
            Signal::Released => 2,
        });
    };
    let map = |memory: &Handle| Memory::of(memory).map(Arc::new).map_err(failed);
    let memories = Memories { memory: map(&memory)?, lanes: map(&lanes)?, common: map(&common)? };
    let control = taken_over(control).map_err(failed)?;
    let spilled = invitation.spill.as_ref().map(|spill| PathBuf::from(&spill.folder));
    let orphaned = move |orphan: Orphan| {
        // Nobody else is left who could.
        if let Some(folder) = spilled {
            let _ = folder::remove(&folder);
        }
        orphan.end();
    };
    let worker = Worker::join(&invitation, control, memories, signal, orphaned);
    let worker = worker.map_err(failed)?;
    let watched = Arc::clone(&worker);
    watch_parent(move || watched.is_doomed());
    let runner = Rc::new(Runner::new(Arc::clone(&worker)));
    let hold = Rc::new(Hold::new(call));
    sync::join(&runner, &hold);
    Ok(Some(External::new(WorkerHandle { worker, runner, hold })))
}

/// Whether this process is a worker, in whichever thread that is asked.
#[napi]
pub fn is_worker_process() -> bool {
    *HAS_JOINED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which call of the program the worker serves: what `LaunchOptions.call` was.
#[napi]
pub fn worker_call(worker: &External<WorkerHandle>) -> String {
    worker.worker.call.clone()
}

/// How values are encoded in this run.
#[napi(ts_return_type = "'json' | 'advanced'")]
pub fn worker_serialization(worker: &External<WorkerHandle>) -> String {
    worker.worker.serialization.clone()
}

/// Whether the worker keeps the event loop alive.
#[napi]
pub fn worker_hold(env: Env, worker: &External<WorkerHandle>, hold: bool) {
    worker.hold.set(env, Hold::EVENTS, hold);
}

/// Tells the master that the program reached its call.
#[napi]
pub fn worker_register(worker: &External<WorkerHandle>) -> Result<()> {
    worker.runner.register();
    worker.worker.register().map_err(failed)
}

/// Tells the master that the program reached a call that this worker does not serve: which, and why not.
#[napi]
pub fn worker_passed(worker: &External<WorkerHandle>, call: String) -> Result<()> {
    worker.worker.passed(&call).map_err(failed)
}

/// Tells the master that the program reached its call with arguments that cannot serve.
#[napi]
pub fn worker_refuse(
    worker: &External<WorkerHandle>,
    name: String,
    code: String,
    message: String,
) -> Result<()> {
    worker.worker.refuse(Refusal { name, code, message }).map_err(failed)
}

/// Tells the master what is about to end this process.
#[napi]
pub fn worker_uncaught(worker: &External<WorkerHandle>, words: String) -> Result<()> {
    worker.worker.uncaught(&words).map_err(failed)
}

/// Tells the master that the program is about to end this process by a call of its own: which, and where.
#[napi]
pub fn worker_exiting(worker: &External<WorkerHandle>, words: String) -> Result<()> {
    worker.worker.exiting(&words).map_err(failed)
}

/// Notes the last bytes of what the program writes to its error stream, for the master to find.
#[napi]
pub fn worker_wrote(
    worker: &External<WorkerHandle>,
    #[napi(ts_arg_type = "Uint8Array")] bytes: BufferSlice<'_>,
) {
    tail::append(&worker.worker.memory, &bytes);
}

/// Has the master know it if this process dies of too small a heap.
#[napi]
pub fn worker_note_heap_limit(worker: &External<WorkerHandle>) {
    heap::note_limit(Arc::clone(&worker.worker.memory));
}

/// The function that answers an event from JavaScript: `(index, flags, started, response)`, where
/// `started` is negative for the event that runs in turn. It returns 1; or 0, with nothing done, if the
/// response has to go through `workerAnswer`: it is very long, or has no room, or is said to be a string
/// as it is and is not ASCII.
#[napi(
    ts_return_type = "(index: number, flags: number, started: number, response: string | Uint8Array) => number"
)]
pub fn worker_answerer(worker: &External<WorkerHandle>) -> Direct<Runner> {
    Direct { state: Rc::clone(&worker.runner) }
}

impl Callee for Runner {
    const NAME: &'static str = "answer";

    unsafe fn call(
        &self,
        env: sys::napi_env,
        [index, flags, started, response]: [sys::napi_value; 4],
    ) -> u32 {
        // SAFETY: the trait's contract; the place has the room that was asked for.
        unsafe {
            let flags = word(env, flags);
            let response = Argument::new(env, response);
            let place = |room| self.worker.place(room);
            let Some(len) = response.write(format_of(flags), place) else { return 0 };
            let started = number(env, started).filter(|&started| started >= 0.0);
            let header = self.answer(word(env, index), flags, started);
            self.worker.publish(&Header { split: len as u32, ..header }, len);
            self.has_answered();
        }
        1
    }
}

/// How many events this worker runs at once.
#[napi]
pub fn worker_concurrency(worker: &External<WorkerHandle>) -> u32 {
    worker.worker.concurrency
}

/// Leaves the events of a run to other workers, or claims them again.
#[napi]
pub fn worker_suspend(worker: &External<WorkerHandle>, run: u32, is_suspended: bool) {
    worker.runner.suspend(run, is_suspended);
}

/// When the event started that was last claimed in a lane.
#[napi]
pub fn worker_started(worker: &External<WorkerHandle>) -> f64 {
    worker.runner.started()
}

/// Tells the master of what the answer adds that is written next: a further event of the run, with the flags of its data.
/// False, with nothing done, if that is said to be a string as it is and has to be JSON.
#[napi]
pub fn worker_emit(
    worker: &External<WorkerHandle>,
    flags: u32,
    #[napi(ts_arg_type = "string | Uint8Array")] data: Argument<'_>,
) -> napi::Result<bool> {
    let Some(data) = data.read(format_of(flags))? else { return Ok(false) };
    let header = Header { finished: clock(), ..Header::new(Kind::Emit, flags) };
    worker.worker.write(&header, &data);
    Ok(true)
}

/// The same of counts: the JSON of an object of numbers by their names.
#[napi]
pub fn worker_count(worker: &External<WorkerHandle>, counts: String) {
    let header = Header { finished: clock(), ..Header::new(Kind::Count, 0) };
    worker.worker.write(&header, counts.as_bytes());
}

/// Says that so many events more are known here to be over.
#[napi]
pub fn worker_heard_abort(worker: &External<WorkerHandle>) {
    worker.worker.memory.word(Layout::ABORTS).fetch_add(1, Ordering::SeqCst);
}

/// Notifies the master if there are answers that it was not notified of.
#[napi]
pub fn worker_notify(worker: &External<WorkerHandle>) {
    worker.runner.notify();
}

/// Whether there are answers that the master was not notified of.
#[napi]
pub fn worker_is_unnotified(worker: &External<WorkerHandle>) -> bool {
    worker.runner.is_unnotified()
}

/// Has the master notify of what it sends to this worker alone; false if there is something.
#[napi]
pub fn worker_listen(worker: &External<WorkerHandle>) -> bool {
    worker.runner.listen()
}

/// Makes an event that came for this worker alone its own for good. False if the master took it back. `counts`: whether it is one
/// of those after which the worker is replaced.
#[napi]
pub fn worker_start(worker: &External<WorkerHandle>, index: u32, counts: bool) -> bool {
    worker.runner.start(index, counts)
}

/// Everything that has arrived for this worker alone.
#[napi]
pub fn worker_take(worker: &External<WorkerHandle>) -> Result<Vec<Arrived>> {
    let items = worker.worker.take().map_err(failed)?;
    let arrived = |Item { header, mut text }: Item| {
        let has_value = header.kind == Kind::Sync && header.has(flag::DATA);
        let value = has_value.then(|| {
            let value = text.split_off((header.split as usize).min(text.len()));
            Value::owned(value, Format::Buffer)
        });
        Arrived {
            kind: header.kind as u32 | header.flags,
            index: header.index,
            run: header.split,
            text: Value::owned(text, format_of(header.flags)),
            value,
        }
    };
    Ok(items.into_iter().map(arrived).collect())
}

/// Writes an answer of any length, waiting for room if need be. `started` is as in `workerAnswerer`.
/// `data` is the event's data if the worker function changed it; null if not, or, with the flag for it,
/// if it is undefined now. Either is JSON, or what its format in the flags says. False, with nothing
/// done, if one is said to be a string as it is and has to be JSON.
#[napi]
pub fn worker_answer(
    worker: &External<WorkerHandle>,
    index: u32,
    flags: u32,
    started: f64,
    #[napi(ts_arg_type = "string | Uint8Array")] response: Argument<'_>,
    #[napi(ts_arg_type = "string | Uint8Array | null")] data: Option<Argument<'_>>,
) -> napi::Result<bool> {
    let Some(mut payload) = response.read(format_of(flags))? else { return Ok(false) };
    let started = Some(started).filter(|&started| started >= 0.0);
    let mut header = worker.runner.answer(index, flags, started);
    header.split = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    if let Some(data) = data {
        let Some(data) = data.read(data_format_of(flags))? else { return Ok(false) };
        header.flags |= flag::DATA;
        payload.append(&data);
    }
    worker.worker.write(&header, &payload);
    worker.runner.has_answered();
    Ok(true)
}

/// Sends a message of the user's to the master, in order with the answers. It is in the format that the flags say.
#[napi]
pub fn worker_message(
    worker: &External<WorkerHandle>,
    flags: u32,
    #[napi(ts_arg_type = "string | Uint8Array")] message: Argument<'_>,
) -> napi::Result<()> {
    let header = Header { finished: clock(), ..Header::new(Kind::Message, flags) };
    let message = message.read(format_of(flags))?.unwrap_or_default();
    worker.worker.write(&header, &message);
    worker.worker.notify();
    Ok(())
}
