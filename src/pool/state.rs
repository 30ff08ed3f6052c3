//! What a pool knows, and what follows from each change of it. Everything in here is done under the pool's lock; it calls
//! nothing that waits.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use super::connection::Connection;
use super::order::Order;
use super::{Launch, Pool};
use crate::core::error::Error;
use crate::core::event::{Effect, Event};
use crate::core::lifecycle::{self, Kill, Leave};
use crate::core::scheduler::Scheduler;
use crate::core::task_id::{Position, RunId, TaskId, run_of};
use crate::observe::record::Record;
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket::Handle;
use crate::queue::lanes::Lanes;
use crate::queue::tasks::Tasks;
use crate::run::{Run, RunOptions};
use crate::shm::store::Bytes;
use crate::wire::note::Note;

/// Only a worker that flips the state of its events back and forth makes the pool go on so often.
const MAX_TURNS: usize = 10_000;

/// The slot of one worker, through all its replacements. How far the worker's life has come, the scheduler knows.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) worker: u32,
    pub(super) connection: Option<Connection>,
    /// Exits in a row without an event run.
    pub(super) failures: u32,
    /// Its last process exited before this package was loaded there: the next one's error stream is copied.
    pub(super) is_unheard: bool,
    pub(super) wake_up: WakeUp,
}

/// Whether a parked worker was notified because events wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WakeUp {
    None,
    /// It was, and has neither claimed one nor parked again.
    Sent,
    /// It was so already at the last look.
    Late,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: lifecycle::Pool,
    pub(super) slots: Vec<Slot>,
    pub(super) scheduler: Scheduler,
    pub(super) lanes: Lanes,
    /// The lanes' memory, for workers to come; none when none will.
    pub(super) shared: Option<Handle>,
    pub(super) tasks: Tasks,
    /// Events that come back and wait for a place in the first lane.
    pub(super) returned: VecDeque<TaskId>,
    pub(super) runs: BTreeMap<RunId, Run>,
    next_run: RunId,
    /// Why the pool cannot go on.
    pub(super) error: Option<Error>,
    pub(super) notes: Vec<Note>,
    pub(super) effects: Vec<Effect>,
    /// Where the search for a parked worker begins: they take turns.
    pub(super) next: usize,
    /// The I/O thread watches the workers that were notified.
    pub(super) is_watching: bool,
    /// The events whose place was wanted at the last watch, and whose text was not read.
    pub(super) unread: Vec<Position>,
    /// The I/O thread polls for answers.
    pub(super) is_polling: bool,
    /// The program was told that its workers start slowly.
    pub(super) has_told_of_start: bool,
    pub(super) scratch: Bytes,
    /// The data of the event that is being ended.
    pub(super) text: Bytes,
}

impl State {
    pub(super) fn new(launch: &Launch, memory: Arc<Memory>, shared: Handle) -> io::Result<Self> {
        let slot = |&worker| Slot {
            worker,
            connection: None,
            failures: 0,
            is_unheard: false,
            wake_up: WakeUp::None,
        };
        Ok(Self {
            phase: lifecycle::Pool::Starting,
            slots: launch.workers.iter().map(slot).collect(),
            scheduler: Scheduler::new(launch.workers.len(), launch.max_window),
            lanes: Lanes::new(memory, launch.spin_limit)?,
            shared: Some(shared),
            tasks: Tasks::default(),
            returned: VecDeque::new(),
            runs: BTreeMap::new(),
            next_run: 0,
            error: None,
            notes: Vec::new(),
            effects: Vec::new(),
            next: 0,
            is_watching: false,
            unread: Vec::new(),
            is_polling: false,
            has_told_of_start: false,
            scratch: Bytes::default(),
            text: Bytes::default(),
        })
    }

    pub(super) fn slot_of(&self, worker: u32) -> Option<usize> {
        self.slots.iter().position(|slot| slot.worker == worker)
    }

    pub(super) fn connection_of(&mut self, worker: u32) -> Option<&mut Connection> {
        let slot = self.slot_of(worker)?;
        self.slots[slot].connection.as_mut()
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.slots.iter().filter_map(|slot| slot.connection.as_ref())
    }

    /// The run of an event that has not ended.
    pub(super) fn run_mut(&mut self, task: TaskId) -> Option<&mut Run> {
        self.runs.get_mut(&run_of(task))
    }

    /// Whether the pool's only run was stopped: its workers go as soon as they run nothing.
    pub(super) fn is_stopping(&self) -> bool {
        self.runs.values().any(|run| run.state == lifecycle::Run::Stopped)
            && self.phase.is_released()
    }

    /// Whether some run's answers are shown as they come.
    pub(super) fn is_observed(&self) -> bool {
        self.runs.values().any(|run| run.is_observing)
    }

    /// The ids of the workers with nothing to do.
    pub(super) fn free(&self) -> Vec<u32> {
        // Once the pool is over, workers that exited are as free as they were.
        let is_over = self.phase.is_released();
        let free = (0..self.slots.len()).filter(|&slot| {
            self.scheduler.is_free(slot) || (is_over && self.scheduler.is_spare(slot))
        });
        free.map(|slot| self.slots[slot].worker).collect()
    }

    /// Whether no worker is started any more.
    pub(super) fn is_over(&self) -> bool {
        self.phase.is_released() || self.error.is_some()
    }

    /// Something happened: the scheduler says what is to be done, and it is done with what else is due.
    pub(super) fn on(&mut self, event: Event) {
        self.scheduler.on(event, &mut self.effects);
    }

    /// Everything that is due: carry effects out, take in, hand out, tell JavaScript.
    pub(super) fn settle(&mut self, pool: &Pool) {
        for _ in 0..MAX_TURNS {
            self.carry_out(pool);
            self.collect(pool);
            self.reclaim();
            self.carry_out(pool);
            self.refill(pool);
            self.pump();
            self.wake_parked(pool);
            if self.publish(pool) {
                return;
            }
        }
        // Workers that keep the pool busy so must not keep its lock.
        self.have_watched(pool);
    }

    // ---- runs ----

    /// Begins a run.
    pub(super) fn open(&mut self, workers: &[u32], options: RunOptions) -> io::Result<&mut Run> {
        let lane = self.lanes.assign()?;
        while self.runs.contains_key(&self.next_run) {
            self.next_run = self.next_run.wrapping_add(1);
        }
        let id = self.next_run;
        self.next_run = id.wrapping_add(1);
        let mut record = Record::new(options.record, workers, clock(), options.epoch);
        for (slot, connection) in self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(at, slot)| Some((at, slot.connection.as_ref()?)))
        {
            record.started(slot, connection.child.pid(), clock());
            if connection.is_registered() {
                record.ready(slot, clock());
            }
        }
        let mut run = Run::new(id, lane, options, record);
        if let Some(error) = &self.error {
            run.state.fail(&json_of(error));
            self.notes.push(failed(id, error));
        }
        Ok(self.runs.entry(id).or_insert(run))
    }

    /// Nobody asks for this run any more: its queues go with it.
    pub(super) fn close(&mut self, id: RunId) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        run.state.end();
        self.lanes.take_back(|task| run_of(task) == id);
        let withdrawn = self.withdraw(|task| run_of(task) == id);
        for task in run.overflow.into_iter().chain(withdrawn) {
            self.tasks.remove(task);
        }
        self.lanes.give_back(run.lane);
        self.lanes.close_unused();
    }

    /// Starts nothing of a run any more. Where it is the pool's only run, its workers leave as soon as they run nothing.
    pub(super) fn stop_run(&mut self, pool: &Pool, id: RunId) -> bool {
        let Some(run) = self.runs.get_mut(&id).filter(|run| run.state.is_open()) else {
            return false;
        };
        run.state.stop();
        // Nobody will see what becomes of them.
        run.ended += run.overflow.len() as u64;
        let (overflow, grace) = (std::mem::take(&mut run.overflow), run.options.stop_grace);
        for task in overflow {
            self.tasks.remove(task);
        }
        if pool.launch.is_for_one_run {
            // Who runs something is known from here on: the others may go.
            self.lanes.take_back(|task| run_of(task) == id);
            self.scan();
            self.phase.release();
            for slot in 0..self.slots.len() {
                self.on(Event::Leaves { slot, why: Leave::Stopped });
            }
        }
        pool.order(Order::EndRun { run: id, grace });
        true
    }

    /// The runs cannot go on: what no worker runs fails, now and later.
    pub(super) fn fail(&mut self, error: Error) {
        if self.error.is_some() {
            return;
        }
        let json = json_of(&error);
        for run in self.runs.values_mut() {
            if run.state.fail(&json) {
                self.notes.push(failed(run.id, &error));
            }
        }
        self.error = Some(error);
    }

    /// Takes back what no worker has of the events of runs that are not open. What becomes of each, [`State::put_back`]
    /// says.
    fn reclaim(&mut self) {
        let is_open = |run: &Run| run.state.is_open();
        if self.runs.values().all(is_open) {
            return;
        }
        let open: Vec<RunId> =
            self.runs.values().filter(|run| is_open(run)).map(|run| run.id).collect();
        let is_meant = |task| !open.contains(&run_of(task));
        self.lanes.take_back(is_meant);
        self.scan();
        let mut tasks = self.withdraw(is_meant);
        for run in self.runs.values_mut().filter(|run| !is_open(run)) {
            tasks.extend(run.overflow.drain(..));
        }
        for task in tasks {
            self.put_back(task);
        }
    }

    /// Takes out those that no worker runs, and no lane has, of the events that are `meant`; a run's overflow is not
    /// looked at.
    fn withdraw(&mut self, meant: impl Fn(TaskId) -> bool) -> Vec<TaskId> {
        let mut tasks = self.scheduler.withdraw(&meant);
        let returned = std::mem::take(&mut self.returned).into_iter();
        let (returned, others): (Vec<_>, _) = returned.partition(|&task| meant(task));
        self.returned = others.into();
        tasks.extend(returned);
        tasks
    }

    // ---- workers ----

    /// Gives the slot of a worker up: the pool ends with it if it had not begun, or was the last.
    pub(super) fn retire(&mut self, pool: &Pool, slot: usize, error: Error) {
        self.on(Event::Closed { slot });
        // A pool can do with fewer workers than there were to be, if others are there.
        let is_needed = self.phase == lifecycle::Pool::Starting && !error.is_shortage();
        if is_needed || self.scheduler.workers().all(lifecycle::Worker::is_closed) {
            self.fail(error);
        } else {
            let worker = self.slots[slot].worker;
            self.notes.push(Note::Retired { worker, message: error.to_string() });
            self.complete(pool);
        }
    }

    /// The pool is complete if every worker that there will be has registered.
    pub(super) fn complete(&mut self, pool: &Pool) {
        let is_there =
            |slot: &Slot| slot.connection.as_ref().is_some_and(Connection::is_registered);
        let are_all = {
            let mut slots = self.slots.iter().zip(self.scheduler.workers());
            slots.all(|(slot, worker)| worker.is_closed() || is_there(slot))
        };
        if are_all && self.phase.complete() {
            self.recycle_spent(pool.launch.limits.max_tasks);
        }
    }

    /// Kills a worker that broke a rule, and has its exit explain itself by this.
    pub(super) fn reject(&mut self, slot: usize, what: String) {
        if let Some(connection) = &mut self.slots[slot].connection {
            connection.last_error = Some(what);
            self.on(Event::Killed { slot, why: Kill::Other });
        }
    }

    /// Tells each run's record of something about workers.
    pub(super) fn tell_records(&mut self, mut tell: impl FnMut(&mut Record)) {
        self.runs.values_mut().for_each(|run| tell(&mut run.record));
    }

    pub(super) fn close_if_done(&mut self, pool: &Pool) {
        let are_closed = self.scheduler.workers().all(lifecycle::Worker::is_closed);
        let is_empty = self.slots.iter().all(|slot| slot.connection.is_none());
        if self.is_over() && are_closed && is_empty && self.phase.close() {
            self.shared = None;
            self.notes.push(Note::Closed);
            pool.order(Order::Stop);
        }
    }
}

/// The JSON of an error, for the events that it costs.
fn json_of(error: &Error) -> String {
    let (name, code, message) = (error.name(), error.code(), error.to_string());
    serde_json::json!({"name": name, "message": message, "code": code}).to_string()
}

fn failed(run: RunId, error: &Error) -> Note {
    Note::Failed {
        run,
        name: error.name().into(),
        code: error.code().into(),
        message: error.to_string(),
        stderr: error.stderr().map(Into::into),
    }
}
