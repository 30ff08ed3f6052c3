//! A worker process played in this one: the real [`Worker`] at one end of real sockets and shared
//! memory, with the part of `lib/worker.js` played by the test, and a [`Process`] that only notes
//! what is done to it. It has no opinion on what should come; that is the tests' part.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::child::Process;
use crate::frame::{Decoder, Frame};
use crate::memory::Memory;
use crate::protocol::{Invitation, Layout, VERSION};
use crate::ring::{Header, Kind, flag};
use crate::worker::{Item, Signal, Worker};

/// Far above what anything here needs on a busy machine: only a hang reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

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

pub(crate) fn invitation(worker: u32, token: &str) -> Invitation {
    Invitation {
        version: VERSION,
        run: 0,
        call: 0,
        worker,
        control: -1,
        memory: -1,
        serialization: "json".into(),
        parent: 0,
        token: token.into(),
    }
}

/// Memory of the size that a worker shares with its master.
pub(crate) fn shared_memory() -> Arc<Memory> {
    Arc::new(Memory::anonymous(Layout::LEN).expect("memory"))
}

/// The worker and its JavaScript.
pub(crate) struct Player {
    pub(crate) worker: Arc<Worker>,
    pub(crate) signals: Receiver<Signal>,
    /// Told once, when the master has ended before it let the worker go.
    pub(crate) orphaned: Receiver<()>,
    inbox: VecDeque<Item>,
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
    pub(crate) fn join(worker: u32, token: &str, control: UnixStream, memory: Arc<Memory>) -> Self {
        let (signal, signals) = channel();
        let (orphan, orphaned) = channel();
        let worker = Worker::join(
            &invitation(worker, token),
            control,
            memory,
            // A test that has ended does not listen any more.
            move |what| _ = signal.send(what),
            move || _ = orphan.send(()),
        );
        let worker = worker.expect("the worker joins");
        Self { worker, signals, orphaned, inbox: VecDeque::new(), now: 0.0 }
    }

    /// The program reaches its call.
    pub(crate) fn register(&self) {
        self.waits(1);
        self.worker.register().expect("the master's end is open");
    }

    /// How the master is to wake it; see [`Layout::WAITS`].
    pub(crate) fn waits(&self, how: u32) {
        self.worker.memory.word(Layout::WAITS).store(how, Ordering::SeqCst);
    }

    /// What has arrived by now.
    pub(crate) fn arrived(&mut self) -> Vec<Item> {
        self.take();
        std::mem::take(&mut self.inbox).into()
    }

    fn take(&mut self) {
        self.inbox.extend(self.worker.take().expect("a sound task ring"));
    }

    /// The next event or message, waiting for it as JavaScript does: asleep until it is rung.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Item {
        self.next_within(DEADLINE).expect("nothing arrived in time")
    }

    pub(crate) fn next_within(&mut self, time: Duration) -> Option<Item> {
        let end = Instant::now() + time;
        loop {
            // What was sent to this worker alone does not wait its turn.
            let direct = self.inbox.iter().position(|item| item.header.has(flag::DIRECT));
            if let Some(item) = self.inbox.remove(direct.unwrap_or(0)) {
                return Some(item);
            }
            self.take();
            if !self.inbox.is_empty() {
                continue;
            }
            self.worker.ring();
            self.waits(1);
            if self.worker.has_arrived() {
                continue;
            }
            match self.signals.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Makes an event this worker's for good. False if the master took it back.
    pub(crate) fn claim(&self, item: &Item) -> bool {
        let index = item.header.index;
        let word = self.worker.memory.word(Layout::STARTED);
        let next = index.wrapping_add(1);
        word.compare_exchange(index, next, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The next event that is still this worker's, claimed.
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
        let word = |at| self.worker.memory.word(at).load(Ordering::SeqCst);
        if index.wrapping_add(1) == word(Layout::RING_AT) || word(Layout::RING_ALWAYS) == 1 {
            self.worker.ring();
        }
    }

    /// Sends a message of the program's own.
    pub(crate) fn say(&mut self, flags: u32, text: &[u8]) {
        let header = Header { finished: self.now, ..Header::new(Kind::Message, flags) };
        self.worker.write(&header, text);
        self.worker.ring();
    }
}

/// The frames on the master's end of a control socket.
pub(crate) struct Heard {
    stream: UnixStream,
    decoder: Decoder,
}

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
