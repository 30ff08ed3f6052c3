//! Promised: an event that has run longer than it may ends its worker, and fails with a code of its own;
//! no other that this worker had fails, nor does one that has answered. What a worker says of its times
//! can hurt nobody but itself.

use super::*;
use crate::os::clock::clock;
use crate::shm::stopwatch::{self, tick};
use crate::wire::seq::Seq;

/// Longer than any test takes.
pub(super) const TIMEOUT: u32 = 100_000;

impl Seat {
    /// It says that the event has run for so many milliseconds.
    pub(super) fn has_run(&self, item: &Item, milliseconds: u32) {
        let started = tick(clock()).wrapping_sub(milliseconds);
        if has_come_alone(item) {
            stopwatch::start_given(&self.memory, item.header.index, started);
        } else {
            stopwatch::start(&self.memory, LANE, Seq(item.header.index), started);
        }
    }
}

pub(super) fn running<const N: usize>() -> (Bench, [Seat; N]) {
    let (bench, seats) = Bench::running();
    for seat in &seats {
        let seat: &Seat = seat;
        stopwatch::reset(&seat.memory);
    }
    (bench, seats)
}

fn check_late(bench: &Bench, timeout: u32) -> Duration {
    bench.pool.check_late(bench.run, timeout).expect("the run is open")
}

/// The data of what failed, and with which code.
fn failures(bench: &Bench) -> Vec<(u32, String)> {
    let failure = |entry: &Entry| {
        let code = entry.response["code"].as_str().expect("a code").to_owned();
        (entry.data.as_u64().expect("a number") as u32, code)
    };
    bench.take(Queue::Failures).iter().map(failure).collect()
}

fn late(event: u32) -> (u32, String) {
    (event, "ERR_SONIC_TASK_TIMEOUT".to_owned())
}

#[test]
fn a_late_event_fails_and_its_worker_is_killed_and_others_run_elsewhere() {
    let (bench, [mut a, mut b]) = running();
    bench.map(0..4);
    let item = a.player.start();
    a.has_run(&item, TIMEOUT + 2);
    let next = check_late(&bench, TIMEOUT);
    assert!(next > Duration::from_millis(u64::from(TIMEOUT) / 64), "{next:?}");
    assert!(a.process.was_killed());
    assert!(!b.process.was_killed());
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(failures(&bench), [late(0)]);
    b.run(&bench, 3);
    assert_eq!(bench.numbers(Queue::Results), [1, 2, 3]);
}

#[test]
fn an_event_whose_run_was_closed_meanwhile_is_late_all_the_same() {
    let mut launch = launch(1, DEADLINE);
    launch.is_for_one_run = false;
    let (mut bench, [mut seat]) = Bench::with(launch, plain()).run();
    stopwatch::reset(&seat.memory);
    bench.map(0..2);
    let item = seat.player.start();
    seat.has_run(&item, TIMEOUT - 50_000);
    bench.pool.close(bench.run);
    check_late(&bench, TIMEOUT);
    assert!(!seat.process.was_killed());
    seat.has_run(&item, TIMEOUT + 2);
    check_late(&bench, TIMEOUT);
    assert!(seat.process.was_killed());
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
    assert_eq!(bench.pool.check_late(bench.run, TIMEOUT), None);
}

#[test]
fn an_event_that_is_not_late_yet_is_looked_at_when_it_would_be() {
    let (bench, [mut a, mut b]) = running();
    bench.map(0..2);
    for (seat, ran) in [(&mut a, TIMEOUT - 50_000), (&mut b, TIMEOUT - 20_000)] {
        let item = seat.player.start();
        seat.has_run(&item, ran);
    }
    let next = check_late(&bench, TIMEOUT).as_millis();
    assert!((10_000..=20_001).contains(&next), "{next}");
    assert!(!a.process.was_killed() && !b.process.was_killed());
}

#[test]
fn an_answer_that_is_there_is_in_time_rung_or_not() {
    let (bench, [mut seat]) = running();
    bench.map(0..2);
    let item = seat.player.start();
    seat.has_run(&item, TIMEOUT * 2);
    seat.player.answer(&item, Outcome::response(b"1"));
    check_late(&bench, TIMEOUT);
    assert!(!seat.process.was_killed());
    assert_eq!(bench.numbers(Queue::Results), [0]);
    // It goes on as if nothing were.
    seat.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [1]);
}

#[test]
fn an_answer_that_comes_between_the_kill_and_the_end_counts() {
    let (mut bench, [mut seat]) = running();
    bench.map([0]);
    let item = seat.player.start();
    seat.has_run(&item, TIMEOUT * 2);
    check_late(&bench, TIMEOUT);
    seat.player.answer(&item, Outcome::response(b"1"));
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(bench.numbers(Queue::Results), [0]);
    assert_eq!(bench.take(Queue::Failures), []);
    assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
}

#[test]
fn a_worker_that_is_being_killed_starts_nothing_more() {
    let (bench, [mut a, _b]) = running();
    assert!(bench.submit_to(1, b"100", 0));
    let item = a.player.start();
    assert!(bench.submit_to(1, b"101", 0));
    let waits = a.player.next();
    a.has_run(&item, TIMEOUT * 2);
    check_late(&bench, TIMEOUT);
    assert!(!a.player.claim(&waits), "it was taken back");
    bench.map([0]);
    assert!(a.player.look().is_none(), "it claims nothing");
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(failures(&bench), [late(100)]);
}

#[test]
fn of_two_events_at_once_the_one_is_late_and_the_other_lost_with_the_worker() {
    let (bench, [mut seat]) = running();
    for text in [b"1", b"2"] {
        assert!(bench.submit_to(1, text, 0));
        let item = seat.player.start();
        if text == b"2" {
            seat.has_run(&item, TIMEOUT * 2);
        }
    }
    check_late(&bench, TIMEOUT);
    bench.pool.exited(0, Exit::Signal(9), false);
    let lost = (1, "ERR_SONIC_WORKER_EXIT".to_owned());
    assert_eq!(failures(&bench), [lost, late(2)]);
}

#[test]
fn an_event_whose_start_is_not_told_has_started_when_first_seen() {
    let (bench, [mut a, mut b]) = running();
    bench.map([0]);
    let claimed = a.player.start();
    assert!(bench.submit_to(2, b"1", 0));
    let given = b.player.start();
    // The words are about others.
    stopwatch::start(&a.memory, LANE, Seq(claimed.header.index + 1), 0);
    stopwatch::start(&a.memory, LANE + 1, Seq(claimed.header.index), 0);
    stopwatch::start_given(&b.memory, given.header.index + 1, 0);
    check_late(&bench, TIMEOUT);
    assert!(!a.process.was_killed() && !b.process.was_killed());
    std::thread::sleep(Duration::from_millis(5));
    check_late(&bench, 1);
    assert!(a.process.was_killed() && b.process.was_killed());
}
