//! What a pool knows, and what follows from each change of it. Everything in here is done under the pool's lock; it calls
//! nothing that waits.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use super::connection::Connection;
use super::order::Order;
use super::sharing::Sharing;
use super::slot::Slot;
use super::wake::Watch;
use super::{Launch, Pool};
use crate::core::error::Error;
use crate::core::event::{Effect, Event};
use crate::core::lifecycle::{self, Kill};
use crate::core::router::Router;
use crate::core::scheduler::Scheduler;
use crate::core::share::Served;
use crate::core::task_id::{RunId, TaskId, run_of};
use crate::observe::record::{Level, Record};
use crate::observe::total::Total;
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket::Handle;
use crate::queue::lanes::Lanes;
use crate::queue::tasks::Tasks;
use crate::run::Run;
use crate::shm::store::Bytes;
use crate::wire::note::Note;

/// Only a worker that flips the state of its events back and forth makes the pool go on so often.
const MAX_TURNS: usize = 10_000;

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: lifecycle::Pool,
    pub(super) slots: Vec<Slot>,
    pub(super) scheduler: Scheduler,
    pub(super) router: Router,
    pub(super) lanes: Lanes,
    /// The lanes' memory, for workers to come; none when none will.
    pub(super) shared: Option<Handle>,
    pub(super) tasks: Tasks,
    /// Events that come back and wait for a place in the first lane.
    pub(super) returned: VecDeque<TaskId>,
    pub(super) runs: BTreeMap<RunId, Run>,
    pub(super) served: Served,
    /// How many events have a place to come in the addressed lane, and were not looked at since.
    pub(super) deferred: usize,
    pub(super) total: Total,
    pub(super) next_run: RunId,
    /// Why the pool cannot go on.
    pub(super) error: Option<Error>,
    pub(super) notes: Vec<Note>,
    pub(super) effects: Vec<Effect>,
    /// Where the search for a parked worker begins: they take turns.
    pub(super) next: usize,
    pub(super) watch: Watch,
    pub(super) sharing: Sharing,
    /// JavaScript's thread waits for entries of numbered runs itself.
    pub(super) listens: bool,
    /// The I/O thread polls for answers.
    pub(super) is_polling: bool,
    /// The program was told that its workers start slowly.
    pub(super) has_told_of_start: bool,
    pub(super) scratch: Bytes,
    /// The data of the event that is being ended.
    pub(super) text: Bytes,
}

impl State {
    pub(super) fn new(
        launch: &Launch,
        memory: Arc<Memory>,
        shared: Handle,
        sharing: Sharing,
    ) -> io::Result<Self> {
        let groups = launch.groups.iter().map(|group| group.route.clone()).collect();
        let workers = launch.ids().into_iter().zip(launch.group_of.iter().copied());
        let router = Router::new(groups, workers);
        let mut lanes = Lanes::new(memory, launch.spin_limit, router.groups_for(&[]))?;
        lanes.set_workers(router.group_of());
        let slots = 0..launch.places.len();
        let concurrency = slots.clone().map(|slot| launch.concurrency(slot));
        let mut scheduler = Scheduler::new(concurrency, launch.max_window);
        for slot in slots.filter(|&slot| router.is_exclusive(slot)) {
            scheduler.reserve(slot);
        }
        Ok(Self {
            phase: lifecycle::Pool::Starting,
            slots: launch.places.iter().cloned().map(Slot::from).collect(),
            scheduler,
            router,
            lanes,
            shared: Some(shared),
            tasks: Tasks::default(),
            returned: VecDeque::new(),
            runs: BTreeMap::new(),
            served: Served::default(),
            deferred: 0,
            total: Total::new(Record::new(Level::Counts, &launch.ids(), clock(), 0.0)),
            next_run: 0,
            error: None,
            notes: Vec::new(),
            effects: Vec::new(),
            next: 0,
            watch: Watch::default(),
            sharing,
            listens: false,
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

    /// Whether there are entries of numbered runs.
    pub(super) fn has_numbered(&self) -> bool {
        self.runs.values().any(|run| run.options.is_numbered && run.results.len() > 0)
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
            self.reclaim(pool);
            self.release_surplus();
            self.carry_out(pool);
            let are_open = self.advance_flows(pool);
            self.refill(pool);
            self.offer();
            self.take_mail();
            self.pump();
            self.wake_parked(pool);
            self.wake_addressed(pool);
            if self.publish(pool) && are_open && self.effects.is_empty() {
                return;
            }
        }
        // Workers that keep the pool busy so must not keep its lock.
        self.have_watched(pool);
    }

    // ---- workers ----

    /// Gives the slot of a worker up: the pool ends with it if it had not begun, or was the last.
    pub(super) fn retire(&mut self, pool: &Pool, slot: usize, error: Error) {
        self.on(Event::Closed { slot });
        // A pool can do with fewer workers than there were to be, if others are there.
        let is_needed = self.phase == lifecycle::Pool::Starting && !error.is_shortage();
        let is_last = {
            let mut slots = self.slots.iter().zip(self.scheduler.workers());
            slots.all(|(slot, worker)| worker.is_closed() || slot.is_surplus)
        };
        self.slots[slot].is_surplus = false;
        if is_needed || is_last {
            self.fail(error);
        } else {
            let worker = self.slots[slot].worker;
            self.notes.push(Note::Retired { worker, message: error.to_string() });
            self.close_route(pool, slot);
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
            self.recycle_spent(pool);
        }
    }

    /// Kills a worker that broke a rule, and has its exit explain itself by this.
    pub(super) fn reject(&mut self, slot: usize, what: String) {
        if let Some(connection) = &mut self.slots[slot].connection {
            connection.last_error = Some(what);
            self.on(Event::Killed { slot, why: Kill::Other });
        }
    }

    /// Tells each run's record, and the pool's, of something about workers.
    pub(super) fn tell_records(&mut self, mut tell: impl FnMut(&mut Record)) {
        self.runs.values_mut().for_each(|run| tell(&mut run.record));
        tell(&mut self.total.record);
    }

    pub(super) fn close_if_done(&mut self, pool: &Pool) {
        let are_closed = self.scheduler.workers().all(lifecycle::Worker::is_closed);
        let is_empty = self.slots.iter().all(|slot| slot.connection.is_none());
        if self.is_over() && are_closed && is_empty && self.phase.close() {
            self.shared = None;
            self.sharing.leave();
            self.notes.push(Note::Closed);
            pool.order(Order::Stop);
        }
    }
}

/// The JSON of an error, for the events that it costs.
pub(super) fn json_of(error: &Error) -> String {
    let (name, code, message) = (error.name(), error.code(), error.to_string());
    serde_json::json!({"name": name, "message": message, "code": code}).to_string()
}

pub(super) fn failed(run: Option<RunId>, error: &Error) -> Note {
    Note::Failed {
        run,
        name: error.name().into(),
        code: error.code().into(),
        message: error.to_string(),
        stderr: error.stderr().map(Into::into),
    }
}
