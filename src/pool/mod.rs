//! One run's workers, events and results: the state that the master's JavaScript thread and the
//! I/O thread take turns at.
//!
//! Whoever has something to do locks the state, does it to the end and leaves: JavaScript when a
//! worker has to be woken or it looks at results, the I/O thread when a worker rings or ends. Nothing
//! in here waits, and under the lock nothing runs but memory copies and a few bytes to a socket. So
//! an idle worker is woken straight from the thread that sent the event, and results are collected
//! without JavaScript. What has to wait (reading sockets, timers, restarts) is the supervisor's.

mod hints;
pub(crate) mod limits;
pub(crate) mod link;
mod looks;
mod state;
pub(crate) mod stopwatch;
pub(crate) mod tail;
mod tell;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tracing::{debug, trace};

pub(crate) use self::looks::BEATS;
use self::state::{Crash, Phase, Shortage, State, Stop};
use crate::core::error::{Error, Said, Search};
use crate::core::scheduler::TaskId;
use crate::io::supervisor::{Command, Ending, Launch, Verdict, judge};
use crate::observe::record::Record;
use crate::os::cgroup::Kills;
use crate::os::child::Exit;
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket::Handle;
use crate::pool::link::Link;
use crate::queue::backlog::Backlog;
use crate::run::results::Piece;
use crate::run::task::Task;
use crate::shm::store::Bytes;
use crate::wire::note::Note;
use crate::wire::protocol::{Board, Message};

/// How long JavaScript looks for room itself before it waits to be called.
const LOOK: Duration = Duration::from_micros(100);

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
    /// The ids of the workers with nothing to do, those included that are being replaced.
    pub(crate) idle: Vec<u32>,
    /// What was observed before, which those ids take into account already.
    pub(crate) observed: Vec<Piece>,
}

/// A run's pool. Shared by the two threads; see the module's text.
pub(crate) struct Pool {
    state: Mutex<State>,
    board: Arc<Memory>,
    /// Calls JavaScript, from any thread: there is something to look at.
    call: Box<dyn Fn() + Send + Sync>,
    /// Whom the system has killed.
    kills: Mutex<Kills>,
    /// What the I/O thread is to do.
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) launch: Launch,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("launch", &self.launch).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool without processes yet. `memory` is mapped from `backlog`.
    pub(crate) fn new(
        launch: Launch,
        board: Arc<Memory>,
        (backlog, memory): (Handle, Arc<Memory>),
        commands: mpsc::UnboundedSender<Command>,
        call: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let ours = Backlog::new(memory, Arc::clone(&board));
        let state = State::new(&launch, ours, backlog);
        let kills = Mutex::default();
        Self { state: Mutex::new(state), board, call, kills, commands, launch }
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
        // Before anything else happens to the workers that the actions are about.
        state.act();
        state.sweep(self);
        value
    }

    // ---- for JavaScript ----

    /// Takes in what JavaScript has put into the backlog and what workers have answered.
    pub(crate) fn flush(&self) {
        self.enter(|_| ());
    }

    /// Looks for room for the event of this number, for a while if events are short: a pause that is
    /// shorter than a wake-up is better spent so. Other threads that want the processor get it. True
    /// if there is room.
    pub(crate) fn look_for_room(&self, number: u32) -> bool {
        let are_short = self.enter(|state| {
            let are_short = state.scheduler.capacity() > state.scheduler.ready_count();
            state.backlog.set_looking(are_short);
            are_short
        });
        if !are_short {
            return self.has_room(number);
        }
        let end = Instant::now() + LOOK;
        loop {
            self.enter(|_| ());
            let found = self.has_room(number);
            if found || Instant::now() > end {
                break;
            }
            thread::yield_now();
        }
        self.lock().backlog.set_looking(false);
        // What was answered before that rang nobody.
        self.enter(|_| ());
        self.has_room(number)
    }

    fn has_room(&self, number: u32) -> bool {
        let allowed = self.board.word(Board::ALLOWED).load(Ordering::SeqCst);
        allowed.wrapping_sub(number).cast_signed() > 0
    }

    /// Takes in an event that JavaScript cannot put into the backlog itself.
    pub(crate) fn submit(&self, text: impl Into<Bytes>, flags: u32) {
        let task = Task::new(text.into(), flags);
        self.enter(|state| state.submit(task));
    }

    /// Hands an event to one worker, to be started at once. False if there is no such worker.
    pub(crate) fn submit_to(&self, worker: u32, text: impl Into<Bytes>, flags: u32) -> bool {
        let task = Task::new(text.into(), flags);
        self.enter(|state| {
            let Some(slot) = state.slot_of(worker) else { return false };
            let task = state.tasks.add(task);
            state.record.direct(task, if state.record.has_times() { clock() } else { 0.0 });
            state.scheduler.submit_to(slot, task, &mut state.actions);
            if state.failed.is_some() || state.slots[slot].closed {
                state.scheduler.retired(slot, &mut state.actions);
            }
            true
        })
    }

    /// Sends a message of the user's to one worker. False if it is gone.
    pub(crate) fn message(&self, worker: u32, text: impl Into<Bytes>) -> bool {
        let text = text.into();
        self.enter(|state| {
            let Some(link) = state.link_of(worker) else { return false };
            if link.registered {
                link.message(text);
                return true;
            }
            let message = format!("{}\n", String::from_utf8_lossy(&text));
            link.send_line(&message)
        })
    }

    /// Takes the oldest piece of a queue.
    pub(crate) fn take(&self, queue: Queue) -> Option<Piece> {
        self.enter(|_| ());
        let mut state = self.lock();
        let piece = state.queue(queue).take();
        // The reader of a stream makes room by that.
        state.show_unread(&self.board);
        piece
    }

    /// `Map` waits for room, or does not any more.
    pub(crate) fn pressed(&self, waits: bool) {
        trace!(waits, "Map waits for room");
        self.lock().record.pressed(waits, clock());
    }

    /// Looks at what is kept of the run; also how many events have gone into the backlog.
    pub(crate) fn recorded<T>(&self, look: impl FnOnce(&Record, u64) -> T) -> T {
        let state = self.lock();
        look(&state.record, state.handed_over())
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

    /// Leaves it to the program which worker gets an event, and shows every answer. What was handed over
    /// before takes the first workers that become free.
    pub(crate) fn be_exact(&self) -> Exact {
        self.observe(true);
        self.enter(State::leave_backlog);
        let mut state = self.lock();
        let idle = state.free();
        let observed = std::iter::from_fn(|| state.observed.take()).collect();
        Exact { idle, observed }
    }

    /// The ids of the workers with nothing to do, those included that are being replaced.
    pub(crate) fn free(&self) -> Vec<u32> {
        self.enter(|_| ());
        self.lock().free()
    }

    /// Whether a worker has nothing to do.
    pub(crate) fn is_free(&self, worker: u32) -> bool {
        let state = self.lock();
        state.slot_of(worker).is_some_and(|slot| state.scheduler.is_free(slot))
    }

    /// True if every event is answered; otherwise [`Note::Drained`] says when.
    pub(crate) fn drained(&self) -> bool {
        self.enter(|state| state.draining = true);
        let mut state = self.lock();
        // JavaScript has yet to hear that the run failed: its events are answered because of that.
        let fails = |note: &Note| matches!(note, Note::Failed { .. } | Note::Stopped);
        let at_once =
            matches!(state.notes.last(), Some(Note::Drained)) && !state.notes.iter().any(fails);
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
            debug!("workers are let go");
            state.record.over(clock());
            state.phase = state.phase.max(Phase::Released);
            for slot in 0..state.slots.len() {
                // Those of a stopped run go when they have ended what they run.
                if state.stop == Stop::No {
                    state.release(slot);
                }
            }
            state.give_up_retries();
            state.close_if_done(&self.commands);
        });
    }

    /// Starts nothing more. What runs may end until the run's grace is over, and its worker goes then;
    /// who is left is killed. Should this process end before, so do the workers that run something.
    pub(crate) fn stop(&self) {
        self.enter(|state| {
            if state.stop == Stop::No {
                debug!("the run is stopped");
                state.record.mark("abort", None, clock(), || "the run was stopped".into());
                state.stop = Stop::Ordered;
            }
        });
        self.enter(|state| state.close_if_done(&self.commands));
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

    /// From now on it is looked after whom the system kills for want of memory.
    pub(crate) fn watch_kills(&self) {
        *self.kills() = Kills::watch();
    }

    /// Notes whom the system has killed by now: so what it killed long ago is no worker that ends later.
    pub(crate) fn look_for_kills(&self) {
        self.kills().look();
    }

    /// Whether the system has killed for want of memory what has just ended so.
    fn has_system_killed(&self, exit: Exit) -> bool {
        exit.is_kill() && self.kills().has_killed()
    }

    fn kills(&self) -> MutexGuard<'_, Kills> {
        self.kills.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The backlog's memory, for one more worker.
    pub(crate) fn backlog(&self) -> io::Result<Handle> {
        match &self.lock().shared {
            Some(memory) => memory.try_clone(),
            None => Err(io::Error::other("the run is over")),
        }
    }

    /// A process was started; `fork` if it replaces one that JavaScript knows of.
    pub(crate) fn started(&self, slot: usize, link: Link, fork: Option<Note>) {
        self.look_for_kills();
        self.enter(|state| {
            link.ring_always(state.observing);
            link.hold(state.holding);
            state.record.started(slot, link.child.pid(), clock());
            state.slots[slot].link = Some(link);
            state.notes.extend(fork);
            if state.stop == Stop::Done {
                state.leaving(slot);
            } else if state.is_released() {
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
            debug!(worker, "worker ready");
            state.record.ready(slot, clock());
            state.notes.push(Note::Registered { worker });
            state.has_begun();
            state.scheduler.ready(slot, &mut state.actions);
        });
    }

    /// The worker of `slot` said why it is about to end.
    pub(crate) fn uncaught(&self, slot: usize, words: String) {
        if let Some(link) = self.lock().slots[slot].link.as_mut() {
            link.said = Some(words);
            link.exits = None;
        }
    }

    /// The program is about to end the worker of `slot` by a call of its own.
    pub(crate) fn exits(&self, slot: usize, call: String) {
        if let Some(link) = self.lock().slots[slot].link.as_mut() {
            link.exits = Some(call);
        }
    }

    /// The worker of `slot` reached a call that it does not serve.
    pub(crate) fn passed(&self, slot: usize, call: String) {
        /// A text names no more, and a program may go on making calls.
        const MOST: usize = 8;
        if let Some(link) = self.lock().slots[slot].link.as_mut()
            && link.passed.len() < MOST
        {
            link.passed.push(call);
        }
    }

    /// A worker turned the call down: no restart would help.
    pub(crate) fn refused(&self, error: &Error) {
        self.enter(|state| state.fail(error));
    }

    /// Whether JavaScript has yet to hear so much that no more should be read for it.
    pub(crate) fn has_many_notes(&self) -> bool {
        const MOST: usize = 1024;
        const MOST_BYTES: usize = 16 << 20;
        let state = self.lock();
        state.notes.len() >= MOST || state.notes.iter().map(Note::bytes).sum::<usize>() > MOST_BYTES
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
            state.leaving(slot);
            state.has_been_let_go(slot);
            if let Some(link) = &state.slots[slot].link {
                // A worker that left of its own will is held by nothing else.
                let _ = link.send(&Message::Release);
            }
        });
    }

    /// The worker of `slot` has ended and everything it said is heard. Says what comes next.
    pub(crate) fn ended(&self, slot: usize, exit: Exit, timed_out: bool) {
        let has_system_killed = self.has_system_killed(exit);
        self.enter(|state| {
            state.collect();
            state.backlog.disown(slot);
            // What it claimed last and waits for may have to be given before it can be taken back.
            state.act();
            let worker = state.slots[slot].worker;
            let Some(mut link) = state.slots[slot].link.take() else { return };
            let unstarted = link.recall();
            let stderr = link.tail();
            state.slots[slot].is_unheard = !link.joined;
            let ran_something = state.scheduler.held(slot) > unstarted;
            let proven = link.proven || link.released || ran_something;
            debug!(worker, %exit, unstarted, "worker ended");
            state.record.exited(slot, exit.code(), exit.signal(), clock());
            let has_left = link.released || (exit.code() == Some(0) && !ran_something);
            if !has_left && state.stop == Stop::No {
                state.record.crashed(slot, exit, clock());
            }
            let said = Said { uncaught: link.said.take(), exits: link.exits.take() };
            let note = Note::Exit { worker, code: exit.code(), signal: exit.signal() };
            state.notes.push(note);
            let crash = Crash {
                worker,
                pid: link.child.pid(),
                exit,
                said: said.clone(),
                fate: link.fate.take(),
                ran: state.ran(slot, &mut link),
                stderr: stderr.clone(),
                shortage: Shortage::of(exit, link.is_heap_full(), has_system_killed),
            };
            state.lost(slot, unstarted, &crash);
            if proven {
                state.slots[slot].failures = 0;
            } else {
                state.slots[slot].failures += 1;
            }
            let ending = Ending {
                worker,
                exit,
                reached: link.reached(),
                timed_out,
                proven,
                failures: state.slots[slot].failures,
                said,
                search: Box::new(Search { title: self.launch.title.clone(), passed: link.passed }),
                stderr,
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

    /// Some time after workers were woken: wakes others in the place of those that have not come. True if
    /// that is to be looked at again.
    pub(crate) fn watched(&self) -> bool {
        self.enter(State::watch)
    }

    /// Collects the answers of workers that do not ring. True if that is to be done again.
    pub(crate) fn polled(&self) -> bool {
        self.enter(State::poll);
        self.lock().goes_on_polling()
    }

    /// An event that was to be tried again after so many attempts has rested.
    pub(crate) fn rested(&self, task: TaskId, after: usize) {
        self.enter(|state| state.rested(task, after));
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
        state.shared = None;
        for slot in &mut state.slots {
            slot.link = None;
            slot.closed = true;
        }
    }

    /// Ends all workers that there are.
    pub(crate) fn kill_all(&self) {
        for link in self.lock().slots.iter().filter_map(|slot| slot.link.as_ref()) {
            link.kill();
        }
    }

    /// The worker watches for the end of this process itself by now.
    pub(crate) fn joined(&self, slot: usize) {
        if let Some(link) = &mut self.lock().slots[slot].link {
            link.joined = true;
            link.child.watches();
        }
    }

    /// What the worker of `slot` wrote to its error stream last, where that was copied.
    pub(crate) fn wrote(&self, slot: usize, text: String) {
        if let Some(link) = &mut self.lock().slots[slot].link {
            link.wrote = Some(text);
        }
    }

    /// Whether what the next worker of `slot` writes to its error stream is to be listened to.
    pub(crate) fn is_unheard(&self, slot: usize) -> bool {
        self.lock().slots[slot].is_unheard
    }

    /// The worker broke the protocol: nothing it says counts any more.
    pub(crate) fn kill(&self, slot: usize) {
        if let Some(link) = &self.lock().slots[slot].link {
            link.kill();
        }
    }
}

// They play the other side with a socket.
#[cfg(all(test, unix))]
pub(crate) mod tests;
