//! The memory that all processes of a program share, whatever pool they belong to: its [locks](super::locks) and its
//! [counters](super::counters).
//!
//! The master makes it, and each worker is given it at its start. It decides nothing that a process could not do to itself
//! and to those that trust it with a lock: the master checks every number that it reads here. A name has no text here: the
//! master knows which lock has which place, and a counter is found by the hash of its name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::os::memory::Memory;

/// See the module's text.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    memory: Arc<Memory>,
}

/// 64-bit words by their index. Words that are written often lie on cache lines of their own.
impl Common {
    /// The token of the last grant of any lock.
    const LAST_TOKEN: usize = 8;
    /// How many counters there are.
    pub(super) const NAMES: usize = 16;

    /// The first lock.
    const LOCKS: usize = 512;
    pub(super) const LOCK: usize = 8;
    pub(crate) const PLACES: u32 = 1 << 12;

    /// The first counter.
    const COUNTERS: usize = Self::LOCKS + Self::PLACES as usize * Self::LOCK;
    pub(super) const COUNTER: usize = 3;
    pub(super) const ENTRIES: u32 = 1 << 17;

    pub(crate) const LEN: usize = 8 * (Self::COUNTERS + Self::ENTRIES as usize * Self::COUNTER);

    /// The memory is too small: none.
    pub(crate) fn new(memory: Arc<Memory>) -> Option<Self> {
        (memory.len() >= Self::LEN).then_some(Self { memory })
    }

    /// A token for a new grant: higher than all before it.
    pub(crate) fn next_token(&self) -> u64 {
        self.word(Self::LAST_TOKEN).fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether there is a counter, or a lock was taken.
    pub(crate) fn is_used(&self) -> bool {
        let is_set = |word: usize| self.word(word).load(Ordering::SeqCst) > 0;
        is_set(Self::LAST_TOKEN) || is_set(Self::NAMES)
    }

    pub(super) fn word(&self, index: usize) -> &AtomicU64 {
        self.memory.long(index)
    }

    /// A word of a lock, whose place is one.
    pub(super) fn lock_word(&self, place: u32, word: usize) -> &AtomicU64 {
        self.word(Self::LOCKS + place as usize * Self::LOCK + word)
    }

    /// A word of a counter, whose index is one.
    pub(super) fn counter_word(&self, index: u32, word: usize) -> &AtomicU64 {
        self.word(Self::COUNTERS + index as usize * Self::COUNTER + word)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::os::socket;

    /// What processes share, in one.
    pub(crate) fn anonymous() -> Common {
        let memory = Memory::anonymous(Common::LEN).expect("memory");
        Common::new(Arc::new(memory)).expect("it is as long as it must be")
    }

    /// The same memory as two processes have it.
    pub(crate) fn two_mappings() -> (Common, Common) {
        let shared = socket::memory(Common::LEN).expect("a memory file");
        let map = || Common::new(Arc::new(Memory::of(&shared).expect("memory")));
        (map().expect("long enough"), map().expect("long enough"))
    }

    #[test]
    fn memory_that_is_too_small_is_none() {
        let memory = Memory::anonymous(Common::LEN / 2).expect("memory");
        assert!(Common::new(Arc::new(memory)).is_none());
    }

    #[test]
    fn tokens_rise_whoever_takes_them() {
        let (ours, theirs) = two_mappings();
        assert_eq!([ours.next_token(), theirs.next_token(), ours.next_token()], [1, 2, 3]);
    }

    #[test]
    fn a_lock_is_a_cache_line_and_a_counter_is_behind_all_locks() {
        let common = anonymous();
        let at = |word: &AtomicU64| std::ptr::from_ref(word).addr();
        let (first, next) = (common.lock_word(0, 0), common.lock_word(1, 0));
        assert_eq!((at(first) % 64, at(next) - at(first)), (0, 64));
        let last = common.lock_word(Common::PLACES - 1, Common::LOCK - 1);
        assert_eq!(at(common.counter_word(0, 0)), at(last) + 8);
        let end = common.counter_word(Common::ENTRIES - 1, Common::COUNTER - 1);
        assert_eq!(at(end) + 8 - at(common.word(0)), Common::LEN);
    }
}
