//! What a pool knows, and everything that is done under its lock: events in, answers in, events out,
//! JavaScript told. It calls nothing that waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;
use tokio::sync::mpsc;

use super::{Pool, Queue};
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
use crate::supervisor::Command;
use crate::task::{Task, Tasks};

/// Room for this many events is always worth telling JavaScript of, however many workers there are.
const ENOUGH_ROOM: i32 = 128;

/// In a failed run events end at once: there is room for as many as the program cares to send.
const FAILED_ROOM: i32 = 1 << 30;

/// The place of one worker, through all its replacements.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) worker: u32,
    pub(super) link: Option<Link>,
    /// Ends in a row without an event run.
    pub(super) failures: u32,
    /// Nothing will be started here any more.
    pub(super) closed: bool,
    /// Answers taken in from this place, and how many there were at the last look for stuck workers.
    pub(super) answered: u64,
    pub(super) looked_at: u64,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
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
pub(super) struct State {
    pub(super) slots: Vec<Slot>,
    pub(super) scheduler: Scheduler,
    pub(super) tasks: Tasks,
    pub(super) staging: Consumer,
    /// Events that came through the staging ring: what `Map` counts.
    pub(super) staged: u32,
    pub(super) results: Results,
    pub(super) failures: Results,
    pub(super) observed: Results,
    pub(super) observing: bool,
    pub(super) notes: Vec<Note>,
    /// JavaScript waits for the last answer.
    pub(super) draining: bool,
    /// The I/O thread looks for stuck workers.
    pub(super) watched: bool,
    pub(super) phase: Phase,
    /// Why the run cannot go on, as the JSON of an error.
    pub(super) failed: Option<String>,
    pub(super) actions: Vec<Action>,
    pub(super) scratch: Vec<u8>,
}

/// A frame from a worker, waiting for its turn among those of the others.
pub(super) struct Arrival {
    slot: usize,
    header: Header,
    payload: SmallVec<[u8; 32]>,
}

/// What is known of a worker's end, for the errors of the events that it ran.
pub(super) struct Crash {
    pub(super) worker: u32,
    pub(super) pid: u32,
    pub(super) exit: Exit,
    pub(super) said: Option<String>,
}

impl Crash {
    pub(super) fn error(&self) -> Vec<u8> {
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
    pub(super) fn new(workers: &[u32], board: &Arc<Memory>) -> Self {
        let slots: Vec<Slot> = workers
            .iter()
            .map(|&worker| Slot {
                worker,
                link: None,
                failures: 0,
                closed: false,
                answered: 0,
                looked_at: 0,
            })
            .collect();
        Self {
            scheduler: Scheduler::new(slots.len()),
            slots,
            tasks: Tasks::default(),
            staging: Consumer::new(Arc::clone(board), Board::STAGING),
            staged: 0,
            results: Results::default(),
            failures: Results::default(),
            observed: Results::default(),
            observing: false,
            notes: Vec::new(),
            draining: false,
            watched: false,
            phase: Phase::Starting,
            failed: None,
            actions: Vec::new(),
            scratch: Vec::new(),
        }
    }

    pub(super) fn is_released(&self) -> bool {
        self.phase >= Phase::Released
    }

    pub(super) fn slot_of(&self, worker: u32) -> Option<usize> {
        self.slots.iter().position(|slot| slot.worker == worker)
    }

    pub(super) fn link_of(&mut self, worker: u32) -> Option<&mut Link> {
        let slot = self.slot_of(worker)?;
        self.slots[slot].link.as_mut()
    }

    pub(super) fn queue(&mut self, queue: Queue) -> &mut Results {
        match queue {
            Queue::Results => &mut self.results,
            Queue::Failures => &mut self.failures,
            Queue::Observed => &mut self.observed,
        }
    }

    /// Everything that is due: take in, hand out, tell JavaScript.
    pub(super) fn sweep(&mut self, pool: &Pool) {
        loop {
            self.drain_staging();
            self.collect();
            if self.failed.is_some() {
                self.abandon();
            } else if !self.is_released() {
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

    pub(super) fn drain_staging(&mut self) {
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

    pub(super) fn stage(&mut self, text: &[u8], flags: u32) {
        self.staged = self.staged.wrapping_add(1);
        let task = self.tasks.add(text, flags);
        self.scheduler.submit(task, text.len());
    }

    /// Fails what no worker runs, in a run that cannot go on.
    fn abandon(&mut self) {
        let Some(error) = self.failed.take() else { return };
        for task in self.scheduler.abandon() {
            self.fail_task(task, 0, error.as_bytes());
        }
        self.failed = Some(error);
    }

    /// Takes in every worker's answers, in the order in which they were finished.
    pub(super) fn collect(&mut self) {
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

    pub(super) fn accept(&mut self, arrival: &Arrival) {
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
        self.slots[*slot].answered += 1;
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

    pub(super) fn accept_message(&mut self, worker: u32, header: &Header, text: &[u8]) {
        let failed = if header.has(flag::FAILED) { entry::FAILED } else { 0 };
        let counts = header.has(flag::FAILED | flag::RESPONSE);
        if self.observing || counts {
            let response = if counts { entry::RESPONSE } else { 0 };
            let kind = failed | response | entry::MESSAGE;
            self.enqueue(Entry { kind, worker, data: None, response: Some(text) });
        }
    }

    /// Puts an ended event where it belongs.
    pub(super) fn deliver(
        &mut self,
        kind: u32,
        worker: u32,
        data: Option<&[u8]>,
        response: Option<&[u8]>,
    ) {
        let data_bit = if data.is_some() { entry::DATA } else { 0 };
        let response_bit = if response.is_some() { entry::RESPONSE } else { 0 };
        self.enqueue(Entry { kind: kind | data_bit | response_bit, worker, data, response });
    }

    pub(super) fn enqueue(&mut self, entry: Entry<'_>) {
        if self.observing {
            self.observed.push(entry);
        } else if entry.kind & entry::FAILED != 0 {
            self.failures.push(entry);
        } else if entry.kind & entry::RESPONSE != 0 {
            self.results.push(entry);
        }
    }

    /// Takes back what waits behind an event that has run since the last look. True if there is
    /// anything to look at again.
    pub(super) fn look_for_stuck(&mut self) -> bool {
        self.collect();
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            let is_stuck = slot.answered == slot.looked_at && self.scheduler.has_waiting(at);
            slot.looked_at = slot.answered;
            if is_stuck {
                self.scheduler.stuck(at, &mut self.actions);
                self.act();
            }
        }
        self.scheduler.has_prefetched()
    }

    pub(super) fn act(&mut self) {
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
                    let unstarted = self.slots[slot].link.as_mut().map_or(0, Link::recall);
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
    pub(super) fn lost(&mut self, slot: usize, unstarted: usize, crash: &Crash) {
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

    pub(super) fn fail_task(&mut self, task: TaskId, worker: u32, error: &[u8]) {
        let Some(task) = self.tasks.remove(task) else { return };
        let whole = if task.flags & flag::WHOLE != 0 { entry::WHOLE } else { 0 };
        let kind = entry::FAILED | entry::CRASH | whole;
        self.deliver(kind, worker, task.data(), Some(error));
    }

    pub(super) fn pump(&mut self) {
        for slot in &mut self.slots {
            if let Some(link) = &mut slot.link {
                link.pump(&self.tasks);
            }
        }
    }

    /// Tells JavaScript what it reads without asking, and calls it if it waits for any of it.
    pub(super) fn publish(&mut self, pool: &Pool) {
        let board = &pool.board;
        let outstanding = self.scheduler.outstanding();
        let idle = if self.is_released() { 0 } else { self.scheduler.idle() };
        let capacity = self.scheduler.capacity();
        let room = if self.failed.is_some() { FAILED_ROOM } else { room(capacity, outstanding) };
        let word = board.word(Board::ALLOWED);
        let allowed = self.staged.wrapping_add_signed(room);
        let more = allowed.wrapping_sub(word.load(Ordering::SeqCst)).cast_signed();
        // A few places are not worth a turn of JavaScript where many come; an idle worker is.
        let enough = ENOUGH_ROOM.min(i32::try_from(capacity / 4).unwrap_or(i32::MAX)).max(1);
        if more >= enough || (more > 0 && idle > 0) {
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
        if !self.watched && self.scheduler.has_prefetched() && !self.is_released() {
            self.watched = true;
            // The I/O thread outlives every worker.
            let _ = pool.commands.send(Command::Watch);
        }
        let called = board.word(Board::CALLED);
        if (waits || !self.notes.is_empty() || self.observed.len() > 0)
            && called.swap(1, Ordering::SeqCst) == 0
        {
            (pool.call)();
        }
    }

    pub(super) fn release(&mut self, slot: usize) {
        self.scheduler.leaving(slot, &mut self.actions);
        let Some(link) = &mut self.slots[slot].link else { return };
        link.released = true;
        // A worker that does not take either is gone or going; its exit will say so.
        let _ = link.send(&Message::Release);
        let _ = link.send_line(channel::DISCONNECT);
    }

    /// Gives the place of `slot` up: the run ends with it if it had not begun, or was the last.
    pub(super) fn retire(&mut self, slot: usize, error: &Error) {
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
    pub(super) fn fail(&mut self, error: &Error) {
        if self.failed.is_some() {
            return;
        }
        let (name, code, message) = (error.name(), error.code(), error.to_string());
        let text = serde_json::json!({"name": name, "message": message, "code": code}).to_string();
        self.notes.push(Note::Failed { name: name.into(), code: code.into(), message });
        self.failed = Some(text);
    }

    pub(super) fn close_if_done(&mut self, commands: &mpsc::UnboundedSender<Command>) {
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
