//! Promised: what comes back goes before everything else; workers take turns among the lanes of the runs, and events of
//! one lane start in order; a lane that no run uses is not tried, once it is empty; if there are more runs than lanes they
//! share. Nothing is left of a worker that has exited.

use std::collections::BTreeSet;

use super::*;
use crate::core::task_id::{RunId, first_of, run_of};
use crate::queue::claimer::Claimer as End;
use crate::queue::lane::Owner;
use crate::queue::writer;
use crate::run::words::Words;
use crate::tests::player::{Claimer, Writer, shared_lanes};

/// What a run of the tests has.
struct Run {
    id: RunId,
    lane: usize,
    writer: Writer,
}

struct Bench {
    lanes: Lanes,
    tasks: Tasks,
}

impl Bench {
    fn new() -> Self {
        let mut lanes = Lanes::new(shared_lanes(), 2, 1).expect("memory");
        lanes.set_workers(vec![0; Shared::MAX_WORKERS as usize]);
        Self { lanes, tasks: Tasks::default() }
    }

    fn run(&mut self, id: RunId) -> Run {
        let lane = self.lanes.assign(1.0).expect("memory");
        let (memory, front) = (Arc::clone(self.lanes.memory()), self.lanes.front(lane));
        let end = writer::Writer::new(memory, front, id, false);
        Run { id, lane, writer: Writer::of(end, Arc::new(Words::new())) }
    }

    fn runs(&mut self, count: usize) -> Vec<Run> {
        (1..).take(count).map(|id| self.run(id)).collect()
    }

    fn claimer(&self, slot: usize) -> Claimer {
        Claimer::new(Arc::clone(self.lanes.memory()), slot)
    }

    fn put_back(&mut self, id: TaskId) {
        let task = Task::new(b"again".into(), 0);
        assert!(self.lanes.put_back(id, &task, &mut self.tasks));
    }

    /// Which events were claimed since the last look, where, and by whom.
    fn claims(&mut self) -> Vec<(TaskId, Position, Owner)> {
        let mut claims = Vec::new();
        while let Some((lane, claim)) = self.lanes.next_claim() {
            claims.push((claim.task, Position { lane, at: claim.at }, claim.owner));
        }
        claims
    }

    /// Which event a worker claims next. It reads it, and it ends at once.
    fn next(&mut self, claimer: &mut Claimer) -> Option<TaskId> {
        let number = claimer.claim()?;
        claimer.read(number);
        let [(task, position, _)] = self.claims()[..] else { panic!("one was claimed") };
        self.lanes.end(position);
        Some(task)
    }

    fn open(&self) -> Vec<usize> {
        let open = self.lanes.memory().word(Shared::OPEN).load(Ordering::SeqCst);
        (0..Shared::LANES).filter(|lane| open & (1 << lane) != 0).collect()
    }
}

impl Run {
    fn write(&self, count: usize) {
        for _ in 0..count {
            assert!(self.writer.write(0, "1"));
        }
    }

    fn task(&self, number: u64) -> TaskId {
        first_of(self.id) + number
    }
}

#[test]
fn what_comes_back_goes_before_everything_else() {
    let mut bench = Bench::new();
    let runs = bench.runs(2);
    for run in &runs {
        run.write(3);
    }
    let mut claimer = bench.claimer(0);
    let first = bench.next(&mut claimer);
    for task in [runs[1].task(9), runs[0].task(8)] {
        bench.put_back(task);
    }
    let back = [(); 2].map(|()| bench.next(&mut claimer));
    assert_eq!(back, [Some(runs[1].task(9)), Some(runs[0].task(8))], "in the order of coming back");
    assert_eq!(first, Some(runs[0].task(0)));
    assert_eq!(bench.next(&mut claimer), Some(runs[1].task(0)), "it goes on where it was");
}

#[test]
fn workers_take_turns_among_the_lanes_and_each_lane_is_in_order() {
    let mut bench = Bench::new();
    let runs = bench.runs(3);
    for (run, count) in runs.iter().zip([6, 2, 4]) {
        run.write(count);
    }
    let mut claimers = [bench.claimer(0), bench.claimer(1)];
    let mut began: Vec<Vec<TaskId>> = vec![Vec::new(); 3];
    for round in 0..12 {
        let task = bench.next(&mut claimers[round % 2]).expect("an event");
        began[usize::from(run_of(task)) - 1].push(task);
        if round == 5 {
            // Each worker has had each lane once.
            assert_eq!(began.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2]);
        }
    }
    for (run, (began, count)) in runs.iter().zip(began.iter().zip([6, 2, 4])) {
        assert_eq!(*began, (0..count).map(|number| run.task(number)).collect::<Vec<_>>());
    }
    assert!(claimers.iter_mut().all(|claimer| bench.next(claimer).is_none()));
    assert_eq!((bench.lanes.unclaimed(), bench.lanes.bytes()), (0, 0));
}

#[test]
fn a_run_that_comes_later_waits_for_no_earlier_one() {
    let mut bench = Bench::new();
    let early = bench.run(1);
    early.write(1000);
    let mut claimer = bench.claimer(0);
    assert_eq!(bench.next(&mut claimer), Some(early.task(0)));
    let late = bench.run(2);
    late.write(2);
    let next = [(); 4].map(|()| bench.next(&mut claimer).map(run_of));
    assert_eq!(next.iter().filter(|&&run| run == Some(late.id)).count(), 2, "{next:?}");
}

#[test]
fn more_runs_than_lanes_share_and_none_has_the_first() {
    let mut bench = Bench::new();
    let runs = bench.runs(3 * MOST_ALIKE + 1);
    let mut counts = [0; Shared::LANES];
    for (at, run) in runs.iter().enumerate() {
        counts[run.lane] += 1;
        if at < MOST_ALIKE {
            assert_eq!(run.lane, at + 1, "each has its own while there are any");
        }
    }
    assert_eq!(counts, [0, 4, 3, 3, 3, 0, 0, 0]);
    // All of them are heard, each in order.
    for run in &runs {
        run.write(2);
    }
    let mut claimer = bench.claimer(0);
    let began: Vec<TaskId> = std::iter::from_fn(|| bench.next(&mut claimer)).collect();
    for run in &runs {
        let of_run = began.iter().copied().filter(|&task| run_of(task) == run.id);
        assert_eq!(of_run.collect::<Vec<_>>(), [run.task(0), run.task(1)]);
    }
    // The next one has the lane that the fewest use.
    bench.lanes.give_back(runs[3].lane);
    assert_eq!(bench.run(100).lane, runs[3].lane);
}

#[test]
fn runs_of_other_weights_find_lanes_and_share_with_their_like() {
    let mut bench = Bench::new();
    bench.runs(20);
    let lanes = [0.2, 3.0, 0.2, 3.0, 1.0].map(|weight| bench.lanes.assign(weight).expect("memory"));
    assert_eq!(lanes[..4], [5, 6, 5, 6]);
    assert!(lanes[4] <= MOST_ALIKE);
    // Where there is no lane any more they share one all the same.
    let lane = bench.lanes.assign(7.0).expect("memory");
    assert!((1..Shared::ADDRESSED).contains(&lane));
    // Once its runs are over, a lane is anybody's.
    (0..2).for_each(|_| bench.lanes.give_back(5));
    assert_eq!([7.0, 7.0].map(|weight| bench.lanes.assign(weight).expect("memory")), [5, 5]);
}

#[test]
fn the_lane_comes_first_whose_runs_have_had_least() {
    let mut bench = Bench::new();
    let runs = bench.runs(3);
    for run in &runs {
        run.write(4);
    }
    let mut claimer = bench.claimer(0);
    let mut next = |shares: [u32; 3]| {
        for (run, share) in runs.iter().zip(shares) {
            bench.lanes.set_share(run.lane, share);
        }
        bench.next(&mut claimer).map(run_of)
    };
    assert_eq!([next([5, 4, 6]), next([5, 4, 6]), next([5, 7, 6])], [Some(2), Some(2), Some(1)]);
    // Modulo 2^32.
    assert_eq!(next([3, u32::MAX, 1]), Some(2));
    assert_eq!(next([u32::MAX - 1, 0, u32::MAX]), Some(1));
    // One that is empty is passed by.
    assert_eq!([next([9, 1, 9]), next([9, 1, 8]), next([9, 1, 8])], [Some(2), Some(3), Some(3)]);
}

#[test]
fn a_lane_is_closed_when_no_run_uses_it_and_it_is_empty() {
    let mut bench = Bench::new();
    assert_eq!(bench.open(), [0]);
    let [one, two] = [bench.run(1), bench.run(2)];
    assert_eq!(bench.open(), [0, one.lane, two.lane]);
    one.write(2);
    let mut claimer = bench.claimer(0);
    bench.lanes.close_unused();
    assert_eq!(bench.open(), [0, one.lane, two.lane], "runs use them");
    for run in [&one, &two] {
        bench.lanes.give_back(run.lane);
    }
    bench.lanes.close_unused();
    assert_eq!(bench.open(), [0, one.lane], "events wait there");
    assert_eq!(bench.next(&mut claimer), Some(one.task(0)));
    let number = claimer.claim().expect("an event");
    claimer.read(number);
    let claims = bench.claims();
    bench.lanes.close_unused();
    assert_eq!(bench.open(), [0, one.lane], "its place is in use");
    bench.lanes.end(claims[0].1);
    bench.lanes.close_unused();
    assert_eq!(bench.open(), [0]);
}

#[test]
fn a_lane_that_is_closed_is_not_tried_and_goes_on_when_another_run_has_it() {
    let mut bench = Bench::new();
    let run = bench.run(1);
    run.write(1);
    let mut claimer = bench.claimer(0);
    bench.next(&mut claimer);
    bench.lanes.give_back(run.lane);
    bench.lanes.close_unused();
    // Nobody should: this is what a worker would find if it tried.
    run.write(1);
    assert!(claimer.claim().is_none() && !claimer.has_more());
    assert!(bench.claimer(1).claim().is_none());
    let next = bench.run(2);
    assert_eq!((next.lane, bench.open()), (run.lane, vec![0, run.lane]));
    next.write(1);
    assert_eq!(bench.next(&mut claimer), Some(run.task(1)));
    assert_eq!(bench.next(&mut claimer), Some(next.task(0)));
}

#[test]
fn only_what_is_meant_is_taken_back_in_whichever_lane_it_is() {
    let mut bench = Bench::new();
    let runs = bench.runs(MOST_ALIKE + 1);
    let shares = runs[MOST_ALIKE].lane;
    assert_eq!(shares, runs[0].lane);
    for run in &runs {
        run.write(2);
    }
    bench.put_back(runs[0].task(7));
    bench.put_back(runs[1].task(7));
    let is_meant = |task| run_of(task) == runs[0].id;
    bench.lanes.take_back(|_, task| is_meant(task));
    let mut claimer = bench.claimer(0);
    let mut of_workers = BTreeSet::new();
    while let Some(number) = claimer.claim() {
        of_workers.insert((claimer.lane(number), number));
        claimer.read(number);
    }
    let mut taken = Vec::new();
    for (task, position, owner) in bench.claims() {
        assert_eq!(owner == Owner::Master, is_meant(task));
        let index = position.at as u32;
        assert_eq!(of_workers.contains(&(position.lane, index)), !is_meant(task));
        assert_eq!(bench.lanes.position(position.lane, index), Some(position));
        taken.extend(is_meant(task).then_some(task));
    }
    assert_eq!(taken, [7, 0, 1].map(|number| runs[0].task(number)));
}

#[test]
fn an_answer_from_a_lane_that_there_is_not_is_about_no_event() {
    let mut bench = Bench::new();
    let run = bench.run(1);
    run.write(1);
    assert_eq!(bench.lanes.position(run.lane, 0), Some(Position { lane: run.lane, at: 0 }));
    for lane in [run.lane + 1, Shared::ADDRESSED, Shared::LANES, usize::MAX] {
        assert_eq!(bench.lanes.position(lane, 0), None);
    }
}

#[test]
fn each_worker_parks_for_itself_and_any_event_wakes_it() {
    let mut bench = Bench::new();
    let runs = bench.runs(2);
    let slots = [0, 1, 31, 32, 63, 64, 99];
    let claimers = slots.map(|slot| bench.claimer(slot));
    let have_parked = |expected| runs.iter().all(|run| run.writer.has_parked() == expected);
    assert!(have_parked(false));
    for (slot, claimer) in slots.into_iter().zip(&claimers) {
        claimer.park();
        assert!(have_parked(true), "in slot {slot}");
        let parked: Vec<usize> = (0..100).filter(|&at| bench.lanes.is_parked(at)).collect();
        assert_eq!(parked, [slot]);
        assert!(bench.lanes.wake(slot) && !bench.lanes.wake(slot), "it is notified once");
        claimer.park();
        claimer.unpark();
        assert!(!bench.lanes.is_parked(slot));
    }
    // Whichever lane it is in.
    for run in &runs {
        assert!(!claimers[0].has_more());
        run.write(1);
        assert!(claimers[0].has_more());
        let mut claimer = bench.claimer(5);
        bench.next(&mut claimer);
    }
    bench.put_back(runs[0].task(9));
    assert!(claimers[0].has_more());
}

#[test]
fn nothing_is_left_of_a_worker_that_has_exited() {
    let mut bench = Bench::new();
    let run = bench.run(1);
    run.write(3);
    let words = Arc::clone(bench.lanes.memory());
    let spinner = |at: usize| words.word(Shared::SPINNERS + at);
    for (at, slot) in [4, 0, 5].into_iter().enumerate() {
        spinner(at).store(slot + 1, Ordering::SeqCst);
    }
    let mut claimer = bench.claimer(4);
    let number = claimer.claim().expect("an event");
    bench.claimer(5).park();
    claimer.park();
    // What no sound worker does: it claims out of turn.
    let state = words.word(Shared::entry(run.lane, number + 2));
    state.store(Shared::free(number + 2) | 5, Ordering::SeqCst);
    bench.lanes.forget(4);
    let spinners = [0, 1, 2].map(|at| spinner(at).load(Ordering::SeqCst));
    assert_eq!(spinners, [0, 1, 6], "its word is another's now");
    assert!(!bench.lanes.is_parked(4) && bench.lanes.is_parked(5));
    bench.claimer(0).claim().expect("an event");
    let owners: Vec<Owner> = bench.claims().into_iter().map(|(.., owner)| owner).collect();
    // What it had claimed before the master looked, it may have run: taken in before it is forgotten.
    assert_eq!(owners, [Owner::Master, Owner::Worker(0), Owner::Master]);
}

#[test]
fn as_many_workers_spin_as_there_are_words_for() {
    for (limit, expected) in [(0, 0), (1, 1), (64, 64), (65, 64), (usize::MAX, 64)] {
        let lanes = Lanes::new(shared_lanes(), limit, 1).expect("memory");
        assert_eq!(lanes.memory().word(Shared::SPIN_LIMIT).load(Ordering::SeqCst), expected);
    }
}

#[test]
fn what_a_worker_has_enough_of_is_left_to_others_and_loses_no_place() {
    let mut bench = Bench::new();
    let runs = bench.runs(2);
    runs[0].write(3);
    runs[1].write(2);
    for (task, to) in [(runs[0].task(10), 0), (runs[1].task(10), 0), (runs[0].task(11), 0)] {
        let event = Task::new(b"addressed".into(), 0);
        let to = (Shared::to_slot(to), 0);
        assert!(bench.lanes.put_addressed(to, (task, &event), &mut bench.tasks).expect("memory"));
    }
    for is_ranked in [false, true] {
        bench.lanes.set_ranked(is_ranked);
        let mut claimer = bench.claimer(0);
        claimer.suspend(runs[0].id.into(), true);
        let mut left = vec![runs[1].task(0), runs[1].task(1), runs[1].task(10)];
        if is_ranked {
            left.clear();
        }
        while !left.is_empty() {
            assert!(claimer.has_more());
            let next = bench.next(&mut claimer).expect("an event");
            left.retain(|&task| task != next);
        }
        assert_eq!(bench.next(&mut claimer), None);
        assert!(!claimer.has_more() && !claimer.has_news(), "it may park");
        if is_ranked {
            // Another worker, and this one later, find them in their order.
            let mut other = bench.claimer(1);
            assert_eq!(bench.next(&mut other), Some(runs[0].task(0)));
            claimer.suspend(runs[0].id.into(), false);
            assert!(claimer.has_more() && claimer.has_news());
            let rest: Vec<TaskId> = std::iter::from_fn(|| bench.next(&mut claimer)).collect();
            let (addressed, in_lane): (Vec<TaskId>, Vec<TaskId>) =
                rest.iter().partition(|&&task| task >= runs[0].task(10));
            assert_eq!(addressed, [runs[0].task(10), runs[0].task(11)]);
            assert_eq!(in_lane, [runs[0].task(1), runs[0].task(2)]);
        }
    }
}

#[test]
fn a_lane_is_for_the_workers_of_its_groups() {
    let mut lanes = Lanes::new(shared_lanes(), 2, 0b001).expect("memory");
    lanes.set_workers(vec![0, 1, 2]);
    let claimer = |lanes: &Lanes, group: u32| {
        End::new(Arc::clone(lanes.memory()), group as usize).in_group(group)
    };
    let mut claimers = [0, 1, 2].map(|group| claimer(&lanes, group));
    let write = |lanes: &Lanes, lane: usize| {
        let (memory, front) = (Arc::clone(lanes.memory()), lanes.front(lane));
        let end = writer::Writer::new(memory, front, 1, false);
        assert!(Writer::of(end, Arc::new(Words::new())).write(0, "1"));
    };
    let tags = ["a".to_owned()];
    let tagged = lanes.assign_tagged(&tags, 0b110).expect("memory").expect("a lane");
    let plain = lanes.assign(1.0).expect("memory");
    assert_ne!(tagged, plain);
    for _ in 0..2 {
        write(&lanes, tagged);
        write(&lanes, plain);
    }
    assert_eq!(claimers.each_ref().map(End::has_more), [true; 3]);
    let lane_of = |claimer: &mut End| claimer.claim().map(|claimed| claimed.lane);
    let (first, second) = (Some(plain), Some(tagged));
    assert_eq!(claimers.each_mut().map(lane_of), [first, second, second]);
    assert_eq!(claimers.each_mut().map(lane_of), [first, None, None]);
    while lanes.next_claim().is_some() {}
    // The next one in its place has others, whatever workers thought.
    lanes.give_back(tagged);
    let next = lanes.assign_tagged(&tags, 0b010).expect("memory");
    assert_eq!(next, Some(tagged));
    write(&lanes, tagged);
    assert_eq!(claimers[2].claim_from(tagged).map(|claimed| claimed.lane), None);
    assert_eq!(claimers[1].claim_from(tagged).map(|claimed| claimed.lane), Some(tagged));
}

#[test]
fn where_an_event_waits_a_lane_keeps_its_groups() {
    let mut lanes = Lanes::new(shared_lanes(), 2, 1).expect("memory");
    lanes.set_workers(vec![0, 1]);
    let tags = ["a".to_owned()];
    let all: Vec<usize> =
        std::iter::from_fn(|| lanes.assign_tagged(&tags, 2).expect("memory")).collect();
    assert_eq!(all.len(), MOST_TAGGED);
    let (memory, front) = (Arc::clone(lanes.memory()), lanes.front(all[0]));
    let end = writer::Writer::new(memory, front, 1, false);
    assert!(Writer::of(end, Arc::new(Words::new())).write(0, "1"));
    for &lane in &all {
        lanes.give_back(lane);
    }
    assert!(lanes.has_tagged());
    let others: Vec<usize> = (0..20).map(|_| lanes.assign(1.0).expect("memory")).collect();
    assert!(!others.contains(&all[0]));
    assert_eq!(lanes.groups(all[0]), 2);
}
