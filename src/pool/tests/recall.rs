//! Promised: what waits in a worker behind an event that takes long is taken back and runs elsewhere
//! as soon as anybody is idle, and also when nobody is; an event is started by a worker or taken back,
//! never both, however the two race, and whatever dies meanwhile.

use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn what_waits_behind_a_busy_worker_runs_on_one_that_becomes_idle() {
    let (bench, [mut a, mut b]) = Bench::running();
    a.widen(&bench, 8);
    assert!(bench.pool.submit_to(2, b"100", 0));
    bench.submit(0..6);
    let long = a.player.start();
    assert_eq!(bench.pool.lock().scheduler.held(0), 6);
    b.run(&bench, 6);
    let mut ran = bench.numbers(Queue::Results);
    ran.sort_unstable();
    assert_eq!(ran, [1, 2, 3, 4, 5, 100]);
    // The worker finds them taken back when it comes to them.
    assert!(a.player.arrived().iter().all(|item| !a.player.claim(item)));
    a.player.answer(&long, Outcome::response("0"));
    assert!(bench.pool.drained());
}

#[test]
fn what_waits_behind_a_busy_worker_goes_to_one_that_registers_later() {
    let bench = Bench::new(2);
    let mut a = bench.seat(0);
    bench.pool.registered(0);
    a.widen(&bench, 4);
    bench.submit(0..3);
    a.player.start();
    let mut b = bench.seat(1);
    bench.pool.registered(1);
    b.run(&bench, 2);
    assert_eq!(bench.numbers(Queue::Results), [1, 2]);
}

#[test]
fn a_worker_that_does_not_answer_between_two_looks_keeps_only_what_it_runs() {
    let (mut bench, [mut a, mut b]) = Bench::running();
    a.widen(&bench, 4);
    b.widen(&bench, 4);
    bench.orders();
    bench.submit(0..8);
    let orders = bench.orders();
    assert!(matches!(orders[..], [Command::Watch]), "once: {orders:?}");
    let long = a.player.start();
    let short = b.player.start();
    assert!(bench.pool.look_for_stuck(), "the first look only remembers");
    assert_eq!(bench.pool.lock().scheduler.held(0), 4);
    // The second worker answers between the looks, the first does not: what waits in either comes
    // back and goes out in order, to the one that is quick.
    b.player.answer(&short, Outcome::response("1"));
    bench.pool.look_for_stuck();
    assert_eq!(bench.pool.lock().scheduler.held(0), 1);
    b.run(&bench, 6);
    let order = bench.numbers(Queue::Results);
    assert!(order[1..].is_sorted(), "{order:?}");
    assert_eq!(order.len(), 7);
    a.player.answer(&long, Outcome::response("0"));
    bench.pool.rang();
    assert!(!bench.pool.look_for_stuck(), "nothing can be stuck: no need to look");
    bench.submit(0..8);
    assert!(matches!(bench.orders()[..], [Command::Watch]), "now there is again");
}

#[test]
fn workers_that_answer_between_looks_keep_what_they_hold() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 8);
    bench.submit(0..8);
    for held in (3..8).rev() {
        seat.run(&bench, 1);
        assert!(bench.pool.look_for_stuck());
        assert_eq!(bench.pool.lock().scheduler.held(0), held);
    }
}

#[test]
fn events_that_were_sent_to_one_worker_alone_wait_for_nothing_and_are_not_looked_for() {
    let (mut bench, [mut seat]) = Bench::running();
    bench.submit([0]);
    seat.player.start();
    for i in 1..5_u8 {
        assert!(bench.pool.submit_to(1, &[b'0' + i], 0));
    }
    for _ in 0..10 {
        assert!(!bench.pool.look_for_stuck());
    }
    assert_eq!(bench.orders().len(), 0);
    assert_eq!(seat.arrived(), ["1", "2", "3", "4"]);
}

/// Ends the others' loops when one of the threads ends, also by a panic.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Where a worker that dies is with its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    BeforeClaim,
    AfterClaim,
    AfterAnswer,
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
        let Some(item) = seat.player.next_within(Duration::from_millis(5)) else { continue };
        let deaths = [Death::BeforeClaim, Death::AfterClaim, Death::AfterAnswer];
        // One that has run nothing would count as one that cannot live.
        let dies = (ran > 0 && random.u16(..300) == 0).then(|| deaths[random.usize(..3)]);
        let text = std::str::from_utf8(&item.text).expect("UTF-8");
        let event: usize = text.parse().expect("a number");
        if dies != Some(Death::BeforeClaim) && seat.player.claim(&item) {
            ran += 1;
            log.started[event].fetch_add(1, Ordering::SeqCst);
            if random.u16(..100) == 0 {
                // It takes long, for the others to become idle meanwhile.
                let end = Instant::now() + Duration::from_micros(300);
                while Instant::now() < end {
                    std::thread::yield_now();
                }
            }
            if dies == Some(Death::AfterClaim) {
                log.died_in[event].fetch_add(1, Ordering::SeqCst);
            } else {
                seat.player.answer(&item, Outcome::response(&item.text));
            }
        }
        if dies.is_some() {
            drop(seat);
            ears.join();
            bench.pool.ended(slot, Exit::Signal(9), false);
            seat = bench.seat(slot);
            ears = Ears::of(bench, slot, &seat);
            bench.pool.registered(slot);
            ran = 0;
        }
    }
    drop(seat);
    ears.join();
}

#[test]
fn amid_recalls_and_deaths_every_event_ends_once_and_starts_at_most_once() {
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
            let text = event.to_string();
            match random.u8(..100) {
                0..3 => assert!(bench.pool.submit_to(random.u32(1..3), text.as_bytes(), 0)),
                3..50 => bench.pool.submit(text.as_bytes(), 0),
                _ => bench.stage(&text, 0),
            }
            if random.u8(..50) == 0 {
                bench.pool.look_for_stuck();
            }
            let is_full = || bench.pool.lock().scheduler.outstanding() > 300;
            until("room", || !is_full() || over.load(Ordering::SeqCst));
        }
        bench.pool.flush();
        let rest = || bench.pool.lock().scheduler.outstanding();
        until("the last answers", || rest() == 0 || over.load(Ordering::SeqCst));
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
