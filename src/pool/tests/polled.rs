//! Promised: what a worker has answered is known soon whatever it does next. It notifies for each answer at once, or
//! the master polls for them: either way nothing that was answered is left lying, and where nothing is answered
//! nobody polls.

use super::*;
use crate::core::scheduler;

impl Bench {
    /// How often the I/O thread was told to poll since the last look.
    fn polls(&mut self) -> usize {
        self.orders().iter().filter(|order| matches!(order, Order::Poll)).count()
    }
}

impl Seat {
    fn is_polled(&self) -> bool {
        self.memory.word(Layout::POLLED).load(Ordering::SeqCst) == 1
    }
}

#[test]
fn after_an_event_that_was_short_the_master_polls_until_nothing_comes_any_more() {
    let (mut bench, [mut seat]) = Bench::running();
    bench.map(0..3);
    let first = seat.player.start();
    assert!(!seat.is_polled());
    let second = seat.player.start();
    seat.player.answer(&first, Outcome::response("0"));
    bench.pool.flush();
    assert!(seat.is_polled());
    assert_eq!(bench.polls(), 1);
    // Nobody rings for this one.
    seat.player.answer(&second, Outcome::response("1"));
    assert!(bench.pool.polled());
    assert_eq!(bench.numbers(Queue::Results), [0, 1]);
    assert!(seat.is_polled());
    bench.pool.flush();
    assert_eq!(bench.polls(), 0, "it polls already");
    // The third one runs for long.
    let third = seat.player.start();
    assert!(bench.pool.polled(), "one has come since the last poll began");
    assert!(!bench.pool.polled());
    assert!(!seat.is_polled());
    seat.player.answer(&third, Outcome::response("2").taking(LONG));
    bench.pool.flush();
    assert_eq!(bench.numbers(Queue::Results), [2]);
    assert!(!seat.is_polled(), "it rings for each of its long events");
    assert_eq!(bench.polls(), 0);
}

#[test]
fn nobody_polls_for_a_worker_that_runs_nothing() {
    let (mut bench, [mut seat]) = Bench::running();
    bench.map(0..3);
    seat.run(&bench, 3);
    assert!(!seat.is_polled());
    assert_eq!(bench.polls(), 0);
}

#[test]
fn an_answer_that_comes_when_a_poll_ends_is_taken_in_by_it_or_rung_for() {
    for comes_before in [true, false] {
        let (bench, [mut seat]) = Bench::running();
        bench.map(0..2);
        let first = seat.player.start();
        let item = seat.player.start();
        seat.player.answer(&first, Outcome::response("0"));
        bench.pool.flush();
        assert!(seat.is_polled() && bench.pool.polled());
        let answer = |seat: &mut Seat| {
            seat.player.answer(&item, Outcome::response("1").taking(scheduler::SHORT));
        };
        if comes_before {
            answer(&mut seat);
        }
        assert!(!bench.pool.polled());
        assert_eq!(bench.pool.count(bench.run, Queue::Results), 1 + usize::from(comes_before));
        if !comes_before {
            answer(&mut seat);
            let mut heard = Heard::new(&seat.control);
            let is_bell = |frame| Message::decode(&frame) == Ok(Message::Notify);
            assert!(std::iter::from_fn(|| heard.next()).any(is_bell));
        }
    }
}

/// The worker never pauses, so that it rings only if it is not polled; who does not see what the other did
/// last leaves an answer lying.
#[test]
fn no_answer_is_left_lying_however_polls_begin_and_end() {
    const EVENTS: usize = 20_000;
    /// After so many events the worker pauses until nobody polls: however busy the machine is, polls end and begin.
    const PAUSES: usize = 1000;
    let (bench, [mut seat]) = Bench::running();
    let Bench { pool, mut orders, .. } = bench;
    let bench = Bench { pool: Arc::clone(&pool), orders: unbounded_channel().1, ..bench };
    let ears = Ears::of(&bench, 0, &seat);
    let over = AtomicBool::new(false);
    let polls = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                match orders.try_recv() {
                    Ok(Order::Poll) => {
                        polls.fetch_add(1, Ordering::SeqCst);
                        while pool.polled() {
                            std::thread::yield_now();
                        }
                    }
                    _ => std::thread::yield_now(),
                }
            }
        });
        let mut random = fastrand::Rng::with_seed(6);
        bench.map([0]);
        let mut item = seat.player.start();
        for event in 0..EVENTS {
            if event % PAUSES == 0 {
                until("the poll has ended", || !seat.is_polled());
            }
            bench.map([event as u32 + 1]);
            let next = seat.player.start();
            seat.player.answer(&std::mem::replace(&mut item, next), Outcome::response("1"));
            // Without a look, which would take it in.
            until("the answer is known", || {
                pool.lock().runs[&bench.run].results.len() == event + 1
            });
            for _ in 0..random.usize(..200) {
                std::hint::spin_loop();
            }
        }
    });
    assert!(polls.load(Ordering::SeqCst) >= EVENTS / PAUSES - 1, "polls began and ended");
    drop(seat);
    ears.join();
}
