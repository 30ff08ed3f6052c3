//! The worker's end of the wires: events in, answers out, and the end of the master noticed.
//!
//! Two threads: JavaScript's claims events in the lanes and writes answers (`runner`); the
//! I/O thread reads the control socket, wakes JavaScript, and ends the process when the master is gone
//! before it has let the worker go, whatever JavaScript is doing. It never runs user code.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::os::child::{end_now, end_with_descendants};
use crate::os::futex;
use crate::os::memory::Memory;
use crate::os::socket::{Sender, Stream};
use crate::shm::common::Common;
use crate::shm::ring::{Consumer, Producer};
use crate::shm::store::Bytes;
use crate::wire::frame::Decoder;
use crate::wire::header::Header;
use crate::wire::layout::{Layout, Shared};
use crate::wire::protocol::{Hello, Invitation, Message, Spill, VERSION};
use crate::worker::memories::Memories;

/// How long a worker whose master is gone may take to end by itself: Node's own `disconnect` runs
/// the program's `exit` handlers meanwhile. A worker that is blocked is ended after it.
const GRACE: Duration = Duration::from_millis(400);

/// How long JavaScript polls for events itself before it parks.
const SPIN: Duration = Duration::from_micros(50);

/// The exit code of a worker that is ended because its master is gone; nobody is there to see it.
const ORPHAN: i32 = 1;

/// An event or a message that has arrived.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) header: Header,
    pub(crate) text: Bytes,
}

/// What happens to a worker, for whoever runs its JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Something arrived: in the inbox, or in a lane.
    Arrived,
    /// The master lets the worker go.
    Released,
}

/// The worker's state that both threads use.
pub(crate) struct Worker {
    pub(crate) memory: Arc<Memory>,
    /// What all workers of the pool share.
    pub(crate) lanes: Arc<Memory>,
    /// What all processes of the program share, and this one's number there.
    pub(crate) common: Common,
    pub(crate) owner: u16,
    pub(crate) slot: u32,
    /// Its group of workers.
    pub(crate) group: u32,
    /// Which call of the program it serves, in JavaScript's own words.
    pub(crate) call: String,
    pub(crate) id: u32,
    pub(crate) serialization: String,
    /// Where it writes what is too large for memory, if it may have to.
    pub(crate) spill: Option<Spill>,
    /// Whether the master wants to know when each event starts.
    pub(crate) times: bool,
    /// How many events it runs at once.
    pub(crate) concurrency: u32,
    /// After so many answers it claims nothing more.
    pub(crate) max_tasks: Option<u32>,
    control: Sender,
    inbox: Mutex<Inbox>,
    answers: Producer,
    room: Condvar,
    released: AtomicBool,
    /// The master is gone, or sent garbage: nobody reads answers any more.
    alone: AtomicBool,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Inbox {
    ring: Consumer,
    items: Vec<Item>,
}

impl Worker {
    /// Joins the master: says hello and listens. `signal` is called on the I/O thread. A master that
    /// ends before it has let the worker go, or while it kills it, calls `orphaned` there.
    pub(crate) fn join(
        invitation: &Invitation,
        control: Stream,
        memories: Memories,
        signal: impl Fn(Signal) + Send + 'static,
        orphaned: impl FnOnce(Orphan) + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let common = memories.check()?;
        let Memories { memory, lanes, .. } = memories;
        if invitation.slot >= Shared::MAX_WORKERS {
            return Err(io::Error::other("a pool has no such slot"));
        }
        let worker = Arc::new(Self {
            lanes,
            common,
            owner: invitation.owner,
            slot: invitation.slot,
            group: invitation.group,
            call: invitation.call.clone(),
            id: invitation.worker,
            serialization: invitation.serialization.clone(),
            spill: invitation.spill.clone(),
            times: invitation.times,
            concurrency: invitation.concurrency,
            max_tasks: invitation.max_tasks,
            control: Sender::new(control),
            inbox: Mutex::new(Inbox {
                ring: Consumer::new(Arc::clone(&memory), Layout::TASKS),
                items: Vec::new(),
            }),
            answers: Producer::new(Arc::clone(&memory), Layout::ANSWERS),
            memory,
            room: Condvar::new(),
            released: AtomicBool::new(false),
            alone: AtomicBool::new(false),
        });
        worker.send(&Message::Hello(Hello {
            version: VERSION,
            pid: std::process::id(),
            token: invitation.token.clone(),
        }))?;
        let reader = worker.control.stream().try_clone()?;
        let listener = Arc::clone(&worker);
        thread::Builder::new().name("sonic-io".into()).spawn(move || {
            let end = listener.listen(reader, &signal);
            listener.be_alone();
            if listener.is_doomed() {
                orphaned(Orphan::Doomed);
            } else if end == End::Garbage || !listener.released.load(Ordering::SeqCst) {
                orphaned(Orphan::Unreleased);
            }
        })?;
        Ok(worker)
    }

    /// Notifies the master, unless it listens by itself: there are answers.
    pub(crate) fn notify(&self) {
        match self.lanes.word(Shared::LISTENS).load(Ordering::SeqCst) {
            Shared::POLLS => {}
            Shared::WAITS => {
                let answered = self.lanes.word(Shared::ANSWERED);
                answered.fetch_add(1, Ordering::SeqCst);
                futex::wake(answered);
            }
            _ => self.notify_anyway(),
        }
    }

    /// The same, whether it listens or not: there is something that it does not look for.
    pub(crate) fn notify_anyway(&self) {
        // The master has yet to hear the last one: it looks after that, and sees this answer too.
        let notified = self.memory.word(Layout::NOTIFIED);
        if notified.swap(1, Ordering::SeqCst) == 0 && self.send(&Message::Notify).is_err() {
            // The socket is full of something else: the next answer tries again. If it is closed the I/O thread knows.
            notified.store(0, Ordering::SeqCst);
        }
    }

    /// Polls for events for a while: in the lanes, where `has_news` says so, and in the task ring. A pause that is shorter
    /// than a wake-up is better spent so; other threads that want the processor get it. No more workers do this at the
    /// same time than there are processors: false, with nothing done, if so many do.
    pub(crate) fn spin(&self, has_news: impl Fn() -> bool) -> bool {
        let Some(turn) = self.begin_to_spin() else { return false };
        let end = Instant::now() + SPIN;
        while !has_news()
            && !self.released.load(Ordering::SeqCst)
            && !self.has_arrived()
            && Instant::now() < end
        {
            thread::yield_now();
        }
        turn.store(0, Ordering::SeqCst);
        true
    }

    /// A word that says that this worker spins; none if none is free.
    fn begin_to_spin(&self) -> Option<&AtomicU32> {
        let limit = self.lanes.word(Shared::SPIN_LIMIT).load(Ordering::SeqCst) as usize;
        (0..limit.min(Shared::MAX_SPINNERS)).find_map(|at| {
            let word = self.lanes.word(Shared::SPINNERS + at);
            let mine = self.slot + 1;
            let is_mine = word.load(Ordering::Relaxed) == 0
                && word.compare_exchange(0, mine, Ordering::SeqCst, Ordering::SeqCst).is_ok();
            is_mine.then_some(word)
        })
    }

    /// Takes everything that has arrived.
    pub(crate) fn take(&self) -> io::Result<Vec<Item>> {
        let mut inbox = self.lock();
        self.fill(&mut inbox)?;
        Ok(std::mem::take(&mut inbox.items))
    }

    /// Whether the master has published something in the task ring that nobody has looked at.
    pub(crate) fn has_frames(&self) -> bool {
        let word = |at| self.memory.word(at).load(Ordering::Acquire);
        word(Layout::TASKS.head) != word(Layout::TASKS.tail)
    }

    /// Makes an event of the task ring this worker's for good. False if the master took it back.
    pub(crate) fn start(&self, index: u32) -> bool {
        let word = self.memory.word(Layout::STARTED);
        let next = index.wrapping_add(1);
        word.compare_exchange(index, next, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether the master has let this worker go.
    pub(crate) fn is_released(&self) -> bool {
        self.released.load(Ordering::SeqCst)
    }

    /// Whether the master is about to kill this worker.
    pub(crate) fn is_doomed(&self) -> bool {
        self.memory.word(Layout::KILL_PENDING).load(Ordering::SeqCst) == 1
    }

    /// Where an answer's payload of up to `room` bytes can be written in one piece, if there is room.
    pub(crate) fn place(&self, room: usize) -> Option<*mut u8> {
        self.answers.place(room)
    }

    /// Publishes the answer whose payload of `len` bytes was written to its [`Self::place`].
    pub(crate) fn publish(&self, header: &Header, len: usize) {
        self.answers.publish(header, len);
    }

    /// Whether anything has arrived that was not taken.
    pub(crate) fn has_arrived(&self) -> bool {
        let inbox = self.lock();
        !inbox.items.is_empty() || !inbox.ring.is_empty()
    }

    /// Writes an answer or a message of any length, waiting for room as long as it takes: an event
    /// is finished only when its answer is where a crash cannot reach it. Without a master nothing is
    /// waited for.
    pub(crate) fn write(&self, header: &Header, payload: &[u8]) {
        let mut written = 0;
        while !self.answers.push(header, payload, &mut written) {
            if self.alone.load(Ordering::SeqCst) {
                return;
            }
            self.notify_anyway();
            self.wait_for_room();
        }
    }

    fn wait_for_room(&self) {
        let blocked = self.memory.word(Layout::BLOCKED);
        let inbox = self.lock();
        blocked.store(1, Ordering::SeqCst);
        if self.answers.is_drained() {
            blocked.store(0, Ordering::SeqCst);
            return;
        }
        // The master clears the word and rings; the I/O thread hears it and notifies.
        let waited = self.room.wait_while(inbox, |_| {
            blocked.load(Ordering::SeqCst) == 1 && !self.alone.load(Ordering::SeqCst)
        });
        drop(waited);
    }

    /// From now on nobody is waited for.
    fn be_alone(&self) {
        let inbox = self.lock();
        self.alone.store(true, Ordering::SeqCst);
        self.room.notify_all();
        drop(inbox);
    }

    pub(super) fn send(&self, message: &Message) -> io::Result<()> {
        self.control.send_whole(&message.encode())
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what is in the ring to the inbox, and asks for more if the master has more.
    fn fill(&self, inbox: &mut Inbox) -> io::Result<()> {
        let mut text = Bytes::default();
        while let Some(header) = inbox.ring.pop(&mut text).map_err(io::Error::other)? {
            inbox.items.push(Item { header, text: std::mem::take(&mut text) });
        }
        if self.memory.word(Layout::STUCK).swap(0, Ordering::SeqCst) == 1 {
            self.notify_anyway();
        }
        Ok(())
    }

    /// Reads the control socket until it ends.
    fn listen(&self, mut stream: impl Read, signal: &dyn Fn(Signal)) -> End {
        let mut decoder = Decoder::default();
        let mut bytes = [0; 4096];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => return End::Closed,
                Ok(count) => decoder.feed(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return End::Closed,
            }
            let mut is_to_look = false;
            loop {
                match decoder.next() {
                    Ok(Some(frame)) => match Message::decode(&frame) {
                        Ok(Message::Ping) => {
                            self.memory.word(Layout::HEARTBEAT).fetch_add(1, Ordering::SeqCst);
                        }
                        Ok(Message::Release) => {
                            self.released.store(true, Ordering::SeqCst);
                            signal(Signal::Released);
                            is_to_look = true;
                        }
                        _ => is_to_look = true,
                    },
                    Ok(None) => break,
                    Err(_) => return End::Garbage,
                }
            }
            if is_to_look && self.look(signal).is_err() {
                return End::Garbage;
            }
        }
    }

    /// Any other frame is a wake-up. An error if what the master wrote is garbage.
    fn look(&self, signal: &dyn Fn(Signal)) -> io::Result<()> {
        let mut inbox = self.lock();
        self.room.notify_all();
        loop {
            self.fill(&mut inbox)?;
            if !inbox.items.is_empty() {
                break;
            }
            // A part of something long, perhaps: the rest must wake this thread again.
            self.memory.word(Layout::PARKED).store(1, Ordering::SeqCst);
            if inbox.ring.is_empty() {
                break;
            }
        }
        drop(inbox);
        signal(Signal::Arrived);
        Ok(())
    }
}

/// How the master's words end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The stream is closed: the master released this worker, or is gone.
    Closed,
    /// It speaks no protocol of ours: there is nobody to serve.
    Garbage,
}

/// A worker whose master is gone, and that must exit too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphan {
    /// It was not released.
    Unreleased,
    /// It was being killed, with its descendants.
    Doomed,
}

impl Orphan {
    /// Ends this process, in the first case if it does not do so by itself in time.
    pub(crate) fn end(self) {
        if self == Self::Doomed {
            end_with_descendants();
        }
        thread::sleep(GRACE);
        end_now(ORPHAN)
    }
}

// They play the other side with a socket.
#[cfg(all(test, unix))]
mod tests;
