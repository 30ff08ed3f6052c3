//! The master's JavaScript thread puts the events of one run in, without a lock: see [`super`].

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::front::{Front, Waiting};
use super::resting::Resting;
use super::{fit, publish};
use crate::core::task_id::{DIRECT, RunId, TaskId, first_of};
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::wire::layout::Shared;

/// One run's end on JavaScript's thread.
#[derive(Debug)]
pub(crate) struct Writer {
    memory: Arc<Memory>,
    front: Arc<Front>,
    run: RunId,
    resting: Arc<Resting>,
    /// Whether it is noted when each event is handed over.
    notes_times: bool,
}

/// Where an event's text goes: as many bytes as were asked for, in one piece. Until it is dropped the lane is this thread's.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    front: &'a Front,
    at: u64,
    start: u32,
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.front.published.0.writes.store(false, Ordering::Release);
    }
}

impl Writer {
    /// Of a run of a pool, into one of its lanes.
    pub(crate) fn new(
        memory: Arc<Memory>,
        (front, resting): (Arc<Front>, Arc<Resting>),
        run: RunId,
        notes_times: bool,
    ) -> Self {
        Self { memory, front, run, resting, notes_times }
    }

    /// Room for a text of at most `len` bytes. None if it is too long, or there is no place: then the pool takes the
    /// event in.
    pub(crate) fn room(&self, len: usize) -> Option<Room<'_>> {
        let taken = &self.front.taken.0;
        if len > Shared::LONGEST || taken.overflows.load(Ordering::Acquire) {
            return None;
        }
        let mut room = Room { front: &self.front, at: 0, start: 0 };
        // Either this sees that the pool puts something in itself, or the pool sees that this thread does: see `Lane::take_over`.
        self.front.published.0.writes.store(true, Ordering::SeqCst);
        if taken.overflows.load(Ordering::SeqCst) {
            return None;
        }
        let at = self.front.count();
        if at - taken.first.load(Ordering::Acquire) >= Shared::PLACES.into() {
            return None;
        }
        let tail = self.front.published.0.tail.load(Ordering::Acquire);
        let start = fit(tail, taken.head.load(Ordering::Acquire), u32::try_from(len).ok()?)?;
        (room.at, room.start) = (at, start);
        Some(room)
    }

    /// Where the text is to be written.
    pub(crate) fn bytes(&self, room: &Room<'_>) -> *mut u8 {
        self.memory.at(Shared::byte(self.front.index, room.start))
    }

    /// Hands over the run's event of this number, whose text of `len` bytes was written.
    pub(crate) fn publish(&self, room: &Room<'_>, number: u64, len: u32, flags: u32) {
        let task: TaskId = first_of(self.run) + number % DIRECT;
        let since = if self.notes_times { clock() } else { 0.0 };
        let event = Waiting { task, since, start: room.start, len, flags, failed: 0 };
        publish(&self.memory, &self.front, room.at, event);
    }

    /// Whether a worker is parked that an event should wake.
    pub(crate) fn has_parked(&self) -> bool {
        let word = |at: usize| {
            self.memory.word(Shared::PARKED + at).load(Ordering::SeqCst) & self.front.claimants(at)
        };
        (0..self.resting.words()).any(|at| self.resting.wakes(at, word(at)))
    }
}
