//! What JavaScript's thread reads and writes of its run without the pool's lock.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// See the module's text. Numbers of events count all that `Map` has handed over.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// JavaScript: how many events it has handed over, whichever way they went.
    handed_over: AtomicU64,
    /// The pool: the number of the first event that has to wait; earlier ones have credit.
    allowed: AtomicU64,
    /// JavaScript: the number of the first event whose `Map` waits; [`NOBODY`] if none does.
    waiting_for: AtomicU64,
    /// The pool: how many entries a stream's reader has not taken, and their bytes.
    unread: AtomicU32,
    unread_bytes: AtomicU64,
    /// JavaScript: a stream's reader waits for an entry.
    reads: AtomicBool,
    /// The pool: there are answers that the program is to be shown as they come.
    has_observed: AtomicBool,
}

/// No `Map` waits.
const NOBODY: u64 = u64::MAX;

impl Words {
    pub(crate) fn new() -> Self {
        let waiting_for = AtomicU64::new(NOBODY);
        Self { waiting_for, ..Self::default() }
    }

    pub(crate) fn handed_over(&self) -> u64 {
        self.handed_over.load(Ordering::Acquire)
    }

    /// One more event is handed over; its number. On JavaScript's thread.
    pub(crate) fn hand_over(&self) -> u64 {
        let number = self.handed_over.load(Ordering::Relaxed);
        self.handed_over.store(number + 1, Ordering::Release);
        number
    }

    pub(crate) fn allowed(&self) -> u64 {
        self.allowed.load(Ordering::SeqCst)
    }

    pub(crate) fn allow(&self, number: u64) {
        self.allowed.store(number, Ordering::SeqCst);
    }

    /// Whether there is credit for the event of this number.
    pub(crate) fn has_credit(&self, number: u64) -> bool {
        number < self.allowed()
    }

    /// The event whose `Map` waits first.
    pub(crate) fn waiting_for(&self) -> Option<u64> {
        Some(self.waiting_for.load(Ordering::SeqCst)).filter(|&number| number != NOBODY)
    }

    pub(crate) fn wait_for(&self, number: Option<u64>) {
        self.waiting_for.store(number.unwrap_or(NOBODY), Ordering::SeqCst);
    }

    /// What a reader has not taken. True if either is less than before.
    pub(crate) fn show_unread(&self, entries: usize, bytes: usize) -> bool {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        let bytes = bytes as u64;
        let are_fewer = self.unread.swap(entries, Ordering::SeqCst) > entries;
        self.unread_bytes.swap(bytes, Ordering::SeqCst) > bytes || are_fewer
    }

    /// Whether a reader has so many entries, or so many bytes of them, still to take.
    pub(crate) fn is_full(&self, entries: u32, bytes: f64) -> bool {
        self.unread.load(Ordering::SeqCst) >= entries
            || self.unread_bytes.load(Ordering::SeqCst) as f64 >= bytes
    }

    /// Whether the program has yet to be shown an answer that it follows.
    pub(crate) fn has_observed(&self) -> bool {
        self.has_observed.load(Ordering::Acquire)
    }

    pub(crate) fn show_observed(&self, has_observed: bool) {
        self.has_observed.store(has_observed, Ordering::Release);
    }

    pub(crate) fn reads(&self) -> bool {
        self.reads.load(Ordering::SeqCst)
    }

    pub(crate) fn set_reads(&self, reads: bool) {
        self.reads.store(reads, Ordering::SeqCst);
    }
}
