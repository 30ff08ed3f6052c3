//! The same promises, whatever happens in whatever order: random events, answers, failures, deaths and workers given up.

use std::collections::{BTreeMap, HashMap};

use super::chains::{number_of, through};
use super::*;
use crate::wire::header::chain;

const GROUPS: [(usize, &[&str], bool); 4] =
    [(1, &["gpu"], true), (2, &["cpu"], false), (1, &["cpu", "big"], false), (2, &[], false)];
const TAGS: [&[&str]; 5] = [&[], &["gpu"], &["cpu"], &["big"], &["cpu", "big"]];
const EVENTS: u32 = 400;
/// What the events of a run go through: of the first chain, each event has tags of its own.
const CHAINS: [&[&[&str]]; 4] =
    [&[], &[&["gpu"], &["cpu"]], &[&[], &["big"], &["cpu"]], &[&["cpu"], &[], &["gpu"], &[]]];

/// What all events of a run name that name nothing else: those go into a lane of their own.
const OWN: [&[&str]; 5] = [&[], &["cpu"], &[], &["gpu"], &["big"]];

struct Event {
    tags: &'static [&'static str],
    key: Option<String>,
    /// The chain that it goes through next; 0 where the run has but one.
    chain: u32,
}

struct Walk {
    bench: Bench,
    chains: &'static [&'static [&'static str]],
    own: &'static [&'static str],
    random: fastrand::Rng,
    /// None where nothing is started any more.
    seats: Vec<Option<Seat>>,
    /// What each worker runs.
    runs: Vec<Option<(Item, u32)>>,
    events: Vec<Event>,
    /// How often each event began.
    begun: HashMap<u32, usize>,
    /// The event of each key that began last, and whether it may begin again.
    keys: BTreeMap<String, u32>,
    refused: usize,
}

fn group_of(slot: usize) -> (&'static [&'static str], bool) {
    let groups = GROUPS
        .iter()
        .flat_map(|&(count, tags, is_exclusive)| std::iter::repeat_n((tags, is_exclusive), count));
    groups.into_iter().nth(slot).expect("so many workers")
}

impl Walk {
    fn new(seed: u64, chains: &'static [&'static [&'static str]]) -> Self {
        let on = vec![Cause::Crash, Cause::Error];
        let retries = Some(Policy { limit: 2, backoff: 0.0, factor: 2.0, max_delay: 1e3, on });
        let own = OWN[seed as usize % OWN.len()];
        let tags = own.iter().map(ToString::to_string).collect();
        let bench = pool(&GROUPS, through(chains, RunOptions { retries, tags, ..plain() }));
        let count = bench.pool.launch.places.len();
        let mut seats: Vec<Seat> = (0..count).map(|slot| bench.seat(slot)).collect();
        for (slot, seat) in seats.iter_mut().enumerate() {
            bench.register(slot, seat);
        }
        Self {
            bench,
            chains,
            own,
            random: fastrand::Rng::with_seed(seed),
            seats: seats.into_iter().map(Some).collect(),
            runs: (0..count).map(|_| None).collect(),
            events: Vec::new(),
            begun: HashMap::new(),
            keys: BTreeMap::new(),
            refused: 0,
        }
    }

    fn hand_over(&mut self) {
        let tags = TAGS[self.random.usize(..TAGS.len())];
        let key = self.random.bool().then(|| format!("{tags:?} {}", self.random.u32(..5)));
        let number = self.events.len() as u32;
        let first = u32::from(!self.chains.is_empty());
        let flags = chain(first as usize);
        let is_plain = tags == self.own && key.is_none();
        let refused = is_plain.then(|| self.bench.pool.refusal(self.bench.run)).flatten();
        if is_plain && refused.is_none() {
            self.bench.hand_over(&number.to_string(), flags);
        } else if is_plain || self.bench.route_as(number, tags, key.as_deref(), flags).is_err() {
            let could = |slot: usize| self.seats[slot].is_some() && may_run(slot, tags);
            assert!(!(0..self.seats.len()).any(could), "some worker runs {tags:?}");
            self.refused += 1;
            return;
        }
        self.events.push(Event { tags, key, chain: first });
    }

    /// The worker of `slot` takes an event.
    fn take(&mut self, slot: usize) {
        let Some(seat) = self.seats[slot].as_mut() else { return };
        let Some(item) = seat.player.look() else { return };
        let number: u32 = String::from_utf8_lossy(&item.text).parse().expect("a number");
        let Event { tags, key, chain } = &self.events[number as usize];
        assert_eq!(number_of(&item), *chain, "one chain after the other");
        let tags = if *chain < 2 { tags } else { self.chains[*chain as usize - 1] };
        assert!(may_run(slot, tags), "{tags:?} in slot {slot}");
        if let Some(key) = key.as_ref().filter(|_| *chain < 2) {
            let is_key = |&&(_, other): &&(Item, u32)| {
                let Event { key: of_other, chain, .. } = &self.events[other as usize];
                of_other.as_ref() == Some(key) && *chain < 2
            };
            assert_eq!(self.runs.iter().flatten().filter(is_key).count(), 0, "one at a time");
            let last = self.keys.insert(key.clone(), number);
            assert!(last <= Some(number), "in order: {number} after {last:?}");
        }
        *self.begun.entry(number).or_default() += 1;
        self.runs[slot] = Some((item, number));
    }

    fn answer(&mut self, slot: usize) {
        let Some((item, number)) = self.runs[slot].take() else { return };
        let seat = self.seats[slot].as_mut().expect("it runs something");
        let fails = self.random.u32(..4) == 0;
        let outcome = if fails { Outcome::failed("{}") } else { Outcome::response(&item.text) };
        seat.player.answer(&item, outcome);
        let event = &mut self.events[number as usize];
        if !fails && (event.chain as usize) < self.chains.len() {
            event.chain += 1;
        }
        self.bench.pool.flush();
    }

    fn die(&mut self, slot: usize, is_last: bool) {
        let Some(seat) = self.seats[slot].take() else { return };
        self.runs[slot] = None;
        if is_last {
            give_up(&self.bench, slot, seat);
            return;
        }
        kill(&self.bench, slot, seat);
        // One that dies again and again without having run anything is given up.
        if !self.bench.pool.lock().scheduler.worker(slot).is_closed() {
            let mut next = self.bench.seat(slot);
            self.bench.register(slot, &mut next);
            self.seats[slot] = Some(next);
        }
    }

    fn step(&mut self) {
        let slot = self.random.usize(..self.seats.len());
        match self.random.u32(..100) {
            0..30 if self.events.len() < EVENTS as usize => self.hand_over(),
            0..92 if self.runs[slot].is_some() => self.answer(slot),
            0..92 => self.take(slot),
            92..99 => self.die(slot, false),
            // Some of those that any event may run on stay.
            _ if slot < 4 && self.random.u32(..4) == 0 => self.die(slot, true),
            _ => {}
        }
    }

    fn end(mut self) {
        while self.bench.outstanding() > 0 {
            let is_idle = self.runs.iter().all(Option::is_none);
            for slot in 0..self.seats.len() {
                self.answer(slot);
                self.take(slot);
            }
            let still_is = self.runs.iter().all(Option::is_none);
            assert!(!is_idle || !still_is || self.bench.outstanding() == 0, "somebody runs it");
        }
        let mut ended: Vec<u32> = self.bench.numbers(Queue::Results);
        ended.extend(self.bench.numbers(Queue::Failures));
        ended.sort_unstable();
        assert_eq!(ended, (0..self.events.len() as u32).collect::<Vec<_>>(), "each ends once");
        assert!(self.bench.has_forgotten_all());
        let state = self.bench.pool.lock();
        assert_eq!((state.lanes.waiting(), state.returned.len()), (vec![], 0));
    }
}

fn may_run(slot: usize, tags: &[&str]) -> bool {
    let (has, is_exclusive) = group_of(slot);
    tags.iter().all(|tag| has.contains(tag)) && (!is_exclusive || !tags.is_empty())
}

#[test]
fn whatever_happens_each_event_ends_once_where_it_belongs() {
    for seed in 0..50 {
        let mut walk = Walk::new(seed, CHAINS[seed as usize % CHAINS.len()]);
        for _ in 0..2500 {
            walk.step();
        }
        walk.end();
    }
}
