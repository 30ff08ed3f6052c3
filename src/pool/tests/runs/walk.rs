//! A random walk over a pool, its runs and its lanes. After each step the pool's tables are compared with what was done:
//! each event is in one place, a run's outstanding events are those that are somewhere, nothing is left of a closed run
//! but what a worker runs, and there is no more credit unless something ended. At the end everything has ended once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::*;
use crate::core::lifecycle;
use crate::core::task_id::run_of;

const WORKERS: usize = 3;
const MOST_RUNS: usize = 10;

/// One run, and what became of its events.
struct Walked {
    run: Other,
    handed_over: BTreeSet<u32>,
    ended: BTreeSet<u32>,
    is_stopped: bool,
    has_retries: bool,
    /// Its credit at the last look.
    credit: i64,
}

/// A worker, and what it runs.
struct Place {
    seat: Option<Seat>,
    running: Vec<(Item, u32)>,
    ran: u32,
    leaves: bool,
}

struct Walk {
    bench: Bench,
    random: fastrand::Rng,
    runs: BTreeMap<RunId, Walked>,
    places: Vec<Place>,
    /// The run of every event, by number.
    run_of_event: Vec<RunId>,
    back_offs: Vec<(TaskId, usize)>,
    stopped: Vec<RunId>,
    starts: Vec<usize>,
    /// Something ended or came up since credit was last looked at.
    may_grow: bool,
    was_heavy: bool,
    /// The last step, for the reader of a failure.
    last: u8,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let bench = lasting(WORKERS as u32);
        let place = |_| Place { seat: None, running: Vec::new(), ran: 0, leaves: false };
        Self {
            bench,
            random: fastrand::Rng::with_seed(seed),
            runs: BTreeMap::new(),
            places: (0..WORKERS).map(place).collect(),
            run_of_event: Vec::new(),
            back_offs: Vec::new(),
            stopped: Vec::new(),
            starts: (0..WORKERS).collect(),
            may_grow: true,
            was_heavy: false,
            last: 0,
        }
    }

    fn any_run(&mut self) -> Option<RunId> {
        let ids: Vec<RunId> = self.runs.keys().copied().collect();
        self.random.choice(ids)
    }

    fn step(&mut self) {
        let step = self.random.u8(..100);
        self.last = step;
        match step {
            0..3 => self.open(),
            3..20 => self.hand_over(),
            20..23 => self.choose(),
            23..55 => self.claim(),
            55..80 => self.answer(),
            80..83 => self.bench.take_back(),
            83..86 => _ = self.bench.pool.watched(),
            86..89 => _ = self.bench.pool.polled(),
            89..92 => self.crash(),
            92..96 => self.start(),
            96 => self.leave(),
            97 => self.back_off(),
            98 => self.stop(),
            _ => self.close(),
        }
    }

    fn open(&mut self) {
        if self.runs.len() == MOST_RUNS {
            return;
        }
        let has_retries = self.random.bool();
        let backoff = if self.random.bool() { 10.0 } else { 0.0 };
        let options = if has_retries { retrying(3, backoff) } else { plain() };
        let run = Other::of(&self.bench, options);
        let (handed_over, ended) = (BTreeSet::new(), BTreeSet::new());
        let walked =
            Walked { has_retries, handed_over, ended, is_stopped: false, credit: i64::MAX, run };
        let before = self.runs.insert(walked.run.id, walked);
        assert!(before.is_none(), "a run's number is its own");
    }

    /// Takes down one more event of this run; its text.
    fn event(&mut self, run: RunId) -> String {
        let number = self.run_of_event.len() as u32;
        self.run_of_event.push(run);
        self.runs.get_mut(&run).expect("it is open").handed_over.insert(number);
        number.to_string()
    }

    fn hand_over(&mut self) {
        let Some(id) = self.any_run() else { return };
        for _ in 0..self.random.u32(1..8) {
            let mut text = self.event(id);
            if self.random.u8(..100) == 0 {
                text = format!("{}{text}", " ".repeat(Shared::LONGEST));
            }
            let is_submitted = self.random.u8(..4) == 0;
            let run = &self.runs[&id].run;
            if is_submitted {
                self.bench.pool.submit(id, text.as_bytes(), 0);
            } else {
                run.hand_over(&self.bench, &text);
            }
        }
    }

    fn choose(&mut self) {
        let Some(id) = self.any_run() else { return };
        let text = self.event(id);
        let worker = self.random.u32(1..=WORKERS as u32);
        assert!(self.bench.pool.submit_to(id, worker, text.as_bytes(), 0));
    }

    fn claim(&mut self) {
        let slot = self.random.usize(..WORKERS);
        let Place { seat: Some(seat), running, .. } = &mut self.places[slot] else { return };
        // A worker claims nothing more while it runs something that it has claimed.
        let items = if running.iter().any(|(item, _)| !has_come_alone(item)) {
            seat.player.arrived()
        } else {
            seat.player.look().into_iter().collect()
        };
        let started: Vec<Item> = items.into_iter().filter(|item| seat.player.claim(item)).collect();
        for item in started {
            let text = std::str::from_utf8(&item.text).expect("UTF-8");
            let number: u32 = text.trim().parse().expect("a number");
            let mut everywhere = self.places.iter().flat_map(|place| &place.running);
            assert!(everywhere.all(|&(_, other)| other != number), "{number} runs twice");
            let run = self.run_of_event[number as usize];
            let has_ended = self.runs.get(&run).is_some_and(|run| run.ended.contains(&number));
            assert!(!has_ended, "{number} runs again");
            self.places[slot].running.push((item, number));
        }
    }

    fn answer(&mut self) {
        let slot = self.random.usize(..WORKERS);
        let Place { seat: Some(seat), running, ran, .. } = &mut self.places[slot] else { return };
        if running.is_empty() {
            return;
        }
        let (item, _) = running.swap_remove(self.random.usize(..running.len()));
        let failed = Outcome::failed(r#"{"message":"no"}"#);
        let is_failed = self.random.u8(..5) == 0;
        let outcome = if is_failed { failed } else { Outcome::response("1") };
        let run = if self.random.u8(..4) == 0 { LONG } else { SHORT };
        seat.player.answer(&item, outcome.taking(run));
        *ran += 1;
        self.may_grow = true;
    }

    fn crash(&mut self) {
        let slot = self.random.usize(..WORKERS);
        // One that has run nothing would count as one that cannot live.
        if self.places[slot].ran > 0 {
            self.exit(slot, Exit::Signal(9));
        }
    }

    fn exit(&mut self, slot: usize, exit: Exit) {
        let place = &mut self.places[slot];
        let Some(seat) = place.seat.take() else { return };
        drop(seat);
        (place.ran, place.leaves) = (0, false);
        place.running.clear();
        self.bench.pool.exited(slot, exit, false);
        self.may_grow = true;
    }

    fn start(&mut self) {
        let Some(slot) = self.starts.pop() else { return };
        let mut seat = self.bench.seat(slot);
        self.bench.register(slot, &mut seat);
        self.places[slot].seat = Some(seat);
        self.may_grow = true;
    }

    /// Some worker is released, and exits when it has ended what it runs.
    fn leave(&mut self) {
        let slot = self.random.usize(..WORKERS);
        if self.places[slot].seat.is_some() {
            self.bench.pool.disconnect(slot as u32 + 1);
            self.places[slot].leaves = true;
        }
    }

    fn back_off(&mut self) {
        for (task, after) in std::mem::take(&mut self.back_offs) {
            self.bench.pool.backed_off(task, after);
        }
    }

    fn stop(&mut self) {
        let Some(id) = self.any_run() else { return };
        if self.random.bool() {
            self.bench.pool.stop(id);
            self.runs.get_mut(&id).expect("it is there").is_stopped = true;
            self.may_grow = true;
        } else if let Some(run) = self.stopped.pop() {
            self.bench.pool.end_run(run);
        }
    }

    fn close(&mut self) {
        let Some(id) = self.any_run() else { return };
        self.take(id);
        self.runs.remove(&id);
        self.bench.pool.close(id);
        self.may_grow = true;
    }

    /// Does what the I/O thread and the workers do by themselves.
    fn follow(&mut self) {
        for order in self.bench.orders() {
            match order {
                Order::Start { slot, .. } => self.starts.push(slot),
                Order::BackOff { task, again } => self.back_offs.push((task, again.after)),
                Order::EndRun { run, .. } => self.stopped.push(run),
                Order::Watch | Order::Poll | Order::Monitor { .. } => {}
                other => panic!("{other:?} was not to be ordered"),
            }
        }
        for slot in 0..WORKERS {
            let place = &self.places[slot];
            let Some(seat) = &place.seat else { continue };
            if seat.process.was_killed() {
                self.exit(slot, Exit::Signal(9));
            } else if place.leaves && place.running.is_empty() {
                self.exit(slot, Exit::Code(0));
            }
        }
    }

    /// Takes the entries of a run.
    fn take(&mut self, id: RunId) {
        let walked = self.runs.get_mut(&id).expect("it is there");
        for queue in [Queue::Results, Queue::Failures] {
            for number in walked.run.numbers(&self.bench, queue) {
                assert!(walked.handed_over.contains(&number), "{number} is another run's");
                assert!(walked.ended.insert(number), "{number} ended twice");
            }
        }
    }

    fn take_all(&mut self) {
        for id in self.runs.keys().copied().collect::<Vec<_>>() {
            self.take(id);
        }
    }

    fn check(&mut self) {
        if self.random.u8(..10) == 0 {
            self.take_all();
        }
        let state = self.bench.pool.lock();
        let ran: Vec<TaskId> = (0..WORKERS)
            .flat_map(|slot| state.scheduler.held(slot).map(|held| held.task).collect::<Vec<_>>())
            .collect();
        let runs = state.runs.values();
        let overflow: Vec<TaskId> =
            runs.flat_map(|run| &run.outlets).flat_map(|it| it.overflow.clone()).collect();
        let waits = [state.scheduler.waiting(), overflow, state.returned.clone().into()].concat();
        let is_closed = |task: &TaskId| !state.runs.contains_key(&run_of(*task));
        assert!(!waits.iter().any(is_closed), "something waits of a closed run");
        let all = [ran.clone(), waits, state.lanes.waiting()].concat();
        let distinct: HashSet<TaskId> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "an event is in two places");
        // Megabytes of a run that was closed may go only now.
        let is_heavy = state.lanes.bytes() + state.tasks.bytes() > Shared::LONGEST;
        let may_grow = self.may_grow || is_heavy || self.was_heavy;
        for (id, walked) in &mut self.runs {
            let run = &state.runs[id];
            let somewhere = all.iter().filter(|&&task| run_of(task) == *id).count();
            assert_eq!(run.outstanding(), somewhere, "run {id}: {:?}", run.state);
            let all = walked.handed_over.len();
            assert_eq!(run.ended as usize + run.outstanding(), all, "run {id}");
            if !walked.is_stopped {
                assert_eq!(run.state, lifecycle::Run::Open);
                let entries = run.results.len() + run.failures.len();
                let ended = walked.ended.len() + entries;
                assert_eq!(run.ended as usize, ended, "each has an entry");
            }
            let credit = run.words.allowed().cast_signed() - run.words.handed_over().cast_signed();
            let is_less = credit <= walked.credit;
            assert!(
                may_grow || walked.is_stopped || is_less,
                "credit {credit} > {} after step {}",
                walked.credit,
                self.last
            );
            walked.credit = credit;
        }
        let kept = all.iter().filter(|&&task| state.tasks.has(task)).count();
        assert_eq!(kept, state.tasks.len(), "a text is kept of an event that has ended");
        (self.may_grow, self.was_heavy) = (false, is_heavy);
    }

    /// Lets all that is open come to its end.
    fn finish(&mut self) {
        let end = Instant::now() + DEADLINE;
        while self.runs.values().any(|walked| walked.run.outstanding(&self.bench) > 0) {
            assert!(Instant::now() < end, "it does not end");
            match self.random.u8(..10) {
                0 => self.start(),
                1 => self.back_off(),
                2..6 => self.claim(),
                _ => self.answer(),
            }
            self.bench.pool.flush();
            self.follow();
        }
        self.may_grow = true;
        self.check();
        self.take_all();
        for walked in self.runs.values().filter(|walked| !walked.is_stopped) {
            assert_eq!(walked.ended, walked.handed_over);
        }
        assert!(self.runs.values().any(|walked| walked.has_retries) || self.runs.len() < 4);
        for id in std::mem::take(&mut self.runs).into_keys() {
            self.bench.pool.close(id);
        }
    }
}

#[test]
fn whatever_happens_to_runs_and_workers_every_event_is_in_one_place_and_ends_once() {
    for seed in 0..6 {
        let mut walk = Walk::new(seed);
        for _ in 0..1000 {
            walk.step();
            if walk.random.u8(..3) > 0 {
                walk.bench.pool.flush();
            }
            walk.follow();
            walk.bench.pool.flush();
            walk.check();
        }
        walk.finish();
        for slot in 0..WORKERS {
            walk.exit(slot, Exit::Signal(9));
        }
        walk.bench.pool.flush();
        assert!(is_clean(&walk.bench), "seed {seed}");
    }
}
