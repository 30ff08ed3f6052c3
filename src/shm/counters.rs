//! Counters that all processes of a program share: whole numbers by name, changed where they lie.
//!
//! A table that is searched from the place on that the hash of the name says. An entry is taken by writing the lower half of
//! the hash, and whoever finds its upper half missing writes his own: a process that is killed in between leaves an entry
//! that the next one completes. An entry never changes its name after that, and is never freed.

use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_128;

use super::common::Common;

/// The most names there can be: half the table, so that a search is short.
pub(crate) const MAX_NAMES: u64 = 1 << 16;

/// The greatest number that JavaScript's numbers hold exactly, and all whole ones below it.
pub(crate) const LIMIT: i64 = (1 << 53) - 1;

/// The words of an entry.
const LOW: usize = 0;
const HIGH: usize = 1;
const VALUE: usize = 2;

/// Why a counter cannot do what it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there are {MAX_NAMES} counters: no further name is possible")]
    Full,
    #[error("the counter would leave the integers that a number holds exactly (up to 2^53 - 1)")]
    Limit,
    #[error("there is no such counter")]
    Unknown,
}

type Result<T> = std::result::Result<T, Refused>;

/// A whole number that a counter can have.
fn checked(value: i64) -> Result<i64> {
    if (-LIMIT..=LIMIT).contains(&value) { Ok(value) } else { Err(Refused::Limit) }
}

impl Common {
    /// The index of a counter, which is made if there is none: 0, then.
    pub(crate) fn counter(&self, name: &[u8]) -> Result<u32> {
        self.counter_of(xxh3_128(name))
    }

    /// The same by the hash of its name.
    fn counter_of(&self, hash: u128) -> Result<u32> {
        // 0 says that there is none.
        let (low, high) = ((hash as u64).max(1), ((hash >> 64) as u64).max(1));
        let first = low as u32;
        for step in 0..Self::ENTRIES {
            let index = first.wrapping_add(step) % Self::ENTRIES;
            let word = self.counter_word(index, LOW);
            let found = match word.load(Ordering::SeqCst) {
                0 => self.take_entry(index, low)?,
                found => found,
            };
            if found == low && self.complete(index, high) == high {
                return Ok(index);
            }
        }
        Err(Refused::Full)
    }

    /// Takes a free entry, unless another process is faster: whose it is then.
    fn take_entry(&self, index: u32, low: u64) -> Result<u64> {
        let (word, names) = (self.counter_word(index, LOW), self.word(Self::NAMES));
        if names.fetch_add(1, Ordering::SeqCst) >= MAX_NAMES {
            names.fetch_sub(1, Ordering::SeqCst);
            // Another process may have made it with the last name there was.
            let found = word.load(Ordering::SeqCst);
            return if found == 0 { Err(Refused::Full) } else { Ok(found) };
        }
        match word.compare_exchange(0, low, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => Ok(low),
            Err(found) => {
                names.fetch_sub(1, Ordering::SeqCst);
                Ok(found)
            }
        }
    }

    /// The upper half of an entry's hash: this one if it has none yet.
    fn complete(&self, index: u32, high: u64) -> u64 {
        let word = self.counter_word(index, HIGH);
        match word.compare_exchange(0, high, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => high,
            Err(found) => found,
        }
    }

    fn value(&self, index: u32) -> Result<&AtomicU64> {
        if index < Self::ENTRIES {
            Ok(self.counter_word(index, VALUE))
        } else {
            Err(Refused::Unknown)
        }
    }

    pub(crate) fn load(&self, index: u32) -> Result<i64> {
        checked(self.value(index)?.load(Ordering::SeqCst).cast_signed())
    }

    pub(crate) fn store(&self, index: u32, value: i64) -> Result<()> {
        let new = checked(value)?.cast_unsigned();
        self.value(index)?.store(new, Ordering::SeqCst);
        Ok(())
    }

    /// Adds to a counter; returns what it was before. Nothing is changed if it would leave its limits.
    pub(crate) fn add(&self, index: u32, more: i64) -> Result<i64> {
        let word = self.value(index)?;
        let more = checked(more)?;
        let mut before = word.load(Ordering::Relaxed);
        loop {
            let new = checked(checked(before.cast_signed())? + more)?.cast_unsigned();
            match word.compare_exchange_weak(before, new, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(before) => return Ok(before.cast_signed()),
                Err(found) => before = found,
            }
        }
    }

    /// Sets a counter; returns what it was before.
    pub(crate) fn exchange(&self, index: u32, value: i64) -> Result<i64> {
        let new = checked(value)?.cast_unsigned();
        checked(self.value(index)?.swap(new, Ordering::SeqCst).cast_signed())
    }

    /// Sets a counter if it is what is `expected`; returns what it was before.
    pub(crate) fn compare_exchange(&self, index: u32, expected: i64, value: i64) -> Result<i64> {
        let (expected, new) = (expected.cast_unsigned(), checked(value)?.cast_unsigned());
        let word = self.value(index)?;
        let before = word.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst);
        checked(before.unwrap_or_else(|found| found).cast_signed())
    }
}

#[cfg(test)]
mod tests;
