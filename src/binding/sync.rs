//! Locks and counters, for JavaScript: of the master, and of a worker alike.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use super::call::Call;
use super::hub::{self, hub};
use super::text::Argument;
use crate::core::sync::Who;
use crate::os::clock::clock;
use crate::run::value::Value;
use crate::shm::common::Common;
use crate::shm::counters::Refused;
use crate::shm::locks::{NO_EVENT, Spot};
use crate::shm::store::Bytes;
use crate::sync::{Looks, Member, Owner, Question, event_word, microseconds};
use crate::wire::format::Format;
use crate::wire::header::{Header, Kind, flag};
use crate::wire::number::whole;
use crate::worker::runner::Runner;

pub(super) type Result<T> = std::result::Result<T, napi::Error<String>>;

/// What this process was given as a worker.
static GIVEN: OnceLock<Common> = OnceLock::new();

thread_local! {
    /// What all processes of the program share, once this thread has used it.
    static COMMON: OnceCell<Common> = const { OnceCell::new() };
    /// This thread's way to the hub.
    static PORT: OnceCell<Port> = const { OnceCell::new() };
}

/// A thread's way to the hub.
enum Port {
    Worker { runner: Rc<Runner>, hold: Rc<Hold> },
    Master(Box<Desk>),
}

/// The way of a thread of the master, whose clients have numbers of their own.
pub(super) struct Desk {
    pub(super) member: Member,
    owner: Owner,
    clients: RefCell<HashMap<u32, Owner>>,
    call: Arc<Call>,
}

/// Why the event loop is to stay alive for a call to come: any of several reasons.
pub(super) struct Hold {
    call: Arc<Call>,
    reasons: Cell<u8>,
}

impl Hold {
    /// Events may come.
    pub(super) const EVENTS: u8 = 1;
    /// An answer of the hub is awaited.
    const ANSWERS: u8 = 2;

    pub(super) fn new(call: Arc<Call>) -> Self {
        Self { call, reasons: Cell::new(0) }
    }

    pub(super) fn set(&self, env: Env, reason: u8, hold: bool) {
        let before = self.reasons.get();
        let after = if hold { before | reason } else { before & !reason };
        self.reasons.set(after);
        if (before == 0) != (after == 0) {
            self.call.hold(&env, after != 0);
        }
    }

    pub(super) fn call(&self) -> &Call {
        &self.call
    }
}

/// This thread is a worker's from now on.
pub(super) fn join(runner: &Rc<Runner>, hold: &Rc<Hold>) {
    let _ = GIVEN.set(runner.worker.common.clone());
    let port = Port::Worker { runner: Rc::clone(runner), hold: Rc::clone(hold) };
    PORT.with(|own| _ = own.set(port));
}

pub(super) fn failed(error: impl std::fmt::Display) -> napi::Error<String> {
    napi::Error::new("ERR_SONIC_SYNC".to_owned(), error.to_string())
}

// ---- questions ----

/// What the hub has told, on its way to JavaScript.
#[napi(object, object_from_js = false)]
pub struct Told {
    /// Which client it is for; 0: this process itself.
    pub owner: u32,
    /// JSON.
    pub text: String,
    /// The bytes behind it.
    #[napi(ts_type = "Buffer")]
    pub value: Option<Value<'static>>,
}

/// Opens this thread's way to the hub, in the master. `call` is called when there is something to take; it does not keep the event
/// loop alive until `syncHold(true)`.
#[napi]
pub fn sync_open(env: Env, call: Function<'_, u32, ()>) -> Result<()> {
    if PORT.with(|port| port.get().is_some()) {
        return Err(failed("it is open already"));
    }
    let hub = hub().map_err(failed)?;
    let call = Arc::new(Call::new(&env, &call, || ()).map_err(failed)?);
    call.hold(&env, false);
    let caller = Arc::clone(&call);
    let member = hub.enter(Looks::WhenNotified, move || caller.call(1));
    let owner = client(&member, itself())?;
    let desk = Desk { member, owner, clients: RefCell::default(), call };
    PORT.with(|port| _ = port.set(Port::Master(Box::new(desk))));
    Ok(())
}

/// A number for whoever asks from this process.
fn client(member: &Member, who: Who) -> Result<Owner> {
    let owner = member.owner().ok_or_else(|| failed("there are too many clients"))?;
    owner.came(who);
    Ok(owner)
}

/// Who asks from this process, if it is itself.
fn itself() -> Who {
    Who { worker: None, pid: std::process::id() }
}

fn with_port<T>(work: impl FnOnce(&Port) -> Result<T>) -> Result<T> {
    PORT.with(|port| port.get().map_or_else(|| Err(failed("it is not open")), work))
}

pub(super) fn with_desk<T>(work: impl FnOnce(&Desk) -> Result<T>) -> Result<T> {
    with_port(|port| match port {
        Port::Master(desk) => work(desk),
        Port::Worker { .. } => Err(failed("a worker has no clients")),
    })
}

/// Asks the hub, or tells it something: JSON, and the bytes of a value.
#[napi]
pub fn sync_send(
    text: String,
    #[napi(ts_arg_type = "Uint8Array | null")] value: Option<Argument<'_>>,
) -> Result<()> {
    let value = bytes_of(value)?;
    with_port(|port| match port {
        Port::Worker { runner, hold } => {
            ask_master(runner, hold, text, value.as_ref());
            Ok(())
        }
        Port::Master(desk) => desk.ask(desk.owner.number(), &text, value.as_deref()),
    })
}

pub(super) fn bytes_of(value: Option<Argument<'_>>) -> Result<Option<Bytes>> {
    let Some(value) = value else { return Ok(None) };
    value.read(Format::Buffer).map_err(failed)
}

/// Sends the master a question, and has it notify of what it answers.
fn ask_master(runner: &Runner, hold: &Hold, text: String, value: Option<&Bytes>) {
    let split = text.len() as u32;
    let has_value = if value.is_some() { flag::DATA } else { 0 };
    let header = Header { split, finished: clock(), ..Header::new(Kind::Sync, has_value) };
    let mut payload = text.into_bytes();
    payload.extend_from_slice(value.map_or(&[], |value| value));
    runner.worker.write(&header, &payload);
    runner.worker.notify();
    if !runner.listen() {
        // It has come already, and nobody notifies of that.
        hold.call().call(1);
    }
}

impl Desk {
    fn ask(&self, owner: u16, text: &str, value: Option<&[u8]>) -> Result<()> {
        let asked = serde_json::from_str(text).map_err(failed)?;
        let value = value.map(Arc::from);
        let at = clock();
        self.member.ask(Question { owner, event: None, at, asked, value }, &());
        Ok(())
    }
}

/// Takes what the hub has told, in order.
#[napi]
pub fn sync_take() -> Result<Vec<Told>> {
    with_desk(|desk| {
        let told = |out: crate::core::sync::Out| Told {
            owner: if out.owner == desk.owner.number() { 0 } else { out.owner.into() },
            text: serde_json::to_string(&out.told).expect("plain data is serialisable"),
            value: out.value.map(|value| Value::owned(Bytes::from(&*value), Format::Buffer)),
        };
        Ok(desk.member.take().into_iter().map(told).collect())
    })
}

/// Whether an answer is awaited: then it keeps the event loop alive.
#[napi]
pub fn sync_hold(env: Env, hold: bool) -> Result<()> {
    with_port(|port| {
        match port {
            Port::Worker { hold: its, .. } => its.set(env, Hold::ANSWERS, hold),
            Port::Master(desk) => desk.call.hold(&env, hold),
        }
        Ok(())
    })
}

/// A number for a client, for whom this process asks: a worker of another machine has its number and that of its process.
#[napi]
pub fn sync_owner(worker: Option<u32>, pid: Option<u32>) -> Result<u32> {
    let who = pid.map_or_else(itself, |pid| Who { worker, pid });
    with_desk(|desk| {
        let owner = client(&desk.member, who)?;
        let number = owner.number().into();
        desk.clients.borrow_mut().insert(number, owner);
        Ok(number)
    })
}

/// Asks for a client.
#[napi]
pub fn sync_ask_as(
    owner: u32,
    text: String,
    #[napi(ts_arg_type = "Uint8Array | null")] value: Option<Argument<'_>>,
) -> Result<()> {
    let value = bytes_of(value)?;
    with_desk(|desk| {
        let clients = desk.clients.borrow();
        let owner = clients.get(&owner).ok_or_else(|| failed("there is no such client"))?;
        desk.ask(owner.number(), &text, value.as_deref())
    })
}

/// A client is gone: what it held is free.
#[napi]
pub fn sync_owner_gone(owner: u32) -> Result<()> {
    with_desk(|desk| {
        let gone = desk.clients.borrow_mut().remove(&owner);
        drop(gone);
        Ok(())
    })
}

/// How locks were used: the JSON of an array.
#[napi]
pub fn sync_statistics() -> String {
    let locks = hub::last().map(|hub| hub.statistics()).unwrap_or_default();
    let locks = locks.into_iter().map(|lock| {
        serde_json::json!({
            "name": &*lock.name,
            "granted": lock.granted,
            "waited": lock.waited,
            "wait": { "p50": lock.wait_p50, "p99": lock.wait_p99, "max": lock.wait_max },
            "held": lock.held,
        })
    });
    serde_json::Value::Array(locks.collect()).to_string()
}

// ---- locks that nobody waits for ----

/// How `lockTry` is told of an event, which an answer names by this index and these flags.
#[napi]
pub fn sync_event(index: u32, flags: u32) -> f64 {
    let lane =
        (flags & flag::DIRECT == 0).then_some((flags >> flag::LANE_AT & flag::LANE_MASK) as usize);
    event_word(index, lane) as f64
}

/// Takes a lock that is free: the token of the grant; or 0, with nothing done: then the hub must be asked. `event`: see
/// `syncEvent`; -1: none.
#[napi]
pub fn lock_try(place: u32, generation: u32, event: f64) -> f64 {
    let event = if event < 0.0 { NO_EVENT } else { event as u64 };
    let spot = Spot { place, generation };
    let taken = own(|common, owner| common.acquire(spot, owner, event, microseconds()));
    taken.flatten().unwrap_or_default() as f64
}

/// Ends a grant. False, with nothing done, if the hub must be told.
#[napi]
pub fn lock_end(place: u32, generation: u32, token: f64) -> bool {
    let spot = Spot { place, generation };
    own(|common, owner| common.release(spot, owner, token as u64, microseconds()))
        .unwrap_or_default()
}

/// Does something with the locks of this thread's own number; nothing if it has none.
fn own<T>(work: impl FnOnce(&Common, u16) -> T) -> Option<T> {
    PORT.with(|port| match port.get()? {
        Port::Worker { runner, .. } => Some(work(&runner.worker.common, runner.worker.owner)),
        Port::Master(desk) => Some(work(desk.member.hub().common(), desk.owner.number())),
    })
}

// ---- counters ----

/// The index of a counter of this name.
#[napi]
pub fn counter_index(env: Env, name: String) -> napi::Result<u32> {
    on_counters(env, |common| common.counter(name.as_bytes()))
}

#[napi]
pub fn counter_load(env: Env, index: u32) -> napi::Result<f64> {
    on_counters(env, |common| common.load(index).map(|value| value as f64))
}

#[napi]
pub fn counter_store(env: Env, index: u32, value: f64) -> napi::Result<()> {
    on_counters(env, |common| common.store(index, integer(value)?))
}

/// What it was before; so does each that follows.
#[napi]
pub fn counter_add(env: Env, index: u32, more: f64) -> napi::Result<f64> {
    on_counters(env, |common| common.add(index, integer(more)?).map(|value| value as f64))
}

#[napi]
pub fn counter_exchange(env: Env, index: u32, value: f64) -> napi::Result<f64> {
    on_counters(env, |common| common.exchange(index, integer(value)?).map(|value| value as f64))
}

#[napi]
pub fn counter_compare_exchange(
    env: Env,
    index: u32,
    expected: f64,
    value: f64,
) -> napi::Result<f64> {
    on_counters(env, |common| {
        let before = common.compare_exchange(index, integer(expected)?, integer(value)?)?;
        Ok(before as f64)
    })
}

fn integer(number: f64) -> std::result::Result<i64, Refused> {
    whole(number).ok_or(Refused::Limit)
}

fn on_counters<T>(
    env: Env,
    work: impl FnOnce(&Common) -> std::result::Result<T, Refused>,
) -> napi::Result<T> {
    COMMON.with(|common| {
        if common.get().is_none() {
            let _ = common.set(shared().map_err(napi::Error::from_reason)?);
        }
        let result = common.get().map_or(Err(Refused::Unknown), work);
        result.map_err(|refused| out_of_range(env, refused))
    })
}

/// What this process shares with all others of its program.
fn shared() -> std::result::Result<Common, String> {
    if let Some(given) = GIVEN.get() {
        return Ok(given.clone());
    }
    hub().map(|hub| hub.common().clone()).map_err(|error| error.to_string())
}

/// Has JavaScript throw a `RangeError`.
#[cold]
fn out_of_range(env: Env, refused: Refused) -> napi::Error {
    let code = match refused {
        Refused::Full => "ERR_SONIC_COUNTERS",
        Refused::Limit | Refused::Unknown => "ERR_OUT_OF_RANGE",
    };
    // What is thrown then is pending, and nothing else is.
    let _ = env.throw_range_error(&refused.to_string(), Some(code));
    napi::Error::new(napi::Status::PendingException, refused.to_string())
}
