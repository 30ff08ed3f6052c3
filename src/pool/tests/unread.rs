//! Promised: a worker that is stopped in the moment between its claim of an event and the reading of it holds
//! nothing up, not even that event. When it goes on it runs nothing that has run elsewhere.

use super::*;

const PLACES: u32 = Common::PLACES;

/// A worker that has claimed an event and not read it, and another.
fn stopped() -> (Bench, Seat, Seat, u32) {
    let (bench, [mut stopped, other]) = Bench::running();
    stopped.player.claimer.wake();
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
    let watches = bench.orders().iter().filter(|order| matches!(order, Command::Watch)).count();
    assert!(watches > 0, "the I/O thread is told to look");
    if !results.contains(&0) {
        results.extend(run_on(&bench, &mut other, (3 * PLACES + 1, 3 * PLACES + 2)));
    }
    assert!(results.contains(&0), "it ran elsewhere");
    assert!(bench.pool.drained());
    assert!(!stopped.process.was_killed());
}

#[test]
fn when_it_goes_on_it_gives_the_event_up_and_runs_others() {
    let (bench, mut stopped, mut other, number) = stopped();
    run_on(&bench, &mut other, (1, PLACES + 2));
    assert_eq!(stopped.player.claimer.try_read(number), None);
    stopped.player.give_back(number);
    bench.pool.rang();
    assert!(!stopped.process.was_killed());
    bench.map([7]);
    let item = stopped.player.start();
    stopped.player.answer(&item, Outcome::response("\"it\""));
    bench.pool.rang();
    let last = bench.take(Queue::Results).pop().expect("an entry");
    assert_eq!((last.worker, last.response), (1, "it".into()));
}

#[test]
fn nothing_is_given_to_it_before_it_has_seen_that() {
    let (bench, mut stopped, mut other, number) = stopped();
    let mut results = run_on(&bench, &mut other, (1, PLACES + 2));
    // It has run elsewhere or waits; never is it this worker's again as long as it stands still.
    results.extend(run_on(&bench, &mut other, (PLACES + 2, PLACES + 3)));
    assert!(results.contains(&0));
    assert_eq!(stopped.arrived(), [""; 0]);
    stopped.player.give_back(number);
    stopped.player.give_back(number);
    bench.pool.rang();
    assert!(stopped.process.was_killed(), "it gives back what it does not have");
}

#[test]
fn a_worker_that_ends_after_the_event_was_taken_from_it_costs_nothing() {
    let (bench, stopped, mut other, _) = stopped();
    let mut results = run_on(&bench, &mut other, (1, PLACES + 2));
    bench.pool.ended(0, Exit::Signal(9), false);
    results.extend(run_on(&bench, &mut other, (PLACES + 2, PLACES + 3)));
    assert!(results.contains(&0));
    assert_eq!(bench.take(Queue::Failures), []);
    drop(stopped);
}
