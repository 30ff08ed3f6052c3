//! The worker's JavaScript thread at work: claims an event, has it run, publishes its answer, and again.
//!
//! It runs events one after the other for as long as there are any and none has to be waited for, so
//! that an event costs JavaScript no more than the call of the program's own functions. Everything
//! in here is that thread's alone.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::os::clock::clock;
use crate::pool::stopwatch::{self, tick};
use crate::queue::backlog::{Claimed, Claimer};
use crate::wire::header::{Header, Kind, flag};
use crate::wire::protocol::Layout;
use crate::worker::join::Worker;

/// Milliseconds for which events run one after the other before timers and sockets get a turn.
const TURN: f64 = 1.0;

/// How far JavaScript has come with an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Served {
    /// The response is a whole number.
    Number(i64),
    /// The answer is published.
    Answered,
    /// It will be answered later.
    Pending,
    /// The master has taken it back before it was read.
    Lost,
    /// JavaScript is to be left: something threw that was not the program's function.
    Thrown,
}

/// Why the runner stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// There is nothing to do: this worker sleeps until it is rung.
    Asleep = 0,
    /// Timers and sockets are to have their turn before the next event.
    TurnOver = 1,
    /// An event is pending, or its text is to come: no other is claimed before it has ended.
    Busy = 2,
    /// Something has come for this worker alone.
    Arrived = 3,
}

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) worker: Arc<Worker>,
    claimer: RefCell<Claimer>,
    /// The program's call was reached.
    is_registered: Cell<bool>,
    /// A bit among the sleepers is this worker's.
    is_asleep: Cell<bool>,
    /// Answers were written since the master was last rung.
    is_unrung: Cell<bool>,
    /// Answers were written since this worker last looked around.
    is_active: Cell<bool>,
    /// When timers and sockets last had their turn.
    turned: Cell<f64>,
    /// When the last event of the backlog was claimed; which is when it started.
    claimed_at: Cell<f64>,
    /// When the last answer was given.
    finished: Cell<f64>,
    /// How many more answers this worker gives, but for events that it has begun by then.
    left: Cell<u32>,
}

impl Runner {
    pub(crate) fn new(worker: Arc<Worker>) -> Self {
        let claimer = Claimer::new(Arc::clone(&worker.backlog), worker.place as usize);
        let left = worker.max_tasks.unwrap_or(u32::MAX);
        Self {
            worker,
            claimer: RefCell::new(claimer),
            is_registered: Cell::new(false),
            is_asleep: Cell::new(false),
            is_unrung: Cell::new(false),
            is_active: Cell::new(false),
            turned: Cell::new(0.0),
            claimed_at: Cell::new(0.0),
            finished: Cell::new(0.0),
            left: Cell::new(left),
        }
    }

    /// From now on it takes events.
    pub(crate) fn register(&self) {
        self.is_registered.set(true);
    }

    /// Timers and sockets have just had their turn.
    pub(crate) fn turn(&self) {
        self.turned.set(clock());
    }

    /// Runs events until there is a reason to stop. `serve` has JavaScript run one: it may call any
    /// other method of this. None if it has thrown.
    pub(crate) fn run(&self, mut serve: impl FnMut(&Claimed) -> Served) -> Option<Pause> {
        self.worker.memory.word(Layout::WAITS).store(0, Ordering::SeqCst);
        if self.is_asleep.replace(false) {
            // It may have been woken for something else than the backlog.
            self.claimer.borrow().wake();
        }
        if self.worker.has_arrived() {
            return Some(Pause::Arrived);
        }
        let mut started = clock();
        loop {
            if started - self.turned.get() > TURN {
                return Some(Pause::TurnOver);
            }
            if self.worker.has_frames() {
                return Some(Pause::Arrived);
            }
            let claimed = if self.is_serving() { self.claimer.borrow_mut().claim() } else { None };
            let Some(event) = claimed else {
                if !self.look_around() {
                    return Some(if self.sleep() { Pause::Asleep } else { Pause::Arrived });
                }
                started = clock();
                continue;
            };
            if event.flags & flag::LONG != 0 {
                // The master sees who claimed it, and sends the text.
                self.is_unrung.set(true);
                self.ring();
                return Some(Pause::Busy);
            }
            self.claimed_at.set(started);
            if self.worker.times {
                stopwatch::start(&self.worker.memory, event.index, tick(started));
            }
            match serve(&event) {
                Served::Number(response) => self.answer_number(event.index, response),
                Served::Answered => {}
                Served::Lost => self.give_back(event.index),
                Served::Pending => return Some(Pause::Busy),
                Served::Thrown => return None,
            }
            started = self.finished.get();
        }
    }

    /// The event's text was read: its bytes may be used again. False if they were before: then it is not this
    /// worker's any more.
    pub(crate) fn has_read(&self, event: &Claimed) -> bool {
        let claimer = self.claimer.borrow();
        let is_sound = claimer.has_read(event.index);
        if claimer.is_to_ring(event.index) {
            drop(claimer);
            self.is_unrung.set(true);
            self.ring();
        }
        is_sound
    }

    /// Makes an event of the task ring this worker's for good. False if the master took it back.
    pub(crate) fn start(&self, index: u32) -> bool {
        if self.worker.times {
            stopwatch::start_given(&self.worker.memory, index, tick(clock()));
        }
        self.worker.start(index)
    }

    /// Whether this worker takes events from the backlog.
    fn is_serving(&self) -> bool {
        self.is_registered.get()
            && self.left.get() > 0
            && !self.worker.is_released()
            && self.worker.memory.word(Layout::HELD).load(Ordering::SeqCst) == 0
    }

    /// After events that were short: the next may come sooner than a sleeper wakes.
    fn look_around(&self) -> bool {
        let was_short = self.finished.get() - self.claimed_at.get() <= TURN;
        if !self.is_active.replace(false) || !was_short || !self.is_serving() {
            return false;
        }
        self.ring();
        self.worker.look_for_events(self.claimer.borrow().next());
        true
    }

    /// Has the master ring for anything. False if there is something already.
    fn sleep(&self) -> bool {
        let held = self.worker.memory.word(Layout::HELD).load(Ordering::SeqCst);
        if held & Layout::LEAVES != 0 {
            // Before it rings: then the master sees it.
            self.worker.memory.word(Layout::RESTS).store(1, Ordering::SeqCst);
        }
        self.ring();
        let is_serving = self.is_serving();
        let claimer = self.claimer.borrow();
        if is_serving {
            claimer.sleep();
        }
        if self.listen() && !(is_serving && claimer.has_more()) {
            self.is_asleep.set(is_serving);
            return true;
        }
        claimer.wake();
        false
    }

    /// Has the master ring for what it sends to this worker alone; false if there is something.
    pub(crate) fn listen(&self) -> bool {
        self.worker.memory.word(Layout::WAITS).store(1, Ordering::SeqCst);
        !self.worker.has_arrived()
    }

    /// Rings the master if there are answers that it was not rung for.
    pub(crate) fn ring(&self) {
        if self.is_unrung.replace(false) && !self.claimer.borrow().master_looks() {
            self.worker.ring();
        }
    }

    /// Whether there are answers that the master was not rung for.
    pub(crate) fn is_unrung(&self) -> bool {
        self.is_unrung.get()
    }

    /// The header of an answer that is given now, to the event that runs in turn unless it has a time of
    /// its own at which it `started`.
    pub(crate) fn answer(&self, index: u32, flags: u32, started: Option<f64>) -> Header {
        let finished = clock();
        self.finished.set(finished);
        let started = started.unwrap_or_else(|| self.claimed_at.get());
        Header { index, started, finished, ..Header::new(Kind::Answer, flags) }
    }

    /// An answer with these flags was published.
    pub(crate) fn has_answered(&self, flags: u32) {
        if self.worker.max_tasks.is_some() && flags & flag::RETURN == 0 {
            self.left.set(self.left.get().saturating_sub(1));
        }
        self.is_unrung.set(true);
        self.is_active.set(true);
        // After the answer was published: a master that stops to poll looks for it after that.
        let word = |at| self.worker.memory.word(at).load(Ordering::SeqCst);
        if word(Layout::POLLED) == 0 || word(Layout::RING_ALWAYS) == 1 {
            self.ring();
        }
    }

    /// Tells the master that this event of the backlog is known not to be this worker's.
    fn give_back(&self, index: u32) {
        let header = self.answer(index, flag::RETURN, None);
        self.worker.write(&header, &[]);
        self.has_answered(header.flags);
    }

    fn answer_number(&self, index: u32, response: i64) {
        let mut digits = itoa::Buffer::new();
        let text = digits.format(response).as_bytes();
        let header =
            Header { split: text.len() as u32, ..self.answer(index, flag::RESPONSE, None) };
        self.worker.write(&header, text);
        self.has_answered(header.flags);
    }
}

// They play the other side with a socket.
#[cfg(all(test, unix))]
mod tests;
