//! A worker's JavaScript thread claims events: see [`super`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

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
    /// For each lane: all events before this one are claimed.
    next: [Seq; Shared::LANES],
    /// The lane after the one that was last claimed from: they take turns.
    turn: usize,
}

/// An event that was claimed, and where its text lies until [`Claimer::has_read`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed {
    pub(crate) lane: usize,
    /// Its number in the lane.
    pub(crate) index: u32,
    pub(crate) flags: u32,
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
        Self { memory, slot, next, turn: 1 }
    }

    /// Makes the next event this worker's for good. None if there is none.
    pub(crate) fn claim(&mut self) -> Option<Claimed> {
        let lane = self.order().find(|&lane| self.next[lane] != self.published(lane))?;
        // Mostly there is one; if other workers were faster, the other lanes are tried too.
        self.claim_from(lane).or_else(|| self.order().find_map(|lane| self.claim_from(lane)))
    }

    /// The open lanes, in the order in which this worker tries them.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let open = self.word(Shared::OPEN) & ((1 << Shared::LANES) - 1);
        let turn = self.turn;
        let others =
            (0..Shared::LANES - 1).map(move |at| 1 + (turn + at - 1) % (Shared::LANES - 1));
        std::iter::once(Shared::FIRST).chain(others).filter(move |lane| open & (1 << lane) != 0)
    }

    fn claim_from(&mut self, lane: usize) -> Option<Claimed> {
        let published = self.published(lane);
        let mut number = self.begin(lane, published);
        while number.is_before(published) {
            let state = self.memory.word(Shared::entry(lane, number.0));
            let (free, next) = (Shared::free(number.0), number.next());
            if state.load(Ordering::Acquire) == free {
                // Before it is this worker's, and right if it then is: the place was no other event's meanwhile.
                let claimed = self.claimed(lane, number.0);
                let mine = self.state_of(&claimed);
                if state.compare_exchange(free, mine, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                    self.next[lane] = next;
                    if number.0.is_multiple_of(HINT_EVERY) {
                        let hint = Shared::header(lane, Shared::CLAIMED);
                        self.memory.word(hint).store(next.0, Ordering::SeqCst);
                    }
                    if lane != Shared::FIRST {
                        self.turn = lane + 1;
                    }
                    return Some(claimed);
                }
            }
            number = next;
        }
        self.next[lane] = number;
        None
    }

    /// Where to begin to look in a lane.
    fn begin(&self, lane: usize, published: Seq) -> Seq {
        let mut number = self.next[lane];
        // Long ago: all that have lost their places since are claimed.
        if published.since(number) > Shared::PLACES {
            number = Seq(published.0.wrapping_sub(Shared::PLACES));
        }
        // The hint may be ahead of what was published when looked at.
        let hint = Seq(self.word(Shared::header(lane, Shared::CLAIMED)));
        if published.since(hint) < published.since(number) { hint } else { number }
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
        Claimed { lane, index: number, flags: word(3), at: Shared::byte(lane, position), len }
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
        self.order().any(|lane| {
            let published = self.published(lane);
            let mut number = self.begin(lane, published);
            while number.is_before(published) {
                if self.word(Shared::entry(lane, number.0)) == Shared::free(number.0) {
                    return true;
                }
                number = number.next();
            }
            false
        })
    }

    /// Whether something was put in since this worker last claimed in vain.
    pub(crate) fn has_news(&self) -> bool {
        self.order().any(|lane| self.next[lane] != self.published(lane))
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
