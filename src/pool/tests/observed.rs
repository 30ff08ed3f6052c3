//! Promised: while JavaScript observes, every answer and message goes to the observed queue and
//! JavaScript is called, once until it looks; afterwards the queues are filled as before. Under manual
//! dispatch a pool hands out one event a worker and says truly which workers are free. `drained` is true
//! when every event is answered, and else a note says when, once.

use super::*;

#[test]
fn while_observing_everything_goes_to_the_observed_queue_and_calls_javascript() {
    let (bench, [mut seat]) = Bench::running();
    bench.pool.observe(bench.run, true);
    bench.map(0..3);
    assert_eq!(bench.calls(), 0);
    for outcome in [Outcome::response("1"), Outcome::failed("2"), Outcome::nothing()] {
        let item = seat.player.start();
        seat.player.answer(&item, outcome);
    }
    seat.player.say(0, b"\"said\"");
    bench.pool.flush();
    assert_eq!(bench.calls(), 1);
    let expected = [
        Entry::new(ANSWERED, 1, 0, "1"),
        Entry::new(ANSWERED | entry::FAILED, 1, 1, "2"),
        Entry::new(entry::DATA, 1, 2, "0"),
        // No result, but its text is where a response would be.
        Entry::new(entry::MESSAGE, 1, 0, "\"said\""),
    ];
    assert_eq!(bench.take(Queue::Observed), expected);
    assert_eq!((bench.take(Queue::Results), bench.take(Queue::Failures)), (vec![], vec![]));
}

#[test]
fn javascript_is_called_once_until_it_looks_and_again_for_what_comes_after() {
    let (bench, [mut seat]) = Bench::running();
    bench.pool.observe(bench.run, true);
    for expected in [1, 0, 0] {
        bench.submit([1]);
        seat.run(&bench, 1);
        assert_eq!(bench.calls.swap(0, Ordering::SeqCst), expected);
    }
    // It looks, without taking anything: what it has not taken still waits for it.
    bench.pool.is_called.store(false, Ordering::SeqCst);
    bench.pool.flush();
    assert_eq!(bench.calls(), 1);
    bench.take(Queue::Observed);
    bench.calls();
    bench.pool.flush();
    assert_eq!(bench.calls(), 0, "there is nothing to look at");
}

#[test]
fn while_observing_the_worker_rings_after_every_answer_also_one_that_registered_later() {
    let bench = Bench::new(2);
    let mut first = bench.seat(0);
    bench.pool.observe(bench.run, true);
    let mut second = bench.seat(1);
    for (slot, seat) in [&mut first, &mut second].into_iter().enumerate() {
        let mut heard = Heard::new(&seat.control);
        assert_eq!(heard.next().map(|frame| frame.kind), Some(1), "hello");
        bench.register(slot, seat);
        assert!(bench.submit_to(slot as u32 + 1, b"1", 0));
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::response("1"));
        while heard.next().is_some_and(|frame| frame.kind != 0) {}
    }
    bench.pool.flush();
    assert_eq!(bench.take(Queue::Observed).len(), 2);
}

#[test]
fn after_observing_the_queues_are_filled_again_and_nothing_is_in_two_of_them() {
    let (bench, [mut seat]) = Bench::running();
    let mut next = 0;
    let mut one = |bench: &Bench| {
        bench.submit([next]);
        seat.run(bench, 1);
        next += 1;
    };
    one(&bench);
    bench.pool.observe(bench.run, true);
    one(&bench);
    bench.pool.observe(bench.run, false);
    one(&bench);
    assert_eq!(bench.numbers(Queue::Results), [0, 2]);
    assert_eq!(bench.numbers(Queue::Observed), [1]);
}

#[test]
fn what_was_answered_before_observing_began_is_in_the_queues_though_nobody_had_looked() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([0]);
    let item = seat.player.start();
    seat.player.answer(&item, Outcome::response("0"));
    bench.pool.observe(bench.run, true);
    assert_eq!(bench.numbers(Queue::Results), [0]);
    assert_eq!(bench.take(Queue::Observed), []);
}

#[test]
fn under_manual_dispatch_a_pool_takes_back_what_waits_and_says_which_workers_are_free() {
    let (bench, [mut a, mut b, mut c]) = Bench::running();
    bench.map(0..9);
    let running = [a.player.start(), b.player.start()];
    let manual = bench.pool.be_manual(bench.run);
    assert!(manual.free.is_empty() && manual.observed.is_empty());
    assert!(a.player.claimer.claim().is_none(), "nobody claims any more");
    // One at a time now, in order, to whoever has ended one: the third worker first.
    c.run(&bench, 5);
    a.player.answer(&running[0], Outcome::nothing());
    bench.pool.flush();
    a.run(&bench, 1);
    b.player.answer(&running[1], Outcome::nothing());
    c.run(&bench, 1);
    let ended: Vec<(u32, bool)> = bench
        .take(Queue::Observed)
        .into_iter()
        .map(|entry| (entry.worker, entry.kind & entry::TAKEN != 0))
        .collect();
    let thirds = vec![(3, true); 5];
    assert_eq!(ended, [thirds, vec![(1, true), (1, false), (2, false), (3, false)]].concat());
    assert_eq!(bench.pool.be_manual(bench.run).free, [1, 2, 3]);
}

#[test]
fn a_worker_that_crashes_once_the_program_hands_out_events_is_free_or_has_one_that_waited() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map(0..4);
    let (_, item) = (a.player.start(), b.player.start());
    assert!(bench.pool.be_manual(bench.run).free.is_empty());
    bench.pool.exited(0, Exit::Signal(9), false);
    let kinds = |entries: Vec<Entry>| -> Vec<(u32, u32)> {
        entries.iter().map(|entry| (entry.worker, entry.kind & entry::TAKEN)).collect()
    };
    assert_eq!(kinds(bench.take(Queue::Observed)), [(1, entry::TAKEN)]);
    assert!(!bench.pool.is_free(1), "its replacement has an event");
    b.player.answer(&item, Outcome::nothing());
    bench.pool.flush();
    b.run(&bench, 1);
    assert_eq!(kinds(bench.take(Queue::Observed)), [(2, entry::TAKEN), (2, 0)]);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    next.run(&bench, 1);
    assert_eq!(kinds(bench.take(Queue::Observed)), [(1, 0)]);
    // An idle one stays free while it is replaced, and what it is sent waits.
    bench.pool.exited(0, Exit::Signal(9), false);
    assert!(bench.pool.is_free(1));
    assert_eq!(bench.pool.be_manual(bench.run).free, [1, 2]);
    assert!(bench.submit_to(1, b"9", 0));
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    assert_eq!(next.arrived(), ["9"]);
}

#[test]
fn a_worker_that_will_not_be_replaced_is_never_free() {
    let (bench, [_a, mut b]) = Bench::running();
    assert_eq!(bench.pool.be_manual(bench.run).free, [1, 2]);
    bench.pool.exited(0, Exit::Signal(9), false);
    assert!(bench.submit_to(1, b"0", 0));
    let what = "nothing".to_owned();
    bench.pool.not_started(0, Error::Protocol { worker: 1, what });
    let [entry] = &bench.take(Queue::Observed)[..] else { panic!("one event failed") };
    assert_eq!((entry.worker, entry.kind & entry::TAKEN), (1, entry::TAKEN));
    assert!(!bench.pool.is_free(1));
    assert_eq!(bench.pool.be_manual(bench.run).free, [2]);
    assert!(bench.submit_to(2, b"1", 0));
    b.run(&bench, 1);
}

fn text_of(piece: Piece) -> String {
    String::from_utf8(piece.json().expect("it is short")).expect("UTF-8")
}

#[test]
fn the_free_workers_and_what_was_observed_belong_to_the_same_moment() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map([0, 1]);
    bench.pool.observe(bench.run, true);
    let item = a.player.start();
    b.player.start();
    a.player.answer(&item, Outcome::response("0"));
    let manual = bench.pool.be_manual(bench.run);
    assert_eq!(manual.free, [1]);
    let observed: Vec<String> = manual.observed.into_iter().map(text_of).collect();
    assert_eq!(observed, ["[6,1,0,0]"]);
    assert_eq!(bench.take(Queue::Observed), []);
}

#[test]
fn drained_is_true_when_every_event_is_answered_and_else_a_note_says_when_once() {
    let (bench, [mut seat]) = Bench::running();
    assert!(bench.pool.drained(bench.run));
    assert_eq!(bench.hear(), []);
    bench.map([0]);
    bench.submit([1]);
    assert!(!bench.pool.drained(bench.run));
    seat.run(&bench, 1);
    assert_eq!(bench.hear(), []);
    seat.run(&bench, 1);
    assert_eq!(bench.calls(), 1);
    assert_eq!(bench.hear(), [Note::Drained { run: bench.run }]);
    bench.submit([2]);
    seat.run(&bench, 1);
    assert_eq!(bench.hear(), [], "nobody asked again");
}

#[test]
fn an_event_that_nobody_has_claimed_is_not_answered() {
    let (bench, [mut seat]) = Bench::running();
    bench.map(0..2);
    seat.run(&bench, 1);
    assert!(!bench.pool.drained(bench.run));
    seat.run(&bench, 1);
    assert_eq!(bench.hear(), [Note::Drained { run: bench.run }]);
}
