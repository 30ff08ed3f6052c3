//! Promised: the board's words tell JavaScript truly how far it may send ahead. There is room for one
//! event a worker until its events are measured short, none when all is taken, and less than was
//! promised only where megabytes wait. A `Map` that waits is called exactly when its event has room.
//! What the backlog has no place for keeps its order, and moves up without JavaScript.

use super::*;

#[test]
fn there_is_room_for_one_event_a_worker_and_none_before_one_has_registered() {
    let bench = Bench::new(3);
    let _seats = [bench.seat(0), bench.seat(1), bench.seat(2)];
    assert_eq!(bench.room(), 0);
    for (slot, expected) in [(0, 1), (1, 2), (2, 3)] {
        bench.pool.registered(slot);
        assert_eq!(bench.room(), expected);
    }
    bench.pool.ended(1, Exit::Code(1), false);
    bench.map([0]);
    assert_eq!(bench.room(), 2, "what was promised");
    bench.map(0..2);
    assert_eq!(bench.room(), 0);
}

#[test]
fn long_events_never_make_room_for_a_second_one_behind_them() {
    let (bench, [mut a, mut b]) = Bench::running();
    for round in 0..20 {
        bench.map(1..3);
        bench.pool.flush();
        assert_eq!(bench.room(), 0, "in round {round}");
        for seat in [&mut a, &mut b] {
            let item = seat.player.start();
            seat.player.answer(&item, Outcome::response("1").taking(LONG));
        }
        bench.pool.rang();
        assert_eq!(bench.room(), 2);
    }
}

#[test]
fn short_events_make_room_for_more_and_a_full_pool_has_none() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 32);
    let capacity = bench.room();
    assert_eq!(bench.pool.lock().scheduler.capacity(), capacity as usize);
    for i in 0..capacity {
        bench.submit([0]);
        assert_eq!(bench.room(), capacity - 1 - i);
    }
    bench.submit(0..100);
    assert_eq!(bench.room(), -100, "events that JavaScript sent all the same wait");
}

#[test]
fn a_place_that_was_promised_is_never_taken_back() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 8);
    let allowed = bench.word(Board::ALLOWED);
    bench.submit([1]);
    let item = seat.player.start();
    seat.player.answer(&item, Outcome::response("1").taking(LONG));
    bench.pool.rang();
    assert_eq!(bench.pool.lock().scheduler.capacity(), 1);
    assert_eq!(bench.word(Board::ALLOWED), allowed);
    bench.pool.ended(0, Exit::Code(1), false);
    assert_eq!(bench.word(Board::ALLOWED), allowed);
}

#[test]
fn a_map_that_waits_is_called_exactly_when_its_event_has_a_place() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.submit(0..4);
    // Events 0 and 1 had room; 2 and 3 wait, 2 before 3.
    assert_eq!(bench.room(), -2);
    let running = [a.player.start(), b.player.start()];
    bench.set(Board::WAITING_FOR, 2);
    bench.set(Board::WAITING, 1);
    bench.pool.flush();
    assert_eq!(bench.calls(), 0);
    a.player.answer(&running[0], Outcome::response("0").taking(LONG));
    assert_eq!(bench.calls(), 0, "nobody has looked");
    bench.pool.rang();
    assert_eq!(bench.calls(), 1);
    // JavaScript waits for the next one now.
    bench.set(Board::WAITING_FOR, 3);
    bench.pool.flush();
    assert_eq!(bench.calls(), 0);
    b.player.answer(&running[1], Outcome::response("1").taking(LONG));
    bench.pool.rang();
    assert_eq!(bench.calls(), 1);
    bench.set(Board::WAITING, 0);
    a.run(&bench, 1);
    assert_eq!(bench.calls(), 0, "nothing waits any more");
}

#[test]
fn the_place_of_a_waiting_map_counts_on_when_the_numbers_overflow() {
    let (bench, [mut seat]) = Bench::starting_at(1, u64::from(u32::MAX) - 1, 0).run();
    assert_eq!(bench.word(Board::ALLOWED), u32::MAX);
    bench.map(0..4);
    // Their numbers are 2^32 - 2, 2^32 - 1, 0 and 1.
    assert_eq!(bench.word(Board::PUBLISHED), 2);
    assert_eq!(bench.word(Board::ALLOWED), u32::MAX);
    bench.set(Board::WAITING_FOR, 0);
    bench.set(Board::WAITING, 1);
    for calls in [0, 1] {
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::response("0").taking(LONG));
        bench.pool.rang();
        assert_eq!(bench.calls(), calls);
    }
    assert_eq!(bench.word(Board::ALLOWED), 1);
}

#[test]
fn a_few_places_beside_much_work_are_told_together() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 128);
    let capacity = bench.pool.lock().scheduler.capacity() as u32;
    bench.submit(0..capacity);
    let first = bench.word(Board::ALLOWED);
    let mut told = vec![0];
    let mut running = Some(seat.player.start());
    for answered in 1..=capacity {
        let item = running.take().expect("as many as there is room for");
        seat.player.answer(&item, Outcome::response("1"));
        // It has claimed the next one before the master looks.
        running = seat.player.look();
        bench.pool.rang();
        let places = bench.word(Board::ALLOWED) - first;
        if told.last() != Some(&places) {
            assert_eq!(places, answered, "all that there are");
            told.push(places);
        }
    }
    let quarter = capacity / 4;
    assert_eq!(told[..4], [0, 1, 2, 3].map(|part| part * quarter));
    assert!(told.len() < 8, "{told:?}");
    assert_eq!(bench.room() as u32, capacity, "none is kept back at the end");
}

#[test]
fn beside_megabytes_there_is_room_for_one_event_a_worker_however_short_they_are() {
    let (bench, [mut seat]) = Bench::running();
    let _ears = Ears::of(&bench, 0, &seat);
    seat.widen(&bench, 64);
    let capacity = bench.room();
    assert!(capacity >= 64);
    let text = format!("\"{}\"", "x".repeat(Common::LONGEST));
    for events in 1..=3 {
        bench.hand_over(&text, 0);
        assert_eq!(bench.room(), capacity - events, "{events} MB do not matter");
    }
    bench.hand_over(&text, 0);
    assert_eq!(bench.room(), 1 - 4, "less than was promised");
    for _ in 0..4 {
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::nothing());
        bench.pool.rang();
    }
    assert_eq!(bench.room() as usize, bench.pool.lock().scheduler.capacity());
}

/// What waits for a place in the backlog.
fn overflowing(bench: &Bench) -> usize {
    bench.pool.lock().overflow.len()
}

#[test]
fn events_that_the_backlog_has_no_place_for_keep_their_order_with_those_that_come_later() {
    let places = Common::PLACES;
    let (bench, [mut seat]) = Bench::running();
    bench.map(0..places + 10);
    assert_eq!((overflowing(&bench), bench.word(Board::OVERFLOWS)), (10, 1));
    // The first to end makes a place, which is the next one's, and not that of one that comes later.
    seat.run(&bench, 5);
    bench.map(places + 10..places + 20);
    assert_eq!((overflowing(&bench), bench.word(Board::OVERFLOWS)), (15, 1));
    seat.run(&bench, 15);
    assert_eq!((overflowing(&bench), bench.word(Board::OVERFLOWS)), (0, 0));
    bench.map([places + 20]);
    seat.run(&bench, places as usize + 1);
    assert_eq!(bench.numbers(Queue::Results), (0..=places + 20).collect::<Vec<_>>());
    assert!(bench.pool.drained());
}

#[test]
fn events_that_the_backlog_has_no_bytes_for_keep_their_order_with_those_that_come_later() {
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
    assert!(overflowing(&bench) > 10);
    for (at, text) in texts.iter().enumerate() {
        let item = seat.player.start();
        assert!(item.text == text.as_bytes(), "event {at}");
        seat.player.answer(&item, Outcome::nothing());
        bench.pool.rang();
    }
    assert!(bench.pool.drained());
}

/// JavaScript is busy elsewhere: the pool is entered only when a worker rings.
#[test]
fn what_overflows_moves_up_without_javascript() {
    let events = 5 * Common::PLACES;
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
    bench.pool.rang();
    assert_eq!(bench.word(Board::OVERFLOWS), 0);
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
    let long_text = format!("\"{}\"", "x".repeat(Common::LONGEST));
    let _ears = [Ears::of(&bench, 0, &slow), Ears::of(&bench, 1, &quick)];
    for first in ["\"slow\"", &long_text] {
        bench.hand_over(first, 0);
        let held = slow.player.start();
        let rounds = 3 * Common::PLACES as usize / 1000;
        for _ in 0..rounds {
            bench.map(0..1000);
            quick.run(&bench, 1000);
        }
        assert_eq!(bench.take(Queue::Results).len(), 1000 * rounds);
        assert_eq!(overflowing(&bench), 0);
        slow.player.answer(&held, Outcome::response("1"));
        let data: serde_json::Value = serde_json::from_str(first).expect("JSON");
        assert!(bench.take(Queue::Results) == [Entry::new(ANSWERED, 1, data, "1")]);
    }
}

#[test]
fn there_is_room_for_as_many_events_as_their_bytes_allow_however_short_they_are() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 32);
    let text = format!("\"{}\"", "x".repeat(256 << 10));
    for _ in 0..200 {
        bench.hand_over(&text, 0);
        seat.run(&bench, 1);
    }
    let room = bench.room();
    assert!((12..=17).contains(&room), "4 MiB hold 16 of them: there is room for {room}");
}

#[test]
fn a_map_that_waits_has_room_also_after_the_backlog_was_left() {
    let (bench, [mut seat]) = Bench::running();
    let events = Common::PLACES + 10;
    bench.map(0..events);
    bench.set(Board::WAITING_FOR, events - 1);
    bench.set(Board::WAITING, 1);
    bench.pool.be_exact();
    assert_eq!(bench.calls(), 0);
    for _ in 1..events {
        // They take long: there is room for one.
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::nothing().taking(LONG));
        bench.pool.rang();
    }
    assert!(bench.word(Board::ALLOWED).wrapping_sub(events - 1).cast_signed() > 0);
}

/// A worker that answers while JavaScript looks rings nobody; what it answers last is taken in all the
/// same.
#[test]
fn whoever_looks_for_room_misses_no_answer_that_rang_nobody() {
    let (bench, [mut seat]) = Bench::running();
    let _ears = Ears::of(&bench, 0, &seat);
    seat.widen(&bench, 8);
    let first = bench.word(Board::ALLOWED);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        scope.spawn(|| {
            while let Some(item) = seat.player.next_woken(|| over.load(Ordering::SeqCst)) {
                seat.player.answer(&item, Outcome::response("1"));
            }
        });
        for number in first..first + 2000 {
            bench.map([number]);
            if !bench.pool.look_for_room(number) {
                bench.set(Board::WAITING_FOR, number);
                bench.set(Board::WAITING, 1);
                bench.pool.flush();
                let has_room = || bench.word(Board::ALLOWED).wrapping_sub(number).cast_signed() > 0;
                until("room", has_room);
                bench.set(Board::WAITING, 0);
            }
            assert_eq!(bench.backlog.word(Common::LOOKS).load(Ordering::SeqCst), 0);
        }
        until("the last answer", || bench.outstanding() == 0);
    });
    assert_eq!(bench.take(Queue::Results).len(), 2000);
}

#[test]
fn a_failed_run_has_room_for_everything() {
    let (bench, [_a, _b]) = Bench::running();
    bench.map(0..5);
    bench.pool.refused(&Error::Protocol { worker: 1, what: "a test".into() });
    assert!(bench.room() > 1_000_000);
    assert_eq!(bench.word(Board::OVERFLOWS), 1, "the core is told of each, which fails at once");
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
        for number in 0..EVENTS {
            bench.map([1]);
            let has_room = || bench.word(Board::ALLOWED).wrapping_sub(number).cast_signed() > 0;
            if has_room() {
                continue;
            }
            bench.set(Board::WAITING_FOR, number);
            bench.set(Board::WAITING, 1);
            bench.pool.flush();
            while !has_room() {
                until("JavaScript is called", || bench.calls.load(Ordering::SeqCst) > 0);
                bench.calls();
            }
            bench.set(Board::WAITING, 0);
            let ahead = (number as usize + 1).saturating_sub(answered.load(Ordering::SeqCst));
            assert!(ahead <= 2 * crate::core::scheduler::MAX_WINDOW + 1, "{ahead} events ahead");
        }
        until("the last answers", || answered.load(Ordering::SeqCst) == EVENTS as usize);
    });
    let sent = bench.word(Board::PUBLISHED);
    assert_eq!(sent, EVENTS);
    bench.pool.rang();
    assert_eq!(bench.take(Queue::Results).len(), EVENTS as usize);
    for ear in ears {
        ear.join();
    }
}
