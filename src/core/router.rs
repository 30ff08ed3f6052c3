//! Who may run the events that name their workers, by tags or by a key, or that have a priority, and in which order they are
//! offered. It knows groups of workers and ids of events; a pure state machine, as the scheduler is.
//!
//! Such events wait in the master, in a queue for each priority, address and run; an address is all workers of some groups, or
//! one worker. A few at a time are offered of each address ([`WINDOW`]): the pool puts them into the addressed lane, where the
//! workers that are meant claim them as they claim all others. So a worker that is busy or dies, a retry, a release cost them what they cost any
//! event, and a queue whose workers are busy is in nobody's way. (They do not go through the task ring: what a worker
//! finds there starts at once, whatever else it runs.)
//!
//! Its promises:
//! - an event is offered to workers that have all of its tags; one without tags never to an exclusive one;
//! - of the events of one key one is offered at a time, in the order in which they were handed over, whatever becomes of it;
//!   the next follows when it has ended;
//! - a key has the worker with the highest hash of the two, among those that may run the event. Their ids stay when they are
//!   replaced: a key moves only when its worker is given up;
//! - of a higher priority comes first what waits for the same worker, but never before an earlier event of its key;
//! - what no worker will ever run is told of at once.

mod address;
mod adopt;
mod close;
mod queue;
mod room;
mod types;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use self::queue::Queue;
use self::types::{Count, Key, Place, Routed, Worker};
pub(crate) use self::types::{Group, Priority, Routing, To};
use crate::core::error::Error;
use crate::core::task_id::{RunId, TaskId, run_of};

/// So many events of a queue are offered at a time, for each worker that may claim them: enough that it need not wait for
/// the master between two short ones. More where it runs so many in a moment, but not so many that others wait for long.
const WINDOW: usize = 8;
const WIDEST: usize = 128;

/// The most of one queue, and of all queues that are for one worker each: they have their places in the lane together.
const MOST_OFFERED: usize = 256;
const MOST_OFFERED_ALONE: usize = 4096;

/// So many events a worker there usually is room for: `Map` waits beyond that. There is room for more where it runs as many in
/// a moment, but not for more than that.
pub(crate) const ROOM: usize = 64;
pub(crate) const MOST_ROOM: usize = 512;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Router {
    groups: Vec<Group>,
    ranks: Vec<usize>,
    /// By slot.
    workers: Vec<Worker>,
    events: HashMap<TaskId, Routed>,
    queues: BTreeMap<Place, Queue>,
    keys: HashMap<Arc<str>, Key>,
    /// How many events each run has here.
    runs: HashMap<RunId, Count>,
    refuses_others: bool,
    /// Events for which there was no room, and that have ended without it.
    admitted: Vec<TaskId>,
    /// Events for which there was no room, and that have gone on without it.
    passed: Vec<TaskId>,
}

impl Router {
    /// For workers of these ids, each in one of these groups.
    pub(crate) fn new(groups: Vec<Group>, workers: impl Iterator<Item = (u32, usize)>) -> Self {
        let worker = |(id, group)| Worker { id, group, is_closed: false, window: 0 };
        let mut ranks: Vec<usize> = groups.iter().map(|group| group.tags.len()).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let mut router = Self {
            groups,
            ranks,
            workers: workers.map(worker).collect(),
            events: HashMap::new(),
            queues: BTreeMap::new(),
            keys: HashMap::new(),
            runs: HashMap::new(),
            refuses_others: false,
            admitted: Vec::new(),
            passed: Vec::new(),
        };
        router.refuses_others = router.refusal().is_some();
        router
    }

    /// One more worker, of the first group, of which nothing is started yet.
    pub(crate) fn add_closed(&mut self, id: u32) {
        self.workers.push(Worker { id, group: 0, is_closed: true, window: 0 });
    }

    /// A worker is to be started in this slot after all.
    pub(crate) fn reopen(&mut self, slot: usize) {
        self.workers[slot].is_closed = false;
        self.refuses_others = self.refusal().is_some();
    }

    // ---- what it knows ----

    /// Whether it has no event.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether it has this event, which has not ended.
    pub(crate) fn has(&self, task: TaskId) -> bool {
        !self.events.is_empty() && self.events.contains_key(&task)
    }

    /// By slot: the group of its worker.
    pub(crate) fn group_of(&self) -> Vec<usize> {
        self.workers.iter().map(|worker| worker.group).collect()
    }

    /// Whether no worker runs events that name none, or will.
    pub(crate) fn refuses_others(&self) -> bool {
        self.refuses_others
    }

    /// Why that is so.
    pub(crate) fn refusal(&self) -> Option<Error> {
        self.address(&[], None).err()
    }

    /// What an event that this one emits is to have of it; none if it is not here.
    pub(crate) fn inherited(&self, task: TaskId) -> Option<Routing> {
        let Routed { tags, priority, .. } = self.events.get(&task)?;
        Some(Routing { tags: tags.clone(), key: None, priority: *priority })
    }

    /// How urgent an event is.
    pub(crate) fn priority(&self, task: TaskId) -> Priority {
        self.events.get(&task).map_or(0, |event| event.priority)
    }

    /// Whether no worker will ever run this event, which has not ended.
    pub(crate) fn is_lost(&self, task: TaskId) -> bool {
        self.events.get(&task).is_some_and(|event| event.to.is_none())
    }

    /// Whether this event is offered, and nobody was seen to have claimed it.
    pub(crate) fn is_offered(&self, task: TaskId) -> bool {
        self.events.get(&task).is_some_and(|event| event.is_offered)
    }

    /// Fails if no worker will run an event with these tags.
    pub(crate) fn check(&self, tags: &[String]) -> Result<(), Error> {
        self.address(tags, None).map(|_| ())
    }

    /// Whether the workers of `slot` have all of these tags.
    pub(crate) fn has_tags(&self, slot: usize, tags: &[String]) -> bool {
        let group = &self.groups[self.workers[slot].group];
        tags.iter().all(|tag| group.tags.contains(tag))
    }

    /// Whether the worker of `slot` runs nothing that does not name it.
    pub(crate) fn is_exclusive(&self, slot: usize) -> bool {
        self.groups[self.workers[slot].group].is_exclusive
    }

    /// How many tags the worker of `slot` has: those with fewer come first for what others can run too.
    pub(crate) fn rank(&self, slot: usize) -> usize {
        self.groups[self.workers[slot].group].tags.len()
    }

    /// The ranks that there are, the first that come first.
    pub(crate) fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    /// Whether the worker of `slot` may claim an event.
    pub(crate) fn may_claim(&self, slot: usize, task: TaskId) -> bool {
        let to = self.events.get(&task).and_then(|event| event.to);
        to.is_some_and(|to| self.is_to(slot, to))
    }

    /// Whether an address means the worker of `slot`.
    pub(crate) fn is_to(&self, slot: usize, to: To) -> bool {
        match to {
            To::Groups(groups) => groups & (1 << self.workers[slot].group) != 0,
            To::Slot(it) => it == slot,
        }
    }

    /// The slots that an address means and that have or will have a worker.
    pub(crate) fn reach(&self, to: To) -> impl Iterator<Item = usize> + '_ {
        let slots = match to {
            To::Groups(_) => 0..self.workers.len(),
            To::Slot(slot) => slot..slot + 1,
        };
        slots.filter(move |&slot| self.is_to(slot, to) && !self.workers[slot].is_closed)
    }

    /// Whether something is offered that nobody was seen to have claimed.
    pub(crate) fn has_offers(&self) -> bool {
        self.queues.values().any(|queue| queue.offered > 0)
    }

    /// The addresses of what is offered and nobody was seen to have claimed, and how many events that is.
    pub(crate) fn offers(&self) -> Vec<(To, usize)> {
        let queues = self.queues.iter().filter(|(_, queue)| queue.offered > 0);
        queues.map(|(place, queue)| (place.to, queue.offered)).collect()
    }

    /// Whether some event comes before others, or after them.
    pub(crate) fn has_priorities(&self) -> bool {
        self.queues.keys().any(|place| place.priority != Reverse(0))
    }

    // ---- what happens ----

    /// The worker of `slot` runs about so many events in a moment.
    pub(crate) fn measured(&mut self, slot: usize, window: usize) {
        self.workers[slot].window = window;
    }

    /// Takes an event in, with `room` for so many a worker. True if there is room for it; if not, [`Self::admit`] tells when.
    pub(crate) fn add(
        &mut self,
        task: TaskId,
        routing: Routing,
        room: usize,
    ) -> Result<bool, Error> {
        self.insert(task, routing, Some(room))
    }

    /// Takes an event in for which nobody waits: there always is room for it.
    pub(crate) fn add_further(&mut self, task: TaskId, routing: Routing) -> Result<(), Error> {
        self.insert(task, routing, None).map(|_| ())
    }

    /// With room for so many events a worker, or for all.
    fn insert(
        &mut self,
        task: TaskId,
        routing: Routing,
        room: Option<usize>,
    ) -> Result<bool, Error> {
        let Routing { tags, key, priority } = routing;
        let to = self.address(&tags, key.as_deref())?;
        self.runs.entry(run_of(task)).or_default().all += 1;
        let key = key.map(Arc::<str>::from);
        let is_next = key.as_ref().is_none_or(|key| self.begin_key(key, task));
        let limit = room.map(|room| self.room(to, room));
        let place = Place::of(task, to, priority);
        let queue = self.queues.entry(place).or_default();
        let has_room = limit.is_none_or(|limit| queue.has_room(limit));
        queue.adopt(task, !has_room);
        if is_next {
            queue.waiting.push_back(task);
        }
        let (to, is_offered, is_blocked) = (Some(to), false, !has_room);
        let is_adopted = false;
        let event = Routed { tags, priority, key, to, is_offered, is_blocked, is_adopted };
        self.events.insert(task, event);
        Ok(has_room)
    }

    /// True if no other event of this key has yet to end; otherwise it waits for them.
    fn begin_key(&mut self, name: &Arc<str>, task: TaskId) -> bool {
        if let Some(key) = self.keys.get_mut(name) {
            key.waiting.push_back(task);
            return false;
        }
        self.keys.insert(Arc::clone(name), Key { current: task, waiting: VecDeque::new() });
        true
    }

    /// The next event that is to be offered, to whom, and its priority; it stays that if it is not [`Self::offered`] then. Of
    /// the runs whose events are for the same workers and as urgent, the one is next that `had` least.
    pub(crate) fn next(&self, had: impl Fn(RunId) -> f64) -> Option<(TaskId, To, Priority)> {
        let mut queues = self.queues.iter().peekable();
        while let Some(&(&place, _)) = queues.peek() {
            let mut offered = 0;
            let mut next: Option<(f64, TaskId)> = None;
            while let Some((other, queue)) = queues.next_if(|(other, _)| other.is_like(&place)) {
                offered += queue.offered;
                if let Some(&task) = queue.waiting.front() {
                    let had = had(other.run);
                    if next.is_none_or(|(least, _)| had < least) {
                        next = Some((had, task));
                    }
                }
            }
            if let Some((_, task)) = next.filter(|_| offered < self.window(place.to)) {
                return Some((task, place.to, place.priority.0));
            }
        }
        None
    }

    /// How many events of an address are offered at a time.
    fn window(&self, to: To) -> usize {
        let of_worker = |slot: usize| self.workers[slot].window.clamp(WINDOW, WIDEST);
        match to {
            To::Groups(_) => self.reach(to).map(of_worker).sum::<usize>().min(MOST_OFFERED),
            To::Slot(slot) => (MOST_OFFERED_ALONE / self.workers.len()).clamp(1, of_worker(slot)),
        }
    }

    /// The event that is [next](Self::next) is offered.
    pub(crate) fn offered(&mut self, task: TaskId) {
        let Some(event) = self.events.get_mut(&task) else { return };
        if let Some(queue) = event.place(task).and_then(|place| self.queues.get_mut(&place)) {
            queue.waiting.pop_front();
            queue.offered += 1;
            event.is_offered = true;
        }
    }

    /// An event is not offered any more: somebody has claimed it, or the master took it back.
    pub(crate) fn claimed(&mut self, task: TaskId) {
        let Some(event) = self.events.get_mut(&task) else { return };
        if std::mem::take(&mut event.is_offered)
            && let Some(queue) = event.place(task).and_then(|place| self.queues.get_mut(&place))
        {
            queue.offered -= 1;
        }
    }

    /// An event comes back that no worker has: it goes before those that were never offered. If no worker will ever run it,
    /// that is said, and it has yet to end.
    pub(crate) fn put_back(&mut self, task: TaskId) -> Result<(), Error> {
        self.claimed(task);
        let Some(event) = self.events.get(&task) else { return Ok(()) };
        let Some(place) = event.place(task) else { return Err(self.no_worker(&event.tags)) };
        self.queues.entry(place).or_default().put_back(task);
        Ok(())
    }

    /// An event has ended, which did not wait here: the next one of its key is due.
    pub(crate) fn ended(&mut self, task: TaskId) {
        if !self.has(task) {
            return;
        }
        self.claimed(task);
        let Some(event) = self.events.remove(&task) else { return };
        self.uncount(run_of(task), event.is_adopted);
        if event.is_blocked {
            self.admitted.push(task);
        }
        if let Some(place) = event.place(task)
            && let Some(queue) = self.queues.get_mut(&place)
        {
            queue.remove(task, event.is_blocked);
            if queue.count == 0 {
                self.queues.remove(&place);
            }
        }
        if let Some(key) = event.key {
            self.end_key(&key, task);
        }
    }

    fn end_key(&mut self, name: &Arc<str>, task: TaskId) {
        let Some(key) = self.keys.get_mut(name).filter(|key| key.current == task) else { return };
        let Some(next) = key.waiting.pop_front() else {
            self.keys.remove(name);
            return;
        };
        key.current = next;
        if let Some(place) = self.events.get(&next).and_then(|event| event.place(next)) {
            self.queues.entry(place).or_default().waiting.push_back(next);
        }
    }
}

#[cfg(test)]
mod tests;
