//! A worker's JavaScript thread claims events: see [`super`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::core::router::Priority;
use crate::os::memory::Memory;
use crate::wire::header::flag;
use crate::wire::layout::Shared;
use crate::wire::seq::Seq;

/// How often the hint of a lane is moved on: often enough that nobody has far to look, and so seldom that the workers
/// do not keep taking it from each other.
const HINT_EVERY: u32 = 32;

/// One worker's end.
#[derive(Debug)]
pub(crate) struct Claimer {
    memory: Arc<Memory>,
    slot: usize,
    /// The number of its group of workers.
    group: u32,
    /// For each lane: all events before this one are claimed.
    next: [Seq; Shared::LANES],
    /// The lane after the one that was last claimed from: they take turns.
    turn: usize,
    /// Runs of which this worker has as many events as it runs at once: it claims no other of theirs.
    suspended: Vec<u32>,
}

/// An event that was claimed, and where its text lies until [`Claimer::has_read`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed {
    pub(crate) lane: usize,
    /// Its number in the lane.
    pub(crate) index: u32,
    pub(crate) flags: u32,
    /// The number of its run, and how many attempts at it have failed: see [`super::about`].
    pub(crate) run: u32,
    /// The text's offset in the memory, and its length in bytes: within bounds.
    pub(crate) at: usize,
    pub(crate) len: usize,
}

impl Claimer {
    /// For the worker in `slot`.
    pub(crate) fn new(memory: Arc<Memory>, slot: usize) -> Self {
        assert!(memory.len() >= Shared::LEN, "the layout fits");
        let hint = |lane| memory.word(Shared::header(lane, Shared::CLAIMED)).load(Ordering::SeqCst);
        let next = std::array::from_fn(|lane| Seq(hint(lane)));
        Self { memory, slot, group: 0, next, turn: Shared::ADDRESSED, suspended: Vec::new() }
    }

    /// Of a worker in this group.
    pub(crate) fn in_group(self, group: u32) -> Self {
        Self { group: group % Shared::MAX_GROUPS as u32, ..self }
    }

    /// Whether this worker passes by the events of a run, which others may claim.
    pub(crate) fn suspend(&mut self, run: u32, is_suspended: bool) {
        self.suspended.retain(|&other| other != run);
        if is_suspended {
            self.suspended.push(run);
        }
    }

    /// Makes the next event this worker's for good. None if there is none.
    pub(crate) fn claim(&mut self) -> Option<Claimed> {
        if self.is_ranked() {
            return self.claim_ranked();
        }
        let lane = self.order().find(|&lane| self.next[lane] != self.published(lane))?;
        // Mostly there is one; if other workers were faster, the other lanes are tried too.
        self.claim_from(lane).or_else(|| self.order().find_map(|lane| self.claim_from(lane)))
    }

    /// The open lanes in which its group may claim, a bit each.
    fn open(&self) -> u32 {
        let mut left = self.word(Shared::OPEN) & ((1 << Shared::LANES) - 1);
        let mut lanes = left;
        while left != 0 {
            let lane = left.trailing_zeros() as usize;
            left &= left - 1;
            if !self.has(lane) {
                lanes &= !(1 << lane);
            }
        }
        lanes
    }

    /// Whether its group may claim in a lane.
    fn has(&self, lane: usize) -> bool {
        self.word(Shared::GROUPS + lane) & (1 << self.group) != 0
    }

    /// The open lanes that are for it, in the order in which this worker tries them: those of the runs that have had least go
    /// first, and where that decides nothing they take turns.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        const TURNS: usize = Shared::LANES - 1;
        let open = self.open();
        let others = open & !(1 << Shared::FIRST);
        let mut lanes = [others.trailing_zeros() as usize; TURNS];
        let mut count = others.count_ones() as usize;
        if count > 1 {
            lanes = std::array::from_fn(|at| 1 + (self.turn + at - 1) % TURNS);
            let share = |lane| self.word(Shared::header(lane, Shared::SHARE));
            // They are counted modulo 2^32, and those in use are close to each other.
            let base = share(others.trailing_zeros() as usize);
            lanes.sort_by_key(|&lane| share(lane).wrapping_sub(base).cast_signed());
            count = TURNS;
        }
        let all = std::iter::once(Shared::FIRST).chain(lanes.into_iter().take(count));
        all.filter(move |lane| open & (1 << lane) != 0)
    }

    /// Whether addressed events have priorities.
    fn is_ranked(&self) -> bool {
        self.word(Shared::RANKED) != 0
    }

    fn claim_ranked(&mut self) -> Option<Claimed> {
        let published: [Seq; Shared::LANES] = std::array::from_fn(|lane| self.published(lane));
        let addressed = self.first_in(Shared::ADDRESSED);
        self.next[Shared::ADDRESSED] = addressed.unwrap_or(published[Shared::ADDRESSED]);
        while let Some((lane, number)) = self.next_ranked() {
            if let Some(claimed) = self.claim_at(lane, number) {
                if lane != Shared::ADDRESSED {
                    self.next[lane] = number.next();
                }
                return Some(claimed);
            }
            // Another worker was faster.
        }
        self.next = std::array::from_fn(|lane| self.first_in(lane).unwrap_or(published[lane]));
        None
    }

    /// What comes next where addressed events have priorities. The events of all other lanes have 0.
    fn next_ranked(&self) -> Option<(usize, Seq)> {
        let highest = self.highest();
        let addressed = highest.map(|(number, _)| (Shared::ADDRESSED, number));
        let priority = highest.map_or(0, |(_, priority)| priority);
        if priority > 0 {
            return addressed;
        }
        let next = |lane| match lane {
            Shared::ADDRESSED => addressed.filter(|_| priority == 0),
            _ => self.next_free(lane).map(|number| (lane, number)),
        };
        self.order().find_map(next).or(addressed)
    }

    /// The addressed event of the highest priority that this worker may claim; of those the first.
    fn highest(&self) -> Option<(Seq, Priority)> {
        let priority = |number: Seq| {
            let word = Shared::entry(Shared::ADDRESSED, number.0) + Shared::PRIORITY;
            self.memory.word(word).load(Ordering::Relaxed).cast_signed()
        };
        let all = self.free_in(Shared::ADDRESSED);
        let all = all.filter(|&number| !self.is_suspended(Shared::ADDRESSED, number));
        let all = all.map(|number| (number, priority(number)));
        all.reduce(|first, next| if next.1 > first.1 { next } else { first })
    }

    /// Whether what comes next is an event beside which no other is to run.
    pub(crate) fn is_next_alone(&self) -> bool {
        let next = if self.is_ranked() {
            self.next_ranked()
        } else {
            // Only what comes back is one.
            let mut lanes =
                self.order().filter(|&lane| lane == Shared::ADDRESSED || lane == Shared::FIRST);
            lanes.find_map(|lane| Some((lane, self.next_free(lane)?)))
        };
        next.is_some_and(|(lane, number)| {
            self.word(Shared::entry(lane, number.0) + 3) & flag::ALONE != 0
        })
    }

    /// The events of a lane that this worker may claim, now or later.
    fn free_in(&self, lane: usize) -> impl Iterator<Item = Seq> {
        let published = self.published(lane);
        let first = self.begin(lane, published);
        let all = (0..published.since(first)).map(move |at| Seq(first.0.wrapping_add(at)));
        all.filter(move |&number| {
            let state = self.memory.word(Shared::entry(lane, number.0));
            state.load(Ordering::Acquire) == Shared::free(number.0)
                && self.is_addressed(lane, number)
        })
    }

    /// The first of them.
    fn first_in(&self, lane: usize) -> Option<Seq> {
        self.free_in(lane).next()
    }

    /// The one that this worker would claim now: in the addressed lane it may pass others by.
    fn next_free(&self, lane: usize) -> Option<Seq> {
        let may_claim = |&number: &Seq| !self.is_suspended(lane, number);
        match lane {
            Shared::ADDRESSED => self.free_in(lane).find(may_claim),
            _ => self.first_in(lane).filter(may_claim),
        }
    }

    /// Whether this worker has enough events of the run of this one.
    fn is_suspended(&self, lane: usize, number: Seq) -> bool {
        !self.suspended.is_empty() && {
            let about = self.memory.word(Shared::entry(lane, number.0) + 4);
            self.suspended.contains(&(about.load(Ordering::Relaxed) & 0xffff))
        }
    }

    pub(super) fn claim_from(&mut self, lane: usize) -> Option<Claimed> {
        let published = self.published(lane);
        let mut number = self.begin(lane, published);
        // The first one that this worker may claim later.
        let mut later = None;
        while number.is_before(published) {
            if let Some(claimed) = self.claim_at(lane, number) {
                self.next[lane] = later.unwrap_or(number.next());
                return Some(claimed);
            }
            if later.is_none() && self.is_left(lane, number) {
                later = Some(number);
                if lane != Shared::ADDRESSED {
                    break;
                }
            }
            number = number.next();
        }
        self.next[lane] = later.unwrap_or(number);
        None
    }

    /// Whether this worker may claim an event, but has enough of its run.
    fn is_left(&self, lane: usize, number: Seq) -> bool {
        self.is_suspended(lane, number)
            && self.word(Shared::entry(lane, number.0)) == Shared::free(number.0)
            && self.is_addressed(lane, number)
    }

    /// Claims this event, if nobody has it and this worker may.
    fn claim_at(&mut self, lane: usize, number: Seq) -> Option<Claimed> {
        let state = self.memory.word(Shared::entry(lane, number.0));
        let free = Shared::free(number.0);
        let is_free = state.load(Ordering::Acquire) == free;
        if !is_free || !self.is_addressed(lane, number) || self.is_suspended(lane, number) {
            return None;
        }
        // Before it is this worker's, and right if it then is: the place was no other event's meanwhile.
        let claimed = self.claimed(lane, number.0);
        let mine = self.state_of(&claimed);
        state.compare_exchange(free, mine, Ordering::SeqCst, Ordering::SeqCst).ok()?;
        if lane != Shared::ADDRESSED && number.0.is_multiple_of(HINT_EVERY) {
            let hint = Shared::header(lane, Shared::CLAIMED);
            self.memory.word(hint).store(number.next().0, Ordering::SeqCst);
        }
        if lane != Shared::FIRST {
            self.turn = lane + 1;
        }
        Some(claimed)
    }

    /// Where to begin to look in a lane.
    fn begin(&self, lane: usize, published: Seq) -> Seq {
        let mut number = self.next[lane];
        // Long ago: all that have lost their places since are claimed.
        if published.since(number) > Shared::PLACES {
            number = Seq(published.0.wrapping_sub(Shared::PLACES));
        }
        // What one worker passes by there is another's.
        if lane == Shared::ADDRESSED {
            return number;
        }
        // The hint may be ahead of what was published when looked at.
        let hint = Seq(self.word(Shared::header(lane, Shared::CLAIMED)));
        if published.since(hint) < published.since(number) { hint } else { number }
    }

    /// Whether this worker may claim an event that nobody has: the lane may have become another's since it was chosen, and in
    /// the addressed lane each event is for others.
    fn is_addressed(&self, lane: usize, number: Seq) -> bool {
        if lane != Shared::ADDRESSED {
            return self.has(lane);
        }
        let to = self.memory.word(Shared::entry(lane, number.0) + Shared::TO);
        Shared::is_to(to.load(Ordering::Relaxed), self.slot, self.group)
    }

    fn published(&self, lane: usize) -> Seq {
        Seq(self.word(Shared::header(lane, Shared::PUBLISHED)))
    }

    /// What the event of this number is.
    fn claimed(&self, lane: usize, number: u32) -> Claimed {
        let place = Shared::entry(lane, number);
        let word = |at| self.memory.word(place + at).load(Ordering::Relaxed);
        let position = word(1) & (Shared::SIZE - 1);
        let len = word(2).min(Shared::SIZE - position) as usize;
        let (flags, run) = (word(3), word(4));
        Claimed { lane, index: number, flags, run, at: Shared::byte(lane, position), len }
    }

    /// Says that the text of an event of this worker's was read: its bytes may be used again. False if this worker took
    /// so long that the master has taken the event back: what was read may be anything. (Of a long event there is
    /// nothing to read here, and its claim says so.)
    #[must_use]
    pub(crate) fn has_read(&self, event: &Claimed) -> bool {
        let mine = Shared::free(event.index) | self.owner();
        let state = self.memory.word(Shared::entry(event.lane, event.index));
        let read = mine | Shared::READ;
        state.compare_exchange(mine, read, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether the worker that has claimed and read this event must notify the master.
    pub(crate) fn is_to_notify(&self, event: &Claimed) -> bool {
        self.word(Shared::header(event.lane, Shared::NOTIFY_AT)) == event.index
    }

    /// From now on an event wakes this worker.
    pub(crate) fn park(&self) {
        let (word, bit) = Shared::parked(self.slot);
        self.memory.word(word).fetch_or(bit, Ordering::SeqCst);
    }

    /// It is not parked any more.
    pub(crate) fn unpark(&self) {
        let (word, bit) = Shared::parked(self.slot);
        self.memory.word(word).fetch_and(!bit, Ordering::SeqCst);
    }

    /// Whether there is something to claim, now that the worker is about to park.
    pub(crate) fn has_more(&self) -> bool {
        self.order().any(|lane| self.next_free(lane).is_some())
    }

    /// Whether something was put in since this worker last claimed in vain.
    pub(crate) fn has_news(&self) -> bool {
        let is_new = |lane| {
            self.next[lane] != self.published(lane)
                && (self.suspended.is_empty() || self.next_free(lane).is_some())
        };
        self.order().any(is_new)
    }

    fn word(&self, at: usize) -> u32 {
        self.memory.word(at).load(Ordering::SeqCst)
    }

    /// Of an event that this worker claims.
    fn state_of(&self, event: &Claimed) -> u32 {
        let is_long = event.flags & flag::LONG != 0;
        Shared::free(event.index) | self.owner() | if is_long { Shared::READ } else { 0 }
    }

    fn owner(&self) -> u32 {
        self.slot as u32 + 1
    }
}
