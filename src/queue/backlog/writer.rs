//! The master's JavaScript thread puts events in, without a lock: see [`super`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{fit, publish};
use crate::observe::record::Queued;
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::wire::protocol::{Board, Common};

/// The end of the master's JavaScript thread. There is one.
#[derive(Debug)]
pub(crate) struct Writer {
    memory: Arc<Memory>,
    board: Arc<Memory>,
    sleeper_words: usize,
    /// Where the time is noted, if somebody asks for it.
    queued: Option<Arc<Queued>>,
}

/// Where an event's text goes: as many bytes as were asked for, in one piece.
#[derive(Debug)]
pub(crate) struct Room {
    number: u32,
    start: u32,
}

impl Writer {
    pub(crate) fn new(memory: Arc<Memory>, board: Arc<Memory>, workers: usize) -> Self {
        Self { memory, board, sleeper_words: workers.div_ceil(32), queued: None }
    }

    /// The same, which notes when each event is handed over.
    pub(crate) fn noting(self, queued: Option<Arc<Queued>>) -> Self {
        Self { queued, ..self }
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
        let len = u32::try_from(len).ok()?;
        let start = fit(word(Board::TAIL), word(Board::HEAD), len)?;
        Some(Room { number, start })
    }

    /// Where the text is to be written.
    pub(crate) fn bytes(&self, room: &Room) -> *mut u8 {
        self.memory.at(Common::BYTES + (room.start & (Common::SIZE - 1)) as usize)
    }

    /// Hands the event over whose text of `len` bytes was written.
    pub(crate) fn publish(&self, room: &Room, len: u32, flags: u32) {
        if let Some(queued) = &self.queued {
            queued.set(room.number, clock());
        }
        publish(&self.memory, &self.board, room.number, room.start, len, flags);
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
