//! The master's end of the wires to one worker: what was given to it, and what came back.
//!
//! It moves bytes between the pool's tables and the rings. Which event goes where is the scheduler's business, and what
//! an answer means the pool's.

mod outgoing;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use self::outgoing::Outgoing;
use super::node_channel::NodeChannel;
use super::note::Noted;
use crate::core::error::Error;
use crate::core::event::How;
use crate::core::task_id::{Position, TaskId};
use crate::core::verdict::Reached;
use crate::os::child::Process;
use crate::os::memory::Memory;
use crate::os::socket::{Sender, Stream};
use crate::shm::ring::{Broken, Consumer, Producer};
use crate::shm::stopwatch::{self, Tick};
use crate::shm::store::Bytes;
use crate::shm::tail;
use crate::sync::Owner;
use crate::wire::header::Header;
use crate::wire::layout::Layout;
use crate::wire::protocol::Message;
use crate::wire::seq::Seq;

#[derive(Debug, Clone, Copy)]
struct Given {
    index: Seq,
    task: TaskId,
    how: How,
    /// When it started, once somebody has looked.
    started: Option<Tick>,
}

/// One worker process as the pool sees it. How far its life has come, the scheduler knows.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) child: Box<dyn Process>,
    channel: Arc<NodeChannel>,
    /// Its number among those who hold locks, until its process has exited.
    pub(super) owner: Option<Owner>,
    pub(crate) reached: Reached,
    /// It has run an event: it is good for something.
    pub(crate) is_proven: bool,
    /// How many events it has answered.
    pub(crate) answers_given: u32,
    /// It has claimed an event whose text was taken back: it waits for that for good.
    has_lost_claim: bool,
    /// What it last wrote to its error stream, where that was copied.
    pub(crate) copied_stderr: Option<String>,
    /// The last error that it reported.
    pub(crate) last_error: Option<String>,
    /// Why it turned the call down.
    pub(crate) refusal: Option<Error>,
    /// The calls that it reached and does not serve, the first of them.
    pub(crate) passed: Vec<String>,
    /// The call of its own by which the program ends it, and where that is.
    pub(crate) exits: Option<String>,
    control: Sender,
    memory: Arc<Memory>,
    tasks: Producer,
    answers: Consumer,
    outgoing: VecDeque<Outgoing>,
    /// Bytes of the first outgoing payload that are in the ring already.
    written: usize,
    /// Published and not answered, by index.
    given: VecDeque<Given>,
    published: Seq,
    /// The claimed events that it ran at the last look, and when those had started.
    seen: Vec<(TaskId, Tick)>,
    /// The event that the program was told of because it runs for long, and after how many milliseconds it is told again.
    pub(crate) told_long: Option<(TaskId, u32)>,
    /// The worker's heartbeat at the last look, and how often in a row it was the same.
    heartbeat: (u32, u32),
    polled: Polled,
    /// It had its time to give up what was abandoned there.
    pub(crate) is_overdue: bool,
    /// How many events it was told to give up.
    aborts: u32,
    /// What its next answer adds.
    pub(super) noted: Noted,
    /// Events that it has to run before it claims any.
    preparing: Vec<TaskId>,
    /// What one of those threw.
    pub(crate) failed_work: Option<String>,
}

/// Whether the worker leaves it to the master to look for its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Polled {
    /// It notifies the master of each.
    No,
    /// The same, and it has answered an event that was short: the next ones are worth it.
    Soon,
    /// It does; and whether it has answered an event that was short since the last poll.
    Yes { is_busy: bool },
}

impl Connection {
    pub(crate) fn new(
        child: Box<dyn Process>,
        control: Stream,
        channel: Arc<NodeChannel>,
        memory: Arc<Memory>,
    ) -> Self {
        Self {
            child,
            channel,
            owner: None,
            reached: Reached::Nothing,
            is_proven: false,
            answers_given: 0,
            has_lost_claim: false,
            copied_stderr: None,
            last_error: None,
            refusal: None,
            passed: Vec::new(),
            exits: None,
            control: Sender::new(control),
            tasks: Producer::new(Arc::clone(&memory), Layout::TASKS),
            answers: Consumer::new(Arc::clone(&memory), Layout::ANSWERS),
            memory,
            outgoing: VecDeque::new(),
            written: 0,
            given: VecDeque::new(),
            published: Seq(0),
            seen: Vec::new(),
            told_long: None,
            heartbeat: (0, 0),
            polled: Polled::No,
            is_overdue: false,
            aborts: 0,
            noted: Noted::default(),
            preparing: Vec::new(),
            failed_work: None,
        }
    }

    /// The same of a process that has this number among those who hold locks.
    pub(crate) fn of(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The program reached its call there.
    pub(crate) fn is_registered(&self) -> bool {
        self.reached == Reached::Call
    }

    /// Where the frames end that the worker has published by now.
    pub(crate) fn published_end(&self) -> Seq {
        self.answers.end()
    }

    /// The next frame that the worker has published before `end`.
    pub(crate) fn pop_before(
        &mut self,
        end: Seq,
        payload: &mut Bytes,
    ) -> Result<Option<Header>, Broken> {
        self.answers.pop_before(end, payload)
    }

    /// An event that was short has been answered.
    pub(crate) fn has_answered_short(&mut self) {
        self.polled = match self.polled {
            Polled::No | Polled::Soon => Polled::Soon,
            Polled::Yes { .. } => Polled::Yes { is_busy: true },
        };
    }

    /// The worker runs another event: if they are short, the next answers are polled for, and it need not notify for each.
    /// True if that is new.
    pub(crate) fn poll(&mut self) -> bool {
        let begins = self.polled == Polled::Soon;
        if begins {
            self.polled = Polled::Yes { is_busy: true };
            self.memory.word(Layout::POLLED).store(1, Ordering::SeqCst);
        }
        begins
    }

    /// At a poll: if nothing short was answered since the last one, the worker notifies for its next answer. The caller
    /// takes in what is there after it: a worker that saw the word before did not notify.
    pub(crate) fn stop_poll(&mut self) {
        self.polled = match self.polled {
            Polled::Yes { is_busy: true } => Polled::Yes { is_busy: false },
            Polled::Yes { is_busy: false } => {
                self.memory.word(Layout::POLLED).store(0, Ordering::SeqCst);
                Polled::No
            }
            other => other,
        };
    }

    /// Has the worker notify of what it does from now on. The caller looks at what it did before after this.
    pub(crate) fn hear(&self) {
        let notified = self.memory.word(Layout::NOTIFIED);
        if notified.load(Ordering::SeqCst) != 0 {
            notified.store(0, Ordering::SeqCst);
        }
    }

    /// Whether the worker leaves it to the master to look for its answers.
    pub(crate) fn is_polled(&self) -> bool {
        matches!(self.polled, Polled::Yes { .. })
    }

    /// Lets a worker go on that waits for room for its answer.
    pub(crate) fn unblock(&self) {
        let blocked = self.memory.word(Layout::BLOCKED);
        if blocked.load(Ordering::SeqCst) == 1 && blocked.swap(0, Ordering::SeqCst) == 1 {
            self.notify();
        }
    }

    /// The event that the answer at `index` belongs to; none if it was never given or is answered.
    pub(crate) fn answered(&mut self, index: u32) -> Option<TaskId> {
        let at = self.given.iter().position(|given| given.index.0 == index)?;
        self.given.remove(at).map(|given| given.task)
    }

    /// The event of this index, which it was given and has not answered.
    pub(crate) fn given(&self, index: u32) -> Option<TaskId> {
        let given = self.given.iter().find(|given| given.index.0 == index)?;
        Some(given.task)
    }

    /// The events that the worker runs, and when each started: of those that it claimed there, and of those that it was
    /// given.
    pub(crate) fn running(
        &mut self,
        claims: impl Iterator<Item = (TaskId, Position)>,
        now: Tick,
    ) -> Vec<(TaskId, Tick)> {
        let mut running = Vec::new();
        for (task, position) in claims {
            let told = stopwatch::started(&self.memory, position.lane, Seq::of(position.at));
            let seen = self.seen.iter().find(|&&(seen, _)| seen == task).map(|&(_, first)| first);
            running.push((task, told.or(seen).unwrap_or(now)));
        }
        self.seen.clone_from(&running);
        let claimed = Seq(self.memory.word(Layout::STARTED).load(Ordering::SeqCst));
        for given in self.given.iter_mut().filter(|given| given.index.is_before(claimed)) {
            let told = || stopwatch::given_started(&self.memory, given.index.0);
            let started = given.started.or_else(told).unwrap_or(now);
            given.started = Some(started);
            running.push((given.task, started));
        }
        running
    }

    /// Whether it has begun an event that was given to it alone.
    pub(crate) fn has_begun(&self, task: TaskId) -> bool {
        let begun = Seq(self.memory.word(Layout::STARTED).load(Ordering::SeqCst));
        let is_it = |given: &&Given| given.task == task;
        self.given.iter().find(is_it).is_some_and(|given| given.index.is_before(begun))
    }

    /// Whether its JavaScript thread has heard of all events that it was told to give up.
    pub(crate) fn has_heard_aborts(&self) -> bool {
        self.memory.word(Layout::ABORTS).load(Ordering::SeqCst) == self.aborts
    }

    /// Whether its JavaScript thread waits for something: what it runs has not settled its promise.
    pub(crate) fn is_waiting(&self) -> bool {
        self.memory.word(Layout::PARKED).load(Ordering::SeqCst) == 1
    }

    /// Asks the worker's I/O thread for a heartbeat. Says how often in a row there was none.
    pub(crate) fn ask_for_heartbeat(&mut self) -> u32 {
        let heartbeat = self.memory.word(Layout::HEARTBEAT).load(Ordering::SeqCst);
        let (last, missed) = self.heartbeat;
        let missed = if last == heartbeat { missed + 1 } else { 0 };
        self.heartbeat = (heartbeat, missed);
        // If the socket is full there is a question in it.
        let _ = self.send(&Message::Ping);
        missed
    }

    /// Whether the worker claims nothing more, and runs nothing that it has claimed: it says so, or waits for a text that
    /// was taken back.
    pub(crate) fn is_settled(&self) -> bool {
        self.has_lost_claim || self.memory.word(Layout::SETTLED).load(Ordering::SeqCst) == 1
    }

    /// What its program has last written to its error stream.
    pub(crate) fn stderr_tail(&self) -> String {
        self.copied_stderr.clone().unwrap_or_else(|| tail::read(&self.memory))
    }

    /// Whether its JavaScript heap has reached its limit.
    pub(crate) fn is_heap_full(&self) -> bool {
        self.memory.word(Layout::HEAP_LIMIT).load(Ordering::SeqCst) != 0
    }

    /// Kills the worker with all its descendants. It does so itself if the master dies before it has.
    pub(crate) fn kill(&self) {
        self.memory.word(Layout::KILL_PENDING).store(1, Ordering::SeqCst);
        self.child.kill();
    }

    /// Has the worker claim nothing more: it leaves.
    pub(crate) fn withhold(&self) {
        self.memory.word(Layout::WITHHELD).fetch_or(Layout::LEAVES, Ordering::SeqCst);
    }

    /// Has the worker claim nothing more for the moment. It goes on with what it has not answered by now.
    pub(crate) fn pause(&self) {
        self.memory.word(Layout::WITHHELD).fetch_or(Layout::STOPS, Ordering::SeqCst);
    }

    /// The opposite of [`Self::pause`].
    pub(crate) fn resume(&self) {
        self.memory.word(Layout::WITHHELD).fetch_and(!Layout::STOPS, Ordering::SeqCst);
        self.notify();
    }

    /// The worker claims events once it has run these. What is started in a pool that stays claims none before.
    pub(crate) fn prepare(&mut self, tasks: Vec<TaskId>) {
        self.preparing = tasks;
        self.begin_if_prepared();
    }

    /// An event has ended that may be one of those. One that is not proves that the worker is good for something; the others
    /// do not: a worker that dies after them again and again is given up.
    pub(crate) fn has_run(&mut self, task: TaskId) {
        let Some(at) = self.preparing.iter().position(|&other| other == task) else {
            self.is_proven = true;
            return;
        };
        self.preparing.remove(at);
        self.begin_if_prepared();
    }

    /// The first of the events that it has to run before it claims any.
    pub(crate) fn preparing(&self) -> Option<TaskId> {
        self.preparing.first().copied()
    }

    fn begin_if_prepared(&self) {
        let held = self.memory.word(Layout::WITHHELD);
        if self.preparing.is_empty()
            && held.fetch_and(!Layout::PREPARES, Ordering::SeqCst) & Layout::PREPARES != 0
        {
            self.notify();
        }
    }

    /// Whether the worker must notify after every answer.
    pub(crate) fn notify_always(&self, always: bool) {
        self.memory.word(Layout::NOTIFY_ALWAYS).store(u32::from(always), Ordering::SeqCst);
    }

    /// Sends a line on Node's own channel. False if the worker is gone.
    pub(crate) fn send_line(&self, line: &str) -> bool {
        self.channel.send(line)
    }

    pub(crate) fn send(&self, message: &Message) -> io::Result<()> {
        self.control.send(&message.encode())
    }

    /// Everything published is the master's from now on; returns how many were started before.
    fn claim_rest(&self) -> Seq {
        Seq(self.memory.word(Layout::STARTED).swap(self.published.0, Ordering::SeqCst))
    }

    /// Wakes the worker.
    pub(crate) fn notify(&self) {
        // A full socket has wake-ups enough in it, and a closed one nobody to hear them.
        let _ = self.send(&Message::Notify);
    }
}
