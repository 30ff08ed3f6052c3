//! What the master alone knows of a lane: private memory, which no worker can write.
//!
//! The master's JavaScript thread puts events in without a lock while the I/O thread holds it; both use these words.
//! What an event is stands here, and a copy in shared memory for the workers: what they make of the copy is no
//! business of the master's.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::resting::WORDS as SLOT_WORDS;
use crate::core::task_id::TaskId;
use crate::os::memory::Memory;
use crate::wire::layout::Shared;

/// A lane, as both threads of the master see it. Words that different threads write are kept apart.
#[derive(Debug)]
pub(crate) struct Front {
    pub(super) index: usize,
    pub(super) published: Apart<Published>,
    pub(super) taken: Apart<Taken>,
    /// A bit for each worker that may claim here, as in [`Shared::PARKED`].
    claimants: [AtomicU32; SLOT_WORDS],
    /// [`WORDS`] for each place, zeroed by the system where they are first used.
    places: Memory,
}

/// By whoever puts an event in: how many there are, and the first free byte; and whether JavaScript's thread is putting one in.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) count: AtomicU64,
    pub(super) tail: AtomicU32,
    pub(super) writes: AtomicBool,
}

/// By whoever holds the lock: the first event whose place is in use and the first such byte; and whether events wait
/// for a place, so that others must queue behind them.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) first: AtomicU64,
    pub(super) head: AtomicU32,
    pub(super) overflows: AtomicBool,
}

/// On cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Apart<T>(pub(super) T);

/// What an event in a lane is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) task: TaskId,
    /// When it was handed over; 0 where nobody asks.
    pub(crate) since: f64,
    /// Where its text begins, in bytes ever written, and its length.
    pub(crate) start: u32,
    pub(crate) len: u32,
    pub(crate) flags: u32,
    /// How many attempts at it have failed.
    pub(crate) failed: u16,
}

/// The words of a place: the task in two, the time in two, start, length, flags, failed attempts.
const WORDS: usize = 8;

impl Front {
    pub(crate) fn new(index: usize) -> io::Result<Self> {
        let places = Memory::anonymous(4 * WORDS * Shared::PLACES as usize)?;
        Ok(Self {
            index,
            published: Apart::default(),
            taken: Apart::default(),
            claimants: [const { AtomicU32::new(u32::MAX) }; SLOT_WORDS],
            places,
        })
    }

    /// Which workers of this word of the parked ones may claim here.
    pub(super) fn claimants(&self, word: usize) -> u32 {
        self.claimants[word].load(Ordering::SeqCst)
    }

    /// The workers in these slots may claim here, and no others.
    pub(super) fn set_claimants(&self, slots: impl Iterator<Item = usize>) {
        let mut words = [0; SLOT_WORDS];
        for slot in slots {
            let (word, bit) = Shared::parked(slot);
            words[word - Shared::PARKED] |= bit;
        }
        for (word, bits) in self.claimants.iter().zip(words) {
            word.store(bits, Ordering::SeqCst);
        }
    }

    /// How many events have been put in since the beginning.
    pub(crate) fn count(&self) -> u64 {
        self.published.0.count.load(Ordering::Acquire)
    }

    pub(super) fn set(&self, at: u64, event: Waiting) {
        let since = event.since.to_bits();
        let words = [
            event.task as u32,
            (event.task >> 32) as u32,
            since as u32,
            (since >> 32) as u32,
            event.start,
            event.len,
            event.flags,
            event.failed.into(),
        ];
        for (word, value) in words.into_iter().enumerate() {
            // Published by the count.
            self.word(at, word).store(value, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self, at: u64) -> Waiting {
        let word = |word| self.word(at, word).load(Ordering::Relaxed);
        let double = |low| u64::from(word(low)) | u64::from(word(low + 1)) << 32;
        Waiting {
            task: double(0),
            since: f64::from_bits(double(2)),
            start: word(4),
            len: word(5),
            flags: word(6),
            failed: word(7) as u16,
        }
    }

    fn word(&self, at: u64, word: usize) -> &AtomicU32 {
        self.places.word((at % u64::from(Shared::PLACES)) as usize * WORDS + word)
    }
}
