//! The worker's side, for JavaScript: one worker a process.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{External, Function};
use napi_derive::napi;

use super::call::Call;
use super::text::{Shown, Text};
use crate::child::adopt;
use crate::memory::Memory;
use crate::protocol::{Invitation, Refusal, VERSION};
use crate::ring::{Header, Kind, flag};
use crate::worker::{Item, Signal, Worker, end_orphan};

type Result<T> = std::result::Result<T, napi::Error<String>>;

/// A worker and the function that it calls.
pub struct WorkerHandle {
    worker: Arc<Worker>,
    call: Arc<Call>,
    /// The texts of the events whose data a worker function could change, until they are answered.
    originals: RefCell<HashMap<u32, Vec<u8>>>,
}

fn failed(error: impl std::fmt::Display) -> napi::Error<String> {
    napi::Error::new("ERR_SONIC_PROTOCOL".to_owned(), error.to_string())
}

/// An answer of any length, or one whose data may have changed.
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
    // SAFETY: the master put the two descriptors here for this package, which deletes the
    // variable before it calls this: nobody else, and no second call, takes them.
    let (control, memory) = unsafe {
        (adopt(invitation.control).map_err(failed)?, adopt(invitation.memory).map_err(failed)?)
    };
    let call = Arc::new(Call::new(&env, &call, || ()).map_err(failed)?);
    call.hold(&env, false);
    let caller = Arc::clone(&call);
    let signal = move |signal| {
        caller.call(match signal {
            Signal::Arrived => 1,
            Signal::Released => 2,
        });
    };
    let memory = Arc::new(Memory::of_file(&File::from(memory)).map_err(failed)?);
    let control = UnixStream::from(control);
    let worker = Worker::join(&invitation, control, memory, signal, end_orphan).map_err(failed)?;
    Ok(Some(External::new(WorkerHandle { worker, call, originals: RefCell::default() })))
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

/// Whether anything has arrived that was not taken.
#[napi]
pub fn worker_has_arrived(worker: &External<WorkerHandle>) -> bool {
    worker.worker.has_arrived()
}

/// Everything that has arrived, as one JSON array of three values an item: kind and flags, index,
/// data; null if nothing has.
#[napi(ts_return_type = "string | null")]
pub fn worker_take(worker: &External<WorkerHandle>) -> Result<Option<Text>> {
    let items = worker.worker.take().map_err(failed)?;
    if items.is_empty() {
        return Ok(None);
    }
    let mut originals = worker.originals.borrow_mut();
    let advanced = worker.worker.serialization == "advanced";
    let length: usize = items.iter().map(|item| item.text.len() + 24).sum();
    let mut text = Vec::with_capacity(length + 2);
    let mut digits = itoa::Buffer::new();
    for Item { header, text: data } in items {
        text.push(if text.is_empty() { b'[' } else { b',' });
        text.extend_from_slice(digits.format(header.kind as u32 | header.flags).as_bytes());
        text.push(b',');
        text.extend_from_slice(digits.format(header.index).as_bytes());
        text.push(b',');
        if data.is_empty() {
            text.push(b'0');
        } else {
            text.extend_from_slice(&data);
        }
        let changeable = advanced || matches!(data.first(), Some(b'{' | b'['));
        if header.kind == Kind::Task && changeable && !header.has(flag::WHOLE) {
            originals.insert(header.index, data);
        }
    }
    text.push(b']');
    Ok(Some(Text(text)))
}

/// An event that was recalled will not be answered.
#[napi]
pub fn worker_forget(worker: &External<WorkerHandle>, index: u32) {
    worker.originals.borrow_mut().remove(&index);
}

/// Writes an answer, waiting for room if need be. `data` is the event's data as the worker function
/// left it, and travels only if it changed; null if it could not change, and, with the flag for it,
/// if it is undefined now.
#[napi]
pub fn worker_answer(
    worker: &External<WorkerHandle>,
    answer: Answer,
    #[napi(ts_arg_type = "string")] response: Text,
    #[napi(ts_arg_type = "string | null")] data: Option<Text>,
) {
    let original = worker.originals.borrow_mut().remove(&answer.index);
    let mut payload = response.0;
    let mut header = Header {
        index: answer.index,
        split: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        started: answer.started,
        finished: answer.finished,
        ..Header::new(Kind::Answer, answer.flags)
    };
    if let Some(Text(data)) = data
        && original.as_ref() != Some(&data)
    {
        header.flags |= flag::DATA;
        payload.extend_from_slice(&data);
    }
    worker.worker.write(&header, &payload);
}

/// Sends a message of the user's to the master, in order with the answers.
#[napi]
pub fn worker_message(
    worker: &External<WorkerHandle>,
    flags: u32,
    #[napi(ts_arg_type = "string")] text: Text,
    finished: f64,
) {
    let header = Header { finished, ..Header::new(Kind::Message, flags) };
    worker.worker.write(&header, &text.0);
    worker.worker.ring();
}
