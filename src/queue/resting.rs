//! Which of the parked workers no event should wake: those beyond the number of processors, where events are short.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::wire::layout::Shared;

/// How many words have a bit for each worker.
pub(super) const WORDS: usize = Shared::MAX_WORKERS.div_ceil(32) as usize;

/// One bit a worker, as in [`Shared::PARKED`], in the master's own memory.
#[derive(Debug)]
pub(crate) struct Resting {
    bits: [AtomicU32; WORDS],
    /// How many of the words are used.
    words: AtomicUsize,
}

impl Default for Resting {
    fn default() -> Self {
        Self { bits: [const { AtomicU32::new(0) }; WORDS], words: AtomicUsize::new(WORDS) }
    }
}

impl Resting {
    pub(super) fn set_workers(&self, workers: usize) {
        self.words.store(workers.div_ceil(32), Ordering::SeqCst);
    }

    /// How many words have a bit of some worker.
    pub(super) fn words(&self) -> usize {
        self.words.load(Ordering::Relaxed)
    }

    /// Whether some of these workers, of this word of the parked ones, is to be woken.
    pub(super) fn wakes(&self, word: usize, parked: u32) -> bool {
        parked != 0 && parked & !self.bits[word].load(Ordering::SeqCst) != 0
    }

    pub(super) fn add(&self, slot: usize) {
        let (word, bit) = place(slot);
        self.bits[word].fetch_or(bit, Ordering::SeqCst);
    }

    pub(super) fn remove(&self, slot: usize) {
        let (word, bit) = place(slot);
        self.bits[word].fetch_and(!bit, Ordering::SeqCst);
    }

    pub(super) fn clear(&self) {
        self.bits.iter().for_each(|word| word.store(0, Ordering::SeqCst));
    }
}

fn place(slot: usize) -> (usize, u32) {
    let (word, bit) = Shared::parked(slot);
    (word - Shared::PARKED, bit)
}
