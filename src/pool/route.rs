//! Events that name their workers, by tags or a key, or that have a priority: taken in, offered in the addressed lane, and their
//! workers woken. Who may run which, the [`router`](crate::core::router) knows.

use std::collections::BTreeMap;

use super::Pool;
use super::credit::Fill;
use super::state::State;
use super::wake::WakeUp;
use crate::core::error::Error;
use crate::core::router::{MOST_ROOM, Routing, To};
use crate::core::task_id::{RunId, TaskId, number_of, run_of};
use crate::os::clock::clock;
use crate::queue::tasks::Task;
use crate::shm::store::Bytes;
use crate::wire::layout::Shared;
use crate::wire::note::Note;

/// So many short events are offered together at most: each settling of the pool and each wake-up of a worker is for all of them.
const TOGETHER: usize = 32;

/// An event that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// There is room for it.
    Is,
    /// There is none: [`Note::Room`] says when there is for the event of this number.
    Awaits(u64),
    /// There is room, and it is offered together with others, when the pool is flushed at the latest.
    IsSoon,
}

impl Pool {
    /// Takes in an event that names its workers. Where many short ones come one after the other they are offered several at a
    /// time: the caller has the pool [flushed](Self::flush) soon where that is said. Fails if no worker will ever run it.
    pub(crate) fn submit_routed(
        &self,
        run: RunId,
        routing: Routing,
        text: impl Into<Bytes>,
        flags: u32,
    ) -> Result<Room, Error> {
        let event = Task::new(text.into(), flags);
        let mut state = self.lock();
        let routed = state.route(run, routing, event);
        if let Ok((task, Room::Is)) = routed
            && state.deferred < TOGETHER
            && state.router.is_one_of_many(task)
        {
            state.deferred += 1;
            return Ok(Room::IsSoon);
        }
        state.settle(self);
        routed.map(|(_, room)| room)
    }
}

impl State {
    /// Takes in an event that names its workers.
    fn route(
        &mut self,
        run: RunId,
        routing: Routing,
        mut event: Task,
    ) -> Result<(TaskId, Room), Error> {
        let fill = self.fill();
        let Some(run) = self.runs.get(&run) else { return Ok((TaskId::MAX, Room::Is)) };
        let task = run.task(run.words.handed_over());
        let has_room = self.router.add(task, routing, fill.room_of(run))?;
        let number = run.words.hand_over();
        event.queued = if run.record.has_times() { clock() } else { 0.0 };
        self.tasks.keep(task, event);
        Ok((task, if has_room { Room::Is } else { Room::Awaits(number) }))
    }

    /// Puts what is due into the addressed lane, as far as there is room.
    pub(super) fn offer(&mut self) {
        self.deferred = 0;
        self.lanes.set_ranked(self.router.has_priorities());
        if self.router.is_empty() {
            return;
        }
        for slot in 0..self.slots.len() {
            self.router.measured(slot, self.scheduler.window(slot));
        }
        while let Some((task, to, priority)) = self.router.next(|run| self.had(run)) {
            let Some(event) = self.tasks.remove(task) else { return };
            let address = match to {
                To::Groups(groups) => Shared::to_groups(groups),
                To::Slot(slot) => Shared::to_slot(slot),
            };
            let to = (address, priority);
            let is_in = self.lanes.put_addressed(to, (task, &event), &mut self.tasks);
            let is_in = is_in.unwrap_or(false);
            if !is_in || event.text.len() > Shared::LONGEST {
                self.tasks.keep(task, event);
            }
            if is_in {
                self.router.offered(task);
                continue;
            }
            // The oldest one may have been taken back, to make room.
            let claimed = self.lanes.claimed();
            self.scan();
            if self.lanes.claimed() == claimed {
                return;
            }
        }
    }

    /// How much of the workers a run has had.
    fn had(&self, run: RunId) -> f64 {
        self.runs.get(&run).map_or(0.0, |run| run.share.at(self.served))
    }

    /// Takes in an event that another emits: it has its tags and its priority, and not its key.
    pub(super) fn submit_emitted(&mut self, pool: &Pool, by: TaskId, task: TaskId, event: Task) {
        let Some(run) = self.runs.get(&run_of(by)) else { return };
        let own = Routing { tags: run.outlets[0].tags.clone(), ..Routing::default() };
        let mut routing = self.router.inherited(by).unwrap_or_else(|| own.clone());
        if let Some(tags) = run.options.chains.first() {
            // It begins with the first chain, wherever the other one is.
            routing.tags.clone_from(tags);
        }
        if routing == own {
            return self.submit(task, event);
        }
        self.tasks.keep(task, event);
        self.route_further(pool, task, routing);
    }

    /// Takes in an event that is kept, and for which nobody waits. If no worker will ever run it, it fails.
    pub(super) fn route_further(&mut self, pool: &Pool, task: TaskId, routing: Routing) {
        if let Err(error) = self.router.add_further(task, routing) {
            self.fail_unrouted(pool, task, &error);
        }
    }

    /// Wakes one idle worker for each event that is offered to it and others, less those that were woken before.
    pub(super) fn wake_addressed(&mut self, pool: &Pool) {
        for (to, mut wanted) in self.router.offers() {
            let mut slots: Vec<usize> = self.router.reach(to).collect();
            slots.retain(|&slot| self.scheduler.has_room(slot));
            slots.sort_by_key(|&slot| self.router.rank(slot));
            for slot in slots {
                if wanted == 0 {
                    break;
                }
                let state = &mut self.slots[slot];
                let Some(connection) = &state.connection else { continue };
                // It may look around and park again as soon as it is notified: by then it must not be taken for awake any more.
                let is_parked = self.lanes.wake(slot);
                let is_rung = connection.ring();
                if is_parked && !is_rung {
                    connection.notify();
                }
                if is_parked || is_rung {
                    state.wake_up = WakeUp::Sent;
                    wanted -= 1;
                    self.have_watched(pool);
                } else if state.wake_up != WakeUp::None {
                    wanted -= 1;
                }
            }
        }
    }

    /// Nothing is started in `slot` any more. What only its worker could run fails.
    pub(super) fn close_route(&mut self, pool: &Pool, slot: usize) {
        let mut lost = self.router.close(slot);
        lost.extend(self.scheduler.withdraw(|task| self.router.is_lost(task)));
        // What was offered to it alone.
        self.lanes.take_back(|_, task| self.router.has(task) && !self.router.is_offered(task));
        self.scan();
        for task in lost {
            self.put_back(pool, task);
        }
    }

    /// Tells JavaScript for which events there is room now.
    pub(super) fn tell_of_room(&mut self, fill: Fill) {
        if !self.router.has_blocked() {
            return;
        }
        let runs = &self.runs;
        let room = |run: RunId| runs.get(&run).map_or(MOST_ROOM, |run| fill.room_of(run));
        let admitted = self.router.admit(room);
        let mut runs: BTreeMap<RunId, Vec<u64>> = BTreeMap::new();
        for task in admitted {
            runs.entry(run_of(task)).or_default().push(number_of(task));
        }
        self.notes.extend(runs.into_iter().map(|(run, numbers)| Note::Room { run, numbers }));
    }

    /// The bytes of all events that wait or run.
    pub(super) fn bytes(&self) -> usize {
        self.lanes.bytes() + self.tasks.bytes()
    }
}
