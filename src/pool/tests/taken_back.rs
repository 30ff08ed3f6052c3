//! Promised: nothing is taken back but what a worker was given and had not started when it leaves or
//! ends, and what nobody had claimed when the backlog is left; what waits in the backlog others claim
//! by themselves. An event is started once or not at all, however those who claim, leave and die race.

use super::*;

/// The text of a number that is too long to lie in the backlog.
fn long_text(number: u32) -> String {
    format!("{}{number}", " ".repeat(Common::LONGEST))
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
    assert!(bench.pool.drained());
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
    assert!(bench.pool.submit_to(1, b"1", 0) && bench.pool.submit_to(1, b"2", 0));
    let direct = a.player.start();
    bench.hand_over(&long_text(3), 0);
    assert!(a.player.look().is_some_and(|item| item.text == b"2"), "it has come, and not started");
    assert!(a.player.look().is_none(), "it has claimed the long one, and awaits the text");
    bench.pool.rang();
    bench.map([4]);
    bench.pool.disconnected(0);
    assert!(a.player.arrived().iter().all(|item| !a.player.claim(item)));
    let _ears = Ears::of(&bench, 1, &b);
    b.run(&bench, 2);
    a.player.answer(&direct, Outcome::response("1"));
    a.player.answer(&claimed, Outcome::response("0"));
    bench.pool.ended(0, Exit::Code(0), false);
    assert_eq!(bench.take(Queue::Failures), []);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    assert_eq!(next.arrived(), ["2"]);
    let mut results = bench.numbers(Queue::Results);
    results.sort_unstable();
    assert_eq!(results, [0, 1, 3, 4]);
}

#[test]
fn what_was_taken_back_from_a_worker_comes_before_what_was_taken_back_from_the_backlog() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.hand_over(&long_text(0), 0);
    assert!(a.player.look().is_none());
    bench.map(1..4);
    let busy = b.player.start();
    bench.pool.enter(|state| state.backlog.take_back());
    bench.pool.ended(0, Exit::Code(0), false);
    let _ears = Ears::of(&bench, 1, &b);
    b.player.answer(&busy, Outcome::response("1"));
    bench.pool.rang();
    b.run(&bench, 3);
    assert_eq!(bench.numbers(Queue::Results), [1, 0, 2, 3]);
}

#[test]
fn while_events_that_were_taken_back_wait_nobody_claims_later_ones() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map(0..4);
    let running = [a.player.start(), b.player.start()];
    bench.pool.enter(|state| state.backlog.take_back());
    bench.map(4..8);
    // Whoever has ended one gets the oldest, and whoever comes then sleeps until he is rung.
    a.player.answer(&running[0], Outcome::response("0"));
    assert!(a.player.look().is_none(), "it claims nothing");
    bench.pool.rang();
    a.run(&bench, 1);
    assert_eq!(a.player.look().expect("the next").text, b"3");
    assert!(b.player.look().is_some_and(|item| item.text == b"4"), "what is left is claimed again");
    // A worker to come is held as well.
    bench.pool.enter(|state| state.backlog.take_back());
    bench.pool.ended(0, Exit::Signal(9), false);
    let mut next = bench.seat(0);
    assert!(next.player.look().is_none());
    bench.register(0, &mut next);
    assert_eq!(next.player.start().text, b"3", "it had not started");
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
            // What it claimed in the backlog has started, whatever it does.
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
            bench.pool.ended(slot, Exit::Signal(9), false);
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
                0..3 => assert!(bench.pool.submit_to(random.u32(1..3), text.as_bytes(), 0)),
                3..30 => bench.pool.submit(text.as_bytes(), 0),
                _ => bench.hand_over(&text, 0),
            }
            if random.u8(..100) == 0 {
                if event < EVENTS / 2 {
                    bench.pool.enter(|state| state.backlog.take_back());
                } else {
                    bench.pool.enter(State::leave_backlog);
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
