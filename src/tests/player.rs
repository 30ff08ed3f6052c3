//! A worker process played in this one: the real [`Worker`] at one end of real sockets and shared
//! memory, with the part of `lib/worker.js` played by the test, and a [`Process`] that only notes
//! what is done to it. [`Writer`] and [`Claimer`] are the real ends of the lanes, with what the binding
//! does around them. None has an opinion on what should come; that is the tests' part.

#![cfg_attr(
    windows,
    allow(
        dead_code,
        unused_imports,
        reason = "what plays the other side of a socket is not compiled there"
    )
)]

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::os::child::Process;
use crate::os::memory::Memory;
use crate::os::socket::Stream;
use crate::queue::claimer::{self, Claimed};
use crate::queue::writer;
use crate::run::words::Words;
use crate::shm::common::Common;
use crate::shm::store::Bytes;
use crate::wire::frame::{Decoder, Frame};
use crate::wire::header::{Header, Kind, flag};
use crate::wire::layout::{Layout, Shared};
use crate::wire::protocol::{Invitation, VERSION};
use crate::worker::join::{Item, Orphan, Signal, Worker};
use crate::worker::memories::Memories;

/// Far above what anything here needs on a busy machine: only a hang reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// An event that runs this long, in milliseconds, is short to the scheduler: 128 of them fit a
/// window. Sums of it are exact.
pub(crate) const SHORT: f64 = 1.0 / 128.0;

/// An event that runs this long is not.
pub(crate) const LONG: f64 = 50.0;

/// Waits for what another thread does and does not tell.
#[track_caller]
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// Waits for what another process gives.
#[track_caller]
pub(crate) fn until_some<T>(what: &str, mut give: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(given) = give() {
            return given;
        }
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// Ends the other threads' loops when one of them ends, also by a panic.
pub(crate) struct Ends<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<&Vec<u8>> for Bytes {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Bytes {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

/// What was done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Killed,
    Signalled(i32),
}

/// A process that is none.
#[derive(Debug, Clone)]
pub(crate) struct NoProcess {
    pub(crate) pid: u32,
    done: Arc<Mutex<Vec<Done>>>,
}

impl NoProcess {
    pub(crate) fn new(pid: u32) -> Self {
        Self { pid, done: Arc::default() }
    }

    /// Everything that was done to it.
    pub(crate) fn done(&self) -> Vec<Done> {
        self.done.lock().expect("no panic under the lock").clone()
    }

    pub(crate) fn was_killed(&self) -> bool {
        self.done().contains(&Done::Killed)
    }
}

impl Process for NoProcess {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn signal(&self, number: i32) -> io::Result<()> {
        self.done.lock().expect("no panic under the lock").push(Done::Signalled(number));
        Ok(())
    }

    fn kill(&self) {
        self.done.lock().expect("no panic under the lock").push(Done::Killed);
    }
}

/// For the worker in the place before its id.
pub(crate) fn invitation(worker: u32, token: &str) -> Invitation {
    Invitation {
        version: VERSION,
        pool: 0,
        call: "{}".into(),
        worker,
        control: -1,
        memory: -1,
        lanes: -1,
        common: -1,
        owner: 1,
        slot: worker - 1,
        group: 0,
        serialization: "json".into(),
        spill: None,
        times: true,
        concurrency: 1,
        max_tasks: None,
        parent: 0,
        token: token.into(),
    }
}

/// Memory of the size that a worker shares with its master.
pub(crate) fn shared_memory() -> Arc<Memory> {
    Arc::new(Memory::anonymous(Layout::LEN).expect("memory"))
}

/// Memory of the size that all workers share.
pub(crate) fn shared_lanes() -> Arc<Memory> {
    Arc::new(Memory::anonymous(Shared::LEN).expect("memory"))
}

/// Memory of the size that all processes of a program share.
pub(crate) fn shared_common() -> Arc<Memory> {
    Arc::new(Memory::anonymous(Common::LEN).expect("memory"))
}

/// The end of the master's JavaScript thread, and what it does for each event.
#[derive(Debug)]
pub(crate) struct Writer {
    end: writer::Writer,
    words: Arc<Words>,
}

impl Writer {
    pub(crate) fn of(end: writer::Writer, words: Arc<Words>) -> Self {
        Self { end, words }
    }

    /// Puts an event in. False, with nothing done, if that is the pool's business.
    pub(crate) fn write(&self, flags: u32, text: &str) -> bool {
        let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
        let Some(room) = self.end.room(3 * units) else { return false };
        // SAFETY: there is room for three bytes a unit, and a text has no more.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), self.end.bytes(&room), text.len()) };
        let ascii = if text.is_ascii() { flag::ASCII } else { 0 };
        self.end.publish(&room, self.words.hand_over(), text.len() as u32, flags | ascii);
        true
    }

    /// Whether a worker is parked that an event should wake.
    pub(crate) fn has_parked(&self) -> bool {
        self.end.has_parked()
    }
}

/// A worker's end, by the events' numbers in the lane that they were claimed in.
#[derive(Debug)]
pub(crate) struct Claimer {
    end: claimer::Claimer,
    memory: Arc<Memory>,
    /// What was claimed.
    claimed: HashMap<u32, Claimed>,
}

impl Claimer {
    pub(crate) fn new(memory: Arc<Memory>, slot: usize) -> Self {
        let end = claimer::Claimer::new(Arc::clone(&memory), slot);
        Self { end, memory, claimed: HashMap::new() }
    }

    /// Of a worker in this group.
    pub(crate) fn in_group(self, group: u32) -> Self {
        Self { end: self.end.in_group(group), ..self }
    }

    /// Makes the next event this worker's for good, and says its number. None if there is none.
    pub(crate) fn claim(&mut self) -> Option<u32> {
        let claimed = self.end.claim()?;
        self.claimed.insert(claimed.index, claimed);
        Some(claimed.index)
    }

    /// The lane of what was claimed.
    pub(crate) fn lane(&self, number: u32) -> usize {
        self.claimed[&number].lane
    }

    /// The flags and the text of what was claimed, whose bytes are free from then on. None if the master has taken it
    /// back.
    pub(crate) fn try_read(&mut self, number: u32) -> Option<(u32, Vec<u8>)> {
        let event = self.claimed[&number];
        let mut text = Vec::new();
        self.memory.read(event.at, event.len, &mut text);
        let is_mine = event.flags & flag::LONG != 0 || self.end.has_read(&event);
        is_mine.then_some((event.flags, text))
    }

    /// The same, of what nobody has taken back.
    pub(crate) fn read(&mut self, number: u32) -> (u32, Vec<u8>) {
        self.try_read(number).expect("it is this worker's")
    }

    /// Whether the worker that has claimed and read this event must notify the master.
    pub(crate) fn is_to_notify(&self, number: u32) -> bool {
        self.end.is_to_notify(&self.claimed[&number])
    }

    /// From now on an event wakes this worker.
    pub(crate) fn park(&self) {
        self.end.park();
    }

    /// Whether there is something to claim, now that the worker is about to park.
    pub(crate) fn has_more(&self) -> bool {
        self.end.has_more()
    }

    /// Whether something was put in since it last claimed in vain.
    pub(crate) fn has_news(&self) -> bool {
        self.end.has_news()
    }

    /// Whether it passes by the events of a run.
    pub(crate) fn suspend(&mut self, run: u32, is_suspended: bool) {
        self.end.suspend(run, is_suspended);
    }

    /// It is not parked any more.
    pub(crate) fn unpark(&self) {
        self.end.unpark();
    }
}

/// The worker and its JavaScript.
pub(crate) struct Player {
    pub(crate) worker: Arc<Worker>,
    pub(crate) signals: Receiver<Signal>,
    /// Told once, when the master has ended before it let the worker go, or while it killed it.
    pub(crate) orphaned: Receiver<Orphan>,
    pub(crate) claimer: Claimer,
    /// The lanes of the events that it has claimed there, by number.
    lanes: HashMap<u32, usize>,
    /// Events that the master has told it to give up.
    pub(crate) aborted: Vec<Header>,
    inbox: VecDeque<Item>,
    registered: bool,
    /// It has claimed an event whose text is still to come.
    pub(crate) awaits_text: bool,
    /// Answers were written since it last rang.
    unrung: bool,
    /// Its clock, in milliseconds: each event takes what it is said to take.
    pub(crate) now: f64,
}

/// How an event came out; see [`Player::answer`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome<'a> {
    pub(crate) flags: u32,
    pub(crate) response: &'a [u8],
    /// What the data is now, if it changed.
    pub(crate) data: &'a [u8],
    /// Milliseconds that it ran.
    pub(crate) run: f64,
}

impl<'a> Outcome<'a> {
    pub(crate) fn response(response: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { flags: flag::RESPONSE, response: response.as_ref(), data: b"", run: SHORT }
    }

    pub(crate) fn failed(error: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { flags: flag::RESPONSE | flag::FAILED, ..Self::response(error) }
    }

    /// No response at all.
    pub(crate) fn nothing() -> Self {
        Self { flags: 0, ..Self::response(b"") }
    }

    pub(crate) fn taking(self, run: f64) -> Self {
        Self { run, ..self }
    }
}

impl Player {
    pub(crate) fn join(
        worker: u32,
        token: &str,
        control: Stream,
        memory: Arc<Memory>,
        lanes: Arc<Memory>,
    ) -> Self {
        let memories = Memories { memory, lanes, common: shared_common() };
        Self::join_as(&invitation(worker, token), control, memories)
    }

    /// The same of a worker that is told this.
    pub(crate) fn join_as(invitation: &Invitation, control: Stream, memories: Memories) -> Self {
        let (signal, signals) = channel();
        let (orphan, orphaned) = channel();
        let claimer = Claimer::new(Arc::clone(&memories.lanes), invitation.slot as usize);
        let worker = Worker::join(
            invitation,
            control,
            memories,
            // A test that has ended does not listen any more.
            move |what| _ = signal.send(what),
            move |orphaned| _ = orphan.send(orphaned),
        );
        let worker = worker.expect("the worker joins");
        Self {
            worker,
            signals,
            orphaned,
            claimer,
            lanes: HashMap::new(),
            inbox: VecDeque::new(),
            aborted: Vec::new(),
            registered: false,
            awaits_text: false,
            unrung: false,
            now: 0.0,
        }
    }

    /// The program reaches its call; whoever plays the supervisor tells the pool.
    pub(crate) fn reach_call(&mut self) {
        self.registered = true;
        self.park();
    }

    /// The program reaches its call, and the master is told.
    pub(crate) fn register(&mut self) {
        self.reach_call();
        self.worker.register().expect("the master's end is open");
    }

    /// Whether the master is to ring for what it sends to this worker alone.
    pub(crate) fn waits(&self, waits: bool) {
        self.worker.memory.word(Layout::PARKED).store(waits.into(), Ordering::SeqCst);
    }

    fn is_serving(&self) -> bool {
        self.registered && self.worker.memory.word(Layout::WITHHELD).load(Ordering::SeqCst) == 0
    }

    /// Has the master ring for anything. False if there is something already.
    pub(crate) fn park(&mut self) -> bool {
        if self.unrung {
            self.ring();
        }
        let takes_events = self.is_serving() && !self.awaits_text;
        if takes_events {
            self.claimer.park();
        }
        self.waits(true);
        if self.worker.has_arrived() || (takes_events && self.claimer.has_more()) {
            self.claimer.unpark();
            self.waits(false);
            return false;
        }
        true
    }

    fn ring(&mut self) {
        self.unrung = false;
        self.worker.notify();
    }

    /// What has arrived by now for this worker alone.
    pub(crate) fn arrived(&mut self) -> Vec<Item> {
        self.take();
        std::mem::take(&mut self.inbox).into()
    }

    fn take(&mut self) {
        for item in self.worker.take().expect("a sound task ring") {
            if item.header.kind == Kind::Abort {
                self.aborted.push(item.header);
            } else {
                self.inbox.push_back(item);
            }
        }
    }

    /// The next event or message, waiting for it as JavaScript does: asleep until it is rung.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Item {
        self.next_within(DEADLINE).expect("nothing arrived in time")
    }

    pub(crate) fn next_within(&mut self, time: Duration) -> Option<Item> {
        let end = Instant::now() + time;
        self.next_woken(|| Instant::now() >= end)
    }

    /// The same, until `is_over`. Nothing but a bell makes it look again.
    pub(crate) fn next_woken(&mut self, is_over: impl Fn() -> bool) -> Option<Item> {
        loop {
            if let Some(item) = self.look() {
                return Some(item);
            }
            if !self.park() {
                continue;
            }
            loop {
                match self.signals.recv_timeout(Duration::from_millis(5)) {
                    Ok(_) => break,
                    Err(RecvTimeoutError::Timeout) if !is_over() => {}
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
                }
            }
        }
    }

    /// The next event or message that is there: what was sent to this worker alone comes first.
    pub(crate) fn look(&mut self) -> Option<Item> {
        self.take();
        if let Some(item) = self.inbox.pop_front() {
            self.awaits_text &= !item.header.has(flag::LONG);
            return Some(item);
        }
        if self.awaits_text || !self.is_serving() {
            return None;
        }
        let index = self.claimer.claim()?;
        self.lanes.insert(index, self.claimer.lane(index));
        let read = self.claimer.try_read(index);
        if self.claimer.is_to_notify(index) {
            self.ring();
        }
        // None if the master has taken it back.
        let (flags, text) = read?;
        if flags & flag::LONG != 0 {
            // The master sees who claimed it, and sends the text.
            self.awaits_text = true;
            self.ring();
            return None;
        }
        let flags = flags & (flag::HOLE | flag::WHOLE | flag::CHAIN | flag::PARTS | flag::FAILURE);
        Some(Item { header: Header { index, ..Header::new(Kind::Task, flags) }, text: text.into() })
    }

    /// Makes an event that was sent to this worker alone its own for good. False if the master took it
    /// back. What comes from a lane was claimed there.
    pub(crate) fn claim(&self, item: &Item) -> bool {
        if !has_come_alone(item) {
            return true;
        }
        self.worker.start(item.header.index)
    }

    /// The next event, which is this worker's from now on.
    #[track_caller]
    pub(crate) fn start(&mut self) -> Item {
        loop {
            let item = self.next();
            assert_eq!(item.header.kind, Kind::Task);
            if self.claim(&item) {
                return item;
            }
        }
    }

    /// Publishes an answer, and rings if the master asked for it.
    pub(crate) fn answer(&mut self, item: &Item, outcome: Outcome<'_>) {
        let how = if has_come_alone(item) {
            flag::DIRECT
        } else {
            let lane = self.lanes.remove(&item.header.index).unwrap_or_default();
            (lane as u32) << flag::LANE_AT
        };
        let outcome = Outcome { flags: outcome.flags | how, ..outcome };
        self.answer_at(item.header.index, outcome);
    }

    pub(crate) fn answer_at(&mut self, index: u32, outcome: Outcome<'_>) {
        let Outcome { flags, response, data, run } = outcome;
        let started = self.now;
        self.now += run;
        let header = Header {
            index,
            split: u32::try_from(response.len()).expect("short enough"),
            started,
            finished: self.now,
            ..Header::new(Kind::Answer, flags)
        };
        self.worker.write(&header, &[response, data].concat());
        self.unrung = true;
        let word = |at| self.worker.memory.word(at).load(Ordering::SeqCst);
        if word(Layout::POLLED) == 0 || word(Layout::NOTIFY_ALWAYS) == 1 {
            self.ring();
        }
    }

    /// Sends a message of the program's own.
    pub(crate) fn say(&mut self, flags: u32, text: &[u8]) {
        let header = Header { finished: self.now, ..Header::new(Kind::Message, flags) };
        self.worker.write(&header, text);
        self.worker.notify();
    }
}

/// Whether an event came through the task ring: then its answer names its index there.
pub(crate) fn has_come_alone(item: &Item) -> bool {
    item.header.has(flag::DIRECT | flag::LONG | flag::TURN)
}

/// The frames on the master's end of a control socket.
#[cfg(unix)]
pub(crate) struct Heard {
    stream: UnixStream,
    decoder: Decoder,
}

#[cfg(unix)]
impl Heard {
    pub(crate) fn new(stream: &UnixStream) -> Self {
        let stream = stream.try_clone().expect("a descriptor");
        stream.set_nonblocking(false).expect("a socket");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time");
        Self { stream, decoder: Decoder::default() }
    }

    /// The next frame; none at the end of the stream.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut bytes = [0; 1024];
        loop {
            if let Some(frame) = self.decoder.next().expect("well formed") {
                return Some(frame);
            }
            match self.stream.read(&mut bytes).expect("a frame or the end in time") {
                0 => return None,
                count => self.decoder.feed(&bytes[..count]),
            }
        }
    }
}
