//! Promised: the program is told of an event that has run for long, once, and again when that has doubled, and
//! with it whether the worker waits for a promise or computes; of no event that has been answered or is short; and of
//! the first worker that starts slowly.

use super::late::running;
use super::*;

const AFTER: u32 = 10_000;

fn hints(bench: &Bench) -> Vec<String> {
    let text = |note| if let Note::Hint { text, .. } = note { Some(text) } else { None };
    bench.pool.notes().into_iter().filter_map(text).collect()
}

#[test]
fn a_long_event_is_told_of_each_time_that_it_has_become_twice_as_long() {
    let (bench, [mut seat, _other]) = running();
    bench.map([7]);
    let item = seat.player.start();
    let mut told = Vec::new();
    for ran in [AFTER - 100, AFTER + 100, AFTER * 2 - 100, AFTER * 2 + 300, AFTER * 4] {
        seat.has_run(&item, ran);
        bench.pool.check_long(bench.run, AFTER);
        told.push(hints(&bench).len());
    }
    assert_eq!(told, [0, 1, 0, 1, 0]);
    seat.has_run(&item, AFTER * 10);
    bench.pool.check_long(bench.run, AFTER);
    let [text] = &hints(&bench)[..] else { panic!("one hint") };
    assert!(text.starts_with("Worker 1 has been running one event (7) for 100.0 s: "), "{text}");
    seat.player.answer(&item, Outcome::response(b"1"));
    bench.pool.check_long(bench.run, AFTER);
    assert_eq!(hints(&bench), [""; 0]);
    assert_eq!(bench.numbers(Queue::Results), [7], "it is no worse for it");
}

#[test]
fn whether_a_worker_waits_or_computes_is_told() {
    let (bench, [mut a, mut b]) = running();
    bench.map([1, 2]);
    for (seat, waits) in [(&mut a, true), (&mut b, false)] {
        // Its I/O thread has heard the wake-up, and says nothing more of what its JavaScript does.
        assert_eq!(seat.player.signals.recv_timeout(DEADLINE), Ok(Signal::Arrived));
        let item = seat.player.start();
        seat.has_run(&item, AFTER + 100);
        seat.player.waits(waits);
    }
    bench.pool.check_long(bench.run, AFTER);
    let hints = hints(&bench);
    let [first, second] = &hints[..] else { panic!("two hints: {hints:?}") };
    assert!(first.contains("returned a promise that is not settled yet"), "{first}");
    assert!(second.contains("has not returned yet"), "{second}");
}

#[test]
fn a_slow_start_is_told_of_once() {
    let (bench, [_a, _b]) = running();
    bench.pool.started_slowly(1, 12.34);
    bench.pool.started_slowly(0, 12.34);
    let [text] = &hints(&bench)[..] else { panic!("one hint") };
    assert!(text.starts_with("Worker 2 has taken 12.3 s to reach the call"), "{text}");
}
