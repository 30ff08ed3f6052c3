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

/// The most lanes for events with tags: the others are for runs without.
const MOST_TAGGED: usize = 4;

/// Who may claim the events of a lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Address {
    /// What all its events name. None of those of other lanes do.
    tags: Vec<String>,
    /// The groups of workers, a bit each.
    groups: u32,
}

/// The master's end.
#[derive(Debug)]
pub(crate) struct Lanes {
    memory: Arc<Memory>,
    /// Those that were in use so far.
    all: Vec<Lane>,
    /// How many runs put their events into each, and the bits of the weight of the first of them.
    runs: [(usize, u64); Shared::LANES],
    addresses: [Address; Shared::LANES],
    /// By slot: the group of its worker.
    group_of: Vec<usize>,
    /// The groups whose workers run events without tags, a bit each.
    untagged: u32,
    resting: Arc<Resting>,
    has_resting: bool,
    is_ranked: bool,
}

impl Lanes {
    /// With the first lane open. So many workers may spin at the same time. `untagged`: the groups of those that run events
    /// without tags.
    pub(crate) fn new(memory: Arc<Memory>, spin_limit: usize, untagged: u32) -> io::Result<Self> {
        let mut lanes = Self {
            memory,
            all: Vec::new(),
            runs: [(0, 0); Shared::LANES],
            addresses: Default::default(),
            group_of: Vec::new(),
            untagged,
            resting: Arc::default(),
            has_resting: false,
            is_ranked: false,
        };
        let spin_limit = u32::try_from(spin_limit.min(Shared::MAX_SPINNERS)).unwrap_or(1);
        lanes.memory.word(Shared::SPIN_LIMIT).store(spin_limit, Ordering::SeqCst);
        lanes.open(Shared::FIRST, lanes.others())?;
        Ok(lanes)
    }

    /// By slot: in which group its worker is.
    pub(crate) fn set_workers(&mut self, group_of: Vec<usize>) {
        self.resting.set_workers(group_of.len());
        self.group_of = group_of;
        (0..self.all.len()).for_each(|lane| self.set_claimants(lane));
    }

    fn set_claimants(&self, lane: usize) {
        let slots = 0..self.group_of.len();
        self.all[lane].front.set_claimants(slots.filter(|&slot| self.may_claim(lane, slot)));
    }

    /// Of a lane for events without tags.
    fn others(&self) -> Address {
        Address { tags: Vec::new(), groups: self.untagged }
    }

    /// Whether the worker in `slot` may claim events of a lane; in the addressed lane some.
    pub(crate) fn may_claim(&self, lane: usize, slot: usize) -> bool {
        let groups = self.addresses[lane].groups;
        self.group_of.get(slot).is_some_and(|group| groups & (1 << group) != 0)
    }

    /// The groups of the workers that may claim in a lane, a bit each.
    pub(crate) fn groups(&self, lane: usize) -> u32 {
        self.addresses[lane].groups
    }

    /// What the events of a lane name.
    pub(crate) fn tags(&self, lane: usize) -> &[String] {
        &self.addresses[lane].tags
    }

    /// Whether some run puts events into a lane, or it is the first.
    pub(crate) fn is_used(&self, lane: usize) -> bool {
        lane == Shared::FIRST || self.runs[lane].0 > 0
    }

    /// Whether the lane is for events with tags, as long as it is some run's or some wait there.
    fn is_tagged(&self, lane: usize) -> bool {
        !self.tags(lane).is_empty() && (self.runs[lane].0 > 0 || !self.is_claimed(lane))
    }

    /// Whether some lane is.
    pub(crate) fn has_tagged(&self) -> bool {
        (0..Shared::ADDRESSED).any(|lane| self.is_tagged(lane))
    }

    fn is_claimed(&self, lane: usize) -> bool {
        self.all.get(lane).is_none_or(Lane::is_claimed)
    }

    /// A lane for one more run of this weight: one of its own, or else the one that the fewest runs use, and if there are some
    /// those of its weight. A few lanes are kept for runs of other weights, which are not to wait behind it.
    pub(crate) fn assign(&mut self, weight: f64) -> io::Result<usize> {
        let weight = weight.to_bits();
        let lanes = Shared::FIRST + 1..Shared::ADDRESSED;
        let lanes = lanes.filter(|&lane| !self.is_tagged(lane));
        let is_of_it = |&lane: &usize| self.runs[lane].0 > 0 && self.runs[lane].1 == weight;
        let of_it = lanes.clone().filter(is_of_it).count();
        let unused = lanes.clone().find(|&lane| self.runs[lane].0 == 0);
        let fewest = lanes.min_by_key(|lane| (of_it > 0 && !is_of_it(lane), self.runs[*lane].0));
        let own = unused.filter(|_| of_it < MOST_ALIKE);
        let lane = own.or(fewest).expect("those with tags are fewer");
        self.open(lane, self.others())?;
        let (count, first) = self.runs[lane];
        self.runs[lane] = (count + 1, if count == 0 { weight } else { first });
        Ok(lane)
    }

    /// A lane of its own for events with these tags of one more run, which the workers of these groups may claim. None if
    /// there is no other, or no such group.
    pub(crate) fn assign_tagged(
        &mut self,
        tags: &[String],
        groups: u32,
    ) -> io::Result<Option<usize>> {
        let lanes = || Shared::FIRST + 1..Shared::ADDRESSED;
        // In a lane where events wait its address stands.
        let is_unused = |&lane: &usize| self.runs[lane].0 == 0 && self.is_claimed(lane);
        let Some(lane) = lanes().rev().find(is_unused) else { return Ok(None) };
        if groups == 0 || lanes().filter(|&lane| self.is_tagged(lane)).count() >= MOST_TAGGED {
            return Ok(None);
        }
        self.open(lane, Address { tags: tags.to_vec(), groups })?;
        self.runs[lane] = (1, 0);
        // Who rests may be the only one that may claim there.
        self.rest_none();
        Ok(Some(lane))
    }

    /// A run puts nothing into its lane any more.
    pub(crate) fn give_back(&mut self, lane: usize) {
        self.runs[lane].0 -= 1;
    }

    fn open(&mut self, lane: usize, address: Address) -> io::Result<()> {
        while self.all.len() <= lane {
            let front = Arc::new(Front::new(self.all.len())?);
            self.all.push(Lane::new(Arc::clone(&self.memory), front));
            self.set_claimants(self.all.len() - 1);
        }
        if self.addresses[lane] != address {
            // Whoever sees an event there sees this.
            self.memory.word(Shared::GROUPS + lane).store(address.groups, Ordering::SeqCst);
            self.addresses[lane] = address;
            self.set_claimants(lane);
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
        self.open(Shared::ADDRESSED, Address { tags: Vec::new(), groups: u32::MAX })?;
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

    /// How many events nobody had claimed when last looked at, those of the addressed lane left out.
    pub(crate) fn unclaimed(&self) -> usize {
        self.all.iter().take(Shared::ADDRESSED).map(Lane::unclaimed).sum()
    }

    /// The same of all lanes in which somebody may claim who may in this one.
    pub(crate) fn unclaimed_beside(&self, lane: usize) -> usize {
        let groups = self.groups(lane);
        self.offers().filter(|(other, _)| other & groups != 0).map(|(_, count)| count).sum()
    }

    /// For each lane but the addressed one: which groups may claim there, and how many events nobody had claimed when last
    /// looked at.
    pub(crate) fn offers(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        let lanes = self.all.iter().take(Shared::ADDRESSED).enumerate();
        lanes.map(|(lane, state)| (self.groups(lane), state.unclaimed()))
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

    /// Claims for the master what nobody has of the events that are `meant`, by their lane.
    pub(crate) fn take_back(&self, meant: impl Fn(usize, TaskId) -> bool) {
        for (lane, state) in self.all.iter().enumerate() {
            state.take_back(|task| meant(lane, task));
        }
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
