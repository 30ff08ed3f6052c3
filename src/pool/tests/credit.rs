//! Promised: a run's words tell JavaScript truly how far it may send ahead. There is credit for one event a worker
//! until its events are measured short, none when all is used, and less than was given only where megabytes wait. A
//! `Map` that waits is called exactly when its event has credit. What the run's lane has no place for keeps its order,
//! and moves up without JavaScript.

use super::*;
use crate::pool::listen::Listened;

#[test]
fn there_is_credit_for_one_event_a_worker_and_none_before_one_has_registered() {
    let bench = Bench::new(3);
    let _seats = [bench.seat(0), bench.seat(1), bench.seat(2)];
    assert_eq!(bench.credit(), 0);
    for (slot, expected) in [(0, 1), (1, 2), (2, 3)] {
        bench.pool.registered(slot);
        assert_eq!(bench.credit(), expected);
    }
    bench.pool.exited(1, Exit::Code(1), false);
    bench.map([0]);
    assert_eq!(bench.credit(), 2, "what was given");
    bench.map(0..2);
    assert_eq!(bench.credit(), 0);
}

#[test]
fn long_events_never_give_credit_for_a_second_one_behind_them() {
    let (bench, [mut a, mut b]) = Bench::running();
    for round in 0..20 {
        bench.map(1..3);
        bench.pool.flush();
        assert_eq!(bench.credit(), 0, "in round {round}");
        for seat in [&mut a, &mut b] {
            let item = seat.player.start();
            seat.player.answer(&item, Outcome::response("1").taking(LONG));
        }
        bench.pool.flush();
        assert_eq!(bench.credit(), 2);
    }
}

#[test]
fn short_events_give_credit_for_more_and_a_full_pool_has_none() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 32);
    let capacity = bench.credit();
    assert_eq!(bench.pool.lock().scheduler.capacity(), capacity as usize);
    for i in 0..capacity {
        bench.submit([0]);
        assert_eq!(bench.credit(), capacity - 1 - i);
    }
    bench.submit(0..100);
    assert_eq!(bench.credit(), -100, "events that JavaScript sent all the same wait");
}

#[test]
fn credit_that_was_given_is_never_taken_back() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 8);
    let allowed = bench.words.allowed();
    bench.submit([1]);
    let item = seat.player.start();
    seat.player.answer(&item, Outcome::response("1").taking(LONG));
    bench.pool.flush();
    assert_eq!(bench.pool.lock().scheduler.capacity(), 1);
    assert_eq!(bench.words.allowed(), allowed);
    bench.pool.exited(0, Exit::Code(1), false);
    assert_eq!(bench.words.allowed(), allowed);
}

#[test]
fn a_map_that_waits_is_called_exactly_when_its_event_has_credit() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.submit(0..4);
    // Events 0 and 1 had room; 2 and 3 wait, 2 before 3.
    assert_eq!(bench.credit(), -2);
    let running = [a.player.start(), b.player.start()];
    bench.wait_for(2);
    bench.pool.flush();
    assert_eq!(bench.calls(), 0);
    a.player.answer(&running[0], Outcome::response("0").taking(LONG));
    assert_eq!(bench.calls(), 0, "nobody has looked");
    bench.pool.flush();
    assert_eq!(bench.calls(), 1);
    // JavaScript waits for the next one now.
    bench.wait_for(3);
    bench.pool.flush();
    assert_eq!(bench.calls(), 0);
    b.player.answer(&running[1], Outcome::response("1").taking(LONG));
    bench.pool.flush();
    assert_eq!(bench.calls(), 1);
    bench.wait_for(None);
    a.run(&bench, 1);
    assert_eq!(bench.calls(), 0, "nothing waits any more");
}

#[test]
fn the_credit_of_a_waiting_map_counts_on_when_the_numbers_of_the_lane_overflow() {
    let (bench, [mut seat]) = Bench::starting_at(1, u64::from(u32::MAX) - 1, 0).run();
    assert_eq!(bench.words.allowed(), 1);
    bench.map(0..4);
    // Their numbers in the lane are 2^32 - 2, 2^32 - 1, 0 and 1.
    assert_eq!((bench.words.handed_over(), bench.words.allowed()), (4, 1));
    bench.wait_for(2);
    for calls in [0, 1] {
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::response("0").taking(LONG));
        bench.pool.flush();
        assert_eq!(bench.calls(), calls);
    }
    assert_eq!(bench.words.allowed(), 3);
    seat.run(&bench, 2);
    assert_eq!(bench.numbers(Queue::Results), [0, 1, 2, 3]);
}

#[test]
fn a_little_credit_beside_much_work_is_told_together() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 128);
    let capacity = bench.pool.lock().scheduler.capacity() as u64;
    bench.submit(0..capacity as u32);
    let first = bench.words.allowed();
    let mut told = vec![0];
    let mut running = Some(seat.player.start());
    for answered in 1..=capacity {
        let item = running.take().expect("as many as there is room for");
        seat.player.answer(&item, Outcome::response("1"));
        // It has claimed the next one before the master looks.
        running = seat.player.look();
        bench.pool.flush();
        let credit = bench.words.allowed() - first;
        if told.last() != Some(&credit) {
            assert_eq!(credit, answered, "all that there is");
            told.push(credit);
        }
    }
    let quarter = capacity / 4;
    assert_eq!(told[..4], [0, 1, 2, 3].map(|part| part * quarter));
    assert!(told.len() < 8, "{told:?}");
    assert_eq!(bench.credit() as u64, capacity, "none is kept back at the end");
}

#[test]
fn beside_megabytes_there_is_credit_for_one_event_a_worker_however_short_they_are() {
    let (bench, [mut seat]) = Bench::running();
    let _ears = Ears::of(&bench, 0, &seat);
    seat.widen(&bench, 64);
    let capacity = bench.credit();
    assert!(capacity >= 64);
    let text = format!("\"{}\"", "x".repeat(Shared::LONGEST));
    for events in 1..=3 {
        bench.hand_over(&text, 0);
        assert_eq!(bench.credit(), capacity - events, "{events} MB do not matter");
    }
    bench.hand_over(&text, 0);
    assert_eq!(bench.credit(), 1 - 4, "less than was given");
    for _ in 0..4 {
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::nothing());
        bench.pool.flush();
    }
    assert_eq!(bench.credit() as usize, bench.pool.lock().scheduler.capacity());
}

#[test]
fn events_that_the_lane_has_no_place_for_keep_their_order_with_those_that_come_later() {
    let places = Shared::PLACES;
    let (bench, [mut seat]) = Bench::running();
    bench.map(0..places + 10);
    assert_eq!((bench.overflowing(), bench.has_place()), (10, false));
    // The first to end makes a place, which is the next one's, and not that of one that comes later.
    seat.run(&bench, 5);
    bench.map(places + 10..places + 20);
    assert_eq!((bench.overflowing(), bench.has_place()), (15, false));
    seat.run(&bench, 15);
    assert_eq!(bench.overflowing(), 0);
    seat.run(&bench, 1);
    assert!(bench.has_place(), "JavaScript puts the next one in itself");
    bench.map([places + 20]);
    seat.run(&bench, places as usize);
    assert_eq!(bench.numbers(Queue::Results), (0..=places + 20).collect::<Vec<_>>());
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn events_that_the_lane_has_no_bytes_for_keep_their_order_with_those_that_come_later() {
    let (bench, [mut seat]) = Bench::running();
    let text = |at: usize| format!("\"{at}{}\"", "x".repeat(300_000));
    let mut texts: Vec<String> = (0..30).map(text).collect();
    // Those that would fit come after those that do not.
    for at in 0..10 {
        texts.insert(at * 3, at.to_string());
    }
    for text in &texts {
        bench.hand_over(text, 0);
    }
    assert!(bench.overflowing() > 10);
    for (at, text) in texts.iter().enumerate() {
        let item = seat.player.start();
        assert!(item.text == text.as_bytes(), "event {at}");
        seat.player.answer(&item, Outcome::nothing());
        bench.pool.flush();
    }
    assert!(bench.pool.drained(bench.run));
}

/// JavaScript is busy elsewhere: the pool is entered only when a worker rings.
#[test]
fn what_overflows_moves_up_without_javascript() {
    let events = 5 * Shared::PLACES;
    let (bench, seats) = Bench::running::<2>();
    let ears: Vec<Ears> =
        seats.iter().enumerate().map(|(slot, seat)| Ears::of(&bench, slot, seat)).collect();
    bench.map(0..events);
    let (answered, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for mut seat in seats {
            let (answered, over) = (&answered, &over);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let Some(item) = seat.player.next_within(Duration::from_millis(20)) else {
                        continue;
                    };
                    seat.player.answer(&item, Outcome::response(&item.text));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        until("the last answer", || answered.load(Ordering::SeqCst) == events as usize);
    });
    bench.pool.flush();
    assert!(bench.has_place());
    let mut numbers = bench.numbers(Queue::Results);
    numbers.sort_unstable();
    assert!(numbers == (0..events).collect::<Vec<_>>(), "an event is lost or there twice");
    for ear in ears {
        ear.join();
    }
}

#[test]
fn an_event_that_runs_for_long_holds_nothing_up_however_many_come_after_it() {
    let (bench, [mut slow, mut quick]) = Bench::running();
    let long_text = format!("\"{}\"", "x".repeat(Shared::LONGEST));
    let _ears = [Ears::of(&bench, 0, &slow), Ears::of(&bench, 1, &quick)];
    for first in ["\"slow\"", &long_text] {
        bench.hand_over(first, 0);
        let held = slow.player.start();
        let rounds = 3 * Shared::PLACES as usize / 1000;
        for _ in 0..rounds {
            bench.map(0..1000);
            quick.run(&bench, 1000);
        }
        assert_eq!(bench.take(Queue::Results).len(), 1000 * rounds);
        assert_eq!(bench.overflowing(), 0);
        slow.player.answer(&held, Outcome::response("1"));
        let data: serde_json::Value = serde_json::from_str(first).expect("JSON");
        assert!(bench.take(Queue::Results) == [Entry::new(ANSWERED, 1, data, "1")]);
    }
}

#[test]
fn there_is_credit_for_as_many_events_as_their_bytes_allow_however_short_they_are() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 32);
    let text = format!("\"{}\"", "x".repeat(256 << 10));
    for _ in 0..200 {
        bench.hand_over(&text, 0);
        seat.run(&bench, 1);
    }
    let credit = bench.credit();
    assert!((12..=17).contains(&credit), "4 MiB hold 16 of them: there is credit for {credit}");
}

#[test]
fn a_map_that_waits_has_credit_also_after_the_program_took_over() {
    let (bench, [mut seat]) = Bench::running();
    let events = Shared::PLACES + 10;
    bench.map(0..events);
    bench.wait_for(u64::from(events) - 1);
    bench.pool.be_manual(bench.run);
    assert_eq!(bench.calls(), 0);
    for _ in 1..events {
        // They take long: there is credit for one.
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::nothing().taking(LONG));
        bench.pool.flush();
    }
    assert!(bench.words.has_credit(u64::from(events) - 1));
}

/// A worker that answers while JavaScript looks rings nobody; what it answers last is taken in all the
/// same.
#[test]
fn whoever_polls_for_credit_misses_no_answer_that_rang_nobody() {
    let (bench, [mut seat]) = Bench::running();
    let _ears = Ears::of(&bench, 0, &seat);
    seat.widen(&bench, 8);
    let first = bench.words.allowed();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        scope.spawn(|| {
            while let Some(item) = seat.player.next_woken(|| over.load(Ordering::SeqCst)) {
                seat.player.answer(&item, Outcome::response("1"));
            }
        });
        for number in first..first + 2000 {
            bench.map([number as u32]);
            if !bench.pool.wait_for_credit(bench.run, &bench.words, number) {
                until("credit", || bench.words.has_credit(number));
                bench.pool.stop_waiting(bench.run, &bench.words);
            }
            assert_eq!(bench.lanes.word(Shared::LISTENS).load(Ordering::SeqCst), 0);
        }
        until("the last answer", || bench.outstanding() == 0);
    });
    assert_eq!(bench.take(Queue::Results).len(), 2000);
}

/// The same for whoever sleeps until a worker wakes it; and when it has slept in vain, it is called as usual.
#[test]
fn whoever_listens_for_credit_misses_no_answer_that_woke_nobody_else() {
    let (bench, [mut seat]) = Bench::running();
    let _ears = Ears::of(&bench, 0, &seat);
    let first = bench.words.allowed();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        scope.spawn(|| {
            seat.answer_now_and_then_late(&over, Duration::from_millis(3));
        });
        for number in first..first + 2000 {
            bench.map([number as u32]);
            let mut has_credit = bench.pool.wait_for_credit(bench.run, &bench.words, number);
            // A worker that was never measured is not listened to; and somebody may be late for once.
            for _ in 0..3 {
                if !has_credit {
                    let till = crate::os::clock::clock() + 1.0;
                    let listened = bench.pool.listen_for_credit(&bench.words, number, till);
                    has_credit = listened == Listened::Credit;
                    assert_eq!(bench.lanes.word(Shared::LISTENS).load(Ordering::SeqCst), 0);
                    assert_eq!(bench.words.waiting_for(), Some(number));
                }
            }
            if !has_credit {
                until("a call", || bench.calls.load(Ordering::SeqCst) > 0);
                until("credit", || bench.words.has_credit(number));
            }
            bench.pool.stop_waiting(bench.run, &bench.words);
            bench.calls();
        }
        until("the last answer", || bench.outstanding() == 0);
    });
    assert_eq!(bench.take(Queue::Results).len(), 2000);
}

#[test]
fn a_failed_run_has_credit_for_everything() {
    let (bench, [_a, _b]) = Bench::running();
    bench.map(0..5);
    bench.pool.enter(|state| state.fail(Error::Protocol { worker: 1, what: "a test".into() }));
    assert!(bench.credit() > 1_000_000);
    assert!(!bench.has_place(), "the core is told of each, which fails at once");
    bench.map([5]);
    assert_eq!(bench.numbers(Queue::Failures), [0, 1, 2, 3, 4, 5]);
}

/// JavaScript's loop of `await Map(…)`, against workers that run by themselves.
#[test]
fn a_loop_of_maps_never_gets_stuck_and_never_runs_far_ahead() {
    const EVENTS: u32 = 20_000;
    let (bench, seats) = Bench::running::<2>();
    let (answered, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let ears = Ears::of_all(&bench, &seats);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for mut seat in seats {
            let (answered, over) = (&answered, &over);
            scope.spawn(move || {
                seat.serve(over, |player, item| {
                    player.answer(item, Outcome::response("1"));
                    answered.fetch_add(1, Ordering::SeqCst);
                });
            });
        }
        for number in 0..u64::from(EVENTS) {
            bench.map([1]);
            let has_credit = || bench.words.has_credit(number);
            if has_credit() {
                continue;
            }
            bench.wait_for(number);
            bench.pool.flush();
            while !has_credit() {
                until("JavaScript is called", || bench.calls.load(Ordering::SeqCst) > 0);
                bench.calls();
            }
            bench.wait_for(None);
            let ahead = (number as usize + 1).saturating_sub(answered.load(Ordering::SeqCst));
            assert!(ahead <= 2 * crate::core::scheduler::MAX_WINDOW + 1, "{ahead} events ahead");
        }
        until("the last answers", || answered.load(Ordering::SeqCst) == EVENTS as usize);
    });
    let sent = bench.words.handed_over();
    assert_eq!(sent, u64::from(EVENTS));
    bench.pool.flush();
    assert_eq!(bench.take(Queue::Results).len(), EVENTS as usize);
    for ear in ears {
        ear.join();
    }
}
