//! Locks that all processes of a program share: one word each, which says who holds it.
//!
//! A lock that nobody else wants is taken and ended by compare-and-swap, and nobody is asked. For everything else there is the
//! master. It *manages* a lock that more than one process wants: then only the master changes its word, and a holder ends
//! its grant by telling it so. It gives a lock its place here, and raises the place's generation when it gives it to another.
//!
//! A word has, from its lowest bit on: the owner (16 bits; 0: it is free), [`MANAGED`], [`READY`], the last 14 bits of the
//! grant's token, and the generation (32 bits). A grant is whole when its word is ready: before that its owner may have been
//! killed without having written the token. The master takes such a word back, and who was about to hold it asks the master.

use std::sync::atomic::Ordering;

use super::common::Common;

/// The master manages it.
const MANAGED: u64 = 1 << 16;
/// The other words are those of the owner's grant.
const READY: u64 = 1 << 17;

const TOKEN_AT: u32 = 18;
const TOKEN: u64 = (1 << 14) - 1;
const GENERATION_AT: u32 = 32;

/// The words of a lock.
const WORD: usize = 0;
const TOKEN_WORD: usize = 1;
const EVENT: usize = 2;
const GRANTS: usize = 3;
const HELD: usize = 4;
const SINCE: usize = 5;

/// No event.
pub(crate) const NO_EVENT: u64 = u64::MAX;

/// Where a lock lies, as long as that is its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) place: u32,
    pub(crate) generation: u32,
}

/// A grant of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) owner: u16,
    pub(crate) token: u64,
    /// The event that it was asked for in, as its process names it; or [`NO_EVENT`].
    pub(crate) event: u64,
    /// When it began, in microseconds of the monotonic clock.
    pub(crate) since: u64,
}

/// How often a lock was taken without asking, and for how many microseconds it was held so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    pub(crate) grants: u64,
    pub(crate) held: u64,
}

fn owner_of(word: u64) -> u16 {
    word as u16
}

fn generation_of(word: u64) -> u32 {
    (word >> GENERATION_AT) as u32
}

/// The word of a lock that nobody holds.
fn free(generation: u32) -> u64 {
    u64::from(generation) << GENERATION_AT
}

/// The word of a whole grant.
fn granted(generation: u32, owner: u16, token: u64) -> u64 {
    free(generation) | (token & TOKEN) << TOKEN_AT | READY | u64::from(owner)
}

/// What a process does with its own locks.
impl Common {
    /// Takes a lock that is free: the token of the grant. Every `now` is in microseconds of the monotonic clock.
    pub(crate) fn acquire(&self, spot: Spot, owner: u16, event: u64, now: u64) -> Option<u64> {
        if spot.place >= Self::PLACES {
            return None;
        }
        let word = self.lock_word(spot.place, WORD);
        let (free, mine) = (free(spot.generation), free(spot.generation) | u64::from(owner));
        // A look first: one that is held would have to be fetched from its holder's processor for nothing.
        if word.load(Ordering::Relaxed) != free {
            return None;
        }
        word.compare_exchange(free, mine, Ordering::SeqCst, Ordering::Relaxed).ok()?;
        self.make_whole(spot, owner, event, now)
    }

    /// Makes the grant whole whose owner is written. None if the master has taken it back.
    fn make_whole(&self, spot: Spot, owner: u16, event: u64, now: u64) -> Option<u64> {
        let word = self.lock_word(spot.place, WORD);
        let mine = free(spot.generation) | u64::from(owner);
        let token = self.next_token();
        self.lock_word(spot.place, EVENT).store(event, Ordering::Relaxed);
        self.lock_word(spot.place, SINCE).store(now, Ordering::Relaxed);
        // A process that stood still here, while the master took the word back and others held the lock, must not write over
        // their token: it would never be ended. No two grants have the same.
        let tokens = self.lock_word(spot.place, TOKEN_WORD);
        loop {
            let before = tokens.load(Ordering::SeqCst);
            if word.load(Ordering::SeqCst) != mine {
                return None;
            }
            let is_written =
                tokens.compare_exchange(before, token, Ordering::SeqCst, Ordering::Relaxed).is_ok();
            if is_written {
                break;
            }
        }
        let grants = self.lock_word(spot.place, GRANTS);
        grants.store(grants.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        let whole = granted(spot.generation, owner, token);
        word.compare_exchange(mine, whole, Ordering::SeqCst, Ordering::Relaxed).ok()?;
        Some(token)
    }

    /// Ends a grant. False if the master has to be told.
    pub(crate) fn release(&self, spot: Spot, owner: u16, token: u64, now: u64) -> bool {
        if spot.place >= Self::PLACES {
            return false;
        }
        let since = self.lock_word(spot.place, SINCE).load(Ordering::Relaxed);
        let word = self.lock_word(spot.place, WORD);
        let (mine, free) = (granted(spot.generation, owner, token), free(spot.generation));
        let is_over =
            word.compare_exchange(mine, free, Ordering::SeqCst, Ordering::Relaxed).is_ok();
        if is_over {
            let held = self.lock_word(spot.place, HELD);
            held.fetch_add(now.saturating_sub(since), Ordering::Relaxed);
        }
        is_over
    }

    /// Writes what there is to know of a grant beside its word.
    fn note(&self, place: u32, grant: &Grant) {
        self.lock_word(place, TOKEN_WORD).store(grant.token, Ordering::Relaxed);
        self.lock_word(place, EVENT).store(grant.event, Ordering::Relaxed);
        self.lock_word(place, SINCE).store(grant.since, Ordering::Relaxed);
    }
}

/// What the master does with all of them. It alone gives out places, so a place that it names is one.
impl Common {
    /// Manages a lock from now on: whoever holds it by its word alone. `is_owner` says whether there is such a process.
    pub(crate) fn manage(&self, place: u32, is_owner: impl Fn(u16) -> bool) -> Option<Grant> {
        let word = self.lock_word(place, WORD);
        let mut seen = word.load(Ordering::SeqCst);
        loop {
            if seen & MANAGED != 0 {
                return None;
            }
            let owner = owner_of(seen);
            let is_whole = seen & READY != 0 && is_owner(owner);
            let new = if is_whole { seen } else { free(generation_of(seen)) } | MANAGED;
            match word.compare_exchange_weak(seen, new, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) if is_whole => return Some(self.grant(place, owner)),
                Ok(_) => return None,
                Err(found) => seen = found,
            }
        }
    }

    /// The grant whose word is whole.
    fn grant(&self, place: u32, owner: u16) -> Grant {
        let load = |word| self.lock_word(place, word).load(Ordering::SeqCst);
        Grant { owner, token: load(TOKEN_WORD), event: load(EVENT), since: load(SINCE) }
    }

    /// Writes a grant of a lock that is [managed](Self::manage), and stays so.
    pub(crate) fn hold(&self, spot: Spot, grant: &Grant) {
        self.note(spot.place, grant);
        let word = granted(spot.generation, grant.owner, grant.token) | MANAGED;
        self.lock_word(spot.place, WORD).store(word, Ordering::SeqCst);
    }

    /// Frees a lock that is managed: it is not any more.
    pub(crate) fn free(&self, spot: Spot) {
        self.lock_word(spot.place, WORD).store(free(spot.generation), Ordering::SeqCst);
    }

    /// Who holds a lock that is not managed.
    pub(crate) fn holder(&self, place: u32) -> Option<Grant> {
        let word = self.lock_word(place, WORD);
        let seen = word.load(Ordering::SeqCst);
        let grant = self.grant(place, owner_of(seen));
        let is_held = seen & READY != 0 && seen & MANAGED == 0;
        // Otherwise that may be a mixture of two.
        (is_held && word.load(Ordering::SeqCst) == seen).then_some(grant)
    }

    /// Frees what a process held by the word alone, which is gone: or is about to hold, for it is killed whenever.
    pub(crate) fn free_all_of(&self, owner: u16) {
        for place in 0..Self::PLACES {
            let word = self.lock_word(place, WORD);
            let seen = word.load(Ordering::SeqCst);
            if owner_of(seen) == owner && seen & MANAGED == 0 {
                let free = free(generation_of(seen));
                let _ = word.compare_exchange(seen, free, Ordering::SeqCst, Ordering::SeqCst);
            }
        }
    }

    /// Takes a place for another lock: managed, and of a new generation. None if the lock that has it is in use.
    pub(crate) fn recycle(&self, spot: Spot) -> Option<(Spot, Sums)> {
        let word = self.lock_word(spot.place, WORD);
        let generation = spot.generation.wrapping_add(1);
        let (old, new) = (free(spot.generation), free(generation) | MANAGED);
        word.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).ok()?;
        let sums = self.sums(spot.place);
        self.lock_word(spot.place, GRANTS).store(0, Ordering::SeqCst);
        self.lock_word(spot.place, HELD).store(0, Ordering::SeqCst);
        Some((Spot { generation, ..spot }, sums))
    }

    /// What a lock has come to since it has its place.
    pub(crate) fn sums(&self, place: u32) -> Sums {
        let load = |word| self.lock_word(place, word).load(Ordering::SeqCst);
        Sums { grants: load(GRANTS), held: load(HELD) }
    }
}

#[cfg(test)]
mod tests;
