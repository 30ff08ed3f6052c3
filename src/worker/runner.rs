//! The worker's JavaScript thread at work: claims an event, has it run, publishes its answer, and again.
//!
//! It runs events one after the other for as long as there are any and none has to be waited for, so
//! that an event costs JavaScript no more than the call of the program's own functions. Everything
//! in here is that thread's alone.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::os::clock::clock;
use crate::queue::claimer::{Claimed, Claimer};
use crate::shm::stopwatch::{self, tick};
use crate::wire::header::{Header, Kind, flag};
use crate::wire::layout::Layout;
use crate::wire::seq::Seq;
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
    /// It will be answered later, and no other is to be claimed before.
    Pending,
    /// It will be answered later, while others run.
    Open,
    /// The master has taken it back before it was read.
    Lost,
    /// JavaScript is to be left: something threw that was not the program's function.
    Thrown,
}

/// Why the runner stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// There is nothing to do: this worker is parked until it is notified.
    Parked = 0,
    /// Timers and sockets are to have their turn before the next event.
    TurnOver = 1,
    /// No other event is claimed before one has ended that is pending.
    Busy = 2,
    /// Something has come for this worker alone.
    Arrived = 3,
    /// An event was claimed whose text has yet to arrive.
    Text = 4,
}

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) worker: Arc<Worker>,
    claimer: RefCell<Claimer>,
    /// The program's call was reached.
    is_registered: Cell<bool>,
    /// A bit among the parked is this worker's.
    is_parked: Cell<bool>,
    /// Answers were written since the master was last notified.
    is_unnotified: Cell<bool>,
    /// Answers were written since this worker last looked around.
    is_active: Cell<bool>,
    /// When timers and sockets last had their turn.
    turned: Cell<f64>,
    /// The event that was last claimed in a lane: the lane, and the number there.
    claimed: Cell<(usize, u32)>,
    /// When that was; which is when it started.
    claimed_at: Cell<f64>,
    /// When the last answer was given.
    finished: Cell<f64>,
    /// How many more answers this worker gives, but for events that it has begun by then.
    left: Cell<u32>,
}

impl Runner {
    pub(crate) fn new(worker: Arc<Worker>) -> Self {
        let claimer =
            Claimer::new(Arc::clone(&worker.lanes), worker.slot as usize).in_group(worker.group);
        let left = worker.max_tasks.unwrap_or(u32::MAX);
        Self {
            worker,
            claimer: RefCell::new(claimer),
            is_registered: Cell::new(false),
            is_parked: Cell::new(false),
            is_unnotified: Cell::new(false),
            is_active: Cell::new(false),
            turned: Cell::new(0.0),
            claimed: Cell::new((0, 0)),
            claimed_at: Cell::new(0.0),
            finished: Cell::new(0.0),
            left: Cell::new(left),
        }
    }

    /// From now on it takes events.
    pub(crate) fn register(&self) {
        self.is_registered.set(true);
    }

    /// Whether events of a run are left to other workers.
    pub(crate) fn suspend(&self, run: u32, is_suspended: bool) {
        self.claimer.borrow_mut().suspend(run, is_suspended);
    }

    /// Timers and sockets have just had their turn.
    pub(crate) fn turn(&self) {
        self.turned.set(clock());
    }

    /// Runs events until there is a reason to stop; `running` are pending already. `serve` has JavaScript run one: it may
    /// call any other method of this. None if it has thrown.
    pub(crate) fn run(
        &self,
        running: u32,
        mut serve: impl FnMut(&Claimed) -> Served,
    ) -> Option<Pause> {
        let mut has_others = running > 0;
        self.worker.memory.word(Layout::PARKED).store(0, Ordering::SeqCst);
        if self.is_parked.replace(false) {
            // It may have been woken for something else than the lanes.
            self.claimer.borrow().unpark();
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
            // What must run alone comes before all others: it waits for those that run, and all others for it.
            let waits = has_others && self.claimer.borrow().is_next_alone();
            let may_claim = self.is_serving() && !waits;
            let claimed = if may_claim { self.claimer.borrow_mut().claim() } else { None };
            let Some(event) = claimed else {
                if waits || !self.spin() {
                    return Some(if self.park(waits) { Pause::Parked } else { Pause::Arrived });
                }
                started = clock();
                continue;
            };
            if event.flags & flag::LONG != 0 {
                // The master sees who claimed it, and sends the text.
                self.is_unnotified.set(true);
                self.notify();
                return Some(Pause::Text);
            }
            self.claimed.set((event.lane, event.index));
            self.claimed_at.set(started);
            if self.worker.times {
                let number = Seq(event.index);
                stopwatch::start(&self.worker.memory, event.lane, number, tick(started));
            }
            match serve(&event) {
                Served::Number(response) => self.answer_number(response),
                Served::Answered | Served::Lost => {}
                Served::Pending => return Some(Pause::Busy),
                Served::Open => {
                    has_others = true;
                    started = clock();
                    continue;
                }
                Served::Thrown => return None,
            }
            started = self.finished.get();
        }
    }

    /// The event's text was read: its bytes may be used again. False if they were before: then it is not this
    /// worker's any more.
    pub(crate) fn has_read(&self, event: &Claimed) -> bool {
        let claimer = self.claimer.borrow();
        let is_sound = claimer.has_read(event);
        if claimer.is_to_notify(event) {
            drop(claimer);
            self.is_unnotified.set(true);
            self.notify();
        }
        is_sound
    }

    /// Makes an event of the task ring this worker's for good. False if the master took it back. `counts`: it is one of those
    /// after which the worker is replaced.
    pub(crate) fn start(&self, index: u32, counts: bool) -> bool {
        if !counts {
            self.left.set(self.left.get().saturating_add(1));
        }
        if self.worker.times {
            stopwatch::start_given(&self.worker.memory, index, tick(clock()));
        }
        self.worker.start(index)
    }

    /// Whether this worker takes events from the lanes.
    fn is_serving(&self) -> bool {
        self.is_registered.get()
            && self.left.get() > 0
            && !self.worker.is_released()
            && self.worker.memory.word(Layout::WITHHELD).load(Ordering::SeqCst) == 0
    }

    /// After events that were short: the next may come sooner than a parked worker wakes.
    fn spin(&self) -> bool {
        let was_short = self.finished.get() - self.claimed_at.get() <= TURN;
        if !self.is_active.replace(false) || !was_short || !self.is_serving() {
            return false;
        }
        self.notify();
        self.worker.spin(|| self.claimer.borrow().has_news())
    }

    /// Has the master notify this worker of anything. False if there is something already, unless it `waits` for its own
    /// events.
    fn park(&self, waits: bool) -> bool {
        let held = self.worker.memory.word(Layout::WITHHELD).load(Ordering::SeqCst);
        if held & Layout::LEAVES != 0 {
            // Before it notifies, which it does for this too: then the master sees it.
            let settled = self.worker.memory.word(Layout::SETTLED);
            if settled.swap(1, Ordering::SeqCst) == 0 {
                self.is_unnotified.set(true);
            }
        }
        self.notify();
        let is_serving = self.is_serving();
        let claimer = self.claimer.borrow();
        if is_serving {
            claimer.park();
        }
        if self.listen() && (waits || !(is_serving && claimer.has_more())) {
            self.is_parked.set(is_serving);
            return true;
        }
        claimer.unpark();
        false
    }

    /// Has the master notify of what it sends to this worker alone; false if there is something.
    pub(crate) fn listen(&self) -> bool {
        self.worker.memory.word(Layout::PARKED).store(1, Ordering::SeqCst);
        !self.worker.has_arrived()
    }

    /// Notifies the master if there are answers that it was not notified of.
    pub(crate) fn notify(&self) {
        if self.is_unnotified.replace(false) {
            self.worker.notify();
        }
    }

    /// Whether there are answers that the master was not notified of.
    pub(crate) fn is_unnotified(&self) -> bool {
        self.is_unnotified.get()
    }

    /// When the event that was last claimed in a lane started.
    pub(crate) fn started(&self) -> f64 {
        self.claimed_at.get()
    }

    /// The header of an answer that is given now: to the event that was last claimed, unless it has a time of its own at
    /// which it `started`. The flags of an answer to an event of a lane say which.
    pub(crate) fn answer(&self, index: u32, flags: u32, started: Option<f64>) -> Header {
        let finished = clock();
        self.finished.set(finished);
        let started = started.unwrap_or_else(|| self.claimed_at.get());
        Header { index, started, finished, ..Header::new(Kind::Answer, flags) }
    }

    /// An answer was published.
    pub(crate) fn has_answered(&self) {
        if self.worker.max_tasks.is_some() {
            self.left.set(self.left.get().saturating_sub(1));
        }
        self.is_unnotified.set(true);
        self.is_active.set(true);
        // After the answer was published: a master that stops to poll looks for it after that.
        let word = |at| self.worker.memory.word(at).load(Ordering::SeqCst);
        if word(Layout::POLLED) == 0 || word(Layout::NOTIFY_ALWAYS) == 1 {
            self.notify();
        }
    }

    fn answer_number(&self, response: i64) {
        let mut digits = itoa::Buffer::new();
        let text = digits.format(response).as_bytes();
        let (lane, index) = self.claimed.get();
        let flags = flag::RESPONSE | (lane as u32) << flag::LANE_AT;
        let header = Header { split: text.len() as u32, ..self.answer(index, flags, None) };
        self.worker.write(&header, text);
        self.has_answered();
    }
}

// They play the other side with a socket.
#[cfg(all(test, unix))]
mod tests;
