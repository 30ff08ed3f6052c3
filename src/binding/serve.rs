//! A worker's events, each handed to JavaScript: the hot path of a worker.

use std::ptr;

use napi::bindgen_prelude::{External, Function};
use napi::{Env, JsValue, sys};
use napi_derive::napi;

use super::text::string;
use super::worker::WorkerHandle;
use crate::os::memory::Memory;
use crate::queue::claimer::Claimed;
use crate::shm::store::Bytes;
use crate::wire::format::Format;
use crate::wire::header::{flag, format_of};
use crate::wire::number;
use crate::worker::runner::{Runner, Served};

/// Runs events until there is a reason to stop: 0 nothing to do, 1 timers and sockets are to have their
/// turn, 2 no other event is to be claimed before one has ended, 3 something has come for this worker alone, 4 an event
/// was claimed whose text comes for this worker alone. `serve` is called with each event's data (a number, a string, the
/// text of its JSON, a `Buffer` of what is binary, or undefined where there is none), its flags, its index and its run; it
/// returns a number that is the response, true if it has answered, undefined if the event is pending and others may run
/// meanwhile, or false if none may. `isTurn`: timers and sockets have just had their turn. So many events are `running`.
#[napi]
pub fn worker_run(
    env: Env,
    worker: &External<WorkerHandle>,
    #[napi(
        ts_arg_type = "(value: any, flags: number, index: number, run: number) => number | boolean | undefined"
    )]
    serve: Function<'_, (), ()>,
    is_turn: bool,
    running: u32,
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
    let pause = runner.run(running, |event| {
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
    let mut arguments = [this; 4];
    let mut result = ptr::null_mut();
    let (mut number, mut is_answered) = (0, true);
    // SAFETY: the caller's; the event's text is within the memory.
    unsafe {
        event_value(env, &runner.worker.lanes, event, &mut arguments[0]);
        if !runner.has_read(event) {
            return Served::Lost;
        }
        let lane = (event.lane as u32) << flag::LANE_AT;
        sys::napi_create_uint32(env, event.flags | lane, &raw mut arguments[1]);
        sys::napi_create_uint32(env, event.index, &raw mut arguments[2]);
        sys::napi_create_uint32(env, event.run, &raw mut arguments[3]);
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
            match sys::napi_get_value_bool(env, result, &raw mut is_answered) {
                sys::Status::napi_ok if is_answered => Served::Answered,
                sys::Status::napi_ok => Served::Pending,
                _ => Served::Open,
            }
        }
    }
}

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

/// The number that a JSON text is, if it is a small whole one.
fn whole_number(memory: &Memory, at: usize, len: usize) -> Option<i32> {
    let mut bytes = [0; number::LONGEST];
    let bytes = bytes.get_mut(..len)?;
    memory.copy(at, bytes);
    number::parse(bytes)
}
