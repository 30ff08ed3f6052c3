//! Promised: a worker that is stopped in the moment between its claim of an event and the reading of it holds
//! nothing up, not even that event. When it goes on it runs nothing that has run elsewhere.

use super::*;

const PLACES: u32 = Shared::PLACES;

/// A worker that has claimed an event and not read it, and another.
fn stopped() -> (Bench, Seat, Seat, u32) {
    let (bench, [mut stopped, other]) = Bench::running();
    stopped.player.claimer.unpark();
    bench.map([0]);
    let number = stopped.player.claimer.claim().expect("an event");
    (bench, stopped, other, number)
}

/// Runs the events from `from` to `to` elsewhere, handed over as fast as there are places.
fn run_on(bench: &Bench, other: &mut Seat, (from, to): (u32, u32)) -> Vec<u32> {
    let mut next = from;
    let mut results = Vec::new();
    let end = Instant::now() + DEADLINE;
    while results.len() < (to - from) as usize {
        assert!(Instant::now() < end, "held up after {} events", results.len());
        let more = (next + 4000).min(to);
        bench.map(next..more);
        next = more;
        while let Some(item) = other.player.look() {
            if other.player.claim(&item) {
                other.player.answer(&item, Outcome::response("1"));
            }
        }
        // As the I/O thread does, which is told to.
        bench.pool.watched();
        results.extend(bench.numbers(Queue::Results));
    }
    results
}

#[test]
fn a_worker_that_is_stopped_before_it_reads_what_it_claimed_holds_nothing_up() {
    let (mut bench, stopped, mut other, _) = stopped();
    // All that there is, and that event among it.
    let mut results = run_on(&bench, &mut other, (1, 3 * PLACES + 1));
    let watches = bench.orders().iter().filter(|order| matches!(order, Order::Watch)).count();
    assert!(watches > 0, "the I/O thread is told to look");
    if !results.contains(&0) {
        results.extend(run_on(&bench, &mut other, (3 * PLACES + 1, 3 * PLACES + 2)));
    }
    assert!(results.contains(&0), "it ran elsewhere");
    assert!(bench.pool.drained(bench.run));
    assert!(!stopped.process.was_killed());
}

/// Runs all that is left elsewhere.
fn run_rest(bench: &Bench, other: &mut Seat) {
    while bench.outstanding() > 0 {
        let item = other.player.start();
        other.player.answer(&item, Outcome::response("1"));
        bench.pool.flush();
    }
}

#[test]
fn when_it_goes_on_it_runs_others() {
    let (bench, mut stopped, mut other, number) = stopped();
    run_on(&bench, &mut other, (1, PLACES + 2));
    run_rest(&bench, &mut other);
    assert_eq!(stopped.player.claimer.try_read(number), None);
    bench.map([7]);
    let item = stopped.player.start();
    stopped.player.answer(&item, Outcome::response("\"it\""));
    bench.pool.flush();
    assert!(!stopped.process.was_killed());
    let last = bench.take(Queue::Results).pop().expect("an entry");
    assert_eq!((last.worker, last.response), (1, "it".into()));
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn it_may_run_that_event_after_all_when_it_claims_it_again() {
    let (bench, mut stopped, mut other, number) = stopped();
    let mut next = 1;
    // The event comes back, and the other worker is busy.
    while bench.pool.lock().lanes.lane(0).is_empty() {
        bench.map(next..next + 1000);
        next += 1000;
        bench.pool.watched();
    }
    let busy = other.player.start();
    assert_eq!(stopped.player.claimer.try_read(number), None);
    assert_eq!(busy.text, "0", "what came back is first");
    bench.pool.exited(1, Exit::Code(0), false);
    assert_eq!(bench.numbers(Queue::Failures), [0]);
    assert_eq!(stopped.player.start().text, "1");
}

#[test]
fn its_answer_to_an_event_that_was_taken_from_it_is_none() {
    let (bench, mut stopped, mut other, number) = stopped();
    let mut results = run_on(&bench, &mut other, (1, PLACES + 2));
    results.extend(run_on(&bench, &mut other, (PLACES + 2, PLACES + 3)));
    assert_eq!(results.iter().filter(|&&event| event == 0).count(), 1);
    let outcome = Outcome::response("1");
    stopped.player.answer_at(number, Outcome { flags: outcome.flags | FROM_LANE, ..outcome });
    bench.pool.flush();
    assert!(stopped.process.was_killed());
    assert!(!bench.numbers(Queue::Results).contains(&0));
}

#[test]
fn a_worker_that_ends_after_the_event_was_taken_from_it_costs_nothing() {
    let (bench, stopped, mut other, _) = stopped();
    let mut results = run_on(&bench, &mut other, (1, PLACES + 2));
    bench.pool.exited(0, Exit::Signal(9), false);
    results.extend(run_on(&bench, &mut other, (PLACES + 2, PLACES + 3)));
    assert!(results.contains(&0));
    assert_eq!(bench.take(Queue::Failures), []);
    drop(stopped);
}
