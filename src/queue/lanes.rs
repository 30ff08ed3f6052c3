//! All lanes of a pool, and the words that its workers share beside them: see [`super`].

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::front::Front;
use super::lane::{Claim, Lane};
use super::resting::Resting;
use super::tasks::{Task, Tasks};
use crate::core::router::Priority;
use crate::core::task_id::{Position, TaskId};
use crate::os::memory::Memory;
use crate::shm::store::Bytes;
use crate::wire::layout::Shared;

/// The most lanes that runs of one weight have.
const MOST_ALIKE: usize = 4;

/// The master's end.
#[derive(Debug)]
pub(crate) struct Lanes {
    memory: Arc<Memory>,
    /// Those that were in use so far.
    all: Vec<Lane>,
    /// How many runs put their events into each, and the bits of the weight of the first of them.
    runs: [(usize, u64); Shared::LANES],
    resting: Arc<Resting>,
    has_resting: bool,
    is_ranked: bool,
}

impl Lanes {
    /// With the first lane open. So many workers may spin at the same time.
    pub(crate) fn new(memory: Arc<Memory>, spin_limit: usize) -> io::Result<Self> {
        let mut lanes = Self {
            memory,
            all: Vec::new(),
            runs: [(0, 0); Shared::LANES],
            resting: Arc::default(),
            has_resting: false,
            is_ranked: false,
        };
        let spin_limit = u32::try_from(spin_limit.min(Shared::MAX_SPINNERS)).unwrap_or(1);
        lanes.memory.word(Shared::SPIN_LIMIT).store(spin_limit, Ordering::SeqCst);
        lanes.open(Shared::FIRST)?;
        Ok(lanes)
    }

    /// So many workers there are, at most.
    pub(crate) fn set_workers(&mut self, workers: usize) {
        self.resting.set_workers(workers);
    }

    /// A lane for one more run of this weight: one of its own, or else the one that the fewest runs use, and if there are some
    /// those of its weight. A few lanes are kept for runs of other weights, which are not to wait behind it.
    pub(crate) fn assign(&mut self, weight: f64) -> io::Result<usize> {
        let weight = weight.to_bits();
        let lanes = Shared::FIRST + 1..Shared::ADDRESSED;
        let is_of_it = |&lane: &usize| self.runs[lane].0 > 0 && self.runs[lane].1 == weight;
        let of_it = lanes.clone().filter(is_of_it).count();
        let unused = lanes.clone().find(|&lane| self.runs[lane].0 == 0);
        let fewest = lanes.min_by_key(|lane| (of_it > 0 && !is_of_it(lane), self.runs[*lane].0));
        let own = unused.filter(|_| of_it < MOST_ALIKE);
        let lane = own.or(fewest).unwrap_or(Shared::FIRST + 1);
        self.open(lane)?;
        let (count, first) = self.runs[lane];
        self.runs[lane] = (count + 1, if count == 0 { weight } else { first });
        Ok(lane)
    }

    /// A run puts nothing into its lane any more.
    pub(crate) fn give_back(&mut self, lane: usize) {
        self.runs[lane].0 -= 1;
    }

    fn open(&mut self, lane: usize) -> io::Result<()> {
        while self.all.len() <= lane {
            let front = Arc::new(Front::new(self.all.len())?);
            self.all.push(Lane::new(Arc::clone(&self.memory), front));
        }
        self.memory.word(Shared::OPEN).fetch_or(1 << lane, Ordering::SeqCst);
        Ok(())
    }

    /// Closes the lanes that no run uses any more and that are empty: workers need not try them.
    pub(crate) fn close_unused(&mut self) {
        for (lane, state) in self.all.iter().enumerate().skip(Shared::FIRST + 1) {
            if self.runs[lane].0 == 0 && state.is_empty() {
                self.memory.word(Shared::OPEN).fetch_and(!(1 << lane), Ordering::SeqCst);
            }
        }
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// What the writer of a lane shares with this.
    pub(crate) fn front(&self, lane: usize) -> (Arc<Front>, Arc<Resting>) {
        (Arc::clone(&self.all[lane].front), Arc::clone(&self.resting))
    }

    pub(crate) fn lane(&self, lane: usize) -> &Lane {
        &self.all[lane]
    }

    pub(crate) fn lane_mut(&mut self, lane: usize) -> &mut Lane {
        &mut self.all[lane]
    }

    /// Puts an event that comes back into the first lane. False if there is no room.
    #[must_use]
    pub(crate) fn put_back(&mut self, id: TaskId, task: &Task, tasks: &mut Tasks) -> bool {
        self.all[Shared::FIRST].publish(id, task, tasks)
    }

    /// Puts an event into the addressed lane, for whom it says and with its priority. False if there is no room.
    pub(crate) fn put_addressed(
        &mut self,
        to: (u32, Priority),
        (id, task): (TaskId, &Task),
        tasks: &mut Tasks,
    ) -> io::Result<bool> {
        self.open(Shared::ADDRESSED)?;
        Ok(self.all[Shared::ADDRESSED].publish_to(Some(to), (id, task), tasks))
    }

    /// Whether some addressed event has a priority: then workers look for the highest.
    pub(crate) fn set_ranked(&mut self, is_ranked: bool) {
        // All workers read this word for each event.
        if is_ranked != std::mem::replace(&mut self.is_ranked, is_ranked) {
            self.memory.word(Shared::RANKED).store(is_ranked.into(), Ordering::SeqCst);
        }
    }

    /// How much time the runs of a lane have had: workers try the one first that has had least.
    pub(crate) fn set_share(&self, lane: usize, share: u32) {
        self.memory.word(Shared::header(lane, Shared::SHARE)).store(share, Ordering::SeqCst);
    }

    /// The next event that was claimed since the last look, and in which lane.
    pub(crate) fn next_claim(&mut self) -> Option<(usize, Claim)> {
        let mut lanes = self.all.iter_mut().enumerate();
        lanes.find_map(|(lane, state)| Some((lane, state.next_claim()?)))
    }

    /// How many events that any worker may have nobody had claimed when last looked at.
    pub(crate) fn unclaimed(&self) -> usize {
        self.all.iter().take(Shared::ADDRESSED).map(Lane::unclaimed).sum()
    }

    /// How many events were claimed since the beginning, when last looked at.
    pub(crate) fn claimed(&self) -> u64 {
        self.all.iter().map(Lane::claimed).sum()
    }

    /// Every event that the master has not seen claimed.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<TaskId> {
        self.all.iter().flat_map(Lane::waiting).collect()
    }

    /// How many bytes the texts take of events that have not ended.
    pub(crate) fn bytes(&self) -> usize {
        self.all.iter().map(Lane::bytes).sum()
    }

    /// Claims for the master what nobody has of the events that are `meant`.
    pub(crate) fn take_back(&self, meant: impl Fn(TaskId) -> bool) {
        self.all.iter().for_each(|lane| lane.take_back(&meant));
    }

    /// A worker's answer with this number in this lane, both as it says: which event that can be about.
    pub(crate) fn position(&self, lane: usize, index: u32) -> Option<Position> {
        Some(Position { lane, at: self.all.get(lane)?.at(index)? })
    }

    pub(crate) fn keep(&self, position: Position, tasks: &mut Tasks) {
        self.all[position.lane].keep(position.at, tasks);
    }

    pub(crate) fn read(&self, position: Position, text: &mut Bytes) -> u32 {
        self.all[position.lane].read(position.at, text)
    }

    pub(crate) fn peek(&self, position: Position, most: usize, text: &mut Bytes) -> u32 {
        self.all[position.lane].peek(position.at, most, text)
    }

    pub(crate) fn end(&mut self, position: Position) {
        self.all[position.lane].end(position.at);
    }

    /// The events whose place is wanted, and whose workers have yet to read the text.
    pub(crate) fn unread(&self) -> Vec<Position> {
        let lanes = self.all.iter().enumerate();
        lanes.filter_map(|(lane, state)| Some(Position { lane, at: state.unread()? })).collect()
    }

    pub(crate) fn take_unread(&mut self, position: Position, tasks: &mut Tasks) -> Option<TaskId> {
        self.all[position.lane].take_unread(position.at, tasks)
    }

    /// The worker in `slot` has exited: it claims nothing more, and neither spins nor sleeps.
    pub(crate) fn forget(&self, slot: usize) {
        self.all.iter().for_each(|lane| lane.disown(slot));
        self.wake(slot);
        let spins = slot as u32 + 1;
        for at in 0..Shared::MAX_SPINNERS {
            // A word that another worker has by now stays.
            let _ = self.memory.word(Shared::SPINNERS + at).compare_exchange(
                spins,
                0,
                Ordering::SeqCst,
                Ordering::SeqCst,
            );
        }
    }

    /// How the master listens for answers by itself: not at all, or [`Shared::POLLS`] or [`Shared::WAITS`].
    pub(crate) fn set_listening(&self, how: u32) {
        self.memory.word(Shared::LISTENS).store(how, Ordering::SeqCst);
    }

    /// Whether the worker in `slot` is left parked, whatever is put in.
    pub(crate) fn rest(&mut self, slot: usize, rests: bool) {
        if rests {
            self.has_resting = true;
            self.resting.add(slot);
        } else {
            self.resting.remove(slot);
        }
    }

    /// An event wakes every worker that is parked again.
    pub(crate) fn rest_none(&mut self) {
        if std::mem::take(&mut self.has_resting) {
            self.resting.clear();
        }
    }

    /// Whether the worker in `slot` is parked until there is an event.
    pub(crate) fn is_parked(&self, slot: usize) -> bool {
        let (word, bit) = Shared::parked(slot);
        self.memory.word(word).load(Ordering::SeqCst) & bit != 0
    }

    /// Notes that the worker in `slot` is not parked any more. True if it was: it must be notified.
    pub(crate) fn wake(&self, slot: usize) -> bool {
        self.resting.remove(slot);
        let (word, bit) = Shared::parked(slot);
        self.memory.word(word).fetch_and(!bit, Ordering::SeqCst) & bit != 0
    }
}

#[cfg(test)]
mod tests;
