//! One run's workers, events and results: the state that the master's JavaScript thread and the
//! I/O thread take turns at.
//!
//! Whoever has something to do locks the state, does it to the end and leaves: JavaScript when it
//! hands events over or looks at results, the I/O thread when a worker rings or ends. Nothing in
//! here waits, and under the lock nothing runs but memory copies and a few bytes to a socket. So an
//! event reaches an idle worker straight from the thread that sent it, and results are collected
//! without JavaScript. What has to wait (reading sockets, timers, restarts) is the supervisor's.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;
use tokio::sync::mpsc;
use tracing::debug;

use crate::channel;
use crate::child::Exit;
use crate::error::{Error, Said};
use crate::link::Link;
use crate::memory::Memory;
use crate::note::Note;
use crate::protocol::{Board, Message};
use crate::results::{Entry, Results, entry};
use crate::ring::{Consumer, Header, Kind, flag};
use crate::scheduler::{Action, Scheduler, TaskId};
use crate::supervisor::{Command, Launch, Verdict, judge};
use crate::task::{Task, Tasks};

/// Room for this many events is always worth telling JavaScript of, however many workers there are.
const ENOUGH_ROOM: i32 = 128;

/// In a failed run events end at once: there is room for as many as the program cares to send.
const FAILED_ROOM: i32 = 1 << 30;

/// Which of a run's queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    Results,
    Failures,
    /// Everything that JavaScript asked to see as it happens.
    Observed,
}

/// What a program that looks at the free workers sees at its first look.
#[derive(Debug)]
pub(crate) struct Exact {
    /// The ids of the workers with nothing to do.
    pub(crate) idle: Vec<u32>,
    /// What was observed before, which those ids take into account already.
    pub(crate) observed: Vec<Vec<u8>>,
    /// Events that wait; each takes a worker that becomes free before the program can.
    pub(crate) waiting: usize,
}

/// A run's pool. Shared by the two threads; see the module's text.
pub(crate) struct Pool {
    state: Mutex<State>,
    board: Arc<Memory>,
    /// Calls JavaScript, from any thread: there is something to look at.
    call: Box<dyn Fn() + Send + Sync>,
    /// What the I/O thread is to do.
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) launch: Launch,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("launch", &self.launch).finish_non_exhaustive()
    }
}

/// The place of one worker, through all its replacements.
#[derive(Debug)]
struct Slot {
    worker: u32,
    link: Option<Link>,
    /// Ends in a row without an event run.
    failures: u32,
    /// Nothing will be started here any more.
    closed: bool,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// A worker that cannot be started ends the run.
    Starting,
    /// Every worker was ready once: a failing start costs a worker and not the run.
    Running,
    /// The workers have been let go.
    Released,
    /// No worker is left, and JavaScript was told.
    Closed,
}

#[derive(Debug)]
struct State {
    slots: Vec<Slot>,
    scheduler: Scheduler,
    tasks: Tasks,
    staging: Consumer,
    /// Events that came through the staging ring: what `Map` counts.
    staged: u32,
    results: Results,
    failures: Results,
    observed: Results,
    observing: bool,
    notes: Vec<Note>,
    /// JavaScript waits for the last answer.
    draining: bool,
    phase: Phase,
    /// Why the run cannot go on, as the JSON of an error.
    failed: Option<String>,
    actions: Vec<Action>,
    scratch: Vec<u8>,
}

/// A frame from a worker, waiting for its turn among those of the others.
struct Arrival {
    slot: usize,
    header: Header,
    payload: SmallVec<[u8; 32]>,
}

impl Pool {
    /// A pool without processes yet.
    pub(crate) fn new(
        launch: Launch,
        board: Arc<Memory>,
        commands: mpsc::UnboundedSender<Command>,
        call: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let slots: Vec<Slot> = launch
            .workers
            .iter()
            .map(|&worker| Slot { worker, link: None, failures: 0, closed: false })
            .collect();
        let state = State {
            scheduler: Scheduler::new(slots.len()),
            slots,
            tasks: Tasks::default(),
            staging: Consumer::new(Arc::clone(&board), Board::STAGING),
            staged: 0,
            results: Results::default(),
            failures: Results::default(),
            observed: Results::default(),
            observing: false,
            notes: Vec::new(),
            draining: false,
            phase: Phase::Starting,
            failed: None,
            actions: Vec::new(),
            scratch: Vec::new(),
        };
        Self { state: Mutex::new(state), board, call, commands, launch }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock aborts the process in a release build; in a test build the state
        // is still whole enough to fail with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` on the state, then everything that follows from it.
    fn enter<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let value = work(&mut state);
        state.sweep(self);
        value
    }

    // ---- for JavaScript ----

    /// Takes in what JavaScript has staged and what workers have answered.
    pub(crate) fn flush(&self) {
        self.enter(|_| ());
    }

    /// Takes in an event that the staging ring had no room for, behind those in it.
    pub(crate) fn submit(&self, text: &[u8], flags: u32) {
        self.enter(|state| {
            state.drain_staging();
            state.stage(text, flags);
        });
    }

    /// Hands an event to one worker, to be started at once. False if there is no such worker.
    pub(crate) fn submit_to(&self, worker: u32, text: &[u8], flags: u32) -> bool {
        self.enter(|state| {
            let Some(slot) = state.slot_of(worker) else { return false };
            let task = state.tasks.add(text, flags);
            state.scheduler.submit_to(slot, task, text.len(), &mut state.actions);
            if state.failed.is_some() || state.slots[slot].closed {
                state.scheduler.retired(slot, &mut state.actions);
            }
            true
        })
    }

    /// Sends a message of the user's to one worker. False if it is gone.
    pub(crate) fn message(&self, worker: u32, text: &[u8]) -> bool {
        self.enter(|state| {
            let Some(link) = state.link_of(worker) else { return false };
            if link.registered {
                link.message(text.to_vec());
                return true;
            }
            let message = format!("{}\n", String::from_utf8_lossy(text));
            link.channel.send(message).is_ok()
        })
    }

    /// Takes the oldest piece of a queue, as the text of one JSON array.
    pub(crate) fn take(&self, queue: Queue) -> Option<Vec<u8>> {
        self.enter(|_| ());
        self.lock().queue(queue).take()
    }

    /// How many entries a queue has, everything answered by now included.
    pub(crate) fn count(&self, queue: Queue) -> usize {
        self.enter(|_| ());
        self.lock().queue(queue).len()
    }

    /// From now on, whether each answer goes to [`Queue::Observed`], and JavaScript is called.
    pub(crate) fn observe(&self, observing: bool) {
        self.enter(|state| {
            state.collect();
            state.observing = observing;
            for link in state.slots.iter().filter_map(|slot| slot.link.as_ref()) {
                link.ring_always(observing);
            }
        });
    }

    /// Hands out one event at a time from now on, nothing behind another, and shows every answer.
    pub(crate) fn be_exact(&self) -> Exact {
        self.observe(true);
        self.enter(|state| state.scheduler.stop_prefetch(&mut state.actions));
        let mut state = self.lock();
        let ready = |slot: &Slot| slot.link.as_ref().is_some_and(|link| link.registered);
        let idle = (0..state.slots.len())
            .filter(|&at| ready(&state.slots[at]) && state.scheduler.held(at) == 0)
            .map(|at| state.slots[at].worker)
            .collect();
        let observed = std::iter::from_fn(|| state.observed.take()).collect();
        Exact { idle, observed, waiting: state.scheduler.waiting() }
    }

    /// True if every event is answered; otherwise [`Note::Drained`] says when.
    pub(crate) fn drained(&self) -> bool {
        self.enter(|state| state.draining = true);
        let mut state = self.lock();
        let at_once = matches!(state.notes.last(), Some(Note::Drained));
        if at_once {
            state.notes.pop();
        }
        at_once
    }

    /// What happened since the last look.
    pub(crate) fn notes(&self) -> Vec<Note> {
        std::mem::take(&mut self.lock().notes)
    }

    /// Lets every worker go: nothing more is started, what runs may end, then the worker drains.
    pub(crate) fn release(&self) {
        self.enter(|state| {
            state.phase = state.phase.max(Phase::Released);
            for slot in 0..state.slots.len() {
                state.release(slot);
            }
            state.close_if_done(&self.commands);
        });
    }

    /// Lets one worker go; it is replaced unless the run is over.
    pub(crate) fn disconnect(&self, worker: u32) -> bool {
        self.enter(|state| {
            let Some(slot) = state.slot_of(worker) else { return false };
            let gone = state.slots[slot].link.is_none();
            state.release(slot);
            !gone
        })
    }

    /// Sends a signal to one worker. False if it is gone.
    pub(crate) fn signal(&self, worker: u32, number: i32) -> bool {
        let mut state = self.lock();
        state.link_of(worker).is_some_and(|link| link.child.signal(number).is_ok())
    }

    // ---- for the supervisor ----

    /// A process was started; `replaces` one that JavaScript knows of.
    pub(crate) fn started(&self, slot: usize, link: Link, fork: Option<Note>) {
        self.enter(|state| {
            link.ring_always(state.observing);
            state.slots[slot].link = Some(link);
            state.notes.extend(fork);
            if state.is_released() {
                state.release(slot);
            }
        });
    }

    /// A process could not be started.
    pub(crate) fn not_started(&self, slot: usize, error: &Error) {
        self.enter(|state| {
            state.retire(slot, error);
            state.close_if_done(&self.commands);
        });
    }

    /// A worker rang, or anything else came from it.
    pub(crate) fn rang(&self) {
        self.flush();
    }

    /// The program reached its call in the worker of `slot`.
    pub(crate) fn registered(&self, slot: usize) {
        self.enter(|state| {
            let worker = state.slots[slot].worker;
            let releasing = state.is_released();
            let Some(link) = state.slots[slot].link.as_mut() else { return };
            link.registered = true;
            if releasing {
                return;
            }
            state.notes.push(Note::Registered { worker });
            let is_ready = |slot: &Slot| slot.link.as_ref().is_some_and(|link| link.registered);
            if state.slots.iter().all(is_ready) {
                state.phase = state.phase.max(Phase::Running);
            }
            state.scheduler.ready(slot, &mut state.actions);
        });
    }

    /// The worker of `slot` said why it is about to end.
    pub(crate) fn uncaught(&self, slot: usize, words: String) {
        if let Some(link) = self.lock().slots[slot].link.as_mut() {
            link.said = Some(words);
        }
    }

    /// A worker turned the call down: no restart would help.
    pub(crate) fn refused(&self, error: &Error) {
        self.enter(|state| state.fail(error));
    }

    /// Something for JavaScript.
    pub(crate) fn note(&self, note: Note) {
        self.enter(|state| state.notes.push(note));
    }

    /// Node's channel has closed: the worker is leaving.
    pub(crate) fn disconnected(&self, slot: usize) {
        self.enter(|state| {
            let worker = state.slots[slot].worker;
            state.notes.push(Note::Disconnect { worker });
            state.scheduler.leaving(slot, &mut state.actions);
        });
    }

    /// The worker of `slot` has ended and everything it said is heard. Says what comes next.
    pub(crate) fn ended(&self, slot: usize, exit: Exit, timed_out: bool) {
        self.enter(|state| {
            state.collect();
            let worker = state.slots[slot].worker;
            let Some(mut link) = state.slots[slot].link.take() else { return };
            let unstarted = link.recall();
            let proven = link.proven || link.released || state.scheduler.held(slot) > unstarted;
            debug!(worker, %exit, unstarted, "worker ended");
            let note = Note::Exit { worker, code: exit.code(), signal: exit.signal() };
            state.notes.push(note);
            let report = Crash { worker, pid: link.child.pid(), exit, said: link.said.clone() };
            state.lost(slot, unstarted, &report);
            if proven {
                state.slots[slot].failures = 0;
            } else {
                state.slots[slot].failures += 1;
            }
            let ending = crate::supervisor::Ending {
                worker,
                exit,
                registered: link.registered,
                timed_out,
                proven,
                failures: state.slots[slot].failures,
                said: Said(link.said),
                deadline: self.launch.deadline,
            };
            if state.is_released() || state.failed.is_some() {
                state.slots[slot].closed = true;
                state.scheduler.retired(slot, &mut state.actions);
            } else {
                match judge(ending) {
                    Verdict::Restart(delay) => {
                        // The I/O thread is the caller: it is there to receive.
                        let _ = self.commands.send(Command::Start { slot, delay });
                    }
                    Verdict::Retire(error) => state.retire(slot, &error),
                }
            }
            state.close_if_done(&self.commands);
        });
    }

    /// Whether the worker of `slot` need not come up any more.
    pub(crate) fn is_released(&self) -> bool {
        let state = self.lock();
        state.is_released() || state.failed.is_some()
    }

    /// A restart that was ordered is not wanted any more.
    pub(crate) fn not_needed(&self, slot: usize) {
        self.enter(|state| {
            state.slots[slot].closed = true;
            state.scheduler.retired(slot, &mut state.actions);
            state.close_if_done(&self.commands);
        });
    }

    /// JavaScript is gone: the workers see their sockets close, and end.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.phase = Phase::Closed;
        for slot in &mut state.slots {
            slot.link = None;
            slot.closed = true;
        }
    }

    /// The worker broke the protocol: nothing it says counts any more.
    pub(crate) fn kill(&self, slot: usize) {
        if let Some(link) = &self.lock().slots[slot].link {
            link.child.kill();
        }
    }
}

/// What is known of a worker's end, for the errors of the events that it ran.
struct Crash {
    worker: u32,
    pid: u32,
    exit: Exit,
    said: Option<String>,
}

impl Crash {
    fn error(&self) -> Vec<u8> {
        let said = Said(self.said.clone());
        let message = format!("worker {} {} while it ran this event{said}", self.worker, self.exit);
        serde_json::json!({
            "name": "Error",
            "message": message,
            "stack": format!("Error: {message}"),
            "code": "ERR_SONIC_WORKER_EXIT",
            "exitCode": self.exit.code(),
            "signal": self.exit.signal(),
            "worker": self.worker,
            "pid": self.pid,
        })
        .to_string()
        .into_bytes()
    }
}

impl State {
    fn is_released(&self) -> bool {
        self.phase >= Phase::Released
    }

    fn slot_of(&self, worker: u32) -> Option<usize> {
        self.slots.iter().position(|slot| slot.worker == worker)
    }

    fn link_of(&mut self, worker: u32) -> Option<&mut Link> {
        let slot = self.slot_of(worker)?;
        self.slots[slot].link.as_mut()
    }

    fn queue(&mut self, queue: Queue) -> &mut Results {
        match queue {
            Queue::Results => &mut self.results,
            Queue::Failures => &mut self.failures,
            Queue::Observed => &mut self.observed,
        }
    }

    /// Everything that is due: take in, hand out, tell JavaScript.
    fn sweep(&mut self, pool: &Pool) {
        loop {
            self.drain_staging();
            self.collect();
            if !self.is_released() {
                self.scheduler.dispatch(&mut self.actions);
            }
            self.act();
            self.pump();
            self.publish(pool);
            // JavaScript stages first and looks at the idle count then; the count is set first here
            // and the ring looked at then: one of the two sees the other.
            if self.scheduler.idle() == 0 || self.staging.is_empty() || self.is_released() {
                break;
            }
        }
    }

    fn drain_staging(&mut self) {
        let mut text = std::mem::take(&mut self.scratch);
        loop {
            match self.staging.pop(&mut text) {
                Ok(Some(header)) => self.stage(&text, header.flags),
                Ok(None) => break,
                Err(broken) => unreachable!("this process writes its own staging ring: {broken}"),
            }
        }
        self.scratch = text;
    }

    fn stage(&mut self, text: &[u8], flags: u32) {
        self.staged = self.staged.wrapping_add(1);
        let task = self.tasks.add(text, flags);
        self.scheduler.submit(task, text.len());
        if let Some(error) = self.failed.clone() {
            for task in self.scheduler.abandon() {
                self.fail_task(task, 0, error.as_bytes());
            }
        }
    }

    /// Takes in every worker's answers, in the order in which they were finished.
    fn collect(&mut self) {
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut text = std::mem::take(&mut self.scratch);
        let mut sources = 0;
        for slot in 0..self.slots.len() {
            let Some(link) = self.slots[slot].link.as_mut() else { continue };
            let before = arrivals.len();
            loop {
                match link.pop(&mut text) {
                    Ok(Some(header)) => {
                        // Short answers are copied, long ones moved.
                        let payload = if text.len() <= 32 {
                            SmallVec::from_slice(&text)
                        } else {
                            SmallVec::from_vec(std::mem::take(&mut text))
                        };
                        arrivals.push(Arrival { slot, header, payload });
                    }
                    Ok(None) => break,
                    Err(broken) => {
                        link.said = Some(format!("its answers make no sense: {broken}"));
                        link.child.kill();
                        break;
                    }
                }
            }
            sources += usize::from(arrivals.len() > before);
            link.unblock();
        }
        self.scratch = text;
        if sources > 1 {
            arrivals.sort_by(|a, b| a.header.finished.total_cmp(&b.header.finished));
        }
        for arrival in arrivals {
            self.accept(&arrival);
        }
    }

    fn accept(&mut self, arrival: &Arrival) {
        let Arrival { slot, header, payload } = arrival;
        let worker = self.slots[*slot].worker;
        if header.kind == Kind::Message {
            self.accept_message(worker, header, payload);
            return;
        }
        let Some(link) = self.slots[*slot].link.as_mut() else { return };
        link.proven = true;
        let Some(id) = link.answered(header.index) else {
            link.said = Some(format!("it answered event {} unasked", header.index));
            link.child.kill();
            return;
        };
        let run = header.finished - header.started;
        let known = self.scheduler.answered(*slot, id, run);
        let task = self.tasks.remove(id);
        let (true, Some(task)) = (known, task) else { return };
        let split = (header.split as usize).min(payload.len());
        let (response, changed) = payload.split_at(split);
        let data = if header.has(flag::DATA_HOLE) {
            None
        } else if header.has(flag::DATA) {
            Some(changed)
        } else {
            task.data()
        };
        let failed = if header.has(flag::FAILED) { entry::FAILED } else { 0 };
        let kind = failed | whole(&task, header);
        let response = header.has(flag::RESPONSE).then_some(response);
        self.deliver(kind, worker, data, response);
    }

    fn accept_message(&mut self, worker: u32, header: &Header, text: &[u8]) {
        let failed = if header.has(flag::FAILED) { entry::FAILED } else { 0 };
        let counts = header.has(flag::FAILED | flag::RESPONSE);
        if self.observing || counts {
            let response = if counts { entry::RESPONSE } else { 0 };
            let kind = failed | response | entry::MESSAGE;
            self.enqueue(Entry { kind, worker, data: None, response: Some(text) });
        }
    }

    /// Puts an ended event where it belongs.
    fn deliver(&mut self, kind: u32, worker: u32, data: Option<&[u8]>, response: Option<&[u8]>) {
        let data_bit = if data.is_some() { entry::DATA } else { 0 };
        let response_bit = if response.is_some() { entry::RESPONSE } else { 0 };
        self.enqueue(Entry { kind: kind | data_bit | response_bit, worker, data, response });
    }

    fn enqueue(&mut self, entry: Entry<'_>) {
        if self.observing {
            self.observed.push(entry);
        } else if entry.kind & entry::FAILED != 0 {
            self.failures.push(entry);
        } else if entry.kind & entry::RESPONSE != 0 {
            self.results.push(entry);
        }
    }

    fn act(&mut self) {
        // What follows from a recall comes before the rest, which may be about the same workers.
        let mut at = 0;
        while let Some(&action) = self.actions.get(at) {
            at += 1;
            match action {
                Action::Give { slot, task, how } => {
                    if let Some(link) = self.slots[slot].link.as_mut() {
                        link.give(task, how);
                    }
                }
                Action::Recall { slot } => {
                    let Some(link) = self.slots[slot].link.as_mut() else { continue };
                    let unstarted = link.recall();
                    let mut more = Vec::new();
                    self.scheduler.recalled(slot, unstarted, &mut more);
                    self.actions.splice(at..at, more);
                }
                Action::Fail { slot, task } => {
                    let worker = self.slots[slot].worker;
                    let error = self.failed.clone().unwrap_or_else(|| {
                        r#"{"name":"Error","message":"the worker is gone","code":"ERR_SONIC_WORKER_EXIT"}"#.into()
                    });
                    self.fail_task(task, worker, error.as_bytes());
                }
            }
        }
        self.actions.clear();
    }

    /// Ends the events that the lost worker of `slot` ran; the others run elsewhere.
    fn lost(&mut self, slot: usize, unstarted: usize, crash: &Crash) {
        let mut actions = Vec::new();
        self.scheduler.lost(slot, unstarted, &mut actions);
        let error = crash.error();
        for action in actions {
            if let Action::Fail { task, .. } = action {
                self.fail_task(task, crash.worker, &error);
            } else {
                self.actions.push(action);
            }
        }
    }

    fn fail_task(&mut self, task: TaskId, worker: u32, error: &[u8]) {
        let Some(task) = self.tasks.remove(task) else { return };
        let whole = if task.flags & flag::WHOLE != 0 { entry::WHOLE } else { 0 };
        let kind = entry::FAILED | entry::CRASH | whole;
        self.deliver(kind, worker, task.data(), Some(error));
    }

    fn pump(&mut self) {
        for slot in &mut self.slots {
            if let Some(link) = &mut slot.link {
                link.pump(&self.tasks);
            }
        }
    }

    /// Tells JavaScript what it reads without asking, and calls it if it waits for any of it.
    fn publish(&mut self, pool: &Pool) {
        let board = &pool.board;
        let outstanding = self.scheduler.outstanding();
        let idle = if self.is_released() { 0 } else { self.scheduler.idle() };
        let capacity = self.scheduler.capacity();
        let room = if self.failed.is_some() { FAILED_ROOM } else { room(capacity, outstanding) };
        // Little room is not worth a turn of JavaScript, and more is coming; an idle worker is.
        let is_little = room < ENOUGH_ROOM.min(i32::try_from(capacity / 4).unwrap_or(i32::MAX));
        let word = board.word(Board::ALLOWED);
        let allowed = self.staged.wrapping_add_signed(room);
        if (!is_little || idle > 0) && is_after(allowed, word.load(Ordering::SeqCst)) {
            word.store(allowed, Ordering::SeqCst);
        }
        let allowed = word.load(Ordering::SeqCst);
        board.word(Board::IDLE).store(u32::try_from(idle).unwrap_or(u32::MAX), Ordering::SeqCst);
        if self.draining && outstanding == 0 && self.staging.is_empty() {
            self.draining = false;
            self.notes.push(Note::Drained);
        }
        let waits = board.word(Board::WAITING).load(Ordering::SeqCst) == 1
            && is_after(allowed, board.word(Board::WAITING_FOR).load(Ordering::SeqCst));
        let called = board.word(Board::CALLED);
        if (waits || !self.notes.is_empty() || self.observed.len() > 0)
            && called.swap(1, Ordering::SeqCst) == 0
        {
            (pool.call)();
        }
    }

    fn release(&mut self, slot: usize) {
        self.scheduler.leaving(slot, &mut self.actions);
        let Some(link) = &mut self.slots[slot].link else { return };
        link.released = true;
        // A worker that does not take either is gone or going; its exit will say so.
        let _ = link.send(&Message::Release);
        let _ = link.channel.send(channel::DISCONNECT.to_owned());
    }

    /// Gives the place of `slot` up: the run ends with it if it had not begun, or was the last.
    fn retire(&mut self, slot: usize, error: &Error) {
        self.slots[slot].closed = true;
        self.scheduler.retired(slot, &mut self.actions);
        if self.phase == Phase::Starting || self.slots.iter().all(|slot| slot.closed) {
            self.fail(error);
        } else {
            let worker = self.slots[slot].worker;
            self.notes.push(Note::Retired { worker, message: error.to_string() });
        }
    }

    /// Ends the run: what no worker runs fails, now and later.
    fn fail(&mut self, error: &Error) {
        if self.failed.is_some() {
            return;
        }
        let (name, code, message) = (error.name(), error.code(), error.to_string());
        let text = serde_json::json!({"name": name, "message": message, "code": code}).to_string();
        self.notes.push(Note::Failed { name: name.into(), code: code.into(), message });
        self.drain_staging();
        for task in self.scheduler.abandon() {
            self.fail_task(task, 0, text.as_bytes());
        }
        self.failed = Some(text);
    }

    fn close_if_done(&mut self, commands: &mpsc::UnboundedSender<Command>) {
        if self.phase == Phase::Closed {
            return;
        }
        let over = self.is_released() || self.failed.is_some();
        if over && self.slots.iter().all(|slot| slot.closed && slot.link.is_none()) {
            self.phase = Phase::Closed;
            self.notes.push(Note::Closed);
            // Without the I/O thread there is nothing left to stop.
            let _ = commands.send(Command::Stop);
        }
    }
}

/// Whether the entry's data is a whole event; changed data never is.
fn whole(task: &Task, header: &Header) -> u32 {
    let changed = header.has(flag::DATA | flag::DATA_HOLE);
    if task.flags & flag::WHOLE != 0 && !changed { entry::WHOLE } else { 0 }
}

/// How many more events there is room for; negative if some have none.
fn room(capacity: usize, outstanding: usize) -> i32 {
    let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let room = signed(capacity) - signed(outstanding);
    i32::try_from(room.max(i64::from(-FAILED_ROOM))).unwrap_or(FAILED_ROOM)
}

/// Whether `a` comes after `b`, both counted modulo 2^32.
fn is_after(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) <= u32::MAX / 2
}
