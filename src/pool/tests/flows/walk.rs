//! A random walk over random plans: some worker answers, fails, or is killed, and everything is tried again or not. What is
//! made is counted by hand: at the end each item has reached each target of its exit once, and all is drained.

use std::collections::BTreeMap;

use super::*;

const WORKERS: usize = 2;

/// A plan whose nodes lead to later ones alone.
struct Planned {
    json: Json,
    nodes: usize,
    /// By exit, which is that of the node of the next number; then those of errors.
    exits: Vec<Vec<Json>>,
    holds: Vec<Option<&'static str>>,
    errors: Vec<Option<usize>>,
    count: usize,
}

fn random_plan(random: &mut fastrand::Rng) -> Planned {
    let nodes = random.usize(2..8);
    let mut inputs = vec![Vec::new(); nodes + 1];
    inputs[1].push(0);
    let mut holds = vec![None; nodes + 1];
    for hold in &mut holds[2..] {
        *hold = random.choice([None, None, Some("batch"), Some("all")]).flatten();
    }
    let mut exits: Vec<Vec<Json>> = Vec::new();
    let mut targets = |random: &mut fastrand::Rng, from: usize| {
        let mut all = Vec::new();
        for _ in 0..random.usize(1..4) {
            if from < nodes && random.u8(..4) > 0 {
                let next = random.usize(from + 1..=nodes);
                inputs[next].push(from);
                all.push(to(next));
            } else {
                all.push(sink(random.usize(1..4)));
            }
        }
        all
    };
    for from in 1..=nodes {
        let to = targets(random, from);
        exits.push(to);
    }
    let mut errors = vec![None; nodes + 1];
    for (from, errors) in errors.iter_mut().enumerate().skip(1) {
        if random.u8(..3) == 0 {
            *errors = Some(exits.len());
            let to = targets(random, from);
            exits.push(to);
        }
    }
    let count = random.usize(1..4);
    let list: Vec<Json> = (1..=nodes)
        .map(|number| {
            let mut inputs = inputs[number].clone();
            inputs.sort_unstable();
            inputs.dedup();
            // One that nothing leads to holds nobody up.
            let mut node = node(&inputs, (number as u32 - 1).cast_signed());
            if random.bool() {
                node["retries"] =
                    again(2, if random.bool() { 5.0 } else { 0.0 })["retries"].clone();
            }
            if random.u8(..3) == 0 {
                node["maxWaiting"] = json!(random.u8(0..4));
            }
            if let Some(hold) = holds[number] {
                node["hold"] = json!(hold);
            }
            if holds[number] == Some("batch") {
                node["batch"] = json!({ "count": count });
            }
            node["errors"] = json!(errors[number].map_or(-1, |exit| (exit as u32).cast_signed()));
            node
        })
        .collect();
    let to: Vec<&[Json]> = exits.iter().map(Vec::as_slice).collect();
    Planned { json: plan(&list, &to), nodes, exits, holds, errors, count }
}

struct Walk {
    bench: Bench,
    random: fastrand::Rng,
    planned: Planned,
    seats: Vec<Option<Seat>>,
    running: Vec<Option<Item>>,
    /// By node: how many events were answered, how many attempts failed, and how many items they have put out.
    answered: Vec<usize>,
    tried: Vec<usize>,
    made: Vec<usize>,
    crashes: usize,
    handed_over: usize,
    backing_off: Vec<(TaskId, usize)>,
    /// What was read, by sink.
    read: BTreeMap<u32, usize>,
    failed: usize,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let planned = random_plan(&mut random);
        let (bench, seats) = of_flow::<WORKERS>(&planned.json);
        let zeros = vec![0; planned.nodes + 1];
        Self {
            bench,
            random,
            seats: seats.into_iter().map(Some).collect(),
            running: (0..WORKERS).map(|_| None).collect(),
            answered: zeros.clone(),
            tried: zeros.clone(),
            made: zeros,
            crashes: 0,
            handed_over: 0,
            backing_off: Vec::new(),
            read: BTreeMap::new(),
            failed: 0,
            planned,
        }
    }

    fn step(&mut self) {
        match self.random.u8(..20) {
            0 => self.take(),
            1 => {
                for (task, after) in std::mem::take(&mut self.backing_off) {
                    self.bench.pool.backed_off(task, after);
                }
            }
            2 if self.handed_over < 12 => {
                self.handed_over += 1;
                self.bench.map([0]);
            }
            _ => self.run(),
        }
        for order in self.bench.orders() {
            if let Order::BackOff { task, again } = order {
                self.backing_off.push((task, again.after));
            }
        }
    }

    fn run(&mut self) {
        let slot = self.random.usize(..WORKERS);
        let seat = self.seats[slot].as_mut().expect("a worker");
        let Some(item) = self.running[slot].take() else {
            self.running[slot] = seat.player.look();
            return;
        };
        let node = number_of(&item).max(1);
        match self.random.u8(..10) {
            0 if self.answered.iter().sum::<usize>() > 8 && self.crashes < 3 => {
                self.crashes += 1;
                self.tried[node] += 1;
                let seat = self.seats[slot].take().expect("a worker");
                self.seats[slot] = Some(replace(&self.bench, slot, seat));
                return;
            }
            0..3 => {
                self.tried[node] += 1;
                seat.player.answer(&item, Outcome::failed("{}"));
            }
            3 => {
                self.answered[node] += 1;
                self.made[node] += 1;
                seat.player.answer(&item, Outcome::response("1"));
            }
            _ => {
                self.answered[node] += 1;
                let items = self.random.usize(..3);
                self.made[node] += items;
                let record = format!("{}1", char::from(0x25 + node as u8 - 1));
                seat.player.answer(&item, outputs(&vec![record; items].join("\n")));
            }
        }
        self.bench.pool.flush();
    }

    fn take(&mut self) {
        for entry in self.bench.take(Queue::Results) {
            *self.read.entry(place_of(&entry)).or_default() += 1;
        }
        self.failed += self.bench.take(Queue::Failures).len();
    }

    /// Compares what has come out with what was put in.
    fn check(&self) {
        let Planned { json, nodes, exits, holds, errors, count } = &self.planned;
        let mut came = vec![0; nodes + 1];
        came[1] = self.handed_over;
        let mut sunk: BTreeMap<u32, usize> = BTreeMap::new();
        let mut failed = 0;
        for number in 1..=*nodes {
            let events = match holds[number] {
                None => came[number],
                Some("batch") => came[number].div_ceil(*count),
                Some(_) => 1,
            };
            let fails = events.checked_sub(self.answered[number]).expect("no more than came");
            let attempts = json["nodes"][number - 1]["retries"]["limit"].as_u64();
            let least = fails * attempts.map_or(1, |limit| limit as usize + 1);
            assert!(least <= self.tried[number], "node {number} gave up too soon");
            assert!(attempts.is_some() || least == self.tried[number]);
            let mut leave = |exit: usize, items: usize| {
                for target in &exits[exit] {
                    if let Some(node) = target["node"].as_u64() {
                        came[node as usize] += items;
                    } else {
                        let number = target["sink"].as_u64().expect("a sink") as u32;
                        *sunk.entry(number).or_default() += items;
                    }
                }
            };
            leave(number - 1, self.made[number]);
            match errors[number] {
                Some(exit) => leave(exit, fails),
                None => failed += fails,
            }
        }
        sunk.retain(|_, count| *count > 0);
        assert_eq!((&self.read, self.failed), (&sunk, failed));
    }
}

#[test]
fn whatever_happens_each_item_reaches_its_targets_once_and_the_flow_comes_to_its_end() {
    for seed in 0..150 {
        let mut walk = Walk::new(seed);
        for _ in 0..100 {
            walk.step();
        }
        let mut steps = 0;
        while walk.handed_over < 12 || !walk.bench.pool.drained(walk.bench.run) {
            walk.step();
            steps += 1;
            assert!(steps < 100_000, "seed {seed} does not end: {}", walk.planned.json);
            walk.bench.hear();
        }
        walk.take();
        walk.check();
        assert!(walk.bench.is_done(), "seed {seed}");
    }
}
