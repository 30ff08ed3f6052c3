//! Promised: an event that fails and is to be tried again has not ended: it is in no queue, it counts as
//! outstanding, and it runs again from the text that was handed over, before any that was never tried;
//! meanwhile its place in the lane is for others. When the run can have it tried no more it ends at
//! once, and its error lists every attempt that there was.

use super::*;
use crate::core::retry::{Again, Cause, Policy};

fn bench<const N: usize>(limit: u32, backoff: f64) -> (Bench, [Seat; N]) {
    let on = vec![Cause::Crash, Cause::Timeout, Cause::Error];
    let retries = Some(Policy { limit, backoff, factor: 2.0, max_delay: 1e3, on });
    Bench::with(launch(N as u32, DEADLINE), RunOptions { retries, ..plain() }).run()
}

/// Has the worker run its next event, and fail in it.
fn fail(bench: &Bench, seat: &mut Seat) -> String {
    let item = seat.player.start();
    let text = String::from_utf8(item.text.to_vec()).expect("UTF-8");
    let error = format!(r#"{{"name":"E","message":"failed {text}"}}"#);
    seat.player.answer(&item, Outcome::failed(&error));
    bench.pool.flush();
    text
}

/// Ends the worker of `slot`, and has the next one come.
fn replace(bench: &Bench, slot: usize, seat: Seat) -> Seat {
    drop(seat);
    bench.pool.exited(slot, Exit::Signal(9), false);
    let mut next = bench.seat(slot);
    bench.register(slot, &mut next);
    next
}

/// The messages of an entry's attempts.
fn attempts(entry: &Entry) -> Vec<&str> {
    let attempts = entry.response["attempts"].as_array().expect("there are attempts");
    attempts.iter().map(|attempt| attempt["message"].as_str().expect("a text")).collect()
}

/// The back-offs that were ordered.
fn back_offs(bench: &mut Bench) -> Vec<(TaskId, Again)> {
    let back_off =
        |order| if let Order::BackOff { task, again } = order { Some((task, again)) } else { None };
    bench.orders().into_iter().filter_map(back_off).collect()
}

#[test]
fn an_event_that_is_tried_again_does_not_wait_behind_one_that_its_worker_has_just_claimed() {
    let (bench, [mut busy, mut other]) = bench(2, 0.0);
    bench.map([0, 1]);
    let item = busy.player.start();
    busy.player.answer(&item, Outcome::failed("{}"));
    // It claims the next one in the moment in which the master believes it idle.
    let long = busy.player.start();
    assert_eq!(long.text, "1");
    bench.pool.flush();
    let again = other.player.start();
    assert_eq!(again.text, "0");
    other.player.answer(&again, Outcome::response("0"));
    bench.pool.flush();
    assert_eq!(bench.numbers(Queue::Results), [0]);
}

#[test]
fn an_event_that_failed_runs_again_before_later_ones_and_leaves_one_entry() {
    for crashes in [false, true] {
        let (bench, [mut seat]) = bench(2, 0.0);
        bench.map(0..3);
        for _ in 0..2 {
            if crashes {
                assert_eq!(seat.player.start().text, b"0");
                seat = replace(&bench, 0, seat);
            } else {
                assert_eq!(fail(&bench, &mut seat), "0");
            }
            assert_eq!(bench.outstanding(), 3);
        }
        seat.run(&bench, 3);
        let kind = ANSWERED;
        let expected: Vec<Entry> =
            (0..3).map(|data| Entry::new(kind, 1, data, &data.to_string())).collect();
        assert_eq!(bench.take(Queue::Results), expected);
        assert_eq!(bench.take(Queue::Failures), []);
        assert!(bench.pool.drained(bench.run));
    }
}

#[test]
fn an_event_that_fails_each_time_lists_its_attempts() {
    let (bench, [mut seat]) = bench(2, 0.0);
    bench.map([5]);
    fail(&bench, &mut seat);
    seat.player.start();
    let mut seat = replace(&bench, 0, seat);
    fail(&bench, &mut seat);
    let failures = bench.take(Queue::Failures);
    let [entry] = &failures[..] else { panic!("{failures:?}") };
    let crash = "worker 1 was killed by SIGKILL while it ran this event";
    assert_eq!(attempts(entry), ["failed 5", crash, "failed 5"]);
    assert_eq!(entry.data, 5);
    assert_eq!(entry.response["message"], "failed 5");
    assert_eq!(entry.response["attempts"][1]["signal"], "SIGKILL");
    let pids = [0, 1, 2].map(|at| entry.response["attempts"][at]["pid"].clone());
    assert_eq!(pids, [1001, 1001, 1001]);
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn an_event_that_ends_its_worker_each_time_is_quarantined_and_costs_no_place() {
    let (mut bench, [mut seat]) = bench(20, 0.0);
    bench.map(0..2);
    for _ in 0..21 {
        seat.player.start();
        seat = replace(&bench, 0, seat);
    }
    assert_eq!(bench.restarts(), vec![(0, Duration::ZERO); 21]);
    seat.run(&bench, 1);
    let failures = bench.take(Queue::Failures);
    assert_eq!((failures.len(), attempts(&failures[0]).len()), (1, 21));
    assert_eq!(failures[0].response["quarantined"], true);
    assert_eq!(bench.numbers(Queue::Results), [1]);
}

#[test]
fn what_a_worker_left_of_the_data_is_the_entrys_and_not_the_next_attempts() {
    let (bench, [mut seat]) = bench(1, 0.0);
    bench.hand_over("[1]", 0);
    for _ in 0..2 {
        let item = seat.player.start();
        assert_eq!(item.text, b"[1]");
        let failed = Outcome::failed("{}");
        let outcome = Outcome { flags: failed.flags | flag::DATA, data: b"[2]", ..failed };
        seat.player.answer(&item, outcome);
        bench.pool.flush();
    }
    let failures = bench.take(Queue::Failures);
    assert_eq!(failures[0].data, serde_json::json!([2]));
}

#[test]
fn a_long_event_runs_again_too() {
    let (bench, [seat]) = bench(1, 0.0);
    let text = format!("\"{}\"", "x".repeat(2 * Layout::RING as usize));
    bench.hand_over(&text, 0);
    let ears = Ears::of(&bench, 0, &seat);
    let mut seat = seat;
    assert!(seat.player.start().text == text.as_bytes());
    drop(seat);
    ears.join();
    bench.pool.exited(0, Exit::Signal(9), false);
    let mut seat = bench.seat(0);
    let _ears = Ears::of(&bench, 0, &seat);
    bench.register(0, &mut seat);
    let item = seat.player.start();
    assert!(item.text == text.as_bytes());
    seat.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    assert_eq!(bench.take(Queue::Results).len(), 1);
}

#[test]
fn while_an_event_backs_off_others_have_its_place_and_its_worker() {
    let (mut bench, [mut seat]) = bench(1, 10.0);
    bench.map([0]);
    fail(&bench, &mut seat);
    let ordered = back_offs(&mut bench);
    let [(task, again)] = ordered[..] else { panic!("{ordered:?}") };
    assert_eq!(again, Again { after: 1, delay: 10.0 });
    assert_eq!((bench.outstanding(), bench.credit() > 0), (1, true));
    assert!(!bench.pool.drained(bench.run));
    // Many times as many as there are places.
    for number in 0..3 * Shared::PLACES {
        bench.map([number + 1]);
        seat.run(&bench, 1);
    }
    assert_eq!(bench.numbers(Queue::Results).len(), 3 * Shared::PLACES as usize);
    bench.pool.backed_off(task, again.after);
    assert_eq!(fail(&bench, &mut seat), "0");
    assert_eq!(attempts(&bench.take(Queue::Failures)[0]).len(), 2);
    bench.pool.backed_off(task, again.after);
    assert!(seat.player.look().is_none(), "it has ended");
}

#[test]
fn there_is_an_end_to_what_may_back_off() {
    let (bench, [mut seat]) = bench(1, 1e3);
    let most = 3 * bench.pool.launch.max_window;
    let mut handed_over = 0;
    while bench.credit() > 0 && handed_over < most {
        bench.map([0]);
        fail(&bench, &mut seat);
        handed_over += 1;
    }
    assert!((bench.pool.launch.max_window..most).contains(&handed_over), "{handed_over}");
}

#[test]
fn a_back_off_that_is_over_twice_or_late_counts_once() {
    let (mut bench, [mut seat]) = bench(2, 10.0);
    bench.map([0]);
    fail(&bench, &mut seat);
    let (task, first) = back_offs(&mut bench)[0];
    bench.pool.backed_off(task, first.after);
    fail(&bench, &mut seat);
    bench.pool.backed_off(task, first.after);
    assert!(seat.player.look().is_none(), "it backs off again, and not so shortly");
    let (_, second) = back_offs(&mut bench)[0];
    assert_eq!(second, Again { after: 2, delay: 20.0 });
    bench.pool.backed_off(task, second.after);
    bench.pool.backed_off(task, second.after);
    seat.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [0]);
}

#[test]
fn what_is_to_be_tried_again_ends_when_the_run_cannot_go_on() {
    for (backoff, is_claimed) in [(0.0, false), (0.0, true), (10.0, false)] {
        let (bench, [mut seat]) = bench(5, backoff);
        bench.map([0]);
        fail(&bench, &mut seat);
        let again = is_claimed.then(|| seat.player.start());
        bench.pool.enter(|state| state.fail(Error::Protocol { worker: 1, what: "test".into() }));
        if let Some(item) = again {
            // It is on the worker already, which may still succeed.
            assert_eq!(bench.pool.count(bench.run, Queue::Failures), 0);
            seat.player.answer(&item, Outcome::failed(r#"{"message":"once more"}"#));
        }
        let failures = bench.take(Queue::Failures);
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].response["code"] == "ERR_SONIC_PROTOCOL", !is_claimed);
        assert_eq!(attempts(&failures[0]).len(), 1 + usize::from(is_claimed));
        bench.hear();
        assert!(bench.pool.drained(bench.run));
    }
}

#[test]
fn what_is_to_be_tried_again_ends_when_the_workers_are_released() {
    let (mut bench, [mut idle, running]) = bench(5, 10.0);
    bench.map([0]);
    assert!(bench.submit_to(2, b"1", 0));
    fail(&bench, &mut idle);
    let mut running = running;
    running.player.start();
    let (task, again) = back_offs(&mut bench)[0];
    bench.pool.release();
    let failures = bench.take(Queue::Failures);
    assert_eq!((failures.len(), attempts(&failures[0])), (1, vec!["failed 0"]));
    bench.pool.backed_off(task, again.after);
    drop(running);
    bench.pool.exited(1, Exit::Code(1), false);
    assert_eq!(bench.numbers(Queue::Failures), [1]);
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn an_event_for_one_worker_stays_its_own_and_fails_with_its_place() {
    for backoff in [0.0, 10.0] {
        let (mut bench, [seat, mut other]) = bench(9, backoff);
        assert!(bench.submit_to(1, b"7", 0));
        let mut seat = seat;
        seat.player.start();
        drop(seat);
        bench.pool.exited(0, Exit::Signal(9), false);
        assert!(other.player.look().is_none());
        assert!(!bench.pool.is_free(1) && bench.pool.is_free(2));
        let mut next = bench.seat(0);
        bench.register(0, &mut next);
        for (task, again) in back_offs(&mut bench) {
            bench.pool.backed_off(task, again.after);
        }
        assert_eq!(fail(&bench, &mut next), "7");
        // The program cannot be started again, and so it cannot be tried again.
        for _ in 0..3 {
            bench.pool.exited(0, Exit::Code(1), false);
            drop(next);
            next = bench.seat(0);
        }
        bench.pool.exited(0, Exit::Code(1), false);
        let failures = bench.take(Queue::Failures);
        assert_eq!(failures.len(), 1);
        assert_eq!(attempts(&failures[0])[1], "failed 7");
        assert!(bench.pool.drained(bench.run));
    }
}

#[test]
fn for_a_program_that_hands_out_events_itself_a_worker_is_free_when_its_event_has_ended() {
    for backoff in [0.0, 10.0] {
        let (mut bench, [mut seat]) = bench(1, backoff);
        bench.map(0..2);
        let first = seat.player.start();
        bench.pool.be_manual(bench.run);
        seat.player.answer(&first, Outcome::failed("{}"));
        bench.pool.flush();
        for (task, again) in back_offs(&mut bench) {
            assert!(bench.pool.free().is_empty());
            bench.pool.backed_off(task, again.after);
        }
        let mut texts = Vec::new();
        for _ in 0..2 {
            let item = seat.player.start();
            texts.push(item.text.to_vec());
            assert!(bench.pool.free().is_empty());
            seat.player.answer(&item, Outcome::response("1"));
            bench.pool.flush();
        }
        texts.sort();
        assert_eq!(texts, [b"0", b"1"]);
        let is_taken = |entry: &Entry| entry.kind & entry::TAKEN != 0;
        let taken: Vec<bool> = bench.take(Queue::Observed).iter().map(is_taken).collect();
        assert_eq!(taken, [true, false], "it is told to be free once");
        assert_eq!(bench.pool.free(), [1]);
    }
}

/// Its text is kept elsewhere since it gave its place up: what lies there is another's.
#[test]
fn an_event_that_has_given_its_place_up_leaves_the_next_one_there_alone_when_it_is_tried_again() {
    let places = Shared::PLACES;
    let (bench, [mut slow, mut late, mut quick]) = bench(1, 0.0);
    bench.map(0..places);
    let first = slow.player.start();
    quick.run(&bench, places as usize - 2);
    let held = late.player.start();
    bench.map([places]);
    quick.run(&bench, 1);
    slow.player.answer(&first, Outcome::failed("{}"));
    bench.pool.flush();
    quick.run(&bench, 1);
    late.player.answer(&held, Outcome::response("1"));
    assert_eq!(bench.numbers(Queue::Results).len(), places as usize + 1);
    assert!(bench.pool.drained(bench.run));
    assert_eq!(bench.pool.lock().tasks.bytes(), 0, "nothing is left of any event");
}
