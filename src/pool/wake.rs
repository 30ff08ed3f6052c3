//! Parked workers, and the I/O thread's watch over those that were woken.

use super::Pool;
use super::order::Order;
use super::state::State;
use crate::core::router::To;
use crate::core::task_id::Position;
use crate::wire::layout::Shared;

/// Whether a parked worker was notified because events wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WakeUp {
    None,
    /// It was, and has neither claimed one nor parked again.
    Sent,
    /// It was so already at the last look.
    Late,
}

/// What the last watch saw.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// There will be another.
    is_on: bool,
    /// How many events were claimed by then.
    claimed: u64,
    /// Events waited, and none had been claimed since the watch before.
    is_held_up: bool,
    /// Events wait that could not be put in, because JavaScript's thread was putting one in.
    pub(super) is_held_off: bool,
    /// The events whose place was wanted, and whose text was not read.
    pub(super) unread: Vec<Position>,
}

impl State {
    /// Wakes one parked worker per unclaimed event, minus wake-ups in flight. Where events take less time than a wake-up,
    /// no more workers are awake than there are processors: the others would only take these from them, and from the
    /// master.
    pub(super) fn wake_parked(&mut self, pool: &Pool) {
        if self.lanes.unclaimed() == 0 {
            return;
        }
        let Some(most) = self.most_awake(pool) else {
            self.lanes.rest_none();
            self.next = self.wake(pool, usize::MAX);
            return;
        };
        // The same ones each time, whose JavaScript is compiled by now.
        self.wake(pool, most.saturating_sub(self.awake().count()));
        // One that parks after this look finds what waits by itself. Only those that it saw rest: others must be left to wake.
        let slots = 0..self.slots.len();
        let parked: Vec<bool> = slots.clone().map(|slot| self.lanes.is_parked(slot)).collect();
        let is_awake = |&slot: &usize| self.takes_events(slot) && !parked[slot];
        if slots.clone().filter(is_awake).count() >= most {
            for slot in slots {
                self.lanes.rest(slot, parked[slot]);
            }
            // Should those that are awake run something long, somebody must notice.
            self.have_watched(pool);
        }
    }

    /// How many workers may be awake; none if that does not matter. Where lanes have workers of their own, one that rests may be
    /// the only one for what waits.
    fn most_awake(&self, pool: &Pool) -> Option<usize> {
        let most = pool.launch.spin_limit;
        let is_crowd = self.slots.len() > most && self.scheduler.is_swift();
        (is_crowd && !self.watch.is_held_up && !self.lanes.has_tagged()).then_some(most)
    }

    /// The workers that take events and are not parked.
    fn awake(&self) -> impl Iterator<Item = usize> {
        let slots = 0..self.slots.len();
        slots.filter(|&slot| self.takes_events(slot) && !self.lanes.is_parked(slot))
    }

    /// Whether a worker takes events that name no worker.
    fn takes_events(&self, slot: usize) -> bool {
        self.scheduler.is_ready(slot) && self.lanes.may_claim(Shared::FIRST, slot)
    }

    /// How many of the workers that may claim in a lane would take another event now.
    pub(super) fn idle_count(&self, pool: &Pool, lane: usize) -> usize {
        let has_room =
            |slot: &usize| self.scheduler.has_room(*slot) && self.lanes.may_claim(lane, *slot);
        match self.most_awake(pool) {
            None => (0..self.slots.len()).filter(has_room).count(),
            Some(most) => {
                let asleep = most.saturating_sub(self.awake().count());
                self.awake().filter(has_room).count() + asleep
            }
        }
    }

    /// Wakes parked workers, so many at most. Says which slot is behind the last of them.
    fn wake(&mut self, pool: &Pool, most: usize) -> usize {
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if !self.scheduler.has_room(at) || self.lanes.is_parked(at) {
                slot.wake_up = WakeUp::None;
            }
        }
        let mut offers: Vec<(u32, usize)> = Vec::new();
        for (groups, count) in self.lanes.offers().filter(|&(_, count)| count > 0) {
            match offers.iter_mut().find(|(other, _)| *other == groups) {
                Some((_, all)) => *all += count,
                None => offers.push((groups, count)),
            }
        }
        // Those for whom the fewest workers will do come first.
        offers.sort_by_key(|(groups, _)| groups.count_ones());
        // Each that is on its way comes for one event.
        let mut coming: Vec<usize> = (0..self.slots.len())
            .filter(|&slot| self.slots[slot].wake_up != WakeUp::None)
            .collect();
        let mut behind = self.next;
        for (groups, count) in offers {
            let mut wanted = count;
            coming.retain(|&slot| {
                let comes = wanted > 0 && self.router.is_to(slot, To::Groups(groups));
                wanted -= usize::from(comes);
                !comes
            });
            behind = self.wake_some(pool, groups, wanted.min(most)).unwrap_or(behind);
        }
        behind
    }

    /// Wakes so many parked workers of these groups, if there are. Says which slot is behind the last of them.
    fn wake_some(&mut self, pool: &Pool, groups: u32, mut wanted: usize) -> Option<usize> {
        let (count, next) = (self.slots.len(), self.next);
        let mut behind = None;
        // One that runs an event of its own may claim others meanwhile, but only it knows when.
        // The least specialised come first.
        let ranks = [true, false].into_iter().flat_map(|has_room| {
            let ranks = self.router.ranks().iter();
            ranks.map(move |&rank| (has_room, rank)).collect::<Vec<_>>()
        });
        for (has_room, rank) in ranks.collect::<Vec<_>>() {
            for at in (0..count).map(|offset| (next + offset) % count) {
                if wanted == 0 {
                    return behind;
                }
                let slot = &mut self.slots[at];
                if let Some(connection) = &slot.connection
                    && self.router.rank(at) == rank
                    && self.router.is_to(at, To::Groups(groups))
                    && self.scheduler.is_ready(at)
                    && self.scheduler.has_room(at) == has_room
                    && self.lanes.wake(at)
                {
                    connection.notify();
                    slot.wake_up = WakeUp::Sent;
                    wanted -= 1;
                    behind = Some((at + 1) % count);
                    self.have_watched(pool);
                }
            }
        }
        behind
    }

    /// Has the I/O thread see to it that somebody comes for what waits.
    pub(super) fn have_watched(&mut self, pool: &Pool) {
        if !self.watch.is_on {
            self.watch.is_on = true;
            pool.order(Order::Watch);
        }
    }

    /// Gives up on workers that were notified some time ago and have not come: their thread is busy with something else,
    /// or stopped, and others may be parked. Likewise on one that has claimed an event and not read it, if that is in the
    /// way. True while there is anybody to watch.
    pub(super) fn watch(&mut self, pool: &Pool) -> bool {
        self.scan();
        let mut is_any = self.take_unread() | self.watch.is_held_off;
        let waits = self.lanes.unclaimed() > 0 || self.router.has_offers();
        let claimed = self.lanes.claimed();
        let is_stuck = claimed == std::mem::replace(&mut self.watch.claimed, claimed);
        self.watch.is_held_up = waits && is_stuck;
        if is_stuck || self.most_awake(pool).is_none() {
            self.lanes.rest_none();
        } else {
            is_any = true;
        }
        for slot in &mut self.slots {
            slot.wake_up = match slot.wake_up {
                WakeUp::Sent if waits => WakeUp::Late,
                _ => WakeUp::None,
            };
            is_any |= slot.wake_up != WakeUp::None;
        }
        self.watch.is_on = is_any;
        is_any
    }
}
