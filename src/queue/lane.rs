//! The master's end of one lane: see [`super`]. It has the bookkeeping of what was claimed and whose place is free.

mod claims;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::front::{Front, Waiting};
use super::tasks::{Task, Tasks};
use super::{fit, padded, publish};
use crate::core::router::Priority;
use crate::core::task_id::TaskId;
use crate::os::memory::Memory;
use crate::shm::store::Bytes;
use crate::wire::header::flag;
use crate::wire::layout::Shared;
use crate::wire::seq::Seq;

/// Who has an event of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The worker in this slot.
    Worker(usize),
    /// The master took it back, or its state is garbage: it has to be handed out otherwise.
    Master,
}

/// An event that was claimed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) task: TaskId,
    /// Its number in the lane since the beginning.
    pub(crate) at: u64,
    pub(crate) owner: Owner,
    pub(crate) is_long: bool,
    /// When it was handed over; 0 where nobody asks.
    pub(crate) queued: f64,
}

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Lane {
    memory: Arc<Memory>,
    pub(super) front: Arc<Front>,
    /// The first event whose place is in use.
    first: u64,
    /// The first event that was not looked at: nobody had claimed it then.
    claimed: u64,
    /// In the addressed lane: events before that one that nobody had claimed when last looked at.
    passed: Vec<u64>,
    /// The events between the two.
    begun: VecDeque<Begun>,
    /// The oldest event, if its place was wanted and its worker had not read the text.
    unread: Option<u64>,
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

impl Lane {
    pub(crate) fn new(memory: Arc<Memory>, front: Arc<Front>) -> Self {
        assert!(memory.len() >= Shared::LEN, "the layout fits");
        Self {
            memory,
            front,
            first: 0,
            claimed: 0,
            passed: Vec::new(),
            begun: VecDeque::new(),
            unread: None,
            ended_bytes: 0,
            mean_bytes: 0,
        }
    }

    /// How many events nobody had claimed when last looked at.
    pub(crate) fn unclaimed(&self) -> usize {
        let behind = usize::try_from(self.front.count() - self.claimed);
        behind.expect("as many as there are places") + self.passed.len()
    }

    /// How many events were claimed since the beginning, when last looked at.
    pub(crate) fn claimed(&self) -> u64 {
        self.claimed - self.passed.len() as u64
    }

    /// Whether nobody had yet to claim an event when last looked at.
    pub(super) fn is_claimed(&self) -> bool {
        self.unclaimed() == 0
    }

    /// Whether no place is in use.
    pub(crate) fn is_empty(&self) -> bool {
        self.first == self.front.count()
    }

    /// How many bytes the texts take of events that have not ended.
    pub(crate) fn bytes(&self) -> usize {
        self.tail().wrapping_sub(self.head()).saturating_sub(self.ended_bytes) as usize
    }

    /// How many bytes the next event's text probably takes.
    pub(crate) fn mean_bytes(&self) -> usize {
        self.mean_bytes.max(8) as usize
    }

    /// Puts an event in. False if there is no room.
    #[must_use]
    pub(crate) fn publish(&mut self, id: TaskId, task: &Task, tasks: &mut Tasks) -> bool {
        self.publish_to(None, (id, task), tasks)
    }

    /// Puts an event in, in the addressed lane for whom it is. False if there is no room.
    #[must_use]
    pub(super) fn publish_to(
        &mut self,
        to: Option<(u32, Priority)>,
        (id, task): (TaskId, &Task),
        tasks: &mut Tasks,
    ) -> bool {
        let Task { text, flags, failed, queued } = task;
        let is_long = text.len() > Shared::LONGEST;
        let len = if is_long { 0 } else { u32::try_from(text.len()).expect("shorter than that") };
        let Some(start) = self.make_room(len, tasks) else { return false };
        let mut flags = *flags;
        if is_long {
            flags |= flag::LONG;
        } else {
            self.memory.write(Shared::byte(self.front.index, start), text);
            if flags & flag::FORMAT == flag::STRING || text.is_ascii() {
                flags |= flag::ASCII;
            }
        }
        if let Some((to, priority)) = to {
            // Whoever sees the event sees this.
            let entry = self.entry(self.front.count());
            self.memory.word(entry + Shared::TO).store(to, Ordering::Relaxed);
            let priority = priority.cast_unsigned();
            self.memory.word(entry + Shared::PRIORITY).store(priority, Ordering::Relaxed);
        }
        let event = Waiting { task: id, since: *queued, start, len, flags, failed: *failed };
        publish(&self.memory, &self.front, self.front.count(), event);
        true
    }

    /// Where a text of `len` bytes can lie, if an event has a place and its text room. Events that have run for so long
    /// that all later places are taken give theirs up.
    fn make_room(&mut self, len: u32, tasks: &mut Tasks) -> Option<u32> {
        let front = Arc::clone(&self.front);
        if self.is_empty() {
            front.taken.0.head.store(self.tail(), Ordering::SeqCst);
        }
        loop {
            let has_place = front.count() - self.first < u64::from(Shared::PLACES);
            if let Some(start) = fit(self.tail(), self.head(), len).filter(|_| has_place) {
                return Some(start);
            }
            if !self.evict(tasks) {
                return None;
            }
        }
    }

    /// Keeps the oldest event's text elsewhere. False if its worker may still read it here.
    fn evict(&mut self, tasks: &mut Tasks) -> bool {
        let at = self.first;
        if at == self.claimed {
            return false;
        }
        if self.passed.contains(&at) {
            // It comes back, and goes to the end.
            self.take(at);
            return false;
        }
        if self.state(at) & Shared::READ == 0 {
            self.unread = Some(at);
            return false;
        }
        self.keep(at, tasks);
        self.end(at);
        true
    }

    /// The event whose place is wanted, if its worker has yet to read the text.
    pub(crate) fn unread(&self) -> Option<u64> {
        self.unread.filter(|&at| at == self.first && self.state(at) & Shared::READ == 0)
    }

    /// Takes an event back whose worker has claimed it and not read it: the worker finds that out when it has read
    /// something after all, and does not run it. None if it was faster.
    pub(crate) fn take_unread(&mut self, at: u64, tasks: &mut Tasks) -> Option<TaskId> {
        let state = self.state(at);
        let word = self.memory.word(self.entry(at));
        let is_taken = state & Shared::READ == 0
            && word.compare_exchange(state, taken(at), Ordering::SeqCst, Ordering::SeqCst).is_ok();
        is_taken.then(|| {
            let task = self.front.get(at).task;
            self.keep(at, tasks);
            self.end(at);
            task
        })
    }

    /// Copies an event's text to where nobody else can touch it. One that has given its place up has it there already: what
    /// the place says now is another's, and JavaScript may be writing it.
    pub(crate) fn keep(&self, at: u64, tasks: &mut Tasks) {
        if at < self.first {
            return;
        }
        let Waiting { task, failed, flags: own, .. } = self.front.get(at);
        if !tasks.has(task) {
            let mut text = Bytes::default();
            let flags = self.read(at, &mut text);
            let mut kept = Task { failed, ..Task::new(text, flags) };
            // It was tried, and what that told of it holds.
            kept.flags |= own & flag::ALONE;
            tasks.keep(task, kept);
        }
    }

    /// Which event an answer with this number can be about: one before the last that was put in.
    pub(crate) fn at(&self, index: u32) -> Option<u64> {
        let count = self.front.count();
        count.checked_sub(Seq::of(count).since(Seq(index)).into())
    }

    /// An event's text, put in the place of what is in `text`, and its flags.
    pub(crate) fn read(&self, at: u64, text: &mut Bytes) -> u32 {
        self.peek(at, usize::MAX, text)
    }

    /// The same of the text's first bytes, `most` at most.
    pub(crate) fn peek(&self, at: u64, most: usize, text: &mut Bytes) -> u32 {
        let Waiting { start, len, flags, .. } = self.front.get(at);
        text.clear();
        self.memory.read(Shared::byte(self.front.index, start), most.min(len as usize), text);
        flags
    }

    /// An event has ended: its place is free as soon as those before it are.
    pub(crate) fn end(&mut self, at: u64) {
        let begun = at.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(begun) = begun.and_then(|at| self.begun.get_mut(at))
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
        let Waiting { start, len, .. } = self.front.get(self.first - 1);
        let taken = &self.front.taken.0;
        taken.head.store(start.wrapping_add(padded(len)), Ordering::SeqCst);
        taken.first.store(self.first, Ordering::SeqCst);
    }

    /// Has whoever claims the middle one of the waiting events notify the master, once it has read it; if none waits,
    /// whoever reads the oldest, whose place can be used again then. False if that has happened meanwhile: then there is
    /// more to take in.
    pub(crate) fn ask_for_notice(&self) -> bool {
        let notify_at = |at: u64| {
            let word = Shared::header(self.front.index, Shared::NOTIFY_AT);
            self.memory.word(word).store(Seq::of(at).0, Ordering::SeqCst);
        };
        let unclaimed = self.unclaimed() as u64;
        if unclaimed > 0 {
            let middle = self.claimed + unclaimed / 2;
            notify_at(middle);
            return self.state(middle) == free(middle);
        }
        let is_read = || self.state(self.first) & Shared::READ != 0;
        if self.first == self.claimed || is_read() {
            return true;
        }
        notify_at(self.first);
        !is_read()
    }

    /// Has JavaScript's thread put nothing in, until [`Self::set_overflows`]: whoever holds the lock does. False if it is in the
    /// middle of that.
    #[must_use]
    pub(crate) fn take_over(&self) -> bool {
        self.set_overflows(true);
        !self.front.published.0.writes.load(Ordering::SeqCst)
    }

    /// Whether events wait for a place: others must queue behind them.
    pub(crate) fn set_overflows(&self, overflows: bool) {
        self.front.taken.0.overflows.store(overflows, Ordering::SeqCst);
    }

    /// What is in here that the master has not seen claimed.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<TaskId> {
        self.waits().map(|at| self.front.get(at).task).collect()
    }

    /// Begins with this number, and this position of the first text.
    #[cfg(test)]
    pub(crate) fn start_at(&mut self, number: u64, position: u32) {
        (self.first, self.claimed) = (number, number);
        let (published, taken) = (&self.front.published.0, &self.front.taken.0);
        published.count.store(number, Ordering::SeqCst);
        published.tail.store(position, Ordering::SeqCst);
        taken.first.store(number, Ordering::SeqCst);
        taken.head.store(position, Ordering::SeqCst);
        for word in [Shared::PUBLISHED, Shared::CLAIMED] {
            let word = Shared::header(self.front.index, word);
            self.memory.word(word).store(Seq::of(number).0, Ordering::SeqCst);
        }
    }

    fn tail(&self) -> u32 {
        self.front.published.0.tail.load(Ordering::Relaxed)
    }

    fn head(&self) -> u32 {
        self.front.taken.0.head.load(Ordering::Relaxed)
    }

    fn state(&self, at: u64) -> u32 {
        self.memory.word(self.entry(at)).load(Ordering::SeqCst)
    }

    fn entry(&self, at: u64) -> usize {
        Shared::entry(self.front.index, Seq::of(at).0)
    }
}

/// The state of an event that nobody has claimed.
fn free(at: u64) -> u32 {
    Shared::free(Seq::of(at).0)
}

/// The state of an event that the master has taken back.
fn taken(at: u64) -> u32 {
    free(at) | Shared::MASTER | Shared::READ
}

#[cfg(test)]
mod tests;
