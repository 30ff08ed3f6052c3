//! The worker's side, for JavaScript: one worker a process.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{External, Function};
use napi_derive::napi;

use super::call::Call;
use super::text::{Argument, Content, Shown};
use crate::child::adopt;
use crate::format::Format;
use crate::memory::Memory;
use crate::protocol::{Invitation, Refusal, VERSION};
use crate::ring::{Header, Kind, data_format_of, flag, format_of};
use crate::worker::{Item, Signal, Worker, end_orphan};

type Result<T> = std::result::Result<T, napi::Error<String>>;

/// A worker and the function that it calls.
pub struct WorkerHandle {
    worker: Arc<Worker>,
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

/// An answer of any length, or one whose data has changed.
#[napi(object)]
pub struct Answer {
    pub index: u32,
    pub flags: u32,
    pub started: f64,
    pub finished: f64,
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
    if std::os::unix::process::parent_id() != invitation.parent {
        return Ok(None);
    }
    if invitation.version != VERSION {
        let theirs = invitation.version;
        return Err(failed(format!(
            "the master speaks version {theirs} of the protocol, this worker version {VERSION}: \
             the program loads two versions of @tiemma/sonic-distribute"
        )));
    }
    // SAFETY: the master put the descriptors here for this package, which deletes the variable
    // before it calls this: nobody else, and no second call, takes them.
    let [control, memory, backlog] =
        [invitation.control, invitation.memory, invitation.backlog].map(|fd| unsafe { adopt(fd) });
    let call = Arc::new(Call::new(&env, &call, || ()).map_err(failed)?);
    call.hold(&env, false);
    let caller = Arc::clone(&call);
    let signal = move |signal| {
        caller.call(match signal {
            Signal::Arrived => 1,
            Signal::Released => 2,
        });
    };
    let map = |file: io::Result<OwnedFd>| Memory::of_file(&File::from(file?)).map(Arc::new);
    let (memory, backlog) = (map(memory).map_err(failed)?, map(backlog).map_err(failed)?);
    let control = UnixStream::from(control.map_err(failed)?);
    let worker = Worker::join(&invitation, control, memory, backlog, signal, end_orphan);
    Ok(Some(External::new(WorkerHandle { worker: worker.map_err(failed)?, call })))
}

/// The number of the call that the worker serves; 0 is the program's first.
#[napi]
pub fn worker_call(worker: &External<WorkerHandle>) -> u32 {
    worker.worker.call
}

/// How values are encoded in this run.
#[napi(ts_return_type = "'json' | 'advanced'")]
pub fn worker_serialization(worker: &External<WorkerHandle>) -> String {
    worker.worker.serialization.clone()
}

/// The memory that the worker shares with its master.
#[napi(ts_return_type = "ArrayBuffer")]
pub fn worker_memory(worker: &External<WorkerHandle>) -> Shown {
    Shown(Arc::clone(&worker.worker.memory))
}

/// What all workers of the run share: the events that wait.
#[napi(ts_return_type = "ArrayBuffer")]
pub fn worker_backlog(worker: &External<WorkerHandle>) -> Shown {
    Shown(Arc::clone(&worker.worker.backlog))
}

/// The worker's place in the run, from 0 on.
#[napi]
pub fn worker_place(worker: &External<WorkerHandle>) -> u32 {
    worker.worker.place
}

/// Whether the worker keeps the event loop alive.
#[napi]
pub fn worker_hold(env: Env, worker: &External<WorkerHandle>, hold: bool) {
    worker.call.hold(&env, hold);
}

/// Tells the master that the program reached its call.
#[napi]
pub fn worker_register(worker: &External<WorkerHandle>) -> Result<()> {
    worker.worker.register().map_err(failed)
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

/// Rings the master: there are answers.
#[napi]
pub fn worker_ring(worker: &External<WorkerHandle>) {
    worker.worker.ring();
}

/// Looks for events, from the backlog's number `next` on, for a moment.
#[napi]
pub fn worker_look_for_events(worker: &External<WorkerHandle>, next: i32) {
    worker.worker.look_for_events(next.cast_unsigned());
}

/// Whether anything has arrived that was not taken.
#[napi]
pub fn worker_has_arrived(worker: &External<WorkerHandle>) -> bool {
    worker.worker.has_arrived()
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

/// Writes an answer, waiting for room if need be. `data` is the event's data if the worker function
/// changed it; null if not, or, with the flag for it, if it is undefined now. Either is JSON, or what its
/// format in the flags says. False, with nothing done, if one is said to be a string as it is and has to
/// be JSON.
#[napi]
pub fn worker_answer(
    worker: &External<WorkerHandle>,
    answer: Answer,
    #[napi(ts_arg_type = "string | Uint8Array")] response: Argument<'_>,
    #[napi(ts_arg_type = "string | Uint8Array | null")] data: Option<Argument<'_>>,
) -> napi::Result<bool> {
    let Some(mut payload) = response.read(format_of(answer.flags))? else { return Ok(false) };
    let mut header = Header {
        index: answer.index,
        split: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        started: answer.started,
        finished: answer.finished,
        ..Header::new(Kind::Answer, answer.flags)
    };
    if let Some(data) = data {
        let Some(data) = data.read(data_format_of(answer.flags))? else { return Ok(false) };
        header.flags |= flag::DATA;
        payload.append(&data);
    }
    worker.worker.write(&header, &payload);
    Ok(true)
}

/// Sends a message of the user's to the master, in order with the answers.
#[napi]
pub fn worker_message(
    worker: &External<WorkerHandle>,
    flags: u32,
    #[napi(ts_arg_type = "string")] text: Argument<'_>,
    finished: f64,
) -> napi::Result<()> {
    let header = Header { finished, ..Header::new(Kind::Message, flags) };
    let text = text.read(Format::Json)?.unwrap_or_default();
    worker.worker.write(&header, &text);
    worker.worker.ring();
    Ok(())
}
