//! Promised: `each` gives every worker one event, those to come included, that waits for its turn there. Where it is kept a worker
//! that comes later claims nothing before it has run it, and is given up if that fails again and again.

use super::*;
use crate::core::retry::{Cause, Policy};
use crate::pool::each::Each;
use crate::run::RunOptions;

const NO: &str = r#"{"name":"TypeError","message":"no"}"#;

/// A pool that stays, and a run of calls.
struct Calls {
    bench: Bench,
    id: RunId,
    writer: Writer,
}

fn numbered() -> RunOptions {
    let on = vec![Cause::Crash];
    let retries = Some(Policy { limit: 2, backoff: 0.0, factor: 1.0, max_delay: 0.0, on });
    RunOptions { retries, is_numbered: true, about: Some("{}".into()), ..plain() }
}

impl Calls {
    fn new(workers: u32, max_tasks: Option<u32>) -> Self {
        let mut launch = launch(workers, DEADLINE);
        launch.is_for_one_run = false;
        launch.limits.max_tasks = max_tasks;
        let bench = Bench::with(launch, plain());
        let (id, _, writer) = bench.open(numbered());
        Self { bench, id, writer }
    }

    /// A worker that has reached its call, and claims nothing until the pool lets it.
    fn seat(&self, slot: usize) -> Seat {
        let mut seat = self.bench.seat(slot);
        seat.memory.word(Layout::WITHHELD).store(Layout::PREPARES, Ordering::SeqCst);
        self.bench.register(slot, &mut seat);
        self.bench.pool.flush();
        seat
    }

    fn each(&self, keeps: bool) -> (RunId, Vec<u32>) {
        let (run, _, _) = self.bench.open(numbered());
        let title = keeps.then(|| "\"init\"".to_owned());
        let each = Each { text: b"7".into(), flags: 0, tags: Vec::new(), title };
        (run, self.bench.pool.each(run, each).expect("some worker"))
    }

    fn call(&self, text: &str) {
        assert!(self.writer.write(0, text));
        self.bench.pool.flush();
    }

    /// The numbers of a run's answers.
    fn answers(&self, run: RunId) -> Vec<u32> {
        let mut numbers: Vec<u32> =
            self.bench.take_of(run, Queue::Results).iter().map(|entry| entry.worker).collect();
        numbers.sort_unstable();
        numbers
    }

    fn exits(&mut self, slot: usize, seat: Seat) -> Vec<(usize, Duration)> {
        self.bench.orders();
        drop(seat);
        self.bench.pool.exited(slot, Exit::Signal(9), false);
        self.bench.restarts()
    }
}

/// The next event that is there, what tells of runs aside.
fn next(seat: &mut Seat) -> Option<Item> {
    loop {
        let item = seat.player.look()?;
        if item.header.kind == Kind::Task {
            assert!(seat.player.claim(&item));
            return Some(item);
        }
    }
}

fn answer(calls: &Calls, seat: &mut Seat, item: &Item, outcome: Outcome<'_>) {
    seat.player.answer(item, outcome);
    calls.bench.pool.flush();
}

#[test]
fn every_worker_gets_one_event_those_to_come_too_and_it_waits_for_its_turn() {
    let calls = Calls::new(3, None);
    let mut seats = vec![calls.seat(0), calls.seat(1)];
    let (run, workers) = calls.each(false);
    assert_eq!(workers, [1, 2, 3]);
    seats.push(calls.seat(2));
    for seat in seats.iter_mut().rev() {
        let item = next(seat).expect("an event");
        assert!(item.header.has(flag::TURN) && !item.header.has(flag::DIRECT));
        answer(&calls, seat, &item, Outcome::response("1"));
    }
    assert_eq!(calls.answers(run), [0, 1, 2]);
}

#[test]
fn a_worker_that_comes_later_claims_nothing_before_it_has_run_what_is_kept() {
    let mut calls = Calls::new(1, None);
    let mut seat = calls.seat(0);
    let (run, _) = calls.each(true);
    let item = next(&mut seat).expect("an event");
    answer(&calls, &mut seat, &item, Outcome::response("1"));
    assert_eq!(calls.answers(run), [0]);
    assert_eq!(calls.exits(0, seat), [(0, Duration::ZERO)]);
    calls.call("5");
    let mut seat = calls.seat(0);
    let kept = next(&mut seat).expect("what is kept");
    assert_eq!((&*kept.text, kept.header.has(flag::TURN)), (&b"7"[..], true));
    assert!(next(&mut seat).is_none(), "what waits has to wait");
    answer(&calls, &mut seat, &kept, Outcome::response("1"));
    let event = next(&mut seat).expect("what waits");
    assert_eq!(event.text, "5");
    assert!(calls.answers(run).is_empty(), "nobody asked for that");
    // What is closed is kept no more.
    answer(&calls, &mut seat, &event, Outcome::response("1"));
    calls.bench.pool.close(run);
    calls.exits(0, seat);
    calls.call("6");
    let mut seat = calls.seat(0);
    assert_eq!(next(&mut seat).expect("what waits").text, "6");
}

#[test]
fn what_is_closed_while_a_worker_runs_it_lets_that_go_on() {
    let mut calls = Calls::new(1, None);
    let mut seat = calls.seat(0);
    let (run, _) = calls.each(true);
    let item = next(&mut seat).expect("an event");
    answer(&calls, &mut seat, &item, Outcome::response("1"));
    calls.exits(0, seat);
    calls.call("5");
    let mut seat = calls.seat(0);
    let kept = next(&mut seat).expect("what is kept");
    calls.bench.pool.close(run);
    answer(&calls, &mut seat, &kept, Outcome::failed(NO));
    assert!(!seat.process.was_killed());
    assert_eq!(next(&mut seat).expect("what waits").text, "5");
}

#[test]
fn a_worker_in_which_it_fails_again_and_again_is_given_up_and_others_go_on() {
    let mut calls = Calls::new(2, None);
    let mut seats = [calls.seat(0), calls.seat(1)];
    calls.each(true);
    for seat in &mut seats {
        let item = next(seat).expect("an event");
        answer(&calls, seat, &item, Outcome::response("1"));
    }
    let [seat, mut other] = seats;
    assert_eq!(calls.exits(0, seat), [(0, Duration::ZERO)]);
    for (attempt, delay) in [Some(0), Some(100), None].into_iter().enumerate() {
        let mut seat = calls.seat(0);
        let kept = next(&mut seat).expect("what is kept");
        if attempt != 1 {
            answer(&calls, &mut seat, &kept, Outcome::failed(NO));
            assert!(seat.process.was_killed());
        }
        let restarts = delay.map(|delay| (0, Duration::from_millis(delay)));
        assert_eq!(calls.exits(0, seat), restarts.into_iter().collect::<Vec<_>>());
    }
    let retired = calls.bench.hear().into_iter().find_map(|note| match note {
        Note::Retired { worker: 1, message } => Some(message),
        _ => None,
    });
    let message = "\"init\", which each worker runs first, failed 3 times in a row in worker 1: TypeError: no";
    assert_eq!(retired.as_deref(), Some(message));
    calls.call("5");
    assert_eq!(next(&mut other).expect("what waits").text, "5");
}

#[test]
fn what_fails_at_first_is_told_and_not_kept() {
    let mut calls = Calls::new(1, None);
    let mut seat = calls.seat(0);
    let (run, _) = calls.each(true);
    let item = next(&mut seat).expect("an event");
    answer(&calls, &mut seat, &item, Outcome::failed(NO));
    assert_eq!(calls.answers(run), [0]);
    assert!(!seat.process.was_killed());
    calls.call("5");
    calls.exits(0, seat);
    let mut seat = calls.seat(0);
    assert_eq!(next(&mut seat).expect("what waits").text, "5");
}

#[test]
fn a_death_in_it_is_tried_again_in_the_replacement_before_anything_else() {
    let mut calls = Calls::new(1, None);
    let mut seat = calls.seat(0);
    let (run, _) = calls.each(true);
    for _ in 0..2 {
        next(&mut seat).expect("the event");
        assert_eq!(calls.exits(0, seat).len(), 1);
        calls.call("5");
        seat = calls.seat(0);
    }
    let item = next(&mut seat).expect("the event");
    assert!(next(&mut seat).is_none(), "once, and nothing else");
    answer(&calls, &mut seat, &item, Outcome::response("1"));
    assert_eq!(calls.answers(run), [0]);
    assert_eq!(next(&mut seat).expect("what waits").text, "5");
}

#[test]
fn it_is_none_of_the_events_after_which_a_worker_is_replaced() {
    let calls = Calls::new(1, Some(1));
    let mut seat = calls.seat(0);
    for _ in 0..3 {
        calls.each(false);
        let item = next(&mut seat).expect("an event");
        answer(&calls, &mut seat, &item, Outcome::response("1"));
    }
    assert!(!calls.bench.hear().contains(&Note::Recycled { worker: 1 }));
    calls.call("5");
    let event = next(&mut seat).expect("what waits");
    answer(&calls, &mut seat, &event, Outcome::response("1"));
    assert!(calls.bench.hear().contains(&Note::Recycled { worker: 1 }));
}
