//! Promised: the board's words tell JavaScript truly how far it may send ahead. There is room for one
//! event a worker until its events are measured short, none when all is taken, and never less than
//! was promised. A `Map` that waits is called exactly when its event has a place.

use super::*;

#[test]
fn there_is_room_for_one_event_a_worker_and_none_before_one_has_registered() {
    let bench = Bench::new(3);
    let _seats = [bench.seat(0), bench.seat(1), bench.seat(2)];
    assert_eq!((bench.room(), bench.word(Board::IDLE)), (0, 0));
    for (slot, expected) in [(1, 1_i32), (2, 2), (3, 3)] {
        bench.pool.registered(slot - 1);
        assert_eq!((bench.room(), bench.word(Board::IDLE)), (expected, expected.cast_unsigned()));
    }
}

#[test]
fn long_events_never_make_room_for_a_second_one_behind_them() {
    let (bench, [mut a, mut b]) = Bench::running();
    for round in 0..20 {
        bench.stage("1", 0);
        bench.stage("2", 0);
        assert_eq!(bench.room(), 0, "in round {round}");
        assert_eq!(bench.word(Board::IDLE), 0);
        for seat in [&mut a, &mut b] {
            let item = seat.player.start();
            seat.player.answer(&item, Outcome::response("1").taking(LONG));
        }
        bench.pool.rang();
        assert_eq!((bench.room(), bench.word(Board::IDLE)), (2, 2));
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
    let (bench, [mut seat]) = Bench::running();
    bench.pool.lock().staged = u32::MAX - 1;
    bench.set(Board::ALLOWED, u32::MAX);
    bench.submit(0..4);
    // Their numbers are 2^32 - 2, 2^32 - 1, 0 and 1.
    assert_eq!(bench.pool.lock().staged, 2);
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
    for answered in 1..=capacity {
        seat.run(&bench, 1);
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
fn an_event_that_is_staged_while_a_worker_is_idle_is_never_left_there() {
    let (bench, [mut seat]) = Bench::running();
    bench.stage("0", 0);
    assert_eq!(seat.player.start().text, b"0");
    // All are busy: it may wait in the ring until somebody looks.
    bench.stage("1", 0);
    assert_eq!(bench.pool.lock().staged, 1);
    seat.player.answer_at(0, Outcome::response("0"));
    bench.pool.rang();
    assert_eq!(seat.player.start().text, b"1");
}

#[test]
fn a_failed_run_has_room_for_everything_and_a_released_one_has_nobody_idle() {
    let (bench, [_a, _b]) = Bench::running();
    bench.submit(0..5);
    bench.pool.refused(&Error::Protocol { worker: 1, what: "a test".into() });
    assert!(bench.room() > 1_000_000);
    let (bench, [_a]) = Bench::running();
    assert_eq!(bench.word(Board::IDLE), 1);
    bench.pool.release();
    assert_eq!(bench.word(Board::IDLE), 0);
}

/// JavaScript's loop of `await Map(…)`, against workers that run by themselves.
#[test]
fn a_loop_of_maps_never_gets_stuck_and_never_runs_far_ahead() {
    const EVENTS: u32 = 20_000;
    let (bench, seats) = Bench::running::<2>();
    let answered = AtomicUsize::new(0);
    let ears = Ears::of_all(&bench, &seats);
    std::thread::scope(|scope| {
        for mut seat in seats {
            let answered = &answered;
            scope.spawn(move || {
                seat.serve(
                    || answered.load(Ordering::SeqCst) >= EVENTS as usize,
                    |player, item| {
                        player.answer(item, Outcome::response("1"));
                        answered.fetch_add(1, Ordering::SeqCst);
                    },
                );
            });
        }
        for number in 0..EVENTS {
            bench.stage("1", 0);
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
            assert!(ahead <= 2 * crate::scheduler::MAX_WINDOW + 1, "{ahead} events ahead");
        }
        until("the last answers", || answered.load(Ordering::SeqCst) == EVENTS as usize);
    });
    bench.pool.rang();
    assert_eq!(bench.take(Queue::Results).len(), EVENTS as usize);
    for ear in ears {
        ear.join();
    }
}
