//! The worker's side, for JavaScript: one worker a process.

use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{BufferSlice, External, Function};
use napi::{Env, JsValue, sys};
use napi_derive::napi;

use super::call::Call;
use super::direct::{Callee, Direct, encode, number, word};
use super::heap;
use super::text::{Argument, Content, string};
use crate::os::child::{Given, adopt, parent, watch_parent};
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket::{Handle, taken_over};
use crate::pool::tail;
use crate::queue::backlog::Claimed;
use crate::shm::store::Bytes;
use crate::wire::format::Format;
use crate::wire::header::{Header, Kind, data_format_of, flag, format_of};
use crate::wire::protocol::{Invitation, Refusal, VERSION};
use crate::worker::join::{Item, Orphan, Signal, Worker};
use crate::worker::runner::{Runner, Served};

type Result<T> = std::result::Result<T, napi::Error<String>>;

/// What a worker is given is there once, however many threads of it have JavaScript.
static HAS_JOINED: Mutex<bool> = Mutex::new(false);

/// A worker and the function that it calls.
pub struct WorkerHandle {
    worker: Arc<Worker>,
    runner: Rc<Runner>,
    call: Arc<Call>,
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
    /// In the format that the flags say: a string, or a Buffer if it is binary.
    #[napi(ts_type = "any")]
    pub text: Content,
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
    let Invitation { control, memory, backlog, .. } = invitation;
    let given = [Given::Stream(control), Given::Memory(memory), Given::Memory(backlog)];
    // SAFETY: a master that started this process, and is its parent, has put them there for this package, and tells
    // nobody else their numbers; and no second call comes here.
    let [control, memory, backlog] = unsafe { adopt(given) }.map_err(failed)?;
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
    let (memory, backlog) = (map(&memory)?, map(&backlog)?);
    let control = taken_over(control).map_err(failed)?;
    let worker = Worker::join(&invitation, control, memory, backlog, signal, Orphan::end);
    let worker = worker.map_err(failed)?;
    let watched = Arc::clone(&worker);
    watch_parent(move || watched.is_doomed());
    let runner = Rc::new(Runner::new(Arc::clone(&worker)));
    Ok(Some(External::new(WorkerHandle { worker, runner, call })))
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

/// Whether the master draws on the terminal that both may write to.
#[napi]
pub fn worker_shares_terminal(worker: &External<WorkerHandle>) -> bool {
    worker.worker.shares_terminal
}

/// Whether the worker keeps the event loop alive.
#[napi]
pub fn worker_hold(env: Env, worker: &External<WorkerHandle>, hold: bool) {
    worker.call.hold(&env, hold);
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

/// Runs events until there is a reason to stop: 0 nothing to do, 1 timers and sockets are to have their
/// turn, 2 an event is pending, 3 something has come for this worker alone. `serve` is called with each
/// event's data (a number, a string, the text of its JSON, a `Buffer` of what is binary, or undefined where
/// there is none), its flags
/// and its index; it returns a number that is the response, true if it has answered, or false if the
/// event is pending. `isTurn`: timers and sockets have just had their turn.
#[napi]
pub fn worker_run(
    env: Env,
    worker: &External<WorkerHandle>,
    #[napi(ts_arg_type = "(value: any, flags: number, index: number) => number | boolean")]
    serve: Function<'_, (), ()>,
    is_turn: bool,
) -> u32 {
    let runner = &worker.runner;
    if is_turn {
        runner.turn();
    }
    let (env, function) = (env.raw(), serve.raw());
    let mut this = ptr::null_mut();
    // SAFETY: in a call of `env`.
    unsafe { sys::napi_get_undefined(env, &raw mut this) };
    let mut scope = Scope::open(env);
    let pause = runner.run(|event| {
        scope.renew(event.len);
        // SAFETY: in a call of `env`, as long as which `function` lives.
        unsafe { serve_event(env, runner, (this, function), event) }
    });
    // With an exception pending nobody sees the number.
    pause.map_or(0, |pause| pause as u32)
}

/// Holds the values that the events need, and lets go of them now and then: for each event that would
/// cost a share of its time.
struct Scope {
    env: sys::napi_env,
    handles: sys::napi_handle_scope,
    /// What the values in it cost, for the most part in bytes.
    cost: usize,
}

impl Scope {
    const MAX_COST: usize = 16 * 1024;
    const EVENT: usize = 512;

    /// In a call of `env`, which ends after the scope.
    fn open(env: sys::napi_env) -> Self {
        let mut handles = ptr::null_mut();
        // SAFETY: in a call of `env`.
        unsafe { sys::napi_open_handle_scope(env, &raw mut handles) };
        Self { env, handles, cost: 0 }
    }

    /// Before an event with a text of `len` bytes: what earlier ones needed is not needed any more.
    fn renew(&mut self, len: usize) {
        if self.cost > Self::MAX_COST {
            // SAFETY: opened in this call of `env`, and not closed yet.
            unsafe {
                sys::napi_close_handle_scope(self.env, self.handles);
                sys::napi_open_handle_scope(self.env, &raw mut self.handles);
            }
            self.cost = 0;
        }
        self.cost += Self::EVENT + len;
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: opened in this call of `env`, and closed once, in order.
        unsafe { sys::napi_close_handle_scope(self.env, self.handles) };
    }
}

/// Has JavaScript run one event.
///
/// # Safety
/// In a call of `env`, whose values `this` and `function` are.
unsafe fn serve_event(
    env: sys::napi_env,
    runner: &Runner,
    (this, function): (sys::napi_value, sys::napi_value),
    event: &Claimed,
) -> Served {
    let mut arguments = [this; 3];
    let mut result = ptr::null_mut();
    let (mut number, mut is_answered) = (0, false);
    // SAFETY: the caller's; the event's text is within the memory.
    unsafe {
        event_value(env, &runner.worker.backlog, event, &mut arguments[0]);
        if !runner.has_read(event) {
            return Served::Lost;
        }
        sys::napi_create_uint32(env, event.flags, &raw mut arguments[1]);
        sys::napi_create_uint32(env, event.index, &raw mut arguments[2]);
        let status = sys::napi_call_function(
            env,
            this,
            function,
            arguments.len(),
            arguments.as_ptr(),
            &raw mut result,
        );
        if status != sys::Status::napi_ok {
            Served::Thrown
        } else if sys::napi_get_value_int64(env, result, &raw mut number) == sys::Status::napi_ok {
            Served::Number(number)
        } else {
            sys::napi_get_value_bool(env, result, &raw mut is_answered);
            if is_answered { Served::Answered } else { Served::Pending }
        }
    }
}

/// Numbers of at most so many digits are read without making a string.
const DIGITS: usize = 9;

/// What JavaScript is given of an event that was claimed: `value` stays what it is, which is undefined,
/// if there is nothing.
///
/// # Safety
/// In a call of `env`; the event lies in `memory`.
unsafe fn event_value(
    env: sys::napi_env,
    memory: &Memory,
    event: &Claimed,
    value: &mut sys::napi_value,
) {
    let Claimed { flags, at, len, .. } = *event;
    if flags & flag::HOLE != 0 {
        return;
    }
    let text = memory.at(at);
    // SAFETY: the caller's. Others may write to this memory meanwhile: what reads there reads each byte once,
    // and takes it for whatever it is. UTF-8 is read twice, so that is done with a copy.
    unsafe {
        match format_of(flags) {
            Format::Json => {
                if let Some(number) = whole_number(memory, at, len) {
                    sys::napi_create_int32(env, number, value);
                } else if flags & flag::ASCII != 0 {
                    sys::napi_create_string_latin1(env, text.cast(), len.cast_signed(), value);
                } else {
                    let mut copy = Bytes::with_room(len);
                    memory.read(at, len, &mut copy);
                    // It stays what it is if there is no memory for it.
                    let _ = string(env, &copy, false).map(|string| *value = string);
                }
            }
            Format::String => {
                sys::napi_create_string_latin1(env, text.cast(), len.cast_signed(), value);
            }
            Format::Clone | Format::Buffer => {
                let mut copy = ptr::null_mut();
                sys::napi_create_buffer_copy(env, len, text.cast(), &raw mut copy, value);
            }
        }
    }
}

/// The number that a JSON text is, if it is a whole one and not too long.
fn whole_number(memory: &Memory, at: usize, len: usize) -> Option<i32> {
    if len == 0 || len > DIGITS {
        return None;
    }
    let mut bytes = [0; DIGITS];
    memory.copy(at, &mut bytes[..len]);
    let (is_negative, digits) = match &bytes[..len] {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i32::from(digit - b'0');
    }
    // JSON has no other zero with a sign than -0, which is none that an i32 could be.
    if is_negative { (value != 0).then_some(-value) } else { Some(value) }
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
            let Some(len) = encode(env, response, format_of(flags), |room| self.worker.place(room))
            else {
                return 0;
            };
            let started = number(env, started).filter(|&started| started >= 0.0);
            let header = self.answer(word(env, index), flags, started);
            self.worker.publish(&Header { split: len as u32, ..header }, len);
            self.has_answered(flags);
        }
        1
    }
}

/// Rings the master if there are answers that it was not rung for.
#[napi]
pub fn worker_ring(worker: &External<WorkerHandle>) {
    worker.runner.ring();
}

/// Whether there are answers that the master was not rung for.
#[napi]
pub fn worker_is_unrung(worker: &External<WorkerHandle>) -> bool {
    worker.runner.is_unrung()
}

/// Has the master ring for what it sends to this worker alone; false if there is something.
#[napi]
pub fn worker_listen(worker: &External<WorkerHandle>) -> bool {
    worker.runner.listen()
}

/// Makes an event that came for this worker alone its own for good. False if the master took it back.
#[napi]
pub fn worker_start(worker: &External<WorkerHandle>, index: u32) -> bool {
    worker.runner.start(index)
}

/// Everything that has arrived for this worker alone.
#[napi]
pub fn worker_take(worker: &External<WorkerHandle>) -> Result<Vec<Arrived>> {
    let items = worker.worker.take().map_err(failed)?;
    let arrived = |Item { header, text }| Arrived {
        kind: header.kind as u32 | header.flags,
        index: header.index,
        text: Content { bytes: text, format: format_of(header.flags) },
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
    worker.runner.has_answered(flags);
    Ok(true)
}

/// Sends a message of the user's to the master, in order with the answers.
#[napi]
pub fn worker_message(
    worker: &External<WorkerHandle>,
    flags: u32,
    #[napi(ts_arg_type = "string")] text: Argument<'_>,
) -> napi::Result<()> {
    let header = Header { finished: clock(), ..Header::new(Kind::Message, flags) };
    let text = text.read(Format::Json)?.unwrap_or_default();
    worker.worker.write(&header, &text);
    worker.worker.ring();
    Ok(())
}
