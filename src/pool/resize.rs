//! A pool grows and shrinks. A worker too many is *surplus*: it takes nothing more once it has run what is for it alone, ends what it
//! runs, and leaves; its slot is closed then, and is the first to be used again.

use std::cmp::Reverse;
use std::time::Duration;

use super::Pool;
use super::order::Order;
use super::state::State;
use crate::core::event::Event;
use crate::core::lifecycle::{Leave, Worker};
use crate::wire::note::Note;

/// What one more slot is made of.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The id of its workers.
    pub(crate) worker: u32,
    /// What goes before the program for its Node.
    pub(crate) node_args: Vec<String>,
}

impl Pool {
    /// There are to be so many workers; `more` are slots for those that there is none for yet.
    pub(crate) fn resize(&self, count: usize, more: Vec<Place>) {
        self.enter(|state| {
            state.collect(self);
            for place in more {
                state.add(self, place);
            }
            let live: Vec<usize> =
                state.open_slots().filter(|&slot| !state.is_surplus(slot)).collect();
            if live.len() < count {
                state.grow(self, count - live.len());
            } else {
                state.shrink(live, count);
            }
        });
    }

    /// The ids of the workers on their way in or out: of each a note tells that it is registered, removed or given up.
    pub(crate) fn resizing(&self) -> Vec<u32> {
        let state = self.lock();
        let is_on_its_way =
            |&slot: &usize| state.is_surplus(slot) || !state.scheduler.is_ready(slot);
        let slots = state.open_slots().filter(is_on_its_way);
        slots.map(|slot| state.slots[slot].worker).collect()
    }

    /// Whether no worker is to be started in `slot` any more.
    pub(crate) fn is_unwanted(&self, slot: usize) -> bool {
        let state = self.lock();
        state.is_over() || state.may_go(slot)
    }
}

impl State {
    /// The slots that are not closed.
    fn open_slots(&self) -> impl Iterator<Item = usize> {
        (0..self.slots.len()).filter(|&slot| !self.scheduler.worker(slot).is_closed())
    }

    pub(super) fn is_surplus(&self, slot: usize) -> bool {
        self.slots[slot].is_surplus
    }

    /// Whether the worker of `slot` is surplus, and has run what is for it alone.
    fn may_go(&self, slot: usize) -> bool {
        self.is_surplus(slot) && !self.scheduler.has_chosen(slot)
    }

    /// One more slot, which is closed yet.
    fn add(&mut self, pool: &Pool, place: Place) {
        let (worker, slot) = (place.worker, self.slots.len());
        self.slots.push(place.into());
        self.scheduler.add_closed(pool.launch.concurrency(slot));
        self.router.add_closed(worker);
        if self.router.is_exclusive(slot) {
            self.scheduler.reserve(slot);
        }
        self.lanes.set_workers(self.router.group_of());
        self.tell_records(|record| record.added(worker));
    }

    fn grow(&mut self, pool: &Pool, mut missing: usize) {
        // Who is on the way out is replaced then, or stays.
        for slot in self.slots.iter_mut().filter(|slot| slot.is_surplus).take(missing) {
            slot.is_surplus = false;
            missing -= 1;
        }
        let closed = |&slot: &usize| self.scheduler.worker(slot).is_closed();
        let slots: Vec<usize> = (0..self.slots.len()).filter(closed).take(missing).collect();
        for slot in slots {
            self.scheduler.reopen(slot);
            self.router.reopen(slot);
            self.slots[slot].failures = 0;
            self.tell_records(|record| record.reopened(slot));
            pool.order(Order::Start { slot, delay: Duration::ZERO });
        }
    }

    /// Those go first that run nothing, and of those the last.
    fn shrink(&mut self, mut live: Vec<usize>, count: usize) {
        live.sort_by_key(|&slot| (!self.scheduler.is_spare(slot), Reverse(slot)));
        for &slot in &live[..live.len() - count] {
            self.slots[slot].is_surplus = true;
        }
    }

    /// Has those leave that are surplus, as soon as they have run what is for them alone.
    pub(super) fn release_surplus(&mut self) {
        for slot in 0..self.slots.len() {
            if !self.slots[slot].is_surplus || !self.may_go(slot) {
                continue;
            }
            match self.scheduler.worker(slot) {
                Worker::Ready => self.on(Event::Leaves { slot, why: Leave::Recycled }),
                Worker::Booting { leaves: false } => {
                    self.on(Event::Leaves { slot, why: Leave::Stopped });
                }
                _ => {}
            }
        }
    }

    /// Nothing is started in `slot` any more, if its worker was surplus. True if it was.
    pub(super) fn close_surplus(&mut self, pool: &Pool, slot: usize) -> bool {
        let is_it = self.may_go(slot);
        if is_it {
            self.on(Event::Closed { slot });
            self.close_route(pool, slot);
            let worker = self.slots[slot].worker;
            self.slots[slot].is_surplus = false;
            self.notes.push(Note::Removed { worker });
        }
        is_it
    }
}
