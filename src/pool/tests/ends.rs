//! Promised: a worker that ends is replaced, until three in a row ended without an event run; then its
//! place is given up. Before every worker was ready once that ends the run, later it costs one worker
//! and the run goes on with the others. After the run's end every event fails; after its release
//! nothing is started. `Closed` is said once, when the last worker is gone.

use super::*;

/// Ends the worker of `slot` without an event run.
fn die(bench: &Bench, slot: usize) {
    bench.pool.exited(slot, Exit::Code(1), false);
}

fn exit(worker: u32) -> Note {
    Note::Exit { worker, code: Some(1), signal: None }
}

/// The kinds of the notes, for tests that are about order.
fn kinds(notes: &[Note]) -> Vec<&'static str> {
    let kind = |note: &Note| match note {
        Note::Exit { .. } => "exit",
        Note::Registered { .. } => "registered",
        Note::Retired { .. } => "retired",
        Note::Failed { .. } => "failed",
        Note::Closed => "closed",
        _ => "other",
    };
    notes.iter().map(kind).collect()
}

#[test]
fn a_worker_that_ran_events_is_replaced_at_once_every_time() {
    let (mut bench, [mut seat]) = Bench::running();
    for _ in 0..10 {
        bench.submit([1]);
        seat.run(&bench, 1);
        die(&bench, 0);
        assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
        seat = bench.seat(0);
        bench.register(0, &mut seat);
        assert_eq!(bench.hear(), [exit(1), Note::Registered { worker: 1 }]);
    }
}

#[test]
fn a_worker_that_ended_in_its_first_event_is_replaced_every_time_too() {
    let (mut bench, [mut seat]) = Bench::running();
    for _ in 0..10 {
        bench.submit([1]);
        seat.player.start();
        die(&bench, 0);
        assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
        seat = bench.seat(0);
        bench.register(0, &mut seat);
    }
    assert_eq!(bench.take(Queue::Failures).len(), 10);
}

#[test]
fn three_ends_in_a_row_without_an_event_before_all_were_ready_end_the_run() {
    let mut bench = Bench::new(2);
    let mut other = bench.seat(1);
    bench.register(1, &mut other);
    bench.map(0..3);
    other.player.start();
    for delay in [Duration::ZERO, Duration::from_millis(100)] {
        let _seat = bench.seat(0);
        die(&bench, 0);
        assert_eq!(bench.restarts(), [(0, delay)]);
    }
    let _seat = bench.seat(0);
    bench.pool.uncaught(0, "Error: no such file".into());
    die(&bench, 0);
    assert_eq!(bench.restarts(), []);
    let notes = bench.hear();
    assert_eq!(kinds(&notes), ["registered", "exit", "exit", "exit", "failed"]);
    let Note::Failed { code, message, .. } = &notes[4] else { panic!("{notes:?}") };
    assert_eq!(code, "ERR_SONIC_WORKER_START");
    for part in ["worker 1 exited with code 1", "3 attempts", "Error: no such file"] {
        assert!(message.contains(part), "{message}");
    }
    // One event is on the worker that lives; those that wait fail, and so do later ones.
    bench.submit([3]);
    let failures = bench.take(Queue::Failures);
    assert_eq!(failures.len(), 3);
    assert!(failures.iter().all(|entry| entry.response["code"] == "ERR_SONIC_WORKER_START"));
}

#[test]
fn an_event_in_between_begins_the_count_anew() {
    let (mut bench, [_seat, _other]) = Bench::running();
    for round in 0..3 {
        die(&bench, 0);
        let _second = bench.seat(0);
        die(&bench, 0);
        assert_eq!(bench.restarts().len(), 2, "in round {round}");
        let mut third = bench.seat(0);
        bench.register(0, &mut third);
        assert!(bench.submit_to(1, b"1", 0));
        third.run(&bench, 1);
        die(&bench, 0);
        assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
        let _next = bench.seat(0);
    }
}

#[test]
fn once_all_were_ready_a_worker_that_cannot_live_costs_a_worker_and_not_the_run() {
    let (mut bench, [a, mut b]) = Bench::running();
    drop(a);
    die(&bench, 0);
    for _ in 0..2 {
        let _seat = bench.seat(0);
        bench.pool.registered(0);
        die(&bench, 0);
    }
    assert_eq!(bench.restarts().len(), 2);
    let notes = bench.hear();
    let Some(Note::Retired { worker: 1, message }) = notes.last() else { panic!("{notes:?}") };
    assert!(message.contains("again and again"), "{message}");
    // What is for that worker alone fails; everything else runs on the other.
    assert!(bench.submit_to(1, b"7", 0));
    assert_eq!(bench.numbers(Queue::Failures), [7]);
    bench.submit(0..5);
    b.run(&bench, 5);
    assert_eq!(bench.numbers(Queue::Results), [0, 1, 2, 3, 4]);
}

#[test]
fn the_last_worker_that_cannot_live_ends_the_run_and_everything_after_it_fails() {
    let (mut bench, [_seat]) = Bench::running();
    die(&bench, 0);
    bench.submit([0]);
    assert!(bench.submit_to(1, b"1", 0));
    bench.map([2]);
    let _second = bench.seat(0);
    die(&bench, 0);
    let _third = bench.seat(0);
    assert_eq!(bench.pool.count(bench.run, Queue::Failures), 0);
    die(&bench, 0);
    assert_eq!(kinds(&bench.hear()), ["exit", "exit", "exit", "failed", "closed"]);
    bench.submit([3]);
    assert!(bench.submit_to(1, b"4", 0));
    bench.map([5]);
    let mut failed = bench.numbers(Queue::Failures);
    failed.sort_unstable();
    assert_eq!(failed, [0, 1, 2, 3, 4, 5]);
    assert!(bench.pool.drained(bench.run));
    let orders = bench.orders();
    assert!(matches!(orders.last(), Some(Order::Stop)), "{orders:?}");
    assert_eq!(orders.len(), 3);
}

#[test]
fn what_comes_back_from_a_worker_after_the_run_s_end_fails_too() {
    let (bench, [mut a, b]) = Bench::running();
    assert!(bench.submit_to(2, b"100", 0));
    bench.map(0..2);
    a.player.start();
    for text in ["2", "3"] {
        assert!(bench.submit_to(1, text.as_bytes(), 0));
    }
    bench.pool.enter(|state| state.fail(Error::Protocol { worker: 2, what: "a test".into() }));
    assert_eq!(bench.numbers(Queue::Failures), [1], "nobody had claimed it");
    assert!(a.player.claimer.claim().is_none());
    // One runs, and two more have been given to the worker, when it ends.
    die(&bench, 0);
    assert_eq!(bench.numbers(Queue::Failures), [0, 2, 3]);
    drop(b);
    die(&bench, 1);
    bench.hear();
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn a_run_that_failed_is_not_drained_before_that_is_told() {
    let (bench, [_seat]) = Bench::running();
    bench.submit([0]);
    bench.pool.enter(|state| state.fail(Error::Protocol { worker: 1, what: "a test".into() }));
    assert!(!bench.pool.drained(bench.run));
    assert_eq!(kinds(&bench.hear()), ["failed", "other"]);
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn a_worker_that_does_not_reach_the_call_in_time_is_not_tried_again() {
    let mut bench = Bench::with_deadline(1, Duration::from_millis(1500));
    let _seat = bench.seat(0);
    bench.pool.joined(0);
    bench.pool.exited(0, Exit::Signal(9), true);
    let notes = bench.hear();
    let Note::Failed { message, .. } = &notes[1] else { panic!("{notes:?}") };
    assert!(message.contains("worker 1 did not reach the call within 1500 ms"), "{message}");
    assert!(bench.restarts().is_empty());
}

#[test]
fn a_worker_that_could_not_be_started_again_costs_its_place() {
    let spawn = |worker| Error::Spawn {
        worker,
        program: "node".into(),
        source: std::io::ErrorKind::NotFound.into(),
    };
    let (bench, [_a, mut b]) = Bench::running();
    die(&bench, 0);
    bench.pool.not_started(0, spawn(1));
    assert_eq!(kinds(&bench.hear()), ["exit", "retired"]);
    bench.submit([1]);
    b.run(&bench, 1);
    die(&bench, 1);
    bench.pool.not_started(1, spawn(2));
    assert_eq!(kinds(&bench.hear()), ["exit", "failed", "closed"]);
}

#[test]
fn a_worker_that_turns_the_call_down_once_all_were_ready_is_tried_again_and_costs_its_place_alone()
{
    let refusal = |what: &str| Error::Refused {
        worker: 1,
        name: "Error".into(),
        code: "ERR_SONIC_WORKER_FILE".into(),
        message: format!("the worker file {what}"),
    };
    let (mut bench, [_a, mut b]) = Bench::running();
    die(&bench, 0);
    for _ in 0..2 {
        assert_eq!(bench.restarts().len(), 1);
        let _seat = bench.seat(0);
        bench.pool.joined(0);
        bench.pool.refused(0, refusal("threw"));
        bench.pool.refused(0, refusal("ended"));
        die(&bench, 0);
    }
    assert!(bench.restarts().is_empty());
    let notes = bench.hear();
    assert_eq!(kinds(&notes), ["exit", "exit", "exit", "retired"]);
    let Some(Note::Retired { message, .. }) = notes.last() else { panic!("{notes:?}") };
    assert_eq!(message, "the worker file threw");
    bench.submit([1]);
    b.run(&bench, 1);
}

#[test]
fn a_worker_that_turns_the_call_down_ends_the_run_and_is_not_replaced() {
    let mut bench = Bench::new(2);
    let _seats = [bench.seat(0), bench.seat(1)];
    bench.pool.refused(
        0,
        Error::Refused {
            worker: 1,
            name: "TypeError".into(),
            code: "ERR_INVALID_ARG_TYPE".into(),
            message: "workerFns must be an array".into(),
        },
    );
    die(&bench, 0);
    let failed = Note::Failed {
        run: Some(bench.run),
        name: "TypeError".into(),
        code: "ERR_INVALID_ARG_TYPE".into(),
        message: "workerFns must be an array".into(),
        stderr: None,
    };
    assert_eq!(bench.hear(), [failed, exit(1)]);
    bench.pool.release();
    die(&bench, 1);
    assert_eq!(bench.hear(), [exit(2), Note::Closed]);
    assert!(matches!(bench.orders()[..], [Order::Stop]));
}

#[test]
fn a_release_lets_every_worker_go_and_closes_when_the_last_has_ended() {
    let (mut bench, [a, b]) = Bench::running();
    bench.pool.release();
    for seat in [&a, &b] {
        assert!(seat.is_released());
        let mut line = [0; 256];
        let count = (&seat.channel).read(&mut line).expect("a line");
        assert_eq!(&line[..count], crate::wire::channel::DISCONNECT.as_bytes());
    }
    die(&bench, 0);
    bench.pool.release();
    assert_eq!(bench.hear(), [exit(1)]);
    die(&bench, 1);
    assert_eq!(bench.hear(), [exit(2), Note::Closed]);
    bench.pool.release();
    assert_eq!(bench.hear(), []);
    assert!(matches!(bench.orders()[..], [Order::Stop]), "no restart, and one stop");
}

#[test]
fn an_event_that_runs_at_the_release_may_still_answer_and_nothing_more_is_started() {
    let (bench, [mut seat]) = Bench::running();
    bench.map(0..3);
    let item = seat.player.start();
    assert!(bench.submit_to(1, b"5", 0));
    bench.pool.release();
    assert!(seat.player.claimer.claim().is_none(), "what nobody had claimed was taken back");
    for item in seat.player.arrived() {
        assert!(!seat.player.claim(&item), "event {} was taken back", item.header.index);
    }
    seat.player.answer(&item, Outcome::response("0"));
    assert_eq!(bench.numbers(Queue::Results), [0]);
    bench.map([4]);
    assert!(seat.player.look().is_none());
}

#[test]
fn a_worker_that_comes_up_after_the_release_is_let_go_at_once() {
    let mut bench = Bench::new(2);
    let early = bench.seat(0);
    bench.pool.release();
    assert!(early.is_released());
    bench.pool.registered(0);
    let late = bench.seat(1);
    assert!(late.is_released());
    assert_eq!(bench.hear(), []);
    die(&bench, 0);
    die(&bench, 1);
    assert_eq!(bench.hear(), [exit(1), exit(2), Note::Closed]);
    assert!(matches!(bench.orders()[..], [Order::Stop]));
}

#[test]
fn a_restart_that_was_ordered_before_the_release_is_not_needed() {
    let (mut bench, [_a, _b]) = Bench::running();
    assert!(!bench.pool.is_over());
    die(&bench, 0);
    bench.pool.release();
    assert!(bench.pool.is_over());
    die(&bench, 1);
    assert_eq!(bench.hear(), [exit(1), exit(2)]);
    bench.pool.not_needed(0);
    assert_eq!(bench.hear(), [Note::Closed]);
    assert!(matches!(bench.orders()[..], [Order::Start { slot: 0, .. }, Order::Stop]));
}

#[test]
fn one_worker_that_is_let_go_is_replaced() {
    let (mut bench, [a, mut b]) = Bench::running();
    assert!(bench.pool.disconnect(1));
    assert!(!bench.pool.disconnect(3));
    assert!(a.is_released());
    bench.submit([1]);
    b.run(&bench, 1);
    for _ in 0..5 {
        die(&bench, 0);
        assert_eq!(bench.restarts(), [(0, Duration::ZERO)], "it did what it was told");
        let _next = bench.seat(0);
        bench.pool.registered(0);
        assert!(bench.pool.disconnect(1));
    }
}

#[test]
fn a_worker_that_leaves_of_its_own_will_is_let_go_and_replaced_and_counts_as_any_other() {
    let (mut bench, [mut a, mut b]) = Bench::running();
    assert!(bench.submit_to(2, b"100", 0));
    bench.map(0..3);
    let item = a.player.start();
    bench.orders();
    bench.pool.disconnected(0);
    assert!(a.is_released(), "it is told");
    // What runs there may end; it claims nothing more.
    assert!(a.player.look().is_none());
    a.player.answer(&item, Outcome::response("0"));
    b.run(&bench, 3);
    assert_eq!(bench.take(Queue::Results).len(), 4);
    die(&bench, 0);
    for delay in [0, 0, 100] {
        assert_eq!(bench.restarts(), [(0, Duration::from_millis(delay))]);
        let _next = bench.seat(0);
        bench.pool.disconnected(0);
        die(&bench, 0);
    }
    assert!(matches!(bench.hear().last(), Some(Note::Retired { worker: 1, .. })));
}

#[test]
fn an_abandoned_run_lets_go_of_every_worker_and_says_nothing() {
    let (mut bench, [a, b]) = Bench::running();
    bench.hear();
    bench.submit(0..4);
    bench.pool.abandon();
    for seat in [&a, &b] {
        let done = seat.process.done();
        assert!(done.is_empty(), "they end by themselves: {done:?}");
    }
    bench.pool.exited(0, Exit::Code(1), false);
    assert!(!bench.pool.message(1, b"1", 0));
    assert!(bench.restarts().is_empty());
}

#[test]
fn signals_reach_the_process_that_lives_and_no_other() {
    let (bench, [seat]) = Bench::running();
    assert!(bench.pool.signal(1, 15));
    assert!(!bench.pool.signal(2, 15));
    bench.pool.kill(0);
    die(&bench, 0);
    assert!(!bench.pool.signal(1, 9));
    assert_eq!(seat.process.done(), [Done::Signalled(15), Done::Killed]);
}
