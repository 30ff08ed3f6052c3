//! Promised: nothing is taken back but what a worker was sent and had not started when it leaves or exits, and what
//! nobody had claimed when the program takes over; what waits in a lane others claim by themselves. What came back is
//! claimed before anything else, by any worker. An event is started once or not at all, however those who claim, leave
//! and die race.

use super::*;
use crate::core::event::Event;
use crate::core::lifecycle::Kill;

/// The text of a number that is too long to lie in a lane.
fn long_text(number: u32) -> String {
    format!("{}{number}", " ".repeat(Shared::LONGEST))
}

#[test]
fn what_waits_behind_a_busy_worker_runs_on_any_other() {
    let (bench, [mut a, mut b]) = Bench::running();
    a.widen(&bench, 8);
    bench.map(0..6);
    let long = a.player.start();
    b.run(&bench, 5);
    assert_eq!(bench.numbers(Queue::Results), [1, 2, 3, 4, 5]);
    assert!(a.player.look().is_none());
    a.player.answer(&long, Outcome::response("0"));
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn what_waits_behind_a_busy_worker_goes_to_one_that_registers_later() {
    let bench = Bench::new(2);
    let mut a = bench.seat(0);
    bench.register(0, &mut a);
    bench.map(0..3);
    a.player.start();
    let mut b = bench.seat(1);
    bench.register(1, &mut b);
    b.run(&bench, 2);
    assert_eq!(bench.numbers(Queue::Results), [1, 2]);
}

#[test]
fn a_worker_that_leaves_keeps_what_it_has_started_and_gives_back_what_it_has_not() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map([0]);
    let claimed = a.player.start();
    assert!(bench.submit_to(1, b"1", 0) && bench.submit_to(1, b"2", 0));
    let direct = a.player.start();
    bench.hand_over(&long_text(3), 0);
    assert!(a.player.look().is_some_and(|item| item.text == b"2"), "it has come, and not started");
    assert!(a.player.look().is_none(), "it has claimed the long one, and awaits the text");
    bench.pool.flush();
    bench.map([4]);
    bench.pool.disconnected(0);
    assert!(a.player.arrived().iter().all(|item| !a.player.claim(item)));
    let _ears = Ears::of(&bench, 1, &b);
    b.run(&bench, 2);
    a.player.answer(&direct, Outcome::response("1"));
    a.player.answer(&claimed, Outcome::response("0"));
    bench.pool.exited(0, Exit::Code(0), false);
    assert_eq!(bench.take(Queue::Failures), []);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    assert_eq!(next.arrived(), ["2"]);
    let mut results = bench.numbers(Queue::Results);
    results.sort_unstable();
    assert_eq!(results, [0, 1, 3, 4]);
}

#[test]
fn what_comes_back_runs_before_what_was_never_claimed_in_the_order_in_which_it_came_back() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.hand_over(&long_text(0), 0);
    assert!(a.player.look().is_none());
    bench.map(1..4);
    let busy = b.player.start();
    bench.take_back();
    bench.map(4..6);
    bench.pool.exited(0, Exit::Code(0), false);
    let _ears = Ears::of(&bench, 1, &b);
    b.player.answer(&busy, Outcome::response("1"));
    b.run(&bench, 5);
    assert_eq!(bench.numbers(Queue::Results), [1, 2, 3, 0, 4, 5]);
    assert_eq!(bench.take(Queue::Failures), []);
}

#[test]
fn any_worker_claims_what_came_back_before_later_events() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map(0..4);
    let running = [a.player.start(), b.player.start()];
    bench.take_back();
    bench.map(4..8);
    for (seat, item, expected) in [(&mut a, &running[0], "2"), (&mut b, &running[1], "3")] {
        seat.player.answer(item, Outcome::response(&item.text));
        assert_eq!(seat.player.look().expect("one that came back").text, expected);
    }
    bench.take_back();
    bench.map([8]);
    bench.pool.exited(0, Exit::Signal(9), false);
    // So does a worker to come.
    let mut next = bench.seat(0);
    assert!(next.player.look().is_none());
    bench.register(0, &mut next);
    next.run(&bench, 5);
    assert_eq!(bench.numbers(Queue::Results), [0, 1, 4, 5, 6, 7, 8]);
    assert_eq!(bench.numbers(Queue::Failures), [2]);
}

#[test]
fn more_events_than_the_first_lane_has_places_for_come_back_in_order() {
    let (bench, [mut seat, _other]) = Bench::running();
    let places = Shared::PLACES;
    for round in 0..3 {
        bench.map(round * places / 2..(round + 1) * places / 2);
        bench.take_back();
    }
    bench.map([3 * places / 2]);
    assert!(!bench.pool.lock().returned.is_empty());
    seat.run(&bench, 3 * places as usize / 2 + 1);
    assert_eq!(bench.numbers(Queue::Results), (0..=3 * places / 2).collect::<Vec<_>>());
    assert!(bench.pool.drained(bench.run));
}

/// Where a worker that ends is with its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was given the event, and did not start it.
    BeforeStart,
    InIt,
    AfterAnswer,
    /// It leaves, ends what it runs, and is gone.
    Leaves,
}

/// What the workers did, by event.
struct Log {
    started: Vec<AtomicUsize>,
    died_in: Vec<AtomicUsize>,
}

impl Log {
    fn new(events: usize) -> Self {
        let zeros = || (0..events).map(|_| AtomicUsize::new(0)).collect();
        Self { started: zeros(), died_in: zeros() }
    }
}

/// A worker's life, and those of its replacements: events of all lengths, and now and then an end.
fn live(bench: &Bench, slot: usize, mut seat: Seat, log: &Log, over: &AtomicBool) {
    let _ends = Ends(over);
    let mut random = fastrand::Rng::with_seed(slot as u64);
    let mut ears = Ears::of(bench, slot, &seat);
    let mut ran = 0;
    while !over.load(Ordering::SeqCst) {
        let mut item = seat.player.look();
        let ends = [End::BeforeStart, End::InIt, End::AfterAnswer, End::Leaves];
        // One that has run nothing would count as one that cannot live.
        let mut end = (ran > 0 && random.u16(..300) == 0).then(|| ends[random.usize(..4)]);
        if item.is_none() && seat.player.awaits_text && ran > 0 && random.u8(..4) == 0 {
            end = Some(End::BeforeStart);
        } else if item.is_none() {
            item = seat.player.next_within(Duration::from_millis(5));
        }
        if end == Some(End::Leaves) {
            bench.pool.disconnected(slot);
        }
        if let Some(item) = item {
            let text = std::str::from_utf8(&item.text).expect("UTF-8");
            let event: usize = text.trim().parse().expect("a number");
            // What it claimed in a lane has started, whatever it does.
            let starts = !has_come_alone(&item)
                || (end != Some(End::BeforeStart) && seat.player.claim(&item));
            if starts {
                ran += 1;
                log.started[event].fetch_add(1, Ordering::SeqCst);
                if random.u16(..100) == 0 {
                    // It takes long, for the others to become idle meanwhile.
                    let end = Instant::now() + Duration::from_micros(300);
                    while Instant::now() < end {
                        std::thread::yield_now();
                    }
                }
                if matches!(end, Some(End::InIt | End::BeforeStart)) {
                    log.died_in[event].fetch_add(1, Ordering::SeqCst);
                } else {
                    seat.player.answer(&item, Outcome::response("1"));
                }
            }
        }
        if end.is_some() {
            drop(seat);
            ears.join();
            bench.pool.exited(slot, Exit::Signal(9), false);
            seat = bench.seat(slot);
            ears = Ears::of(bench, slot, &seat);
            bench.register(slot, &mut seat);
            ran = 0;
        }
    }
    drop(seat);
    ears.join();
}

#[test]
fn amid_ends_and_all_that_is_taken_back_every_event_ends_once_and_starts_at_most_once() {
    const EVENTS: usize = 40_000;
    let (bench, seats) = Bench::running::<2>();
    let log = Log::new(EVENTS);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for (slot, seat) in seats.into_iter().enumerate() {
            let (bench, log, over) = (&bench, &log, &over);
            scope.spawn(move || live(bench, slot, seat, log, over));
        }
        let mut random = fastrand::Rng::with_seed(9);
        for event in 0..EVENTS {
            let mut text = event.to_string();
            if random.u16(..300) == 0 {
                text = long_text(event as u32);
            }
            match random.u8(..100) {
                0..3 => assert!(bench.submit_to(random.u32(1..3), text.as_bytes(), 0)),
                3..30 => bench.pool.submit(bench.run, text.as_bytes(), 0),
                _ => bench.hand_over(&text, 0),
            }
            if random.u8(..100) == 0 {
                if event < EVENTS / 2 {
                    bench.take_back();
                } else {
                    bench.pool.enter(|state| state.be_manual(&bench.pool));
                }
            }
            let is_full = || bench.outstanding() > 300;
            until("room", || !is_full() || over.load(Ordering::SeqCst));
        }
        bench.pool.flush();
        until("the last answers", || bench.outstanding() == 0 || over.load(Ordering::SeqCst));
    });
    let started: Vec<usize> =
        log.started.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    assert!(started.iter().all(|&count| count == 1), "every event starts once");
    let died_in = |event: u32| log.died_in[event as usize].load(Ordering::SeqCst) == 1;
    let (dead, alive): (Vec<u32>, Vec<u32>) = (0..EVENTS as u32).partition(|&event| died_in(event));
    assert!(dead.len() > 10, "{} workers died in an event", dead.len());
    let sorted = |mut events: Vec<u32>| {
        events.sort_unstable();
        events
    };
    assert_eq!(sorted(bench.numbers(Queue::Failures)), dead);
    assert!(sorted(bench.numbers(Queue::Results)) == alive, "an event is lost or there twice");
}

/// Between the decision to kill it and the end of it.
#[test]
fn a_long_event_that_a_worker_claims_while_it_is_killed_runs_elsewhere_once() {
    let (bench, [mut dying, mut other]) = Bench::running();
    let _ears = Ears::of(&bench, 1, &other);
    assert!(bench.submit_to(1, b"0", 0));
    bench.hand_over(&long_text(1), 0);
    dying.player.claimer.unpark();
    dying.player.claimer.claim().expect("an event");
    bench.pool.enter(|state| {
        state.on(Event::Killed { slot: 0, why: Kill::Other });
        state.scan();
    });
    let item = other.player.start();
    other.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    assert_eq!(bench.take(Queue::Results).len(), 1);
    // What was meant for that worker alone is its successor's.
    drop(dying);
    bench.pool.exited(0, Exit::Signal(9), false);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    next.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [0]);
    assert!(bench.pool.drained(bench.run));
}
