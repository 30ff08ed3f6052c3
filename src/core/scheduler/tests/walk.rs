//! A seeded random walk that plays the backlog and the workers, and checks every promise after each
//! step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;

/// Ids of events that never were in the backlog begin here, as in `task`.
const OTHERS: TaskId = 1 << 63;

/// A worker as the walk plays it.
#[derive(Default)]
struct Player {
    alive: bool,
    /// It gets nothing more.
    leaves: bool,
    /// Claimed with its text: started.
    claimed: Vec<TaskId>,
    /// Given, in order, of which so many are started. What is answered leaves both counts.
    given: VecDeque<TaskId>,
    started: usize,
    /// It has claimed an event and waits for its text.
    awaits: Option<TaskId>,
}

impl Player {
    fn holds(&self, task: TaskId) -> bool {
        self.claimed.contains(&task) || self.given.contains(&task) || self.awaits == Some(task)
    }

    /// What it runs.
    fn running(&self) -> Vec<TaskId> {
        let given = self.given.iter().take(self.started);
        self.claimed.iter().chain(given).copied().collect()
    }

    fn is_idle(&self) -> bool {
        self.alive && !self.leaves && self.claimed.is_empty() && self.given.is_empty()
    }

    fn serves(&self) -> bool {
        self.alive && !self.leaves && self.awaits.is_none()
    }
}

struct Walk {
    bench: Bench,
    players: Vec<Player>,
    random: fastrand::Rng,
    /// The events that nobody has claimed, and whether their text is long.
    backlog: VecDeque<(TaskId, bool)>,
    next: TaskId,
    next_other: TaskId,
    /// Events of one worker alone, and whose.
    chosen: BTreeMap<TaskId, usize>,
    open: BTreeSet<TaskId>,
    /// Given to be started unless the worker runs another.
    in_turn: BTreeSet<TaskId>,
    /// The program hands events out itself.
    exact: bool,
    /// What rests before it is tried again.
    resting: Vec<TaskId>,
    /// How often an event was tried again.
    again: usize,
    /// What became of each event.
    ended: BTreeMap<TaskId, &'static str>,
}

impl Walk {
    fn new(seed: u64, slots: usize) -> Self {
        Self {
            bench: Bench::ready(slots),
            players: (0..slots).map(|_| Player { alive: true, ..Player::default() }).collect(),
            random: fastrand::Rng::with_seed(seed),
            backlog: VecDeque::new(),
            next: 0,
            next_other: OTHERS,
            chosen: BTreeMap::new(),
            open: BTreeSet::new(),
            in_turn: BTreeSet::new(),
            exact: false,
            resting: Vec::new(),
            again: 0,
            ended: BTreeMap::new(),
        }
    }

    fn end(&mut self, task: TaskId, how: &'static str) {
        assert!(self.open.remove(&task), "{task} ended without having been open");
        let before = self.ended.insert(task, how);
        assert_eq!(before, None, "{task} ended twice");
    }

    /// Does what the scheduler wants done, to the end.
    fn act(&mut self) {
        let mut todo: VecDeque<Action> = self.bench.actions().into();
        let mut steps = 0;
        while let Some(action) = todo.pop_front() {
            steps += 1;
            assert!(steps < 100_000, "the scheduler never rests");
            match action {
                Action::Give { slot, task, how } => self.give(slot, task, how),
                Action::Recall { slot } => {
                    let unstarted = self.take_back_given(slot);
                    for action in self.bench.recalled(slot, unstarted).into_iter().rev() {
                        todo.push_front(action);
                    }
                }
                Action::Fail { task, .. } => self.end(task, "failed"),
            }
        }
    }

    fn give(&mut self, slot: usize, task: TaskId, how: How) {
        assert!(self.open.contains(&task), "{task} was given after it ended");
        if let Some(&chosen) = self.chosen.get(&task) {
            assert_eq!(slot, chosen, "{task} was for another worker");
        }
        let player = &mut self.players[slot];
        if how == How::Claimed {
            assert_eq!(player.awaits.take(), Some(task), "it waits for another text");
        }
        assert!(player.alive, "{task} was given to a dead worker");
        assert!(how == How::Claimed || !player.leaves, "{task} was given to one that leaves");
        self.is_nowhere(task);
        self.players[slot].given.push_back(task);
        if how == How::InTurn {
            assert!(!self.exact, "the program hands out {task} itself");
            self.in_turn.insert(task);
        } else {
            self.in_turn.remove(&task);
        }
    }

    fn is_nowhere(&self, task: TaskId) {
        let holds = self.players.iter().any(|player| player.holds(task));
        assert!(!holds, "{task} is on two workers");
    }

    fn take_back_given(&mut self, slot: usize) -> usize {
        let player = &mut self.players[slot];
        player.given.drain(player.started..).count()
    }

    fn step(&mut self) {
        let slot = self.random.usize(..self.players.len());
        match self.random.u32(..100) {
            0..20 => self.publish(),
            20..45 => self.claim(slot),
            45..50 => self.submit_to(slot),
            50..65 => self.start(slot),
            65..90 => self.answer(slot),
            90..92 => self.take_back_all(),
            // Some of the walks end so.
            99 if self.next > 1_000 && self.random.u8(..20) == 0 => self.be_exact(),
            98 => self.rested(),
            92..94 => self.leave(slot),
            94..96 => self.kill(slot),
            _ => self.revive(slot),
        }
        self.act();
        self.check();
    }

    fn publish(&mut self) {
        if self.exact {
            return;
        }
        for _ in 0..self.random.usize(1..10) {
            self.backlog.push_back((self.next, self.random.u8(..8) == 0));
            self.open.insert(self.next);
            self.next += 1;
        }
    }

    /// The worker makes the backlog's next event its own, and the master sees that.
    fn claim(&mut self, slot: usize) {
        if !self.players[slot].serves() {
            return;
        }
        let Some((task, is_long)) = self.backlog.pop_front() else { return };
        self.is_nowhere(task);
        if is_long {
            self.players[slot].awaits = Some(task);
        } else {
            self.players[slot].claimed.push(task);
        }
        self.bench.scheduler.claimed(slot, task, is_long, &mut self.bench.actions);
    }

    fn submit_to(&mut self, slot: usize) {
        let task = self.next_other;
        self.next_other += 1;
        self.open.insert(task);
        self.chosen.insert(task, slot);
        self.bench.scheduler.submit_to(slot, task, &mut self.bench.actions);
    }

    /// The worker starts the next of what it was given, or gives it back because it runs another.
    fn start(&mut self, slot: usize) {
        let player = &mut self.players[slot];
        let next = player.given.get(player.started).copied();
        if let Some(task) = next.filter(|task| self.in_turn.contains(task))
            && !player.claimed.is_empty()
        {
            player.given.remove(player.started);
            assert!(self.bench.scheduler.returned(slot, task));
            self.bench.scheduler.dispatch(&mut self.bench.actions);
            return;
        }
        player.started = (player.started + 1).min(player.given.len());
    }

    fn answer(&mut self, slot: usize) {
        let running = self.players[slot].running();
        let Some(task) = self.random.choice(running) else { return };
        let player = &mut self.players[slot];
        if let Some(at) = player.claimed.iter().position(|&claimed| claimed == task) {
            player.claimed.remove(at);
        } else {
            player.given.retain(|&given| given != task);
            player.started -= 1;
        }
        let run = [0.001, 0.01, 0.2, 3.0][self.random.usize(..4)];
        let is_chosen = self.bench.scheduler.chosen(slot).any(|chosen| chosen == task);
        assert!(self.bench.scheduler.answered(slot, task, run));
        if self.random.u8(..10) == 0 {
            self.try_again(slot, task, is_chosen);
            self.bench.scheduler.dispatch(&mut self.bench.actions);
            return;
        }
        self.end(task, "answered");
        self.passes_on(slot);
        self.bench.scheduler.dispatch(&mut self.bench.actions);
    }

    /// It has failed, and is to be tried again, at once or later.
    fn try_again(&mut self, slot: usize, task: TaskId, is_chosen: bool) {
        self.again += 1;
        self.in_turn.remove(&task);
        if self.random.bool() {
            self.bench.scheduler.rest(slot, task, is_chosen, &mut self.bench.actions);
            self.resting.push(task);
        } else {
            self.bench.scheduler.again(slot, task, is_chosen, &mut self.bench.actions);
        }
    }

    fn rested(&mut self) {
        if self.resting.is_empty() {
            return;
        }
        let task = self.resting.swap_remove(self.random.usize(..self.resting.len()));
        // It does not rest any more if the program has begun to hand out events.
        let rests = self.bench.scheduler.rested(task, &mut self.bench.actions);
        assert!(rests || self.exact);
        self.bench.scheduler.dispatch(&mut self.bench.actions);
    }

    /// Who has ended an event is taken exactly if the program hands events out, and either it has another
    /// from before or one waited, which it gets.
    fn passes_on(&mut self, slot: usize) {
        let waited = self.bench.scheduler.waiting.len();
        let held = &self.bench.scheduler.slots[slot].held;
        let resting = &self.bench.scheduler.slots[slot].resting;
        let is_other = |held: &Held| held.origin != Origin::Chosen;
        let (has_another, rests) = (held.iter().any(is_other), resting.iter().any(is_other));
        let is_taken = self.bench.scheduler.is_taken(slot, &mut self.bench.actions);
        assert_eq!(is_taken, self.exact && (has_another || rests || waited > 0));
        let gets_one = is_taken && !has_another && waited > 0;
        assert_eq!(waited - self.bench.scheduler.waiting.len(), usize::from(gets_one));
    }

    /// The master takes back what nobody has claimed.
    fn take_back_all(&mut self) {
        for (task, _) in self.backlog.drain(..) {
            self.bench.scheduler.taken_back(task);
        }
        self.bench.scheduler.dispatch(&mut self.bench.actions);
    }

    /// The program looks at the free workers.
    fn be_exact(&mut self) {
        self.take_back_all();
        self.exact = true;
        self.bench.scheduler.be_exact(&mut self.bench.actions);
    }

    fn leave(&mut self, slot: usize) {
        if self.players[slot].alive && !self.players[slot].leaves {
            self.players[slot].leaves = true;
            self.bench.scheduler.leaving(slot, &mut self.bench.actions);
        }
    }

    fn kill(&mut self, slot: usize) {
        if !self.players[slot].alive {
            return;
        }
        let unstarted = self.take_back_given(slot);
        let mut running = std::mem::take(&mut self.players[slot]).running();
        let chosen: Vec<TaskId> = self.bench.scheduler.chosen(slot).collect();
        self.bench.scheduler.lost(slot, unstarted, &mut self.bench.actions);
        let failed = |action: &Action| match action {
            Action::Fail { task, .. } => Some(*task),
            _ => None,
        };
        let mut failed: Vec<TaskId> = self.bench.actions.iter().filter_map(failed).collect();
        failed.sort_unstable();
        running.sort_unstable();
        assert_eq!(failed, running, "a crash costs what had started, and nothing else");
        for task in failed {
            if self.random.u8(..4) > 0 {
                self.passes_on(slot);
                continue;
            }
            let is_it =
                |action: &Action| matches!(action, Action::Fail { task: it, .. } if *it == task);
            self.bench.actions.retain(|action| !is_it(action));
            self.try_again(slot, task, chosen.contains(&task));
        }
    }

    fn revive(&mut self, slot: usize) {
        if !self.players[slot].alive {
            self.players[slot].alive = true;
            self.bench.scheduler.ready(slot, &mut self.bench.actions);
        }
    }

    fn check(&self) {
        let scheduler = &self.bench.scheduler;
        for (slot, player) in self.players.iter().enumerate() {
            assert_eq!(scheduler.is_idle(slot), player.is_idle(), "worker {slot}");
            assert_eq!(player.awaits, None, "worker {slot} waits for a text in vain");
        }
        // A worker of an event that rests, and that the program chose it for, is the program's.
        let rests = |slot: usize| {
            let mut resting = scheduler.slots[slot].resting.iter();
            self.exact && resting.any(|held| held.origin == Origin::Chosen)
        };
        let mut players = self.players.iter().enumerate();
        let is_idle = players.any(|(slot, player)| player.is_idle() && !rests(slot));
        assert!(!is_idle || scheduler.waiting.is_empty(), "an event waits while a worker is idle");
        let is_free = (0..self.players.len()).any(|slot| scheduler.is_free(slot));
        assert!(!self.exact || !is_free || scheduler.waiting.is_empty(), "a free worker is taken");
        let known = self.open.len() - self.backlog.len();
        assert_eq!(scheduler.outstanding(), known, "an event is lost or counted twice");
    }

    fn finish(&mut self) {
        for slot in 0..self.players.len() {
            if self.players[slot].leaves {
                self.kill(slot);
            }
            self.revive(slot);
            self.act();
        }
        while !self.open.is_empty() {
            self.rested();
            self.act();
            let slot = self.random.usize(..self.players.len());
            self.claim(slot);
            self.act();
            self.start(slot);
            self.answer(slot);
            self.act();
            self.check();
        }
        let expected: Vec<TaskId> = (0..self.next).chain(OTHERS..self.next_other).collect();
        let ended: Vec<TaskId> = self.ended.keys().copied().collect();
        assert_eq!(ended, expected, "every event ends exactly once");
        let failed = self.ended.values().filter(|&&how| how == "failed").count();
        assert!(failed > 0 && self.again > 0, "nothing was lost: the walk was too tame");
    }
}

#[test]
fn random_walks_keep_every_promise() {
    let mut exact = 0;
    for seed in 0..60 {
        let mut walk = Walk::new(seed, 1 + usize::try_from(seed % 7).expect("small"));
        for _ in 0..2_000 {
            walk.step();
        }
        walk.finish();
        exact += u32::from(walk.exact);
    }
    assert!((10..50).contains(&exact), "{exact} of the walks became exact");
}
