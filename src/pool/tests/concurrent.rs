//! Promised: of several events in one worker each ends by itself. One that is aborted or late touches no other; a crash costs those
//! that ran there, and each that is tried again then runs alone. What an event adds to its run holds with its answer.

use super::*;
use crate::core::retry::{Cause, Policy};

/// A pool that outlives its runs, with a run for `Bench`'s own calls. Its workers run two events at once.
fn bench<const N: usize>(options: RunOptions) -> (Bench, [Seat; N]) {
    let mut launch = launch(N as u32, DEADLINE);
    launch.is_for_one_run = false;
    launch.concurrency = 2;
    launch.limits.abort_grace = Duration::from_secs(7);
    let (mut bench, seats) = Bench::with(launch, options).run();
    bench.orders();
    (bench, seats)
}

fn retrying() -> RunOptions {
    let on = vec![Cause::Crash, Cause::Timeout];
    let retries = Some(Policy { limit: 1, backoff: 0.0, factor: 2.0, max_delay: 1e3, on });
    RunOptions { retries, ..plain() }
}

/// Two events that the worker of the seat runs.
fn two(bench: &Bench, seat: &mut Seat) -> [Item; 2] {
    bench.map([1, 2]);
    let items = [seat.player.start(), seat.player.start()];
    bench.pool.flush();
    items
}

fn claims(seat: &Seat) -> bool {
    seat.memory.word(Layout::WITHHELD).load(Ordering::SeqCst) == 0
}

/// The events that it was told to give up.
fn aborted(seat: &mut Seat) -> Vec<u32> {
    assert!(seat.player.arrived().is_empty());
    seat.player.aborted.iter().map(|header| header.index).collect()
}

fn time_out(bench: &Bench, at: u64) -> bool {
    let task = crate::core::task_id::first_of(bench.run) + at;
    bench.pool.enter(|state| state.time_out(&bench.pool, 0, task, 5))
}

fn codes(bench: &Bench) -> Vec<String> {
    let failures = bench.take(Queue::Failures);
    failures.iter().map(|entry| entry.response["code"].as_str().expect("a code").into()).collect()
}

#[test]
fn one_that_is_late_fails_and_its_worker_claims_nothing_until_it_is_done_with_it() {
    let (mut bench, [mut seat]) = bench(plain());
    let [late, other] = two(&bench, &mut seat);
    assert!(time_out(&bench, 0));
    assert_eq!(codes(&bench), ["ERR_SONIC_TASK_TIMEOUT"]);
    assert_eq!(aborted(&mut seat), [0]);
    assert!(!claims(&seat) && !seat.process.was_killed());
    let looks = bench.orders().into_iter().filter_map(|order| match order {
        Order::SeeAbandoned { after, is_last, .. } => Some((after, is_last)),
        _ => None,
    });
    let expected = [(Duration::from_secs(1), false), (Duration::from_secs(7), true)];
    assert_eq!(looks.collect::<Vec<_>>(), expected);
    // What becomes of it matters to nobody.
    seat.player.answer(&late, Outcome::response("0"));
    bench.pool.flush();
    assert!(claims(&seat));
    seat.player.answer(&other, Outcome::response("2"));
    assert_eq!(bench.take(Queue::Results).len(), 1);
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn one_that_is_late_and_alone_is_not_given_up_but_killed() {
    let (bench, [mut seat]) = bench(plain());
    bench.map([1]);
    seat.player.start();
    bench.pool.flush();
    assert!(!time_out(&bench, 0));
    assert_eq!(aborted(&mut seat), [0; 0]);
}

#[test]
fn a_worker_that_does_not_give_it_up_is_killed_when_nothing_else_runs_there() {
    for is_last in [false, true] {
        let (bench, [mut seat]) = bench(plain());
        let [_, other] = two(&bench, &mut seat);
        assert!(time_out(&bench, 0));
        let pid = seat.process.pid;
        // It has not heard of it: it is busy with that event.
        bench.pool.see_abandoned(0, pid, is_last);
        assert_eq!(seat.process.was_killed(), !is_last);
        if is_last {
            // However that ends.
            seat.player.answer(&other, Outcome::failed(r#"{"code":"E"}"#));
            bench.pool.flush();
            assert!(seat.process.was_killed());
        }
        bench.pool.exited(0, Exit::Signal(9), false);
        let codes = codes(&bench);
        let other = if is_last { "E" } else { "ERR_SONIC_WORKER_EXIT" };
        assert_eq!(codes, ["ERR_SONIC_TASK_TIMEOUT", other]);
        assert!(bench.pool.drained(bench.run));
    }
}

#[test]
fn one_that_is_late_is_tried_again_elsewhere_while_it_still_runs() {
    let (bench, [mut first, mut second]) = bench(retrying());
    let [late, other] = two(&bench, &mut first);
    assert!(time_out(&bench, 0));
    let again = second.player.start();
    assert_eq!(&*again.text, b"1");
    first.player.answer(&late, Outcome::response("0"));
    second.player.answer(&again, Outcome::response("1"));
    first.player.answer(&other, Outcome::response("2"));
    let mut answers: Vec<u64> = bench
        .take(Queue::Results)
        .iter()
        .map(|entry| entry.response.as_u64().expect("a number"))
        .collect();
    answers.sort_unstable();
    assert_eq!(answers, [1, 2]);
}

#[test]
fn a_run_that_is_stopped_ends_beside_another() {
    let (bench, [mut seat]) = bench(plain());
    let (run, words, writer) = bench.open(plain());
    bench.map([1]);
    let before = seat.player.start();
    seat.player.answer(&before, Outcome::response("1"));
    bench.map([2]);
    assert!(writer.write(0, "3"));
    bench.pool.flush();
    let items = [seat.player.start(), seat.player.start()];
    bench.pool.flush();
    bench.pool.stop(run);
    bench.pool.end_run(run);
    assert!(!seat.process.was_killed());
    assert_eq!(bench.pool.lock().runs[&run].outstanding(), 0);
    assert_eq!(words.handed_over(), 1);
    for item in &items {
        seat.player.answer(item, Outcome::response("9"));
    }
    assert_eq!(bench.take(Queue::Results).len(), 2);
    assert!(claims(&seat));
}

#[test]
fn those_of_a_worker_that_crashes_are_tried_again_alone() {
    let (bench, [mut first, mut second]) = bench(retrying());
    two(&bench, &mut first);
    bench.pool.exited(0, Exit::Signal(9), false);
    let flags = |number| {
        let place = Shared::entry(Shared::FIRST, number);
        bench.lanes.word(place + 3).load(Ordering::SeqCst)
    };
    assert!([0, 1].iter().all(|&number| flags(number) & flag::ALONE != 0));
    let about = bench.lanes.word(Shared::entry(Shared::FIRST, 0) + 4).load(Ordering::SeqCst);
    assert_eq!(about >> 16, 1, "one attempt has failed");
    let claimer = crate::queue::claimer::Claimer::new(Arc::clone(&bench.lanes), 1);
    assert!(claimer.is_next_alone());
    second.run(&bench, 2);
    assert_eq!(bench.take(Queue::Results).len(), 2);
}

#[test]
fn what_an_event_emits_and_counts_holds_with_its_answer() {
    let (bench, [mut seat, mut other]) = bench(retrying());
    let add = |seat: &Seat| {
        for (kind, text) in [(Kind::Emit, "7"), (Kind::Count, r#"{"a":2}"#)] {
            let finished = seat.player.now;
            let header = Header { finished, ..Header::new(kind, 0) };
            seat.player.worker.write(&header, text.as_bytes());
        }
    };
    let counts = || {
        let recorded = bench.pool.recorded(bench.run, |record, all| record.statistics(all, 0.0));
        recorded.expect("an open run")["counts"].clone()
    };
    bench.map([1]);
    let lost = other.player.start();
    add(&other);
    bench.pool.flush();
    bench.pool.exited(1, Exit::Signal(9), false);
    let item = seat.player.start();
    assert_eq!((&*item.text, counts()), (&*lost.text, serde_json::json!({})));
    add(&seat);
    seat.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    assert_eq!(counts(), serde_json::json!({"a": 2}));
    assert!(!bench.pool.drained(bench.run), "the other event has yet to end");
    let emitted = seat.player.start();
    assert_eq!(&*emitted.text, b"7");
    add(&seat);
    seat.player.answer(&emitted, Outcome::failed("{}"));
    bench.pool.flush();
    assert_eq!(counts(), serde_json::json!({"a": 2}));
    assert_eq!(bench.take(Queue::Results).len(), 1);
    assert_eq!(bench.pool.lock().runs[&bench.run].outstanding(), 0);
}
