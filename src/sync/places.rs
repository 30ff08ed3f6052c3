//! Which lock has which place in the shared memory. Only the master knows the names.

use std::collections::HashMap;
use std::sync::Arc;

use crate::core::sync::{EventName, Holder, LockStatistics, Words};
use crate::shm::common::Common;
use crate::shm::locks::{Grant, NO_EVENT, Spot, Sums};

/// A lock with a longer name has no place: a process asks for it each time. So what is kept of names is bounded.
const LONGEST_NAME: usize = 512;

/// So many places are looked at for one that is free.
const MOST_LOOKS: usize = 64;

/// Tokens are numbers of JavaScript.
const TOKENS: u64 = 1 << 53;

#[derive(Debug, Default)]
pub(super) struct Places {
    by_name: HashMap<Arc<str>, u32>,
    /// Those that have been used, by place.
    used: Vec<Place>,
    /// Where the search for a free one begins: the one that was given to a lock longest ago.
    next: usize,
}

#[derive(Debug)]
struct Place {
    /// None before a lock has it.
    name: Option<Arc<str>>,
    generation: u32,
}

impl Places {
    pub(super) fn of(&self, name: &str) -> Option<Spot> {
        let &place = self.by_name.get(name)?;
        Some(Spot { place, generation: self.used[place as usize].generation })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Adds what processes have done without asking.
    pub(super) fn add_to(&self, common: &Common, locks: &mut Vec<LockStatistics>) {
        let asked: HashMap<Arc<str>, usize> =
            locks.iter().enumerate().map(|(at, lock)| (Arc::clone(&lock.name), at)).collect();
        for (name, &place) in &self.by_name {
            let Sums { grants, held } = common.sums(place);
            let held = held as f64 / 1e3;
            if let Some(&at) = asked.get(name) {
                locks[at].granted = locks[at].granted.saturating_add(grants);
                locks[at].held += held;
            } else if grants > 0 {
                let [wait_p50, wait_p99, wait_max] = [0.0; 3];
                let (name, granted, waited) = (Arc::clone(name), grants, 0);
                locks.push(LockStatistics {
                    name,
                    granted,
                    waited,
                    wait_p50,
                    wait_p99,
                    wait_max,
                    held,
                });
            }
        }
    }

    /// Gives a lock a place. It is managed.
    fn give(&mut self, common: &Common, name: &str) -> Option<Spot> {
        if name.len() > LONGEST_NAME {
            return None;
        }
        for _ in 0..MOST_LOOKS {
            let at = self.next;
            self.next = (at + 1) % Common::PLACES as usize;
            if at == self.used.len() {
                self.used.push(Place { name: None, generation: 0 });
            }
            let used = &mut self.used[at];
            let spot = Spot { place: at as u32, generation: used.generation };
            if let Some((spot, _)) = common.recycle(spot) {
                let name: Arc<str> = name.into();
                if let Some(before) = used.name.replace(Arc::clone(&name)) {
                    self.by_name.remove(&before);
                }
                used.generation = spot.generation;
                self.by_name.insert(name, spot.place);
                return Some(spot);
            }
        }
        None
    }
}

/// Which event a process means.
pub(crate) trait Resolve {
    /// The event that the process of this number names so.
    fn event(&self, owner: u16, event: u64) -> Option<EventName>;
}

/// Nobody knows.
impl Resolve for () {
    fn event(&self, _owner: u16, _event: u64) -> Option<EventName> {
        None
    }
}

/// The places as the core sees them.
pub(super) struct Table<'a> {
    pub(super) common: &'a Common,
    pub(super) places: &'a mut Places,
    /// Whether there is a process of this number.
    pub(super) is_owner: &'a dyn Fn(u16) -> bool,
    pub(super) resolve: &'a dyn Resolve,
}

impl Table<'_> {
    /// What another process may have written is a holder if it makes sense.
    fn holder(&self, grant: Grant) -> Option<Holder> {
        let Grant { owner, token, event, since } = grant;
        let makes_sense = token > 0 && token < TOKENS && (self.is_owner)(owner);
        let named = (event != NO_EVENT).then(|| self.resolve.event(owner, event)).flatten();
        makes_sense.then_some(Holder { owner, event: named, token, since: since as f64 / 1e3 })
    }
}

impl Words for Table<'_> {
    fn adopt(&mut self, name: &str) -> Option<Holder> {
        let spot = self.places.of(name)?;
        let grant = self.common.manage(spot.place, self.is_owner)?;
        self.holder(grant)
    }

    fn hold(&mut self, name: &str, holder: &Holder) -> Option<(u32, u32)> {
        let spot = self.places.of(name).or_else(|| self.places.give(self.common, name))?;
        let &Holder { owner, token, since, .. } = holder;
        let since = (since * 1e3) as u64;
        self.common.hold(spot, &Grant { owner, token, event: NO_EVENT, since });
        Some((spot.place, spot.generation))
    }

    fn free(&mut self, name: &str) {
        if let Some(spot) = self.places.of(name) {
            self.common.free(spot);
        }
    }

    fn next_token(&mut self) -> u64 {
        self.common.next_token()
    }

    fn unmanaged(&self) -> Vec<(String, Holder)> {
        let holder = |(place, used): (usize, &Place)| {
            let grant = self.common.holder(place as u32)?;
            Some((used.name.as_deref()?.to_owned(), self.holder(grant)?))
        };
        self.places.used.iter().enumerate().filter_map(holder).collect()
    }
}

/// An event as a process names it in one word: the index, and which ring or lane that is in. None for what is no lane.
pub(crate) fn event_word(index: u32, lane: Option<usize>) -> u64 {
    let place = lane.map_or(GIVEN, |lane| lane as u64);
    place << 32 | u64::from(index)
}

/// What came through the task ring, in the place of a lane.
const GIVEN: u64 = 1 << 4;

/// The opposite of [`event_word`].
pub(crate) fn event_of(word: u64) -> (u32, Option<usize>) {
    let lane = word >> 32;
    (word as u32, (lane < GIVEN).then_some(lane as usize))
}
