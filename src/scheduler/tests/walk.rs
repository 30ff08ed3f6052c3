//! A seeded random walk that plays the workers and checks every promise after each step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;

/// The workers as the walk plays them: what each was given, how much of it has started.
#[derive(Default)]
struct Player {
    alive: bool,
    given: VecDeque<(TaskId, How)>,
    started: usize,
}

struct Walk {
    bench: Bench,
    players: Vec<Player>,
    random: fastrand::Rng,
    next: TaskId,
    open: BTreeSet<TaskId>,
    /// What became of each event.
    ended: BTreeMap<TaskId, &'static str>,
}

impl Walk {
    fn new(seed: u64, slots: usize) -> Self {
        let bench = Bench::ready(slots);
        let players = (0..slots).map(|_| Player { alive: true, ..Player::default() }).collect();
        let random = fastrand::Rng::with_seed(seed);
        Self { bench, players, random, next: 0, open: BTreeSet::new(), ended: BTreeMap::new() }
    }

    fn end(&mut self, task: TaskId, how: &'static str) {
        assert!(self.open.remove(&task), "{task} ended without having been open");
        let before = self.ended.insert(task, how);
        assert_eq!(before, None, "{task} ended twice");
    }

    /// Does what the scheduler wants done, to the end.
    fn act(&mut self) {
        let mut todo: VecDeque<Action> = std::mem::take(&mut self.bench.actions).into();
        let mut steps = 0;
        while let Some(action) = todo.pop_front() {
            steps += 1;
            assert!(steps < 100_000, "the scheduler never rests");
            match action {
                Action::Give { slot, task, how } => {
                    assert!(self.open.contains(&task), "{task} was given after it ended");
                    for player in &self.players {
                        let holds = player.given.iter().any(|&(given, _)| given == task);
                        assert!(!holds, "{task} is on two workers");
                    }
                    assert!(self.players[slot].alive, "{task} was given to a dead worker");
                    self.players[slot].given.push_back((task, how));
                }
                Action::Recall { slot } => {
                    let player = &mut self.players[slot];
                    let unstarted = player.given.len() - player.started;
                    player.given.truncate(player.started);
                    for action in self.bench.recalled(slot, unstarted).into_iter().rev() {
                        todo.push_front(action);
                    }
                }
                Action::Fail { task, .. } => self.end(task, "failed"),
            }
        }
    }

    fn step(&mut self) {
        let slot = self.random.usize(..self.players.len());
        match self.random.u32(..100) {
            0..30 => {
                for _ in 0..self.random.usize(1..20) {
                    self.open.insert(self.next);
                    self.bench.scheduler.submit(self.next, self.random.usize(1..200_000));
                    self.next += 1;
                }
                self.bench.scheduler.dispatch(&mut self.bench.actions);
            }
            30..35 => {
                self.open.insert(self.next);
                let (task, actions) = (self.next, &mut self.bench.actions);
                self.bench.scheduler.submit_to(slot, task, 10, actions);
                self.next += 1;
            }
            35..60 => self.start(slot),
            60..94 => self.answer(slot),
            94..96 => self.kill(slot),
            96..98 => self.bench.scheduler.stuck(slot, &mut self.bench.actions),
            _ => self.revive(slot),
        }
        self.act();
        self.check();
    }

    /// The worker starts its next event; in turn only if none runs.
    fn start(&mut self, slot: usize) {
        let player = &mut self.players[slot];
        if let Some(&(_, how)) = player.given.get(player.started)
            && (player.started == 0 || how == How::Direct)
        {
            player.started += 1;
        }
    }

    fn answer(&mut self, slot: usize) {
        let player = &mut self.players[slot];
        if player.started == 0 {
            return;
        }
        let (task, _) = player.given.remove(self.random.usize(..player.started)).expect("started");
        player.started -= 1;
        let run = [0.001, 0.01, 0.2, 3.0][self.random.usize(..4)];
        assert!(self.bench.scheduler.answered(slot, task, run));
        self.end(task, "answered");
        self.bench.scheduler.dispatch(&mut self.bench.actions);
    }

    fn kill(&mut self, slot: usize) {
        let player = &mut self.players[slot];
        if !player.alive {
            return;
        }
        let unstarted = player.given.len() - player.started;
        let running: Vec<TaskId> =
            player.given.drain(..).take(player.started).map(|(task, _)| task).collect();
        *player = Player::default();
        self.bench.scheduler.lost(slot, unstarted, &mut self.bench.actions);
        let failed: Vec<TaskId> = self
            .bench
            .actions
            .iter()
            .filter_map(
                |action| if let Action::Fail { task, .. } = action { Some(*task) } else { None },
            )
            .collect();
        assert_eq!(failed, running, "a crash costs what ran, and nothing else");
    }

    fn revive(&mut self, slot: usize) {
        if !self.players[slot].alive {
            self.players[slot].alive = true;
            self.bench.scheduler.ready(slot, &mut self.bench.actions);
        }
    }

    fn check(&self) {
        for player in &self.players {
            let mut hows = player.given.iter().skip(player.started).map(|&(_, how)| how);
            let is_sorted =
                hows.by_ref().all(|how| how == How::Direct) || hows.all(|how| how == How::InTurn);
            assert!(is_sorted, "a direct event stands behind one that waits its turn");
        }
        let idle = self.players.iter().any(|player| player.alive && player.given.is_empty());
        let behind = self.players.iter().any(|player| {
            let mut unstarted = player.given.iter().skip(player.started.max(1));
            unstarted.any(|&(_, how)| how == How::InTurn)
        });
        assert!(!(idle && behind), "an event waits behind another while a worker is idle");
        let scheduler = &self.bench.scheduler;
        assert!(!(idle && scheduler.waiting() > 0), "an event waits while a worker is idle");
        assert_eq!(scheduler.outstanding(), self.open.len(), "an event is lost or counted twice");
    }

    fn finish(&mut self) {
        for slot in 0..self.players.len() {
            self.revive(slot);
            self.act();
        }
        while !self.open.is_empty() {
            let slot = self.random.usize(..self.players.len());
            self.start(slot);
            self.answer(slot);
            self.act();
            self.check();
        }
        let expected: Vec<TaskId> = (0..self.next).collect();
        let ended: Vec<TaskId> = self.ended.keys().copied().collect();
        assert_eq!(ended, expected, "every event ends exactly once");
    }
}

#[test]
fn random_walks_keep_every_promise() {
    for seed in 0..60 {
        let mut walk = Walk::new(seed, 1 + usize::try_from(seed % 7).expect("small"));
        for _ in 0..2_000 {
            walk.step();
        }
        walk.finish();
    }
}
