//! The master's end of the wires to one worker: what was given to it, and what came back.
//!
//! It moves bytes between the pool's tables and the rings; which event goes where is the
//! scheduler's business, and what an answer means the pool's.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::core::scheduler::{How, TaskId};
use crate::os::child::Process;
use crate::os::memory::Memory;
use crate::os::socket::{self, Sender, Stream};
use crate::pool::stopwatch::{self, Tick};
use crate::pool::tail;
use crate::shm::ring::{Broken, Consumer, Producer};
use crate::shm::store::Bytes;
use crate::wire::header::{Header, Kind, flag};
use crate::wire::protocol::{Layout, Message};

/// What waits for room in the task ring.
#[derive(Debug)]
enum Outgoing {
    Task {
        task: TaskId,
        how: How,
    },
    Message {
        text: Bytes,
    },
    /// The payload that is partly in the ring went elsewhere.
    Drop,
}

impl Outgoing {
    /// How it is handed out, if it is an event.
    fn how(&self) -> Option<How> {
        if let Self::Task { how, .. } = self { Some(*how) } else { None }
    }
}

#[derive(Debug, Clone, Copy)]
struct Given {
    index: u32,
    task: TaskId,
    how: How,
    /// When it started, once somebody has looked.
    started: Option<Tick>,
}

/// Why the master kills a worker that has broken no rule of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// This event ran longer than events may, in milliseconds.
    Late { task: TaskId, limit: u32 },
    /// Its I/O thread gave no sign of life for so long, in milliseconds.
    Stalled { limit: u128 },
    /// It was let go, and has not ended in so many milliseconds.
    Lingering { limit: u128 },
}

impl Fate {
    pub(crate) fn text(&self, worker: u32) -> String {
        match self {
            Self::Late { limit, .. } => {
                format!("worker {worker} was killed: its event ran longer than {limit} ms")
            }
            Self::Stalled { limit } => {
                format!("worker {worker} was killed: no sign of life for {limit} ms")
            }
            Self::Lingering { limit } => {
                format!("worker {worker} was killed: let go {limit} ms ago, and still there")
            }
        }
    }
}

/// One worker process as the pool sees it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not for itself")]
pub(crate) struct Link {
    pub(crate) child: Box<dyn Process>,
    channel: Arc<NodeChannel>,
    /// This package was loaded there.
    pub(crate) joined: bool,
    /// The program reached its call there.
    pub(crate) registered: bool,
    /// It has run an event: it is good for something.
    pub(crate) proven: bool,
    /// It was let go.
    pub(crate) released: bool,
    /// The time that it may take to end has begun.
    pub(crate) is_let_go: bool,
    /// It is to be let go, and replaced, as soon as it runs nothing.
    pub(crate) is_recycled: bool,
    /// It has claimed an event whose text was taken back: it waits for that for good.
    has_lost_claim: bool,
    /// How many events it has answered.
    pub(crate) answers_given: u32,
    /// What it last wrote to its error stream, where that was copied.
    pub(crate) wrote: Option<String>,
    /// Its last words.
    pub(crate) said: Option<String>,
    /// The calls that it has passed by on its way to the one that it serves, the first of them.
    pub(crate) passed: Vec<String>,
    /// The call of its own by which the program ends it, and where that is.
    pub(crate) exits: Option<String>,
    /// Why it is being killed, if its master does so.
    pub(crate) fate: Option<Fate>,
    control: Sender,
    memory: Arc<Memory>,
    tasks: Producer,
    answers: Consumer,
    outgoing: VecDeque<Outgoing>,
    /// Bytes of the first outgoing payload that are in the ring already.
    written: usize,
    /// Published and not answered, by index.
    given: VecDeque<Given>,
    published: u32,
    /// The event of the backlog that it ran at the last look, and when that had started.
    seen: Option<(TaskId, Tick)>,
    /// The event that the program was told of because it runs for long, and after how many milliseconds it is
    /// told again.
    pub(crate) told_long: Option<(TaskId, u32)>,
    /// The worker's beat at the last look, and how often in a row it was the same.
    beat: (u32, u32),
    /// What [`Layout::POLLED`] says.
    is_polled: bool,
    /// An event that was short has been answered since the last poll.
    has_answered_short: bool,
}

/// The writing end of Node's own channel to the worker. Lines leave whole and in order, whichever
/// thread sends them, and at once if there is room: this process may be about to end.
#[derive(Debug)]
pub(crate) struct NodeChannel {
    socket: Stream,
    /// What there was no room for; it may begin inside a line.
    unsent: Mutex<VecDeque<u8>>,
    /// Notified when something stays unsent: the I/O thread waits for room, and sends the rest.
    pub(crate) is_full: Notify,
}

impl NodeChannel {
    pub(crate) fn new(socket: Stream) -> Self {
        Self { socket, unsent: Mutex::default(), is_full: Notify::new() }
    }

    /// Sends a line. False if nobody is there to take it.
    pub(crate) fn send(&self, line: &str) -> bool {
        self.lock().extend(line.as_bytes());
        match self.send_rest() {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_full.notify_one();
                true
            }
            Err(_) => {
                *self.lock() = VecDeque::new();
                false
            }
        }
    }

    /// Sends what is unsent; [`io::ErrorKind::WouldBlock`] if there is no room for all of it.
    pub(crate) fn send_rest(&self) -> io::Result<()> {
        let mut unsent = self.lock();
        while !unsent.is_empty() {
            let sent = socket::send_some(&self.socket, unsent.as_slices().0)?;
            unsent.drain(..sent);
        }
        Ok(())
    }

    /// Whether nothing waits for the worker to read what came before.
    pub(crate) fn is_sent(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the pool keeps an event's text and flags.
pub(crate) trait Texts {
    /// The text of an event that is not answered yet, and its flags for the ring.
    fn text(&self, task: TaskId) -> (&[u8], u32);
}

/// How far a worker has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It has not said who it is, so nothing in it has loaded this package.
    Nothing,
    Package,
    /// The program reached its call there.
    Call,
}

impl Link {
    /// How far the worker has come.
    pub(crate) fn reached(&self) -> Reached {
        match (self.joined, self.registered) {
            (_, true) => Reached::Call,
            (true, false) => Reached::Package,
            (false, false) => Reached::Nothing,
        }
    }

    pub(crate) fn new(
        child: Box<dyn Process>,
        control: Stream,
        channel: Arc<NodeChannel>,
        memory: Arc<Memory>,
    ) -> Self {
        Self {
            child,
            channel,
            joined: false,
            registered: false,
            proven: false,
            released: false,
            is_let_go: false,
            is_recycled: false,
            has_lost_claim: false,
            answers_given: 0,
            wrote: None,
            said: None,
            passed: Vec::new(),
            exits: None,
            fate: None,
            control: Sender::new(control),
            tasks: Producer::new(Arc::clone(&memory), Layout::TASKS),
            answers: Consumer::new(Arc::clone(&memory), Layout::ANSWERS),
            memory,
            outgoing: VecDeque::new(),
            written: 0,
            given: VecDeque::new(),
            published: 0,
            seen: None,
            told_long: None,
            beat: (0, 0),
            is_polled: false,
            has_answered_short: false,
        }
    }

    /// Puts an event behind what is on its way; [`Self::pump`] sends it.
    pub(crate) fn give(&mut self, task: TaskId, how: How) {
        self.outgoing.push_back(Outgoing::Task { task, how });
    }

    /// Puts a message of the user's behind what is on its way.
    pub(crate) fn message(&mut self, text: Bytes) {
        self.outgoing.push_back(Outgoing::Message { text });
    }

    /// Moves what waits into the ring as far as there is room, and wakes the worker if it sleeps.
    pub(crate) fn pump(&mut self, texts: &impl Texts) {
        if self.outgoing.is_empty() {
            return;
        }
        let mut moved = false;
        let mut in_vain = false;
        while let Some(first) = self.outgoing.front() {
            let (header, payload) = match first {
                Outgoing::Task { task, how } => {
                    let (text, flags) = texts.text(*task);
                    let how = match how {
                        How::Direct => flag::DIRECT,
                        How::InTurn => flag::RETURN,
                        How::Claimed => flag::LONG,
                    };
                    let header = Header::new(Kind::Task, flags | how);
                    (Header { index: self.published, ..header }, text)
                }
                Outgoing::Message { text } => (Header::new(Kind::Message, 0), &**text),
                Outgoing::Drop => (Header::new(Kind::Drop, 0), &[][..]),
            };
            let before = self.written;
            let done = self.tasks.push(&header, payload, &mut self.written);
            let has_moved = done || self.written > before;
            moved |= has_moved;
            if !done {
                // Once it is told that there is more, the worker rings when it has made room; it may
                // have done so just before. It is not tried a third time: a worker that is told again
                // and again makes no room, and has nobody wait for it.
                let was_told = self.memory.word(Layout::STUCK).swap(1, Ordering::SeqCst) == 1;
                if was_told || (in_vain && !has_moved) {
                    break;
                }
                in_vain = true;
                continue;
            }
            in_vain = false;
            self.written = 0;
            if let Some(Outgoing::Task { task, how }) = self.outgoing.pop_front() {
                let index = self.published;
                self.given.push_back(Given { index, task, how, started: None });
                self.published = self.published.wrapping_add(1);
            }
        }
        if self.outgoing.is_empty() {
            self.memory.word(Layout::STUCK).store(0, Ordering::SeqCst);
        }
        if moved && self.memory.word(Layout::WAITS).swap(0, Ordering::SeqCst) == 1 {
            self.ring();
        }
    }

    /// Takes back what the worker has not started: how many of the events it was given last.
    #[must_use]
    pub(crate) fn recall(&mut self) -> usize {
        let started = self.claim_rest();
        let (mut count, mut has_claim) = (0, false);
        while let Some(given) = self.given.pop_back_if(|given| !is_before(given.index, started)) {
            has_claim |= given.how == How::Claimed;
            count += 1;
        }
        let torn = self.written > 0 && matches!(self.outgoing[0], Outgoing::Task { .. });
        self.outgoing.retain(|outgoing| {
            let is_task = matches!(outgoing, Outgoing::Task { .. });
            let is_claimed = matches!(outgoing, Outgoing::Task { how: How::Claimed, .. });
            has_claim |= is_claimed;
            count += usize::from(is_task);
            !is_task
        });
        if torn {
            self.written = 0;
            self.outgoing.push_front(Outgoing::Drop);
        }
        self.has_lost_claim |= has_claim;
        count
    }

    /// Where the frames end that the worker has published by now.
    pub(crate) fn published_end(&self) -> u32 {
        self.answers.end()
    }

    /// Whether there is an event that the worker was given to start in its turn, has not started, and can be taken
    /// back: nothing is on its way that it waits for because it has claimed it.
    pub(crate) fn has_unstarted(&self) -> bool {
        let started = self.memory.word(Layout::STARTED).load(Ordering::SeqCst);
        let unstarted = self.given.iter().filter(|given| !is_before(given.index, started));
        let (mut is_any, mut awaits_text) = (false, false);
        for how in
            unstarted.map(|given| given.how).chain(self.outgoing.iter().filter_map(Outgoing::how))
        {
            is_any |= how == How::InTurn;
            awaits_text |= how == How::Claimed;
        }
        is_any && !awaits_text
    }

    /// The next frame that the worker has published before `end`.
    pub(crate) fn pop_before(
        &mut self,
        end: u32,
        payload: &mut Bytes,
    ) -> Result<Option<Header>, Broken> {
        self.answers.pop_before(end, payload)
    }

    /// An event that was short has been answered.
    pub(crate) fn has_answered_short(&mut self) {
        self.has_answered_short = true;
    }

    /// The worker runs another event: if they are short, the next answers are polled for, and it need not ring for
    /// each. True if that is new.
    pub(crate) fn poll(&mut self) -> bool {
        let begins = self.has_answered_short && !self.is_polled;
        if begins {
            self.is_polled = true;
            self.memory.word(Layout::POLLED).store(1, Ordering::SeqCst);
        }
        begins
    }

    /// At a poll: if nothing short was answered since the last one, the worker rings for its next answer.
    /// Whoever calls this takes in what is there after it: the worker that saw the word before did not ring.
    pub(crate) fn stop_poll(&mut self) {
        if self.is_polled && !std::mem::take(&mut self.has_answered_short) {
            self.is_polled = false;
            self.memory.word(Layout::POLLED).store(0, Ordering::SeqCst);
        }
    }

    /// Whether the worker leaves it to the master to look for its answers.
    pub(crate) fn is_polled(&self) -> bool {
        self.is_polled
    }

    /// Lets a worker go on that waits for room for its answer.
    pub(crate) fn unblock(&self) {
        let blocked = self.memory.word(Layout::BLOCKED);
        if blocked.load(Ordering::SeqCst) == 1 && blocked.swap(0, Ordering::SeqCst) == 1 {
            self.ring();
        }
    }

    /// The event that the answer at `index` belongs to; none if it was never given or is answered.
    pub(crate) fn answered(&mut self, index: u32) -> Option<TaskId> {
        let at = self.given.iter().position(|given| given.index == index)?;
        self.given.remove(at).map(|given| given.task)
    }

    /// The events that the worker runs, and when each has started: of those that it `claims`, whose number
    /// in the backlog is the low bits of their name, and of those it was given.
    pub(crate) fn running(
        &mut self,
        claims: impl Iterator<Item = TaskId>,
        now: Tick,
    ) -> Vec<(TaskId, Tick)> {
        let mut running = Vec::new();
        for task in claims {
            let told = stopwatch::started(&self.memory, task as u32);
            let seen = self.seen.filter(|&(seen, _)| seen == task).map(|(_, first)| first);
            let started = told.or(seen).unwrap_or(now);
            self.seen = Some((task, started));
            running.push((task, started));
        }
        let claimed = self.memory.word(Layout::STARTED).load(Ordering::SeqCst);
        for given in self.given.iter_mut().filter(|given| is_before(given.index, claimed)) {
            let told = || stopwatch::given_started(&self.memory, given.index);
            let started = given.started.or_else(told).unwrap_or(now);
            given.started = Some(started);
            running.push((given.task, started));
        }
        running
    }

    /// Whether its JavaScript thread waits for something: what it runs has not settled its promise.
    pub(crate) fn is_waiting(&self) -> bool {
        self.memory.word(Layout::WAITS).load(Ordering::SeqCst) == 1
    }

    /// Asks the worker's I/O thread for a sign of life. Says how often in a row there was none.
    pub(crate) fn feel(&mut self) -> u32 {
        let beat = self.memory.word(Layout::BEAT).load(Ordering::SeqCst);
        let missed = if self.beat.0 == beat { self.beat.1 + 1 } else { 0 };
        self.beat = (beat, missed);
        // If the socket is full there is a question in it.
        let _ = self.send(&Message::Ping);
        missed
    }

    /// Whether the worker claims nothing more, and runs nothing that it has claimed: it says so, or waits for
    /// a text that was taken back.
    pub(crate) fn rests(&self) -> bool {
        self.has_lost_claim || self.memory.word(Layout::RESTS).load(Ordering::SeqCst) == 1
    }

    /// Has the worker claim nothing more for the moment. Whatever it has not answered by now it goes on
    /// with, or nothing.
    pub(crate) fn stops(&self) {
        self.memory.word(Layout::HELD).fetch_or(Layout::STOPS, Ordering::SeqCst);
    }

    /// What its program has last written to its error stream.
    pub(crate) fn tail(&self) -> String {
        self.wrote.clone().unwrap_or_else(|| tail::read(&self.memory))
    }

    /// Whether its JavaScript heap has reached its limit.
    pub(crate) fn is_heap_full(&self) -> bool {
        self.memory.word(Layout::HEAP_LIMIT).load(Ordering::SeqCst) != 0
    }

    /// Has the worker ended, with all its descendants. It does so itself if the master ends before it has.
    pub(crate) fn kill(&self) {
        self.memory.word(Layout::DOOMED).store(1, Ordering::SeqCst);
        self.child.kill();
    }

    /// It may go on.
    pub(crate) fn goes_on(&self) {
        self.memory.word(Layout::HELD).fetch_and(!Layout::STOPS, Ordering::SeqCst);
        self.ring();
    }

    /// The worker is to claim nothing more.
    pub(crate) fn leaves(&self) {
        self.memory.word(Layout::HELD).fetch_or(Layout::LEAVES, Ordering::SeqCst);
    }

    /// Whether the worker is to claim nothing for a while. It has to be rung when that ends.
    pub(crate) fn hold(&self, holds: bool) {
        let word = self.memory.word(Layout::HELD);
        if holds {
            word.fetch_or(Layout::HOLDS, Ordering::SeqCst);
        } else {
            word.fetch_and(!Layout::HOLDS, Ordering::SeqCst);
        }
    }

    /// Whether the worker is to ring after every answer.
    pub(crate) fn ring_always(&self, always: bool) {
        self.memory.word(Layout::RING_ALWAYS).store(u32::from(always), Ordering::SeqCst);
    }

    /// Sends a line on Node's own channel. False if the worker is gone.
    pub(crate) fn send_line(&self, line: &str) -> bool {
        self.channel.send(line)
    }

    pub(crate) fn send(&self, message: &Message) -> io::Result<()> {
        self.control.send(&message.encode())
    }

    /// Everything published is the master's from now on; returns how many were started before.
    fn claim_rest(&self) -> u32 {
        self.memory.word(Layout::STARTED).swap(self.published, Ordering::SeqCst)
    }

    /// Has the worker look.
    pub(crate) fn ring(&self) {
        // A full socket has bells enough in it, and a closed one nobody to hear them.
        let _ = self.send(&Message::Bell);
    }
}

/// Whether `a` comes before `b`, both counted modulo 2^32.
fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > u32::MAX / 2
}
