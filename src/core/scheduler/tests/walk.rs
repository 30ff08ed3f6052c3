//! A seeded random walk that plays the lanes, the workers and their runs, and checks every promise after each step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::core::task_id::{RunId, run_of};

/// The runs whose events the walk hands over. Lane 0 is the first one; each run has the lane of its number.
const RUNS: [RunId; 3] = [1, 2, 3];

/// An event that was claimed with its text.
#[derive(Clone, Copy)]
struct Claimed {
    task: TaskId,
    from: Position,
}

/// A worker as the walk plays it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is said by another effect")]
struct Player {
    /// A process is there, and has reached the call.
    is_alive: bool,
    /// It is to take nothing more.
    leaves: bool,
    is_released: bool,
    is_killed: bool,
    is_closed: bool,
    /// Claimed with its text: started.
    claimed: Vec<Claimed>,
    /// Given, in order, of which so many are started. What is answered leaves both counts.
    given: VecDeque<TaskId>,
    started: usize,
    /// It has claimed an event and waits for its text.
    awaits: Option<TaskId>,
}

impl Player {
    fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let claimed = self.claimed.iter().map(|claimed| claimed.task);
        claimed.chain(self.given.iter().copied()).chain(self.awaits)
    }

    /// What it runs, and where that was claimed.
    fn running(&self) -> Vec<(TaskId, Option<Position>)> {
        let given = self.given.iter().take(self.started).map(|&task| (task, None));
        let claimed = self.claimed.iter().map(|claimed| (claimed.task, Some(claimed.from)));
        claimed.chain(given).collect()
    }

    fn is_ready(&self) -> bool {
        self.is_alive && !self.leaves
    }

    fn is_idle(&self) -> bool {
        self.is_ready() && self.tasks().next().is_none()
    }
}

struct Walk {
    bench: Bench,
    players: Vec<Player>,
    random: fastrand::Rng,
    /// The events that nobody has claimed, and whether their text is long. The first lane comes first.
    lanes: [VecDeque<(TaskId, bool)>; RUNS.len() + 1],
    /// How many events were claimed in each.
    positions: [u64; RUNS.len() + 1],
    in_lanes: BTreeSet<TaskId>,
    /// How many events each run has handed over to anybody, and to one worker.
    handed_over: [u64; RUNS.len()],
    handed_to_one: [u64; RUNS.len()],
    /// The slot of what the program handed to one worker.
    chosen: BTreeMap<TaskId, usize>,
    open: BTreeSet<TaskId>,
    is_manual: bool,
    /// What backs off before it is tried again.
    backing_off: Vec<TaskId>,
    /// How often an event was put back, tried again, withdrawn.
    counts: [usize; 3],
    /// What became of each event.
    ended: BTreeMap<TaskId, &'static str>,
}

impl Walk {
    fn new(seed: u64, slots: usize) -> Self {
        let player = || Player { is_alive: true, ..Player::default() };
        Self {
            bench: Bench::ready(slots),
            players: (0..slots).map(|_| player()).collect(),
            random: fastrand::Rng::with_seed(seed),
            lanes: Default::default(),
            positions: Default::default(),
            in_lanes: BTreeSet::new(),
            handed_over: Default::default(),
            handed_to_one: Default::default(),
            chosen: BTreeMap::new(),
            open: BTreeSet::new(),
            is_manual: false,
            backing_off: Vec::new(),
            counts: Default::default(),
            ended: BTreeMap::new(),
        }
    }

    fn on(&mut self, event: Event) {
        self.bench.scheduler.on(event, &mut self.bench.effects);
    }

    fn end(&mut self, task: TaskId, how: &'static str) {
        assert!(self.open.remove(&task), "{task:#x} ended without having been open");
        let before = self.ended.insert(task, how);
        assert_eq!(before, None, "{task:#x} ended twice");
    }

    /// Does what the scheduler wants done, to the end.
    fn act(&mut self) {
        let mut todo: VecDeque<Effect> = self.bench.effects().into();
        let mut steps = 0;
        while let Some(effect) = todo.pop_front() {
            steps += 1;
            assert!(steps < 100_000, "the scheduler never rests");
            match effect {
                Effect::Give { slot, task, how } => self.give(slot, task, how),
                Effect::Recall { slot } => {
                    let unstarted = self.take_back_given(slot);
                    for effect in self.bench.recalled(slot, unstarted).into_iter().rev() {
                        todo.push_front(effect);
                    }
                }
                Effect::PutBack { task } => self.put_back(task),
                Effect::Fail { task, from, .. } => {
                    assert_eq!(from, None, "{task:#x} was claimed by nobody");
                    self.is_nowhere(task);
                    self.end(task, "failed");
                }
                Effect::Withhold { slot } => {
                    assert!(self.players[slot].is_alive, "nobody is in {slot}");
                    self.players[slot].leaves = true;
                }
                Effect::Release { slot } => {
                    let player = &mut self.players[slot];
                    assert!(player.is_alive && player.leaves, "{slot} was not withheld");
                    assert!(!std::mem::replace(&mut player.is_released, true), "{slot}: twice");
                }
                Effect::Kill { slot } => {
                    let player = &mut self.players[slot];
                    assert!(player.is_alive && player.leaves, "{slot} was not withheld");
                    assert!(!std::mem::replace(&mut player.is_killed, true), "{slot}: twice");
                }
            }
        }
    }

    fn give(&mut self, slot: usize, task: TaskId, how: How) {
        assert!(self.open.contains(&task), "{task:#x} was given after it ended");
        if let Some(&chosen) = self.chosen.get(&task) {
            assert_eq!(slot, chosen, "{task:#x} was for another worker");
        }
        let player = &mut self.players[slot];
        if how == How::Text {
            assert_eq!(player.awaits.take(), Some(task), "it waits for another text");
        }
        assert!(player.is_alive, "{task:#x} was given to a dead worker");
        assert!(how == How::Text || !player.leaves, "{task:#x} was given to one that leaves");
        let holds = self.players.iter().any(|player| player.tasks().any(|held| held == task));
        assert!(!holds && !self.in_lanes.contains(&task), "{task:#x} is in two places");
        self.players[slot].given.push_back(task);
    }

    /// An event that comes back is nowhere, and goes into the first lane.
    fn put_back(&mut self, task: TaskId) {
        assert!(self.open.contains(&task), "{task:#x} came back after it ended");
        assert!(!self.is_manual, "the program dispatches {task:#x} itself");
        assert!(!self.chosen.contains_key(&task), "{task:#x} is for one worker");
        self.is_nowhere(task);
        self.counts[0] += 1;
        let is_long = self.random.u8(..8) == 0;
        self.lanes[0].push_back((task, is_long));
        self.in_lanes.insert(task);
    }

    fn is_nowhere(&self, task: TaskId) {
        let holds = self.players.iter().any(|player| player.tasks().any(|held| held == task));
        assert!(!holds && !self.in_lanes.contains(&task), "{task:#x} is still somewhere");
        assert!(!self.known().any(|known| known == task), "the scheduler still has {task:#x}");
    }

    /// What the scheduler has that no worker has.
    fn known(&self) -> impl Iterator<Item = TaskId> {
        let Scheduler { slots, backing_off, waiting, .. } = &self.bench.scheduler;
        let of_slots = slots.iter().flat_map(|slot| {
            let backing_off = slot.backing_off.iter().map(|&(task, _)| task);
            slot.pinned.iter().copied().chain(backing_off)
        });
        of_slots.chain(backing_off.iter().copied()).chain(waiting.iter().copied())
    }

    fn take_back_given(&mut self, slot: usize) -> usize {
        let player = &mut self.players[slot];
        player.given.drain(player.started..).count()
    }

    fn step(&mut self) {
        let slot = self.random.usize(..self.players.len());
        match self.random.u32(..1000) {
            0..180 => self.publish(),
            180..450 => self.claim(slot),
            450..500 => self.choose(slot),
            500..640 => self.start(slot),
            640..890 => self.answer(slot),
            890..895 => self.take_back_all(),
            895..910 => self.unclaim(slot),
            910..913 => self.withdraw(),
            913..930 => self.backed_off(),
            930..950 => self.leave(slot),
            950..955 => self.on(Event::Released { slot }),
            955..960 => self.on(Event::Killed { slot, why: Kill::Other }),
            960..975 => self.exit(slot),
            // Some of the walks end so.
            975 if self.handed_over[0] > 200 && self.random.bool() => self.be_manual(),
            976 if self.handed_over[0] > 200 && self.random.u8(..4) == 0 => self.close(slot),
            _ => self.revive(slot),
        }
        self.act();
        self.settle(slot);
        self.act();
        self.check();
    }

    fn publish(&mut self) {
        if self.is_manual {
            return;
        }
        let run = self.random.usize(..RUNS.len());
        for _ in 0..self.random.usize(1..8) {
            let task = first_of(RUNS[run]) + self.handed_over[run];
            self.handed_over[run] += 1;
            self.lanes[run + 1].push_back((task, self.random.u8(..8) == 0));
            self.in_lanes.insert(task);
            self.open.insert(task);
        }
    }

    /// The worker makes the next event of a lane its own, and the master sees that. It may be that a worker has not
    /// seen yet that it is to leave.
    fn claim(&mut self, slot: usize) {
        let player = &self.players[slot];
        let is_late = player.leaves && !player.is_released && self.random.u8(..8) == 0;
        let sees = self.bench.scheduler.slots[slot].is_settled;
        if !player.is_alive || player.awaits.is_some() || sees || (player.leaves && !is_late) {
            return;
        }
        let run = self.random.usize(1..=RUNS.len());
        let lane = if self.lanes[0].is_empty() { run } else { 0 };
        let Some((task, is_long)) = self.lanes[lane].pop_front() else { return };
        self.in_lanes.remove(&task);
        self.is_nowhere(task);
        let from = Position { lane, at: self.positions[lane] };
        self.positions[lane] += 1;
        if is_long {
            self.players[slot].awaits = Some(task);
        } else {
            self.players[slot].claimed.push(Claimed { task, from });
        }
        self.on(Event::Claimed { slot, task, from, is_long });
        let has_text = self.bench.scheduler.claimed_at(slot, from) == Some(task);
        assert_eq!(has_text, !is_long);
    }

    fn choose(&mut self, slot: usize) {
        let run = self.random.usize(..RUNS.len());
        let task = first_of(RUNS[run]) + DIRECT + self.handed_to_one[run];
        self.handed_to_one[run] += 1;
        self.open.insert(task);
        self.chosen.insert(task, slot);
        self.on(Event::Chosen { slot, task });
    }

    /// The worker starts the next of what it was given.
    fn start(&mut self, slot: usize) {
        let player = &mut self.players[slot];
        player.started = (player.started + 1).min(player.given.len());
    }

    fn answer(&mut self, slot: usize) {
        let running = self.players[slot].running();
        let Some((task, _)) = self.random.choice(running) else { return };
        let player = &mut self.players[slot];
        if let Some(at) = player.claimed.iter().position(|claimed| claimed.task == task) {
            player.claimed.remove(at);
        } else {
            player.given.retain(|&given| given != task);
            player.started -= 1;
        }
        let run = [0.001, 0.01, 0.2, 3.0][self.random.usize(..4)];
        let is_chosen = self.bench.scheduler.is_chosen(slot, task);
        self.on(Event::Answered { slot, task, run });
        if self.random.u8(..10) == 0 {
            self.try_again(slot, task, is_chosen);
            return;
        }
        self.end(task, "answered");
        self.passes_on(slot);
    }

    /// It has failed, and is to be tried again, at once or later.
    fn try_again(&mut self, slot: usize, task: TaskId, is_chosen: bool) {
        self.counts[1] += 1;
        let backs_off = self.random.bool();
        if backs_off {
            self.backing_off.push(task);
        }
        self.on(Event::Retried { slot, task, is_chosen, backs_off });
    }

    fn backed_off(&mut self) {
        if self.backing_off.is_empty() {
            return;
        }
        let task = self.backing_off.swap_remove(self.random.usize(..self.backing_off.len()));
        // It does not any more if the program has begun to dispatch, or its run took it out.
        self.on(Event::BackedOff { task });
    }

    /// Who has ended an event is taken exactly if dispatch is manual, and either it has another from before or one
    /// waited, which it gets.
    fn passes_on(&mut self, slot: usize) {
        let waited = self.bench.scheduler.waiting.len();
        let Slot { held, backing_off, .. } = &self.bench.scheduler.slots[slot];
        let has_another = held.iter().any(|held| held.origin != Origin::Chosen);
        let is_closed = self.players[slot].is_closed;
        let backs_off = backing_off.iter().any(|&(_, is_chosen)| !is_chosen);
        let is_taken = self.bench.scheduler.is_taken(slot, &mut self.bench.effects);
        let expected = is_closed || has_another || backs_off || waited > 0;
        assert_eq!(is_taken, self.is_manual && expected);
        let gets_one = is_taken && !is_closed && !has_another && waited > 0;
        assert_eq!(waited - self.bench.scheduler.waiting.len(), usize::from(gets_one));
    }

    /// Everything that nobody has claimed.
    fn take_out(&mut self, meant: impl Fn(TaskId) -> bool) -> Vec<TaskId> {
        let mut tasks = Vec::new();
        for lane in &mut self.lanes {
            tasks.extend(lane.iter().map(|&(task, _)| task).filter(|&task| meant(task)));
            lane.retain(|&(task, _)| !meant(task));
        }
        self.in_lanes.retain(|&task| !meant(task));
        tasks
    }

    /// The master takes back what nobody has claimed.
    fn take_back_all(&mut self) {
        for task in self.take_out(|_| true) {
            self.on(Event::TakenBack { task });
        }
    }

    /// The master takes back what a worker has claimed and not read.
    fn unclaim(&mut self, slot: usize) {
        let Some(Claimed { task, .. }) = self.players[slot].claimed.pop() else { return };
        self.on(Event::Unclaimed { task });
    }

    /// Everything of a run that no worker runs is taken out, wherever it is.
    fn withdraw(&mut self) {
        let run = RUNS[self.random.usize(..RUNS.len())];
        let is_meant = |task| run_of(task) == run;
        let mut expected: Vec<TaskId> = self.known().filter(|&task| is_meant(task)).collect();
        expected.sort_unstable();
        let tasks = self.bench.scheduler.withdraw(is_meant);
        assert_eq!(tasks, expected, "what one run takes out is none of the others");
        self.counts[2] += tasks.len();
        for task in tasks.into_iter().chain(self.take_out(is_meant)) {
            self.is_nowhere(task);
            self.end(task, "withdrawn");
        }
    }

    /// The program looks at the free workers.
    fn be_manual(&mut self) {
        if !self.is_manual {
            self.is_manual = true;
            let waiting = self.take_out(|_| true);
            self.on(Event::Manual { waiting });
        }
    }

    fn leave(&mut self, slot: usize) {
        let reasons = [Leave::Disconnected, Leave::Recycled, Leave::Stopped];
        if self.players[slot].is_ready() {
            let why = reasons[self.random.usize(..3)];
            self.on(Event::Leaves { slot, why });
        }
    }

    /// A worker that leaves and runs nothing sees that it is to leave.
    fn settle(&mut self, slot: usize) {
        let player = &self.players[slot];
        if player.is_alive && player.leaves && player.tasks().next().is_none() {
            self.on(Event::Settled { slot });
        }
    }

    fn exit(&mut self, slot: usize) {
        if !self.players[slot].is_alive {
            return;
        }
        let unstarted = self.take_back_given(slot);
        let is_closed = self.players[slot].is_closed;
        let player =
            std::mem::replace(&mut self.players[slot], Player { is_closed, ..Player::default() });
        let is_chosen: BTreeMap<TaskId, bool> = self
            .bench
            .scheduler
            .held(slot)
            .map(|held| (held.task, held.origin == Origin::Chosen))
            .collect();
        let mut effects = self.bench.effects();
        self.on(Event::Exited { slot, unstarted });
        let mut failed = Vec::new();
        for effect in self.bench.effects() {
            match effect {
                Effect::Fail { task, from, .. } => failed.push((task, from)),
                other => effects.push(other),
            }
        }
        self.bench.effects = effects;
        let mut running = player.running();
        running.sort_unstable_by_key(|&(task, _)| task);
        let mut sorted = failed.clone();
        sorted.sort_unstable_by_key(|&(task, _)| task);
        assert_eq!(sorted, running, "a crash costs what had started, and nothing else");
        for (task, _) in failed {
            if !is_closed && self.random.u8(..4) == 0 {
                self.try_again(slot, task, is_chosen[&task]);
                continue;
            }
            self.is_nowhere(task);
            self.end(task, "failed");
            self.passes_on(slot);
        }
    }

    /// Nothing is started in this slot any more; one is left.
    fn close(&mut self, slot: usize) {
        let are_others =
            (0..self.players.len()).any(|at| at != slot && !self.players[at].is_closed);
        if are_others && !self.players[slot].is_closed {
            self.exit(slot);
            self.act();
            self.players[slot].is_closed = true;
            self.on(Event::Closed { slot });
        }
    }

    fn revive(&mut self, slot: usize) {
        if !self.players[slot].is_alive && !self.players[slot].is_closed {
            self.players[slot].is_alive = true;
            self.on(Event::Started { slot });
            self.on(Event::Registered { slot });
        }
    }

    fn check(&self) {
        let scheduler = &self.bench.scheduler;
        for (slot, player) in self.players.iter().enumerate() {
            assert_eq!(scheduler.has_room(slot), player.is_idle(), "worker {slot}");
            assert_eq!(scheduler.is_ready(slot), player.is_ready(), "worker {slot}");
            assert_eq!(player.awaits, None, "worker {slot} waits for a text in vain");
            let mut held: Vec<TaskId> = scheduler.held(slot).map(|held| held.task).collect();
            let mut tasks: Vec<TaskId> = player.tasks().collect();
            held.sort_unstable();
            tasks.sort_unstable();
            assert_eq!(held, tasks, "worker {slot}");
            // One that was to go once it runs nothing is not forgotten.
            let Worker::Leaving { why, told: false } = scheduler.worker(slot) else { continue };
            let goes = matches!(why, Leave::Recycled | Leave::Stopped);
            assert!(!goes || !tasks.is_empty(), "worker {slot} is not released");
        }
        assert!(self.is_manual || scheduler.waiting.is_empty(), "it waits where no worker looks");
        let is_free = (0..self.players.len()).any(|slot| scheduler.is_free(slot));
        assert!(!self.is_manual || !is_free || scheduler.waiting.is_empty(), "a free one is taken");
        assert!(scheduler.capacity() >= scheduler.places());
        assert!(scheduler.capacity() <= scheduler.places() * MAX_WINDOW);
        // Each is in one place.
        let held = self.players.iter().map(|player| player.tasks().count()).sum::<usize>();
        let places = self.in_lanes.len() + held + self.known().count();
        assert_eq!(places, self.open.len(), "an event is lost or there twice");
    }

    fn finish(&mut self) {
        for slot in 0..self.players.len() {
            if self.players[slot].leaves {
                self.exit(slot);
            }
            self.revive(slot);
            self.act();
        }
        let mut steps = 0;
        while !self.open.is_empty() {
            steps += 1;
            assert!(steps < 1_000_000, "these never end: {:x?}", self.open);
            self.backed_off();
            self.act();
            let slot = self.random.usize(..self.players.len());
            self.claim(slot);
            self.act();
            self.start(slot);
            self.answer(slot);
            self.act();
            self.check();
        }
        let of_run = |run: usize| {
            let first = first_of(RUNS[run]);
            let direct = (0..self.handed_to_one[run]).map(move |number| first + DIRECT + number);
            (0..self.handed_over[run]).map(move |number| first + number).chain(direct)
        };
        let expected: Vec<TaskId> = (0..RUNS.len()).flat_map(of_run).collect();
        let ended: Vec<TaskId> = self.ended.keys().copied().collect();
        assert_eq!(ended, expected, "every event ends exactly once");
        let failed = self.ended.values().filter(|&&how| how == "failed").count();
        let is_wild = failed > 0 && self.counts.iter().all(|&count| count > 0);
        assert!(is_wild, "the walk was too tame: {failed} failed, {:?}", self.counts);
    }
}

#[test]
fn random_walks_keep_every_promise() {
    let (mut manual, mut closed) = (0, 0);
    for seed in 0..60 {
        let mut walk = Walk::new(seed, 1 + usize::try_from(seed % 7).expect("small"));
        for _ in 0..2_000 {
            walk.step();
        }
        walk.finish();
        manual += u32::from(walk.is_manual);
        closed += u32::from(walk.players.iter().any(|player| player.is_closed));
    }
    assert!((10..50).contains(&manual), "{manual} of the walks became manual");
    assert!((10..50).contains(&closed), "in {closed} of the walks a slot was closed");
}
