//! The events that wait, in memory that all workers share: each worker claims the next one itself.
//!
//! Claiming is a compare-and-swap on the event's state, from "nobody's" to one's own, tried on each
//! event in turn: so events are started in the order in which they came, by whichever worker is free
//! first, and no worker holds what it does not run. Who claimed what stands in the same word: that is
//! how the master knows what a worker that was killed had started. The layout is [`Common`]'s.
//!
//! The master's JavaScript thread puts events in ([`Writer`]), or whoever has locked the pool where
//! the text is long or the backlog was full: never both at once, see [`Board::OVERFLOWS`]. A place
//! is used again when its event has ended; one that runs for long does not hold the others up,
//! because its text is kept elsewhere then ([`Backlog::make_room`]). Nor does a worker that is stopped
//! before it has read the text of what it claimed: after a while the master takes the event back, by a
//! compare-and-swap as well ([`Backlog::take_unread`]). What the master must be able
//! to rely on is not read from this memory, which every worker can write: only states, texts and
//! their places are. A text that is not within bounds is none; what else it says is the program's
//! business, as in an answer.

mod claimer;
mod writer;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::core::scheduler::TaskId;
use crate::os::memory::Memory;
use crate::run::task::{Task, Tasks};
use crate::shm::store::Bytes;
use crate::wire::header::flag;
use crate::wire::protocol::{Board, Common};

pub(crate) use claimer::{Claimed, Claimer};
pub(crate) use writer::Writer;

/// Who has an event of the backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The worker in this place.
    Worker(usize),
    /// The master took it back, or its state is garbage: it has to be handed out otherwise.
    Master,
}

/// The master's end.
#[derive(Debug)]
pub(crate) struct Backlog {
    memory: Arc<Memory>,
    board: Arc<Memory>,
    /// The first event whose place is taken.
    first: TaskId,
    /// The first event that nobody had claimed when last looked at.
    claimed: TaskId,
    /// The events between the two.
    begun: VecDeque<Begun>,
    /// The oldest event, if its place was wanted and its worker had not read the text.
    unread: Option<TaskId>,
    /// How many bytes the texts have of those that have ended and whose bytes are not free yet.
    ended_bytes: u32,
    /// Mean bytes of the texts, newer ones counting more.
    mean_bytes: u32,
}

/// An event that was claimed, and whose place is not free yet.
#[derive(Debug, Clone, Copy)]
struct Begun {
    has_ended: bool,
    /// How many bytes its text takes.
    bytes: u32,
}

impl Backlog {
    pub(crate) fn new(memory: Arc<Memory>, board: Arc<Memory>) -> Self {
        assert!(memory.len() >= Common::LEN && board.len() >= Board::LEN, "the layouts fit");
        Self {
            memory,
            board,
            first: 0,
            claimed: 0,
            begun: VecDeque::new(),
            unread: None,
            ended_bytes: 0,
            mean_bytes: 0,
        }
    }

    /// How many events have been put in since the beginning.
    pub(crate) fn published(&self) -> TaskId {
        let word = self.board.word(Board::PUBLISHED).load(Ordering::SeqCst);
        self.claimed + TaskId::from(word.wrapping_sub(low(self.claimed)))
    }

    /// How many events nobody had claimed when last looked at.
    pub(crate) fn unclaimed(&self) -> usize {
        usize::try_from(self.published() - self.claimed).expect("as many as there are places")
    }

    /// How many bytes the texts take of events that have not ended.
    pub(crate) fn bytes(&self) -> usize {
        let all = self.tail().wrapping_sub(self.board.word(Board::HEAD).load(Ordering::Relaxed));
        all.saturating_sub(self.ended_bytes) as usize
    }

    /// How many bytes the next event's text probably takes.
    pub(crate) fn mean_bytes(&self) -> usize {
        self.mean_bytes.max(8) as usize
    }

    /// Puts an event in; gives it back if there is no room.
    pub(crate) fn publish(&mut self, task: Task, tasks: &mut Tasks) -> Result<(), Task> {
        let Task { text, flags, .. } = &task;
        let is_long = text.len() > Common::LONGEST;
        let len = if is_long { 0 } else { u32::try_from(text.len()).expect("shorter than that") };
        let Some(start) = self.make_room(len, tasks) else { return Err(task) };
        let id = self.published();
        let mut flags = *flags;
        if is_long {
            flags |= flag::LONG;
            tasks.keep(id, task);
        } else {
            self.memory.write(Common::BYTES + offset(start), text);
            if flags & flag::FORMAT == flag::STRING || text.is_ascii() {
                flags |= flag::ASCII;
            }
        }
        publish(&self.memory, &self.board, low(id), start, len, flags);
        Ok(())
    }

    /// Where a text of `len` bytes can lie, if an event has a place and its text room. Events that
    /// have run for so long that all later places are taken give theirs up.
    fn make_room(&mut self, len: u32, tasks: &mut Tasks) -> Option<u32> {
        if self.first == self.published() {
            self.board.word(Board::HEAD).store(self.tail(), Ordering::SeqCst);
        }
        loop {
            let has_place = self.published() - self.first < TaskId::from(Common::PLACES);
            let head = self.board.word(Board::HEAD).load(Ordering::Relaxed);
            if let Some(start) = fit(self.tail(), head, len).filter(|_| has_place) {
                return Some(start);
            }
            if !self.evict(tasks) {
                return None;
            }
        }
    }

    /// Keeps the oldest event's text elsewhere. False if its worker may still read it here.
    fn evict(&mut self, tasks: &mut Tasks) -> bool {
        let id = self.first;
        if id == self.claimed {
            return false;
        }
        if self.state(id) & Common::READ == 0 {
            self.unread = Some(id);
            return false;
        }
        self.keep(id, tasks);
        self.end(id);
        true
    }

    /// The event whose place is wanted, if its worker has yet to read the text.
    pub(crate) fn unread(&self) -> Option<TaskId> {
        self.unread.filter(|&id| id == self.first && self.state(id) & Common::READ == 0)
    }

    /// Takes an event back whose worker has claimed it and not read it: the worker finds that out when it has
    /// read something after all, and does not run it. False if it was faster.
    pub(crate) fn take_unread(&mut self, id: TaskId, tasks: &mut Tasks) -> bool {
        let state = self.state(id);
        let taken = free(id) | Common::MASTER | Common::READ;
        let word = self.memory.word(entry(id));
        let is_taken = state & Common::READ == 0
            && word.compare_exchange(state, taken, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if is_taken {
            self.keep(id, tasks);
            self.end(id);
        }
        is_taken
    }

    /// Copies an event's text to where nobody else can touch it.
    pub(crate) fn keep(&self, id: TaskId, tasks: &mut Tasks) {
        if !tasks.has(id) {
            let mut text = Bytes::default();
            let flags = self.read(id, &mut text);
            tasks.keep(id, Task::new(text, flags));
        }
    }

    /// The next event that was claimed since the last look, in order of submission.
    pub(crate) fn next_claim(&mut self) -> Option<(TaskId, Owner)> {
        let id = self.claimed;
        if id == self.published() || self.state(id) == free(id) {
            return None;
        }
        self.claimed += 1;
        let bytes = padded(self.word(id, 2)).min(Common::SIZE);
        self.begun.push_back(Begun { has_ended: false, bytes });
        self.mean_bytes = self.mean_bytes - self.mean_bytes / 8 + bytes / 8;
        Some((id, self.owner(id)))
    }

    fn owner(&self, id: TaskId) -> Owner {
        let state = self.state(id);
        let owner = (state ^ free(id)) & !Common::READ;
        if (1..=Common::MAX_WORKERS).contains(&owner) {
            Owner::Worker(owner as usize - 1)
        } else {
            Owner::Master
        }
    }

    /// Takes back what the worker in `place`, which has ended, claimed out of turn: no worker of ours
    /// does that.
    pub(crate) fn disown(&self, place: usize) {
        for id in self.claimed..self.published() {
            if self.owner(id) == Owner::Worker(place) {
                let taken = free(id) | Common::MASTER | Common::READ;
                self.memory.word(entry(id)).store(taken, Ordering::SeqCst);
            }
        }
    }

    /// Claims for the master what nobody has; [`Self::next_claim`] tells what that was.
    pub(crate) fn take_back(&self) {
        for id in self.claimed..self.published() {
            let taken = free(id) | Common::MASTER | Common::READ;
            // Some worker is faster, or not: either way it is claimed now.
            let _ = self.memory.word(entry(id)).compare_exchange(
                free(id),
                taken,
                Ordering::SeqCst,
                Ordering::SeqCst,
            );
        }
    }

    /// Which event an answer with this number can be about: one before the last that was put in.
    pub(crate) fn id_of(&self, index: u32) -> Option<TaskId> {
        let published = self.published();
        let back = TaskId::from(low(published).wrapping_sub(index));
        published.checked_sub(back)
    }

    /// An event's text, put in the place of what is in `text`, and its flags.
    pub(crate) fn read(&self, id: TaskId, text: &mut Bytes) -> u32 {
        self.peek(id, usize::MAX, text)
    }

    /// The same of the text's first bytes, `most` at most.
    pub(crate) fn peek(&self, id: TaskId, most: usize, text: &mut Bytes) -> u32 {
        text.clear();
        let (at, len) = (offset(self.word(id, 1)), self.word(id, 2) as usize);
        if len > Common::SIZE as usize - at {
            return flag::HOLE;
        }
        self.memory.read(Common::BYTES + at, len.min(most), text);
        self.word(id, 3)
    }

    /// An event has ended: its place is free as soon as those before it are.
    pub(crate) fn end(&mut self, id: TaskId) {
        let at = id.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(begun) = at.and_then(|at| self.begun.get_mut(at))
            && !begun.has_ended
        {
            begun.has_ended = true;
            self.ended_bytes = self.ended_bytes.saturating_add(begun.bytes);
            self.free();
        }
    }

    fn free(&mut self) {
        let before = self.first;
        while let Some(begun) = self.begun.front().copied().filter(|begun| begun.has_ended) {
            self.begun.pop_front();
            self.ended_bytes -= begun.bytes.min(self.ended_bytes);
            self.first += 1;
        }
        if self.first == before {
            return;
        }
        let last = self.first - 1;
        let head = self.word(last, 1).wrapping_add(padded(self.word(last, 2)));
        // Garbage would give away what is in use: then the bytes are free with those of a later event.
        let before = self.board.word(Board::HEAD).load(Ordering::Relaxed);
        if head.wrapping_sub(before) <= self.tail().wrapping_sub(before) {
            self.board.word(Board::HEAD).store(head, Ordering::SeqCst);
        }
        self.board.word(Board::FIRST).store(low(self.first), Ordering::SeqCst);
    }

    /// Has whoever claims the middle one of the waiting events ring, once it has read it; if none waits,
    /// whoever reads the oldest, whose place can be used again then. False if that has happened
    /// meanwhile: then there is more to look at.
    pub(crate) fn ask_for_ring(&self) -> bool {
        let ring_at = |id| self.memory.word(Common::RING_AT).store(low(id), Ordering::SeqCst);
        let unclaimed = self.unclaimed() as TaskId;
        if unclaimed > 0 {
            let middle = self.claimed + unclaimed / 2;
            ring_at(middle);
            return self.state(middle) == free(middle);
        }
        let is_read = || self.state(self.first) & Common::READ != 0;
        if self.first == self.claimed || is_read() {
            return true;
        }
        ring_at(self.first);
        !is_read()
    }

    /// Whether the master looks at the answers without being rung.
    pub(crate) fn set_looking(&self, looks: bool) {
        self.memory.word(Common::LOOKS).store(u32::from(looks), Ordering::SeqCst);
    }

    /// Whether the worker in `place` sleeps until there is an event.
    pub(crate) fn is_asleep(&self, place: usize) -> bool {
        let (word, bit) = sleeper(place);
        self.memory.word(word).load(Ordering::SeqCst) & bit != 0
    }

    /// Notes that the worker in `place` does not sleep any more. True if it did: it must be rung.
    pub(crate) fn wake(&self, place: usize) -> bool {
        let (word, bit) = sleeper(place);
        self.memory.word(word).fetch_and(!bit, Ordering::SeqCst) & bit != 0
    }

    fn tail(&self) -> u32 {
        self.board.word(Board::TAIL).load(Ordering::Relaxed)
    }

    fn state(&self, id: TaskId) -> u32 {
        self.memory.word(entry(id)).load(Ordering::SeqCst)
    }

    fn word(&self, id: TaskId, at: usize) -> u32 {
        self.memory.word(entry(id) + at).load(Ordering::Relaxed)
    }
}

/// The index of the first word of an event's place.
pub(crate) fn entry(id: TaskId) -> usize {
    Common::TABLE + (low(id) & (Common::PLACES - 1)) as usize * Common::ENTRY
}

/// The state of an event that nobody has claimed.
pub(crate) fn free(id: TaskId) -> u32 {
    low(id) & !(Common::PLACES - 1)
}

/// The word and the bit of the worker in `place` among the sleepers.
pub(crate) fn sleeper(place: usize) -> (usize, u32) {
    (Common::SLEEPERS + place / 32, 1 << (place % 32))
}

/// Where a text of `len` bytes lies in one piece behind `tail`; none if it would reach those that begin at
/// `head`.
fn fit(tail: u32, head: u32, len: u32) -> Option<u32> {
    let at = tail & (Common::SIZE - 1);
    let wraps = at + padded(len) > Common::SIZE;
    let start = if wraps { tail.wrapping_add(Common::SIZE - at) } else { tail };
    let end = start.wrapping_add(padded(len));
    (end.wrapping_sub(head) <= Common::SIZE).then_some(start)
}

/// Hands an event over whose text of `len` bytes was written at `start`.
fn publish(memory: &Memory, board: &Memory, number: u32, start: u32, len: u32, flags: u32) {
    let place = entry(number.into());
    for (at, value) in [(1, start), (2, len), (3, flags), (0, free(number.into()))] {
        memory.word(place + at).store(value, Ordering::Release);
    }
    board.word(Board::TAIL).store(start.wrapping_add(padded(len)), Ordering::Release);
    let next = number.wrapping_add(1);
    // Before it is visible to workers: who sees their answer knows that it was handed over.
    board.word(Board::PUBLISHED).store(next, Ordering::Release);
    memory.word(Common::PUBLISHED).store(next, Ordering::SeqCst);
}

fn padded(len: u32) -> u32 {
    len.wrapping_add(7) & !7
}

fn offset(position: u32) -> usize {
    (position & (Common::SIZE - 1)) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "numbers in shared memory are modulo 2^32")]
fn low(id: TaskId) -> u32 {
    id as u32
}

#[cfg(test)]
mod tests;
