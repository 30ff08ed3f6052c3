//! A worker's JavaScript thread claims events: see [`super`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{entry, free, sleeper};
use crate::os::memory::Memory;
use crate::wire::header::flag;
use crate::wire::protocol::Common;

/// How often the claims' hint is moved on: often enough that nobody has far to look, and so seldom that
/// the workers do not keep taking it from each other.
const HINT_EVERY: u32 = 32;

/// One worker's end.
#[derive(Debug)]
pub(crate) struct Claimer {
    memory: Arc<Memory>,
    place: usize,
    /// All events before this one are claimed.
    next: u32,
}

/// An event that was claimed, and where its text lies until [`Claimer::has_read`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed {
    pub(crate) index: u32,
    pub(crate) flags: u32,
    /// The text's offset in the memory, and its length in bytes: within bounds.
    pub(crate) at: usize,
    pub(crate) len: usize,
}

impl Claimer {
    /// For the worker in `place`.
    pub(crate) fn new(memory: Arc<Memory>, place: usize) -> Self {
        assert!(memory.len() >= Common::LEN, "the layout fits");
        let next = memory.word(Common::CLAIMED).load(Ordering::SeqCst);
        Self { memory, place, next }
    }

    /// All events before this one are claimed.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Makes the next event this worker's for good. None if there is none.
    pub(crate) fn claim(&mut self) -> Option<Claimed> {
        let published = self.word(Common::PUBLISHED);
        let mut number = self.begin(published);
        while is_before(number, published) {
            let state = self.memory.word(entry(number.into()));
            let free = free(number.into());
            let next = number.wrapping_add(1);
            if state.load(Ordering::Acquire) == free {
                // Before it is this worker's, and right if it then is: the place was no other event's meanwhile.
                let claimed = self.claimed(number);
                let mine = self.state_of(&claimed);
                if state.compare_exchange(free, mine, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                    self.next = next;
                    if number.is_multiple_of(HINT_EVERY) {
                        self.memory.word(Common::CLAIMED).store(next, Ordering::SeqCst);
                    }
                    return Some(claimed);
                }
            }
            number = next;
        }
        self.next = number;
        None
    }

    /// Where to begin to look.
    fn begin(&self, published: u32) -> u32 {
        let mut number = self.next;
        // Long ago: all that have lost their places since are claimed.
        if published.wrapping_sub(number) > Common::PLACES {
            number = published.wrapping_sub(Common::PLACES);
        }
        // The hint may be ahead of what was published when looked at.
        let hint = self.word(Common::CLAIMED);
        if published.wrapping_sub(hint) < published.wrapping_sub(number) { hint } else { number }
    }

    /// What the event of this number is.
    fn claimed(&self, number: u32) -> Claimed {
        let place = entry(number.into());
        let word = |at| self.memory.word(place + at).load(Ordering::Relaxed);
        let at = (word(1) & (Common::SIZE - 1)) as usize;
        let len = (word(2) as usize).min(Common::SIZE as usize - at);
        Claimed { index: number, flags: word(3), at: Common::BYTES + at, len }
    }

    /// Says that the text of an event of this worker's was read: its bytes may be used again. False if
    /// this worker took so long that the master has taken the event back: what was read may be anything. (Of a
    /// long event there is nothing to read here, and its claim says so.)
    #[must_use]
    pub(crate) fn has_read(&self, number: u32) -> bool {
        let mine = free(number.into()) | self.owner();
        let state = self.memory.word(entry(number.into()));
        let read = mine | Common::READ;
        state.compare_exchange(mine, read, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether the worker that has claimed and read this event is to ring.
    pub(crate) fn is_to_ring(&self, number: u32) -> bool {
        self.word(Common::RING_AT) == number
    }

    /// Whether the master looks at the answers without being rung.
    pub(crate) fn master_looks(&self) -> bool {
        self.word(Common::LOOKS) == 1
    }

    /// From now on an event wakes this worker.
    pub(crate) fn sleep(&self) {
        let (word, bit) = sleeper(self.place);
        self.memory.word(word).fetch_or(bit, Ordering::SeqCst);
    }

    /// Whether there is something to claim, now that the worker is about to sleep.
    pub(crate) fn has_more(&self) -> bool {
        let published = self.word(Common::PUBLISHED);
        let mut number = self.begin(published);
        while is_before(number, published) {
            if self.word(entry(number.into())) == free(number.into()) {
                return true;
            }
            number = number.wrapping_add(1);
        }
        false
    }

    /// It does not sleep any more.
    pub(crate) fn wake(&self) {
        let (word, bit) = sleeper(self.place);
        self.memory.word(word).fetch_and(!bit, Ordering::SeqCst);
    }

    fn word(&self, at: usize) -> u32 {
        self.memory.word(at).load(Ordering::SeqCst)
    }

    /// Of an event that this worker claims.
    fn state_of(&self, event: &Claimed) -> u32 {
        let is_long = event.flags & flag::LONG != 0;
        free(event.index.into()) | self.owner() | if is_long { Common::READ } else { 0 }
    }

    fn owner(&self) -> u32 {
        self.place as u32 + 1
    }
}

fn is_before(a: u32, b: u32) -> bool {
    b.wrapping_sub(a).cast_signed() > 0
}
