//! The master's JavaScript thread puts events in, without a lock: see [`super`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{entry, free, padded};
use crate::memory::Memory;
use crate::protocol::{Board, Common};

/// The end of the master's JavaScript thread. There is one.
#[derive(Debug)]
pub(crate) struct Writer {
    memory: Arc<Memory>,
    board: Arc<Memory>,
    sleeper_words: usize,
}

/// Where an event's text goes: as many bytes as were asked for, in one piece.
#[derive(Debug)]
pub(crate) struct Room {
    number: u32,
    start: u32,
}

impl Writer {
    pub(crate) fn new(memory: Arc<Memory>, board: Arc<Memory>, workers: usize) -> Self {
        Self { memory, board, sleeper_words: workers.div_ceil(32) }
    }

    /// Room for a text of at most `len` bytes. None if it is too long, or there is no place: then the
    /// pool takes it in.
    pub(crate) fn room(&self, len: usize) -> Option<Room> {
        let word = |at: usize| self.board.word(at).load(Ordering::Acquire);
        if len > Common::LONGEST || word(Board::OVERFLOWS) != 0 {
            return None;
        }
        let number = word(Board::PUBLISHED);
        if number.wrapping_sub(word(Board::FIRST)) >= Common::PLACES {
            return None;
        }
        let len = padded(u32::try_from(len).ok()?);
        let mut start = word(Board::TAIL);
        let at = start & (Common::SIZE - 1);
        if at + len > Common::SIZE {
            start = start.wrapping_add(Common::SIZE - at);
        }
        let used = start.wrapping_sub(word(Board::HEAD));
        (u64::from(used) + u64::from(len) <= u64::from(Common::SIZE))
            .then_some(Room { number, start })
    }

    /// Where the text is to be written.
    pub(crate) fn bytes(&self, room: &Room) -> *mut u8 {
        self.memory.at(Common::BYTES + (room.start & (Common::SIZE - 1)) as usize)
    }

    /// Hands the event over whose text of `len` bytes was written.
    pub(crate) fn publish(&self, room: &Room, len: u32, flags: u32) {
        let Room { number, start } = *room;
        let place = entry(number.into());
        for (at, value) in [(1, start), (2, len), (3, flags), (0, free(number.into()))] {
            self.memory.word(place + at).store(value, Ordering::Release);
        }
        self.board.word(Board::TAIL).store(start.wrapping_add(padded(len)), Ordering::Release);
        let next = number.wrapping_add(1);
        // Before it is visible to workers: who sees their answer knows that it was handed over.
        self.board.word(Board::PUBLISHED).store(next, Ordering::Release);
        self.memory.word(Common::PUBLISHED).store(next, Ordering::SeqCst);
    }

    /// Whether a worker sleeps that an event should wake.
    pub(crate) fn has_sleepers(&self) -> bool {
        let word = |at: usize| self.memory.word(Common::SLEEPERS + at).load(Ordering::SeqCst);
        (0..self.sleeper_words).any(|at| word(at) != 0)
    }

    /// Whether there is room for the event of this number.
    pub(crate) fn has_room_for(&self, number: u32) -> bool {
        let allowed = self.board.word(Board::ALLOWED).load(Ordering::SeqCst);
        allowed.wrapping_sub(number).cast_signed() > 0
    }
}
