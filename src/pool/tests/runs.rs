//! Promised: a pool serves any number of runs, at once and one after another, on the same workers. Each run's entries are
//! its own and complete, whatever becomes of workers and of other runs; each event ends once; an event that is tried
//! again stays in its run. Stopping, failing or closing one run touches no other, and a closed run leaves nothing behind.

mod walk;

use super::*;
use crate::core::retry::{Cause, Policy};

/// A run of a pool that has others, and JavaScript's end of it.
pub(super) struct Other {
    pub(super) id: RunId,
    pub(super) words: Arc<Words>,
    writer: Writer,
}

impl Other {
    pub(super) fn of(bench: &Bench, options: RunOptions) -> Self {
        let (id, words, writer) = bench.open(options);
        Self { id, words, writer }
    }

    pub(super) fn hand_over(&self, bench: &Bench, text: &str) {
        if !self.writer.write(0, text) {
            bench.pool.submit(self.id, text.as_bytes(), 0);
        } else if self.writer.has_parked() {
            bench.pool.flush();
        }
    }

    pub(super) fn map(&self, bench: &Bench, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.hand_over(bench, &number.to_string());
        }
    }

    /// The data of everything in a queue, in order of size.
    pub(super) fn numbers(&self, bench: &Bench, queue: Queue) -> Vec<u32> {
        let entries = bench.take_of(self.id, queue);
        let number = |entry: &Entry| entry.data.as_u64().expect("a number") as u32;
        let mut numbers: Vec<u32> = entries.iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    pub(super) fn outstanding(&self, bench: &Bench) -> usize {
        bench.pool.lock().runs[&self.id].outstanding()
    }
}

/// A pool that outlives its runs, without any yet.
pub(super) fn lasting(workers: u32) -> Bench {
    let mut launch = launch(workers, DEADLINE);
    launch.is_for_one_run = false;
    let mut bench = Bench::with(launch, plain());
    bench.pool.close(bench.run);
    bench.orders();
    bench
}

fn retrying(limit: u32, backoff: f64) -> RunOptions {
    let on = vec![Cause::Crash, Cause::Timeout, Cause::Error];
    let retries = Some(Policy { limit, backoff, factor: 2.0, max_delay: 1e3, on });
    RunOptions { retries, ..plain() }
}

fn pids(bench: &Bench) -> Vec<u32> {
    bench.pool.lock().connections().map(|connection| connection.child.pid()).collect()
}

/// The lanes that workers try.
fn open_lanes(bench: &Bench) -> u32 {
    bench.lanes.word(Shared::OPEN).load(Ordering::SeqCst)
}

/// Nothing is left of any run but in the runs themselves.
fn is_clean(bench: &Bench) -> bool {
    let state = bench.pool.lock();
    let waits = [state.lanes.waiting(), state.scheduler.waiting()].concat();
    waits.is_empty() && state.tasks.bytes() == 0 && state.returned.is_empty()
}

#[test]
fn one_run_after_another_is_served_by_the_same_processes() {
    let (bench, [mut a, mut b]) = lasting(2).run();
    let before = pids(&bench);
    for round in 0..20 {
        let run = Other::of(&bench, plain());
        run.map(&bench, round * 10..round * 10 + 10);
        for seat in [&mut a, &mut b] {
            seat.run(&bench, 5);
        }
        assert_eq!(
            run.numbers(&bench, Queue::Results),
            (round * 10..round * 10 + 10).collect::<Vec<_>>()
        );
        assert!(bench.pool.drained(run.id));
        bench.pool.close(run.id);
        assert_eq!(open_lanes(&bench), 1, "its lane is free");
        assert!(is_clean(&bench));
    }
    assert_eq!(pids(&bench), before);
    assert!([&a, &b].iter().all(|seat| seat.process.done().is_empty()));
    assert_eq!(bench.hear(), []);
}

#[test]
fn a_lane_is_free_for_the_next_run_when_its_own_is_closed_and_shared_when_there_are_more_runs() {
    let (bench, [mut seat]) = lasting(1).run();
    let lane = |run: &Other| bench.pool.lock().runs[&run.id].lane();
    let mut runs: Vec<Other> = (0..10).map(|_| Other::of(&bench, plain())).collect();
    let lanes: Vec<usize> = runs.iter().map(&lane).collect();
    assert_eq!(lanes, [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]);
    for (run, at) in runs.iter().zip(0..) {
        run.map(&bench, [at, 100 + at]);
    }
    // The other run of the same lane is not closed with it.
    let first = runs.remove(0);
    bench.pool.close(first.id);
    let fifth = runs.remove(3);
    bench.pool.close(fifth.id);
    let next = Other::of(&bench, plain());
    assert_eq!(lane(&next), 1, "the fewest use it");
    next.map(&bench, [0, 100]);
    seat.run(&bench, 18);
    runs.insert(0, next);
    for (run, at) in runs.iter().zip([0, 1, 2, 3, 5, 6, 7, 8, 9]) {
        assert_eq!(run.numbers(&bench, Queue::Results), [at, 100 + at]);
        assert!(bench.pool.drained(run.id));
    }
    assert!(is_clean(&bench));
}

#[test]
fn workers_take_turns_among_the_runs() {
    let (bench, [mut seat]) = lasting(1).run();
    let runs = [0, 1, 2].map(|_| Other::of(&bench, plain()));
    for (run, at) in runs.iter().zip(0..) {
        run.map(&bench, [at; 4]);
    }
    let texts: Vec<String> = (0..12)
        .map(|_| {
            let item = seat.player.start();
            seat.player.answer(&item, Outcome::response("1"));
            String::from_utf8(item.text.to_vec()).expect("UTF-8")
        })
        .collect();
    assert_eq!(texts, ["0", "1", "2"].repeat(4));
}

#[test]
fn an_event_that_is_tried_again_stays_in_its_run_and_comes_before_those_of_all_others() {
    let (bench, [mut seat]) = lasting(1).run();
    let [retried, plain] = [retrying(2, 0.0), plain()].map(|options| Other::of(&bench, options));
    retried.map(&bench, [1]);
    plain.map(&bench, [2, 3]);
    // The same error ends the one and not the other.
    for text in ["1", "1", "1", "2", "3"] {
        let item = seat.player.start();
        assert_eq!(item.text, text);
        seat.player.answer(&item, Outcome::failed(r#"{"message":"no"}"#));
        bench.pool.flush();
    }
    let failures = bench.take_of(retried.id, Queue::Failures);
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].response["attempts"].as_array().map(Vec::len), Some(3));
    assert_eq!(plain.numbers(&bench, Queue::Failures), [2, 3]);
    assert!(is_clean(&bench));
}

#[test]
fn a_run_that_is_stopped_touches_no_other() {
    let (mut bench, [mut a, mut b]) = lasting(2).run();
    let [stopped, goes_on] = [0, 1].map(|_| Other::of(&bench, plain()));
    stopped.map(&bench, [1]);
    let of_stopped = a.player.start();
    goes_on.map(&bench, [10]);
    let of_other = b.player.start();
    stopped.map(&bench, 2..5);
    goes_on.map(&bench, 11..14);
    bench.orders();
    bench.pool.stop(stopped.id);
    assert_eq!(stopped.outstanding(&bench), 1, "what runs may end");
    assert_eq!(goes_on.outstanding(&bench), 4);
    stopped.map(&bench, [5]);
    b.player.answer(&of_other, Outcome::response("1"));
    b.run(&bench, 3);
    assert!(b.player.look().is_none(), "nothing of the stopped run starts");
    assert_eq!(goes_on.numbers(&bench, Queue::Results), [10, 11, 12, 13]);
    assert_eq!(bench.hear(), []);
    // Its grace is over.
    let ends = [Order::EndRun { run: stopped.id, grace: STOP_GRACE }];
    assert_eq!(bench.orders(), ends);
    bench.pool.end_run(stopped.id);
    assert!(a.process.was_killed() && !b.process.was_killed());
    drop((a, of_stopped));
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(stopped.outstanding(&bench), 0);
    assert_eq!(bench.restarts(), [(0, Duration::ZERO)], "the pool goes on");
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    goes_on.map(&bench, [14]);
    next.run(&bench, 1);
    assert_eq!(goes_on.numbers(&bench, Queue::Results), [14]);
    assert!(is_clean(&bench));
}

#[test]
fn the_first_failure_stops_the_run_that_wants_that_and_no_other() {
    let (bench, [mut seat]) = lasting(1).run();
    let options = RunOptions { stop_on_failure: true, ..plain() };
    let [stops, goes_on] = [options, plain()].map(|options| Other::of(&bench, options));
    for run in [&stops, &goes_on] {
        run.map(&bench, 0..3);
    }
    for _ in 0..4 {
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::failed("{}"));
        bench.pool.flush();
    }
    assert_eq!(bench.hear(), [Note::Stopped { run: stops.id }]);
    assert_eq!(stops.numbers(&bench, Queue::Failures), [0]);
    assert_eq!(goes_on.numbers(&bench, Queue::Failures), [0, 1, 2]);
    assert!(seat.player.look().is_none() && is_clean(&bench));
    assert!(seat.process.done().is_empty());
}

#[test]
fn a_pool_that_cannot_go_on_fails_every_run_once_and_those_to_come() {
    let (bench, [mut seat]) = lasting(1).run();
    let runs = [0, 1].map(|_| Other::of(&bench, plain()));
    for run in &runs {
        run.map(&bench, 0..2);
    }
    let item = seat.player.start();
    let error = || Error::Protocol { worker: 1, what: "a test".into() };
    bench.pool.enter(|state| state.fail(error()));
    bench.pool.enter(|state| state.fail(error()));
    let late = Other::of(&bench, plain());
    late.map(&bench, [0]);
    let failed = bench
        .hear()
        .into_iter()
        .filter_map(|note| if let Note::Failed { run, .. } = note { Some(run) } else { None });
    assert_eq!(failed.collect::<Vec<_>>(), [runs[0].id, runs[1].id, late.id].map(Some));
    seat.player.answer(&item, Outcome::response("1"));
    assert_eq!(runs[0].numbers(&bench, Queue::Results), [0]);
    assert_eq!(runs[0].numbers(&bench, Queue::Failures), [1]);
    assert_eq!(runs[1].numbers(&bench, Queue::Failures), [0, 1]);
    assert_eq!(late.numbers(&bench, Queue::Failures), [0]);
}

#[test]
fn a_run_that_is_closed_leaves_nothing_behind_wherever_its_events_are() {
    let (mut bench, [mut a, mut b]) = lasting(2).run();
    let closed = Other::of(&bench, retrying(5, 10.0));
    let goes_on = Other::of(&bench, plain());
    closed.map(&bench, [0, 1, 2]);
    // One backs off, one runs, one waits for its text, some wait in the lane or for a place there, some for a worker.
    let item = a.player.start();
    a.player.answer(&item, Outcome::failed("{}"));
    let running = a.player.start();
    let other = b.player.start();
    b.player.answer(&other, Outcome::response("2"));
    closed.hand_over(&bench, &format!("{}3", " ".repeat(Shared::LONGEST)));
    assert!(b.player.look().is_none());
    bench.pool.flush();
    closed.map(&bench, 4..20 + 2 * Shared::PLACES);
    bench.take_back();
    bench.take_back();
    assert!(!bench.pool.lock().returned.is_empty());
    assert!(bench.pool.submit_to(closed.id, 1, b"7", 0));
    goes_on.map(&bench, [30]);
    let backs_off = |order: &Order| matches!(order, Order::BackOff { .. });
    let Some(Order::BackOff { task, again }) = bench.orders().into_iter().find(backs_off) else {
        panic!("one backs off")
    };
    bench.pool.close(closed.id);
    bench.pool.backed_off(task, again.after);
    {
        let state = bench.pool.lock();
        let waits = [state.lanes.waiting(), state.scheduler.waiting()].concat();
        assert!(waits.iter().all(|&task| crate::core::task_id::run_of(task) == goes_on.id));
        assert!(state.returned.is_empty() && waits.len() == 1);
    }
    // What runs may end, for nobody.
    a.player.answer(&running, Outcome::failed("{}"));
    for item in a.player.arrived() {
        assert!(a.player.claim(&item));
        a.player.answer(&item, Outcome::response("7"));
    }
    let ears = Ears::of(&bench, 1, &b);
    let long = b.player.start();
    b.player.answer(&long, Outcome::response("3"));
    bench.pool.flush();
    a.run(&bench, 1);
    assert_eq!(goes_on.numbers(&bench, Queue::Results), [30]);
    assert_eq!(bench.take_of(closed.id, Queue::Results), []);
    bench.pool.close(goes_on.id);
    assert!(is_clean(&bench));
    assert_eq!(open_lanes(&bench), 1);
    assert!(!a.process.was_killed() && !b.process.was_killed());
    drop((a, b));
    ears.join();
}

#[test]
fn a_worker_that_exits_with_an_event_of_a_closed_run_is_replaced_and_that_is_all() {
    let (mut bench, [mut seat]) = lasting(1).run();
    let closed = Other::of(&bench, retrying(5, 0.0));
    closed.map(&bench, [0]);
    seat.player.start();
    bench.pool.flush();
    bench.pool.close(closed.id);
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    assert!(next.player.look().is_none() && is_clean(&bench));
}

/// A worker's life, and those of its replacements: it answers, fails, and dies now and then.
fn live(bench: &Bench, slot: usize, mut seat: Seat, over: &AtomicBool) {
    let _ends = Ends(over);
    let mut random = fastrand::Rng::with_seed(slot as u64);
    let mut ears = Ears::of(bench, slot, &seat);
    let mut ran = 0;
    while !over.load(Ordering::SeqCst) {
        let Some(item) = seat.player.next_within(Duration::from_millis(5)) else { continue };
        if !seat.player.claim(&item) {
            continue;
        }
        ran += 1;
        if random.u8(..100) > 0 {
            let is_failed = random.u8(..20) == 0;
            let failed = Outcome::failed("{}");
            let outcome = if is_failed { failed } else { Outcome::response(&item.text) };
            seat.player.answer(&item, outcome);
        } else if ran > 1 {
            drop(seat);
            ears.join();
            bench.pool.exited(slot, Exit::Signal(9), false);
            seat = bench.seat(slot);
            ears = Ears::of(bench, slot, &seat);
            bench.register(slot, &mut seat);
            ran = 0;
        } else {
            seat.player.answer(&item, Outcome::response(&item.text));
        }
    }
    drop(seat);
    ears.join();
}

#[test]
fn amid_crashes_the_entries_of_three_runs_at_once_are_their_own_and_complete() {
    const EVENTS: u32 = 5_000;
    let (bench, seats) = lasting(3).run::<3>();
    let options = [plain(), retrying(1000, 0.0), plain()];
    let runs = options.map(|options| Other::of(&bench, options));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for (slot, seat) in seats.into_iter().enumerate() {
            let (bench, over) = (&bench, &over);
            scope.spawn(move || live(bench, slot, seat, over));
        }
        let mut random = fastrand::Rng::with_seed(4);
        let mut sent = [0; 3];
        while sent.iter().any(|&count| count < EVENTS) {
            let at = random.usize(..3);
            let more = random.u32(1..50).min(EVENTS - sent[at]);
            let first = at as u32 * EVENTS + sent[at];
            runs[at].map(&bench, first..first + more);
            sent[at] += more;
            let is_full = || runs.iter().any(|run| run.outstanding(&bench) > 300);
            until("room", || !is_full() || over.load(Ordering::SeqCst));
        }
        bench.pool.flush();
        let is_drained = || runs.iter().all(|run| run.outstanding(&bench) == 0);
        until("the last answers", || is_drained() || over.load(Ordering::SeqCst));
    });
    for (run, at) in runs.iter().zip(0..) {
        let results = run.numbers(&bench, Queue::Results);
        let failures = run.numbers(&bench, Queue::Failures);
        assert_eq!(failures.is_empty(), at == 1, "only where it is not tried again it fails");
        let mut all = [results, failures].concat();
        all.sort_unstable();
        assert!(all == (at * EVENTS..(at + 1) * EVENTS).collect::<Vec<_>>(), "run {at}");
    }
    assert!(is_clean(&bench));
}

/// What workers were told of runs by now: the number of each, and what it is about.
fn told(seat: &mut Seat) -> Vec<(RunId, Option<String>)> {
    let runs = seat.player.arrived().into_iter().filter(|item| item.header.kind == Kind::Run);
    let told = |item: Item| {
        let about = String::from_utf8(item.text.to_vec()).expect("UTF-8");
        let is_over = item.header.has(flag::HOLE);
        (item.header.index as RunId, (!is_over).then_some(about))
    };
    runs.map(told).collect()
}

#[test]
fn each_worker_is_told_once_what_a_run_is_about_and_that_it_is_over() {
    let (bench, [mut seat, _other]) = lasting(2).run();
    let about = |text: &str| RunOptions { about: Some(text.into()), ..plain() };
    let first = Other::of(&bench, about("one"));
    let second = Other::of(&bench, about("two"));
    let silent = Other::of(&bench, plain());
    assert_eq!(told(&mut seat), [(first.id, Some("one".into())), (second.id, Some("two".into()))]);
    bench.pool.close(first.id);
    bench.pool.close(silent.id);
    assert_eq!(told(&mut seat), [(first.id, None)]);
    // One that comes later, in the place of one that died.
    bench.pool.exited(0, Exit::Signal(9), false);
    let mut late = bench.seat(0);
    assert_eq!(told(&mut late), [], "it has not reached its call");
    bench.register(0, &mut late);
    assert_eq!(told(&mut late), [(second.id, Some("two".into()))]);
}

#[test]
fn the_entries_of_a_numbered_run_name_their_events_and_whoever_failed_one() {
    let (bench, [mut seat]) = lasting(1).run();
    let run = Other::of(&bench, RunOptions { is_numbered: true, ..plain() });
    run.map(&bench, [10, 11, 12]);
    let before = bench.calls.load(Ordering::SeqCst);
    let items = [(); 3].map(|()| {
        let item = seat.player.start();
        let outcome = match item.text.as_ref() {
            b"10" => Outcome::response("7"),
            b"11" => Outcome::nothing(),
            _ => Outcome::failed(r#"{"message":"no"}"#),
        };
        seat.player.answer(&item, outcome);
        item.text.to_vec()
    });
    assert_eq!(items, [b"10", b"11", b"12"]);
    bench.pool.flush();
    assert!(bench.calls.load(Ordering::SeqCst) > before, "JavaScript is called");
    let failed = entry::FAILED | entry::DATA | entry::RESPONSE;
    let expected = [
        Entry::new(entry::RESPONSE, 0, 0, "7"),
        Entry::new(0, 1, 0, "0"),
        Entry::new(failed, 2, 1, r#"{"message":"no"}"#),
    ];
    assert_eq!(bench.take_of(run.id, Queue::Results), expected);
    assert_eq!(bench.take_of(run.id, Queue::Failures), []);
    // An event that dies with its worker has an entry like any other.
    run.map(&bench, [13]);
    seat.player.start();
    bench.pool.exited(0, Exit::Signal(9), false);
    let [crash] = &bench.take_of(run.id, Queue::Results)[..] else { panic!("one entry") };
    assert_eq!((crash.kind, crash.worker, &crash.data), (failed, 3, &1.into()));
}

/// JavaScript waits for each answer itself; where that is in vain, it is called.
#[test]
fn whoever_listens_for_entries_misses_none_that_nobody_else_was_notified_of() {
    let (bench, [mut seat]) = lasting(1).run();
    let _ears = Ears::of(&bench, 0, &seat);
    let run = Other::of(&bench, RunOptions { is_numbered: true, ..plain() });
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        scope.spawn(|| {
            seat.answer_now_and_then_late(&over, Duration::from_millis(5));
        });
        for number in 0..2000 {
            run.map(&bench, [number]);
            let till = crate::os::clock::clock() + 1.0;
            let has_entries = bench.pool.listen_for_entries(till);
            assert_eq!(bench.lanes.word(Shared::LISTENS).load(Ordering::SeqCst), 0);
            if !has_entries {
                until("a call", || bench.calls.load(Ordering::SeqCst) > 0);
            }
            let entries = bench.take_of(run.id, Queue::Results);
            assert_eq!(entries.len(), 1, "entry {number}, {has_entries}");
            bench.calls();
        }
    });
}
