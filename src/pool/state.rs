//! What a pool knows, and everything that is done under its lock: events in, answers in, events out,
//! JavaScript told. It calls nothing that waits.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tracing::debug;

use super::{Pool, Queue};
use crate::core::error::{Error, Said};
use crate::core::retry::{Again, Attempt, Cause, Retries};
use crate::core::scheduler::{Action, How, SHORT, Scheduler, TaskId};
use crate::io::supervisor::{Command, Launch};
use crate::observe::record::{Ended, Outcome, Record};
use crate::os::child::Exit;
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket::Handle;
use crate::pool::link::{Fate, Link};
use crate::pool::stopwatch::{elapsed, tick};
use crate::queue::backlog::{Backlog, Owner};
use crate::run::results::{Entry, Results, Value, entry};
use crate::run::stream::Stream;
use crate::run::task::{OTHERS, Task, Tasks};
use crate::shm::store::Bytes;
use crate::wire::channel;
use crate::wire::format::Format;
use crate::wire::header::{Header, Kind, data_format_of, flag, format_of};
use crate::wire::note::Note;
use crate::wire::protocol::{Board, Message};

/// Room for this many events is always worth telling JavaScript of, however many workers there are.
const ENOUGH_ROOM: i32 = 128;

/// In a failed run events end at once: there is room for as many as the program cares to send.
const FAILED_ROOM: i32 = 1 << 30;

/// Only a worker that flips the state of its events back and forth makes a sweep turn so often.
const MAX_TURNS: usize = 10_000;

/// The place of one worker, through all its replacements.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not for itself")]
pub(super) struct Slot {
    pub(super) worker: u32,
    pub(super) link: Option<Link>,
    /// Ends in a row without an event run.
    pub(super) failures: u32,
    /// Its last process ended before this package was loaded there: what the next one writes is listened to.
    pub(super) is_unheard: bool,
    /// Nothing will be started here any more.
    pub(super) closed: bool,
    /// It was rung because events wait, and has neither claimed one nor gone to sleep again.
    woken: bool,
    /// It was so already when last looked at: see [`State::watch`].
    is_late: bool,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// A worker that cannot be started ends the run, unless the machine only has none to spare now.
    Starting,
    /// Every worker was ready once: a failing start costs a worker and not the run.
    Running,
    /// The workers have been let go.
    Released,
    /// No worker is left, and JavaScript was told.
    Closed,
}

/// Whether a run was stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    No,
    /// The next sweep does it.
    Ordered,
    Done,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not for itself")]
pub(super) struct State {
    pub(super) slots: Vec<Slot>,
    /// Where the search for a sleeping worker begins: they take turns.
    next: usize,
    /// The I/O thread looks whether those come that were woken, and others go on: see [`State::watch`].
    watching: bool,
    /// A worker was given an event for its turn: it may have claimed another in that moment.
    has_given: bool,
    /// The event whose place was wanted at the last such look, and whose text was not read.
    unread: Option<TaskId>,
    /// The workers claim nothing, for the sake of events that were taken back.
    pub(super) holding: bool,
    pub(super) scheduler: Scheduler,
    pub(super) tasks: Tasks,
    pub(super) backlog: Backlog,
    /// Its memory, for workers to come; none when none will.
    pub(super) shared: Option<Handle>,
    /// Events that wait for a place in the backlog.
    pub(super) overflow: VecDeque<Task>,
    /// How many of those never got one, because the backlog is not used any more.
    pub(super) left: u64,
    pub(super) results: Results,
    pub(super) failures: Results,
    pub(super) observed: Results,
    pub(super) observing: bool,
    /// Some worker's answers are to be polled for.
    has_polled: bool,
    /// The I/O thread polls for answers.
    polling: bool,
    /// Somebody reads the entries while the run goes on: failures are among the results.
    pub(super) stream: Option<Stream>,
    pub(super) notes: Vec<Note>,
    /// JavaScript waits for the last answer.
    pub(super) draining: bool,
    pub(super) phase: Phase,
    pub(super) stop: Stop,
    pub(super) stop_on_failure: bool,
    /// After so many answers a worker is replaced.
    pub(super) max_tasks: u32,
    /// Some worker is to be let go when it runs nothing.
    pub(super) is_recycling: bool,
    /// The program was told that its workers start slowly.
    pub(super) has_told_of_start: bool,
    /// The workers that were let go since the last sweep: place and pid.
    pub(super) let_go: Vec<(usize, u32)>,
    /// Why the run cannot go on, as the JSON of an error.
    pub(super) failed: Option<String>,
    /// None if no event is tried again.
    retries: Option<Retries>,
    /// Events that have begun to rest, for the I/O thread to say when that is over.
    resting: Vec<(TaskId, Again)>,
    pub(super) record: Record,
    pub(super) actions: Vec<Action>,
    pub(super) scratch: Bytes,
    /// The data of the event that is being ended.
    pub(super) text: Bytes,
}

/// A frame from a worker, waiting for its turn among those of the others.
pub(super) struct Arrival {
    slot: usize,
    header: Header,
    payload: Bytes,
}

/// An event that fails without its worker having said so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    /// The place of the worker that had it.
    slot: Option<usize>,
    outcome: Outcome,
    /// It had been started there.
    has_run: bool,
    /// How many milliseconds it ran, if that is known.
    duration: Option<f64>,
}

impl Failing {
    /// Of a run that cannot go on.
    const ABORTED: Self =
        Self { slot: None, outcome: Outcome::Aborted, has_run: false, duration: None };
}

/// What is known of a worker's end, for the errors of the events that it ran.
pub(super) struct Crash {
    pub(super) worker: u32,
    pub(super) pid: u32,
    pub(super) exit: Exit,
    pub(super) said: Said,
    /// Why the master killed it, if it did.
    pub(super) fate: Option<Fate>,
    /// How many milliseconds each of its events ran, where that is asked for.
    pub(super) ran: Vec<(TaskId, u32)>,
    /// What its program wrote last to its error stream.
    pub(super) stderr: String,
    pub(super) shortage: Option<Shortage>,
}

/// Whose memory was used up when a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortage {
    /// The limit of V8's heap.
    Heap,
    /// The system's, or the control group's.
    System,
}

impl Shortage {
    pub(super) fn of(exit: Exit, is_heap_full: bool, has_system_killed: bool) -> Option<Self> {
        if is_heap_full && exit.is_abort() {
            Some(Self::Heap)
        } else if has_system_killed {
            Some(Self::System)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Heap => "heap",
            Self::System => "system",
        }
    }
}

impl Crash {
    /// Why one of its events failed.
    fn cause(&self, task: TaskId) -> Cause {
        match self.fate {
            Some(Fate::Late { task: late, .. }) if late == task => Cause::Timeout,
            _ => Cause::Crash,
        }
    }

    /// How many milliseconds one of its events ran, if that was noted.
    fn duration(&self, task: TaskId) -> Option<f64> {
        self.ran.iter().find(|&&(ran, _)| ran == task).map(|&(_, milliseconds)| milliseconds.into())
    }

    /// The code and the message for one of its events.
    fn reason(&self, task: TaskId) -> (&'static str, String) {
        let Self { worker, pid, exit, .. } = self;
        match self.fate {
            Some(Fate::Late { task: late, limit }) if late == task => (
                "ERR_SONIC_TASK_TIMEOUT",
                format!(
                    "this event ran longer than the taskTimeout of {limit} ms: worker {worker} \
                     (pid {pid}) was killed"
                ),
            ),
            Some(Fate::Late { limit, .. }) => (
                "ERR_SONIC_WORKER_EXIT",
                format!(
                    "worker {worker} was killed while it ran this event, because of another that ran \
                     longer than the taskTimeout of {limit} ms"
                ),
            ),
            Some(Fate::Stalled { limit }) => (
                "ERR_SONIC_WORKER_STALLED",
                format!(
                    "worker {worker} (pid {pid}) gave no sign of life for {limit} ms \
                     (heartbeatTimeout) while it ran this event, and was killed"
                ),
            ),
            Some(Fate::Lingering { limit }) => (
                "ERR_SONIC_WORKER_EXIT",
                format!(
                    "worker {worker} ran this event when it was let go, and was killed because it had \
                     not ended {limit} ms later (shutdownGrace)"
                ),
            ),
            None => {
                let said = &self.said;
                let how = match self.shortage {
                    None => exit.to_string(),
                    Some(Shortage::Heap) => format!("{exit}, its heap being full,"),
                    Some(Shortage::System) => format!("{exit}, by the system for want of memory,"),
                };
                let message = format!("worker {worker} {how} while it ran this event{said}");
                ("ERR_SONIC_WORKER_EXIT", message)
            }
        }
    }

    pub(super) fn error(&self, task: TaskId) -> Vec<u8> {
        let (code, message) = self.reason(task);
        let mut error = serde_json::json!({
            "name": "Error",
            "message": message,
            "stack": format!("Error: {message}"),
            "code": code,
            "exitCode": self.exit.code(),
            "signal": self.exit.signal(),
            "worker": self.worker,
            "pid": self.pid,
        });
        if let Some(shortage) = self.shortage.filter(|_| self.fate.is_none()) {
            error["outOfMemory"] = shortage.name().into();
        }
        if !self.stderr.is_empty() {
            error["stderr"] = self.stderr.clone().into();
        }
        error.to_string().into_bytes()
    }
}

/// Why an event fails that no worker answers, with the JSON of an error. The attempts at it are listed either
/// way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failure<'a> {
    /// Its last attempt came to nothing; if it was never tried, with this error.
    Attempt(&'a [u8]),
    /// The run cannot go on.
    Run(&'a [u8]),
}

/// The error of an event for a worker that is gone before it was tried.
const GONE: &[u8] =
    br#"{"name":"Error","message":"the worker is gone","code":"ERR_SONIC_WORKER_EXIT"}"#;

impl State {
    pub(super) fn new(launch: &Launch, backlog: Backlog, shared: Handle) -> Self {
        let slot = |&worker| Slot {
            worker,
            link: None,
            failures: 0,
            is_unheard: false,
            closed: false,
            woken: false,
            is_late: false,
        };
        let slots: Vec<Slot> = launch.workers.iter().map(slot).collect();
        Self {
            scheduler: Scheduler::new(slots.len(), launch.max_window),
            slots,
            next: 0,
            watching: false,
            has_given: false,
            unread: None,
            holding: false,
            tasks: Tasks::default(),
            backlog,
            shared: Some(shared),
            overflow: VecDeque::new(),
            left: 0,
            results: Results::default(),
            failures: Results::default(),
            observed: Results::default(),
            observing: false,
            has_polled: false,
            polling: false,
            stream: launch.stream.map(Stream::new),
            notes: Vec::new(),
            draining: false,
            phase: Phase::Starting,
            stop: Stop::No,
            stop_on_failure: launch.stop_on_failure,
            max_tasks: launch.limits.max_tasks.unwrap_or(u32::MAX),
            is_recycling: false,
            has_told_of_start: false,
            let_go: Vec::new(),
            failed: None,
            retries: launch.retries.clone().map(Retries::new),
            resting: Vec::new(),
            record: Record::new(launch.record, &launch.workers, clock(), launch.epoch),
            actions: Vec::new(),
            scratch: Bytes::default(),
            text: Bytes::default(),
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
        for _ in 0..MAX_TURNS {
            self.collect();
            self.have_polled(pool);
            if self.stop == Stop::Ordered {
                self.begin_stop(pool);
            }
            if self.failed.is_some() || self.is_released() {
                self.take_back();
            }
            if self.failed.is_some() {
                self.abandon();
            } else if !self.is_released() {
                self.scheduler.dispatch(&mut self.actions);
            }
            self.hold();
            self.act();
            for (task, again) in self.resting.drain(..) {
                // Without the I/O thread the run is over.
                let _ = pool.commands.send(Command::Rest { task, again });
            }
            if self.stop == Stop::Done {
                self.release_idle();
            }
            if self.is_recycling {
                self.release_recycled();
            }
            self.have_ended(pool);
            self.refill(pool);
            self.pump();
            self.wake_sleepers(pool);
            if self.publish(pool) {
                return;
            }
        }
        // Workers that keep the pool busy so must not keep its lock.
        self.have_watched(pool);
    }

    /// The ids of the workers with nothing to do.
    pub(super) fn free(&self) -> Vec<u32> {
        let free = (0..self.slots.len()).filter(|&slot| self.scheduler.is_free(slot));
        free.map(|slot| self.slots[slot].worker).collect()
    }

    /// Has the workers start nothing more.
    fn begin_stop(&mut self, pool: &Pool) {
        self.stop = Stop::Done;
        self.phase = self.phase.max(Phase::Released);
        // Nobody will see what becomes of them.
        self.record.dropped(self.overflow.len());
        self.overflow.clear();
        for slot in 0..self.slots.len() {
            self.leaving(slot);
        }
        // Without the I/O thread there are no workers left.
        let _ = pool.commands.send(Command::EndLater);
    }

    /// Lets those workers of a stopped run go that run nothing.
    fn release_idle(&mut self) {
        for slot in 0..self.slots.len() {
            let link = self.slots[slot].link.as_ref();
            let is_idle = link.is_some_and(|link| link.registered && !link.released)
                && self.scheduler.held(slot) == 0;
            if is_idle {
                self.release(slot);
            }
        }
    }

    /// Claims what no worker has.
    fn take_back(&mut self) {
        self.backlog.take_back();
        self.scan();
    }

    /// Has the workers claim nothing while events that were taken back wait, which come first: whoever
    /// ends an event is idle then, and gets one of those.
    fn hold(&mut self) {
        let holds = self.scheduler.has_waiting();
        if holds == self.holding {
            return;
        }
        self.holding = holds;
        for link in self.slots.iter().filter_map(|slot| slot.link.as_ref()) {
            link.hold(holds);
            if !holds {
                link.ring();
            }
        }
    }

    /// Takes in an event that JavaScript cannot put into the backlog itself.
    pub(super) fn submit(&mut self, mut task: Task) {
        if self.record.has_times() {
            task.queued = clock();
        }
        let published = if self.overflow.is_empty() { self.publish_task(task) } else { Err(task) };
        if let Err(task) = published {
            self.overflow.push_back(task);
        }
    }

    /// Puts an event into the backlog; gives it back if there is no room.
    fn publish_task(&mut self, task: Task) -> Result<(), Task> {
        let (number, queued) = (low(self.backlog.published()), task.queued);
        self.backlog.publish(task, &mut self.tasks)?;
        // That it was claimed is looked at later, and under the lock too.
        self.record.published(number, queued);
        Ok(())
    }

    /// Moves what had no place into the backlog, as far as there is room now.
    fn refill(&mut self, pool: &Pool) {
        while let Some(task) = self.overflow.pop_front() {
            if let Err(task) = self.publish_task(task) {
                self.overflow.push_front(task);
                break;
            }
        }
        if self.backlog.unread().is_some() || std::mem::take(&mut self.has_given) {
            self.have_watched(pool);
        }
        // In a failed run every event is to be told of at once.
        let overflows = !self.overflow.is_empty() || self.failed.is_some();
        pool.board.word(Board::OVERFLOWS).store(u32::from(overflows), Ordering::SeqCst);
    }

    /// Takes back all that no worker has claimed: the program hands events out itself from now on.
    pub(super) fn leave_backlog(&mut self) {
        self.take_back();
        for task in std::mem::take(&mut self.overflow) {
            self.left += 1;
            let queued = task.queued;
            let id = self.tasks.add(task);
            self.record.taken(id, queued);
            self.scheduler.taken_back(id);
        }
        self.scheduler.be_exact(&mut self.actions);
    }

    /// Learns who claimed what.
    fn scan(&mut self) {
        while let Some((task, owner)) = self.backlog.next_claim() {
            self.record.claimed(task);
            match owner {
                Owner::Worker(slot) if self.slots.get(slot).is_some_and(|s| s.link.is_some()) => {
                    self.slots[slot].woken = false;
                    let is_long = self.tasks.has(task);
                    self.scheduler.claimed(slot, task, is_long, &mut self.actions);
                }
                _ => {
                    self.backlog.keep(task, &mut self.tasks);
                    self.scheduler.taken_back(task);
                }
            }
        }
    }

    /// Has as many sleeping workers look as there are events that wait, less those on their way.
    fn wake_sleepers(&mut self, pool: &Pool) {
        let mut wanted = self.backlog.unclaimed();
        if wanted == 0 {
            return;
        }
        let (count, next) = (self.slots.len(), self.next);
        for (place, slot) in self.slots.iter_mut().enumerate() {
            slot.woken &= self.scheduler.is_idle(place) && !self.backlog.is_asleep(place);
            wanted = wanted.saturating_sub(usize::from(slot.woken));
        }
        // One that runs an event of its own may claim others meanwhile, but only it knows when.
        for idle in [true, false] {
            for place in (0..count).map(|offset| (next + offset) % count) {
                if wanted == 0 {
                    return;
                }
                let slot = &mut self.slots[place];
                if let Some(link) = &slot.link
                    && self.scheduler.is_ready(place)
                    && self.scheduler.is_idle(place) == idle
                    && self.backlog.wake(place)
                {
                    link.ring();
                    (slot.woken, slot.is_late) = (true, false);
                    wanted -= 1;
                    self.next = (place + 1) % count;
                    self.have_watched(pool);
                }
            }
        }
    }

    /// Has the I/O thread see to it that somebody comes for what waits.
    fn have_watched(&mut self, pool: &Pool) {
        if !self.watching {
            self.watching = true;
            // Without the I/O thread the run is over.
            let _ = pool.commands.send(Command::Watch);
        }
    }

    /// Gives up on those that were woken some time ago and have not come: their thread is busy with
    /// something else, or stopped, and others may sleep. Likewise on one that has claimed an event and not read
    /// it, if that is in the way, and on one that was given an event and runs another. True while there is anybody
    /// to watch.
    pub(super) fn watch(&mut self) -> bool {
        self.scan();
        self.take_unread();
        let mut is_any = self.unread.is_some() | self.recall_passed();
        let waits = self.backlog.unclaimed() > 0;
        for slot in &mut self.slots {
            slot.woken &= waits && !slot.is_late;
            slot.is_late = slot.woken;
            is_any |= slot.woken;
        }
        self.watching = is_any;
        is_any
    }

    /// Takes back what a worker was given for its turn when it had just claimed another event: somebody else may
    /// be free sooner. True while anybody has yet to start what it was given.
    fn recall_passed(&mut self) -> bool {
        // What it has claimed since may have to be given first.
        self.act();
        let mut is_any = false;
        for slot in 0..self.slots.len() {
            if !self.slots[slot].link.as_ref().is_some_and(Link::has_unstarted) {
                continue;
            }
            is_any = true;
            if self.scheduler.claims(slot).next().is_some() {
                self.actions.push(Action::Recall { slot });
                self.act();
            }
        }
        is_any
    }

    /// Takes an event back whose place is wanted and was so at the last look, and whose worker has not read it.
    fn take_unread(&mut self) {
        let unread = self.backlog.unread();
        let before = std::mem::replace(&mut self.unread, unread);
        let Some(task) = unread.filter(|_| before == unread) else { return };
        if self.backlog.take_unread(task, &mut self.tasks) {
            debug!(task, "event is taken back that was not read");
            self.scheduler.taken_away(task);
        }
        self.unread = None;
    }

    /// Fails what no worker runs, in a run that cannot go on.
    fn abandon(&mut self) {
        let Some(error) = self.failed.take() else { return };
        for task in self.scheduler.abandon() {
            self.fail_task(task, Failure::Run(error.as_bytes()), Failing::ABORTED);
        }
        for task in std::mem::take(&mut self.overflow) {
            let queued = task.queued;
            let id = self.tasks.add(task);
            self.record.direct(id, queued);
            self.fail_task(id, Failure::Run(error.as_bytes()), Failing::ABORTED);
        }
        self.failed = Some(error);
    }

    /// Has the I/O thread poll for the answers of those who need not ring.
    fn have_polled(&mut self, pool: &Pool) {
        if std::mem::take(&mut self.has_polled) && !self.polling {
            self.polling = true;
            // Without the I/O thread the run is over.
            let _ = pool.commands.send(Command::Poll);
        }
    }

    /// A poll for answers, which the sweep after it takes in: from then on those ring again who have given
    /// none to a short event since the last.
    pub(super) fn poll(&mut self) {
        for link in self.slots.iter_mut().filter_map(|slot| slot.link.as_mut()) {
            link.stop_poll();
        }
    }

    /// Whether there is to be another poll.
    pub(super) fn goes_on_polling(&mut self) -> bool {
        let mut links = self.slots.iter().filter_map(|slot| slot.link.as_ref());
        self.polling = links.any(Link::is_polled);
        self.polling
    }

    /// Takes in what was claimed and what was answered by now, in the order in which it was finished.
    pub(super) fn collect(&mut self) {
        self.scan();
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut text = std::mem::take(&mut self.scratch);
        let mut sources = 0;
        for slot in 0..self.slots.len() {
            let Some(link) = self.slots[slot].link.as_mut() else { continue };
            let before = arrivals.len();
            let end = link.published_end();
            let mut is_short = false;
            loop {
                match link.pop_before(end, &mut text) {
                    Ok(Some(header)) => {
                        is_short |=
                            header.kind == Kind::Answer && header.finished - header.started < SHORT;
                        // Short answers are copied, long ones moved.
                        let payload = if text.len() <= 32 {
                            Bytes::from(&*text)
                        } else {
                            std::mem::take(&mut text)
                        };
                        arrivals.push(Arrival { slot, header, payload });
                    }
                    Ok(None) => break,
                    Err(broken) => {
                        link.said = Some(format!("its answers make no sense: {broken}"));
                        link.kill();
                        break;
                    }
                }
            }
            if is_short {
                link.has_answered_short();
            }
            sources += usize::from(arrivals.len() > before);
            link.unblock();
        }
        self.scratch = text;
        if sources > 1 {
            arrivals.sort_by(|a, b| a.header.finished.total_cmp(&b.header.finished));
        }
        for arrival in arrivals {
            self.accept(arrival);
        }
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if let Some(link) = slot.link.as_mut().filter(|_| self.scheduler.held(at) > 0) {
                self.has_polled |= link.poll();
            }
        }
    }

    pub(super) fn accept(&mut self, arrival: Arrival) {
        let Arrival { slot, header, mut payload } = arrival;
        let worker = self.slots[slot].worker;
        if header.kind == Kind::Message {
            self.accept_message(worker, &header, &mut payload);
            return;
        }
        let Some(link) = self.slots[slot].link.as_mut() else { return };
        let is_returned = header.has(flag::RETURN);
        link.proven |= !is_returned;
        let id = if header.has(flag::DIRECT) {
            link.answered(header.index)
        } else {
            let id = self.backlog.id_of(header.index);
            // It may have been claimed a moment ago.
            self.scan();
            id.filter(|&id| is_returned || self.scheduler.has_claimed(slot, id))
        };
        let run = header.finished - header.started;
        let is_failed = header.has(flag::FAILED);
        let is_chosen = is_failed && id.is_some_and(|id| self.is_chosen(slot, id));
        let id = id.filter(|&id| match (is_returned, header.has(flag::DIRECT)) {
            (true, true) => self.scheduler.returned(slot, id),
            (true, false) => self.scheduler.missed(slot, id),
            (false, _) => self.scheduler.answered(slot, id, run),
        });
        if id.is_some() && !is_returned {
            self.has_answered(slot);
        }
        let Some(id) = id else {
            if let Some(link) = self.slots[slot].link.as_mut() {
                link.said = Some(format!("it answered event {} unasked", header.index));
                link.kill();
            }
            return;
        };
        if is_returned {
            return;
        }
        let split = (header.split as usize).min(payload.len());
        if is_failed {
            let attempt = self.attempt(slot, Cause::Error, &payload[..split]);
            let attempt = Attempt { duration: Some(run), ..attempt };
            if self.try_again(slot, id, is_chosen, attempt) {
                return;
            }
        }
        let attempts = if self.record.has_times() { self.attempts(id).max(1) } else { 1 };
        let report = self.retries.as_mut().and_then(|retries| {
            if is_failed {
                return retries.conclude(id, None);
            }
            retries.forget(id);
            None
        });
        let mut text = std::mem::take(&mut self.text);
        let flags = self.end(id, &mut text);
        self.record.end(Ended {
            task: id,
            slot: Some(slot),
            started: Some(header.started),
            finished: header.finished,
            outcome: match header.has(flag::RESPONSE) {
                _ if is_failed => Outcome::Error,
                true => Outcome::Answered,
                false => Outcome::Nothing,
            },
            bytes_in: text.len(),
            bytes_out: payload.len(),
            error: is_failed.then(|| report.as_deref().unwrap_or(&payload[..split])),
            attempts,
        });
        let mut changed = Bytes::default();
        let (response, changed) = values_of(&mut payload, &mut changed, split, header.flags);
        let is_changed = header.has(flag::DATA | flag::DATA_HOLE);
        let data = if header.has(flag::DATA_HOLE) {
            None
        } else if header.has(flag::DATA) {
            Some(changed)
        } else {
            data_of(&mut text, flags)
        };
        let failed = if is_failed { entry::FAILED } else { 0 };
        // Changed data never is a whole event.
        let is_whole = flags & flag::WHOLE != 0 && !is_changed;
        let whole = if is_whole { entry::WHOLE } else { 0 };
        let response = report.as_deref().map_or(response, Value::json);
        let response = header.has(flag::RESPONSE).then_some(response);
        let taken = self.taken(slot);
        self.deliver(id, failed | whole | taken, worker, data, response);
        self.text = text;
    }

    /// How many attempts of `task`, which has not ended, have failed.
    fn attempts(&self, task: TaskId) -> usize {
        self.retries.as_ref().map_or(0, |retries| retries.count(task))
    }

    fn is_chosen(&self, slot: usize, task: TaskId) -> bool {
        self.retries.is_some() && self.scheduler.chosen(slot).any(|chosen| chosen == task)
    }

    /// How many milliseconds by now each event has run that the worker at this link has started, where
    /// somebody asks for that.
    pub(super) fn ran(&self, slot: usize, link: &mut Link) -> Vec<(TaskId, u32)> {
        if self.retries.is_none() && !self.record.has_times() {
            return Vec::new();
        }
        let now = tick(clock());
        let running = link.running(self.scheduler.claims(slot), now);
        running.into_iter().map(|(task, started)| (task, elapsed(started, now))).collect()
    }

    /// An attempt of the worker of `slot`, which failed with this error.
    fn attempt<'a>(&self, slot: usize, cause: Cause, error: &'a [u8]) -> Attempt<'a> {
        let Slot { worker, link, .. } = &self.slots[slot];
        let pid = link.as_ref().map_or(0, |link| link.child.pid());
        Attempt { worker: *worker, pid, cause, duration: None, error }
    }

    /// An attempt of `task` has failed on `slot`. True if there is to be another: then it has not ended.
    fn try_again(
        &mut self,
        slot: usize,
        task: TaskId,
        is_chosen: bool,
        attempt: Attempt<'_>,
    ) -> bool {
        let is_over = self.failed.is_some() || self.is_released() || self.stop != Stop::No;
        let again = self.retries.as_mut().and_then(|retries| retries.failed(task, attempt));
        let Some(again) = again.filter(|_| !is_over) else { return false };
        self.record.retried(task, slot, attempt.cause, again.after, clock());
        debug!(worker = attempt.worker, task, after = again.after, "event is tried again");
        if task < OTHERS {
            // Its place is for others, and its text what the program handed over, whatever was made of it.
            self.backlog.keep(task, &mut self.tasks);
            self.backlog.end(task);
        }
        if again.delay > 0.0 {
            self.scheduler.rest(slot, task, is_chosen, &mut self.actions);
            self.resting.push((task, again));
        } else {
            self.scheduler.again(slot, task, is_chosen, &mut self.actions);
        }
        true
    }

    /// An event has rested.
    pub(super) fn rested(&mut self, task: TaskId, after: usize) {
        // It may have ended, or have been tried again and rest once more.
        if self.retries.as_ref().is_some_and(|retries| retries.count(task) == after) {
            self.scheduler.rested(task, &mut self.actions);
        }
    }

    /// Fails what waits to be tried again: there will be no worker for it.
    pub(super) fn give_up_retries(&mut self) {
        let Some(retries) = &self.retries else { return };
        for task in self.scheduler.withdraw(|task| retries.count(task) > 0) {
            self.fail_task(task, Failure::Attempt(GONE), Failing::ABORTED);
        }
    }

    /// An event has ended: puts its text into `text`, and returns its flags.
    fn end(&mut self, id: TaskId, text: &mut Bytes) -> u32 {
        let flags = if let Some(task) = self.tasks.remove(id) {
            *text = task.text;
            task.flags
        } else if id < OTHERS {
            self.backlog.read(id, text)
        } else {
            unreachable!("an event of a worker's own is kept until it ends")
        };
        if id < OTHERS {
            self.backlog.end(id);
        }
        flags
    }

    /// What an entry says beside the end of an event of `slot`'s worker; it may have another now.
    fn taken(&mut self, slot: usize) -> u32 {
        if self.scheduler.is_taken(slot, &mut self.actions) { entry::TAKEN } else { 0 }
    }

    pub(super) fn accept_message(&mut self, worker: u32, header: &Header, text: &mut Bytes) {
        let failed = if header.has(flag::FAILED) { entry::FAILED } else { 0 };
        let counts = header.has(flag::FAILED | flag::RESPONSE);
        if self.observing || counts {
            let response = if counts { entry::RESPONSE } else { 0 };
            let kind = failed | response | entry::MESSAGE;
            let response = Some(Value::out_of(text, Format::Json));
            let entry = Entry { kind, worker, data: None, response };
            if self.stream.is_some() {
                self.results.extend(counts.then(|| entry.lent()));
                self.observed.extend(self.observing.then_some(entry));
            } else {
                self.enqueue(entry);
            }
        }
    }

    /// Puts an ended event where it belongs.
    pub(super) fn deliver(
        &mut self,
        id: TaskId,
        kind: u32,
        worker: u32,
        data: Option<Value<'_>>,
        response: Option<Value<'_>>,
    ) {
        let data_bit = if data.is_some() { entry::DATA } else { 0 };
        let response_bit = if response.is_some() { entry::RESPONSE } else { 0 };
        let entry = Entry { kind: kind | data_bit | response_bit, worker, data, response };
        let Some(stream) = &mut self.stream else { return self.enqueue(entry) };
        let counts = entry.kind & (entry::FAILED | entry::RESPONSE) != 0;
        // Whether any more will be in the backlog.
        let backlog = self.scheduler.is_exact().then(|| self.backlog.published());
        if self.observing {
            stream.ended(id, counts.then(|| entry.lent()), backlog, &mut self.results);
            self.observed.push(entry);
        } else {
            stream.ended(id, counts.then_some(entry), backlog, &mut self.results);
        }
    }

    pub(super) fn enqueue(&mut self, entry: Entry<'_>) {
        let stops = self.stop_on_failure && entry.kind & entry::FAILED != 0;
        // What workers that were let go still send is no reason.
        if stops && self.stop == Stop::No && !self.is_released() {
            self.stop = Stop::Ordered;
            self.notes.push(Note::Stopped);
        }
        if self.observing {
            self.observed.push(entry);
        } else if entry.kind & entry::FAILED != 0 {
            self.failures.push(entry);
        } else if entry.kind & entry::RESPONSE != 0 {
            self.results.push(entry);
        }
    }

    pub(super) fn act(&mut self) {
        // What follows from a recall comes before the rest, which may be about the same workers.
        let mut at = 0;
        while let Some(&action) = self.actions.get(at) {
            at += 1;
            match action {
                Action::Give { slot, task, how } => {
                    self.has_given |= how == How::InTurn;
                    if let Some(link) = self.slots[slot].link.as_mut() {
                        link.give(task, how);
                    }
                    if self.record.has_times() {
                        self.record.sent(task, clock());
                    }
                }
                Action::Recall { slot } => {
                    let unstarted = self.slots[slot].link.as_mut().map_or(0, Link::recall);
                    let mut more = Vec::new();
                    self.scheduler.recalled(slot, unstarted, &mut more);
                    self.actions.splice(at..at, more);
                }
                Action::Fail { slot, task } => {
                    let error = self.failed.clone();
                    let failure = error
                        .as_ref()
                        .map_or(Failure::Attempt(GONE), |error| Failure::Run(error.as_bytes()));
                    self.fail_task(task, failure, Failing { slot: Some(slot), ..Failing::ABORTED });
                }
            }
        }
        self.actions.clear();
    }

    /// Ends the events that the lost worker of `slot` ran; the others run elsewhere.
    pub(super) fn lost(&mut self, slot: usize, unstarted: usize, crash: &Crash) {
        self.slots[slot].woken = false;
        self.backlog.wake(slot);
        let mut actions = Vec::new();
        let chosen: Vec<TaskId> =
            if self.retries.is_some() { self.scheduler.chosen(slot).collect() } else { Vec::new() };
        self.scheduler.lost(slot, unstarted, &mut actions);
        for action in actions {
            if let Action::Fail { task, .. } = action {
                let error = crash.error(task);
                let Crash { worker, pid, .. } = *crash;
                let cause = crash.cause(task);
                let duration = crash.duration(task);
                let attempt = Attempt { worker, pid, cause, duration, error: &error };
                if !self.try_again(slot, task, chosen.contains(&task), attempt) {
                    let is_stopped = self.stop != Stop::No;
                    let outcome = if is_stopped { Outcome::Aborted } else { Outcome::of(cause) };
                    let failing = Failing { slot: Some(slot), outcome, has_run: true, duration };
                    self.fail_task(task, Failure::Attempt(&error), failing);
                }
            } else {
                self.actions.push(action);
            }
        }
    }

    /// Fails an event.
    pub(super) fn fail_task(&mut self, task: TaskId, failure: Failure<'_>, failing: Failing) {
        let Failing { slot, outcome, has_run, duration } = failing;
        let (error, other) = match failure {
            Failure::Attempt(error) => (error, None),
            Failure::Run(error) => (error, Some(error)),
        };
        let attempts = self.attempts(task).max(usize::from(has_run));
        let report = self.retries.as_mut().and_then(|retries| retries.conclude(task, other));
        let error = report.as_deref().unwrap_or(error);
        let mut text = std::mem::take(&mut self.text);
        let flags = self.end(task, &mut text);
        let finished = clock();
        self.record.end(Ended {
            task,
            slot: slot.filter(|_| has_run),
            started: duration.map(|duration| finished - duration),
            finished,
            outcome,
            bytes_in: text.len(),
            bytes_out: 0,
            error: Some(error),
            attempts,
        });
        let whole = if flags & flag::WHOLE != 0 { entry::WHOLE } else { 0 };
        let data = data_of(&mut text, flags);
        let worker = slot.map_or(0, |slot| self.slots[slot].worker);
        let taken = slot.map_or(0, |slot| self.taken(slot));
        let kind = entry::FAILED | entry::CRASH | whole | taken;
        self.deliver(task, kind, worker, data, Some(Value::json(error)));
        self.text = text;
    }

    pub(super) fn pump(&mut self) {
        for slot in &mut self.slots {
            if let Some(link) = &mut slot.link {
                link.pump(&self.tasks);
            }
        }
    }

    /// How many events have gone into the backlog, or wait for a place there.
    pub(super) fn handed_over(&self) -> u64 {
        self.backlog.published() + self.overflow.len() as u64 + self.left
    }

    /// Tells JavaScript what it reads without asking, and calls it if it waits for any of it. False if
    /// there is something to take in again.
    fn publish(&mut self, pool: &Pool) -> bool {
        let board = &pool.board;
        let handed_over = self.handed_over();
        let waiting = self.backlog.unclaimed() + self.overflow.len();
        let outstanding = waiting + self.scheduler.outstanding();
        let ready = self.scheduler.ready_count();
        let capacity = self.scheduler.capacity();
        let bytes = self.backlog.bytes() + self.tasks.bytes();
        let fits = pool.launch.max_bytes.saturating_sub(bytes) / self.backlog.mean_bytes();
        let is_heavy = fits == 0 || !self.overflow.is_empty();
        // What rests needs no worker, but there must be an end to it.
        let most = if is_heavy { 0 } else { pool.launch.max_window * self.slots.len() };
        let active = outstanding - self.scheduler.resting().min(most);
        let capacity = if is_heavy { ready } else { capacity.min(active + fits).max(ready) };
        let room = if self.failed.is_some() { FAILED_ROOM } else { room(capacity, active) };
        let word = board.word(Board::ALLOWED);
        let allowed = low(handed_over).wrapping_add_signed(room);
        let more = allowed.wrapping_sub(word.load(Ordering::SeqCst)).cast_signed();
        // A few places are not worth a turn of JavaScript where many come; an idle worker is.
        let enough = ENOUGH_ROOM.min(i32::try_from(capacity / 4).unwrap_or(i32::MAX)).max(1);
        let is_idle = (0..self.slots.len()).any(|slot| self.scheduler.is_idle(slot));
        if more >= enough || (more > 0 && is_idle) || (more < 0 && is_heavy) {
            word.store(allowed, Ordering::SeqCst);
        }
        let allowed = word.load(Ordering::SeqCst);
        if self.draining && outstanding == 0 {
            self.draining = false;
            self.notes.push(Note::Drained);
        }
        let is_waiting = board.word(Board::WAITING).load(Ordering::SeqCst) == 1;
        let waiting_for = board.word(Board::WAITING_FOR).load(Ordering::SeqCst);
        let is_served = is_waiting && is_after(allowed, waiting_for);
        let is_read = self.show_unread(board);
        let called = board.word(Board::CALLED);
        if (is_served || is_read || !self.notes.is_empty() || self.observed.len() > 0)
            && called.swap(1, Ordering::SeqCst) == 0
        {
            (pool.call)();
        }
        // JavaScript that is called lets in what has room, and may wait for more without telling.
        let wants_ring = is_waiting || !self.overflow.is_empty();
        self.is_released() || !wants_ring || self.backlog.ask_for_ring()
    }

    /// Tells JavaScript how much a stream's reader has not taken. True if there is what it waits for: an
    /// entry, or less than before (of what was held back, some may have come to nothing).
    pub(super) fn show_unread(&self, board: &Memory) -> bool {
        let Some(stream) = &self.stream else { return false };
        let show = |at, value| {
            let value = u32::try_from(value).unwrap_or(u32::MAX);
            board.word(at).swap(value, Ordering::SeqCst) > value
        };
        let are_fewer = show(Board::UNREAD, self.results.len() + stream.len());
        let are_shorter = show(Board::UNREAD_BYTES, self.results.bytes() + stream.bytes());
        let is_news = self.results.len() > 0 || are_fewer || are_shorter;
        is_news && board.word(Board::READS).load(Ordering::SeqCst) == 1
    }

    pub(super) fn release(&mut self, slot: usize) {
        self.leaving(slot);
        self.has_been_let_go(slot);
        let Some(link) = self.slots[slot].link.as_mut().filter(|link| !link.released) else {
            // Node takes a second word for an error.
            return;
        };
        link.released = true;
        // A worker that does not take either is gone or going; its exit will say so.
        let _ = link.send(&Message::Release);
        let _ = link.send_line(channel::DISCONNECT);
    }

    /// The worker of `slot` takes nothing more.
    pub(super) fn leaving(&mut self, slot: usize) {
        self.scheduler.leaving(slot, &mut self.actions);
        if let Some(link) = &self.slots[slot].link {
            link.leaves();
        }
        self.backlog.wake(slot);
    }

    /// Gives the place of `slot` up: the run ends with it if it had not begun, or was the last.
    pub(super) fn retire(&mut self, slot: usize, error: &Error) {
        self.slots[slot].closed = true;
        self.scheduler.retired(slot, &mut self.actions);
        // A run can do with fewer workers than there were to be, if others are there.
        let is_needed = self.phase == Phase::Starting && !error.is_shortage();
        if is_needed || self.slots.iter().all(|slot| slot.closed) {
            self.fail(error);
        } else {
            let worker = self.slots[slot].worker;
            self.notes.push(Note::Retired { worker, message: error.to_string() });
            self.has_begun();
        }
    }

    /// The run is on, if every worker that there will be has registered.
    pub(super) fn has_begun(&mut self) {
        let is_ready =
            |slot: &Slot| slot.closed || slot.link.as_ref().is_some_and(|link| link.registered);
        if self.slots.iter().all(is_ready) {
            self.phase = self.phase.max(Phase::Running);
            self.recycle_spent();
        }
    }

    /// Ends the run: what no worker runs fails, now and later.
    pub(super) fn fail(&mut self, error: &Error) {
        if self.failed.is_some() {
            return;
        }
        let (name, code, message) = (error.name(), error.code(), error.to_string());
        let text = serde_json::json!({"name": name, "message": message, "code": code}).to_string();
        self.notes.push(Note::Failed {
            name: name.into(),
            code: code.into(),
            message,
            stderr: error.stderr().map(Into::into),
        });
        self.failed = Some(text);
    }

    pub(super) fn close_if_done(&mut self, commands: &mpsc::UnboundedSender<Command>) {
        if self.phase == Phase::Closed {
            return;
        }
        let over = self.is_released() || self.failed.is_some();
        if over && self.slots.iter().all(|slot| slot.closed && slot.link.is_none()) {
            self.phase = Phase::Closed;
            self.shared = None;
            self.notes.push(Note::Closed);
            // Without the I/O thread there is nothing left to stop.
            let _ = commands.send(Command::Stop);
        }
    }
}

/// The response of an answer, and the changed data that follows it. Long ones are moved: the data into
/// `rest`, and out of there.
fn values_of<'a>(
    payload: &'a mut Bytes,
    rest: &'a mut Bytes,
    split: usize,
    flags: u32,
) -> (Value<'a>, Value<'a>) {
    let (format, data_format) = (format_of(flags), data_format_of(flags));
    if payload.is_long() {
        *rest = payload.split_off(split);
        return (Value::out_of(payload, format), Value::out_of(rest, data_format));
    }
    let (response, data) = payload.split_at(split);
    (Value::new(response, format), Value::new(data, data_format))
}

/// The data of an event with this text and these flags.
fn data_of(text: &mut Bytes, flags: u32) -> Option<Value<'_>> {
    (flags & flag::HOLE == 0).then(|| Value::out_of(text, format_of(flags)))
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

#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers that JavaScript shares are modulo 2^32"
)]
fn low(number: u64) -> u32 {
    number as u32
}
