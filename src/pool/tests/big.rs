//! Promised: an event and an answer of any length pass through rings of fixed size, whole, in order
//! and beside short ones; whoever waits for room is let go when there is some; and an event that was
//! taken back while it was half-way leaves nothing behind.

use super::*;

/// Bytes that differ by position and by seed, as a JSON string.
fn text(len: usize, seed: u8) -> Vec<u8> {
    let mut text: Vec<u8> =
        (0..len).map(|at| b'a' + ((at / 7 + at / 4096 + usize::from(seed)) % 26) as u8).collect();
    if let [first, .., last] = text.as_mut_slice() {
        (*first, *last) = (b'"', b'"');
    }
    text
}

/// Around every bound: a frame without parts, the ring, a payload of many rings.
const LENGTHS: [usize; 12] = [
    100,
    1_000,
    100_000,
    Layout::RING as usize / 4 - 1,
    Layout::RING as usize / 4,
    Layout::RING as usize / 4 + 1,
    Layout::RING as usize / 2,
    Layout::RING as usize - 32,
    Layout::RING as usize,
    Layout::RING as usize + 1,
    5_000_000,
    20_000_000,
];

#[test]
fn events_and_answers_of_every_length_pass_whole_and_beside_short_ones() {
    let (bench, seats) = Bench::running::<2>();
    let over = std::sync::atomic::AtomicBool::new(false);
    let ears = Ears::of_all(&bench, &seats);
    std::thread::scope(|scope| {
        for mut seat in seats {
            let over = &over;
            scope.spawn(move || {
                seat.serve(
                    || over.load(Ordering::SeqCst),
                    |player, item| player.answer(item, Outcome::response(&item.text)),
                );
            });
        }
        for len in LENGTHS {
            for seed in 0..2 {
                bench.pool.submit(&text(len, seed), 0);
                bench.submit([u32::from(seed)]);
            }
        }
        until("the answers", || {
            let outstanding = bench.pool.lock().scheduler.outstanding();
            outstanding == 0
        });
        over.store(true, Ordering::SeqCst);
    });
    for ear in ears {
        ear.join();
    }
    let mut lengths = Vec::new();
    for entry in bench.take(Queue::Results) {
        assert!(entry.data == entry.response, "what came back is not what was sent");
        let Some(string) = entry.data.as_str() else { continue };
        let len = string.len() + 2;
        let is_sound = [0, 1].iter().any(|&seed| string.as_bytes() == &text(len, seed)[1..len - 1]);
        assert!(is_sound, "{len} bytes came out garbled");
        lengths.push(len);
    }
    lengths.sort_unstable();
    assert_eq!(lengths, LENGTHS.map(|len| [len, len]).concat());
}

#[test]
fn an_answer_that_waits_for_room_goes_on_when_the_master_looks_and_only_then() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    let item = seat.player.start();
    let memory = Arc::clone(&seat.memory);
    let is_blocked = move || memory.word(Layout::BLOCKED).load(Ordering::SeqCst) == 1;
    let answer = text(3 * Layout::RING as usize, 0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| seat.player.answer(&item, Outcome::response(&answer)));
        for look in 0..3 {
            until("the writer waits", &is_blocked);
            assert!(!writer.is_finished(), "before look {look} of the master");
            assert_eq!(bench.pool.lock().results.len(), 0);
            bench.pool.rang();
        }
        until("the writer is done", || {
            bench.pool.rang();
            writer.is_finished()
        });
    });
    let expected: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    let entries = bench.take(Queue::Results);
    assert!(entries.len() == 1 && entries[0].response == expected);
}

#[test]
fn an_event_that_is_taken_back_half_way_leaves_nothing_behind() {
    let (bench, [mut a, mut b]) = Bench::running();
    a.widen(&bench, 4);
    assert!(bench.pool.submit_to(2, b"100", 0));
    bench.submit([0]);
    let long = a.player.start();
    let big = text(3 * Layout::RING as usize, 1);
    // Behind the event that runs, and too long for the ring.
    bench.pool.submit(&big, 0);
    assert_eq!(bench.pool.lock().scheduler.held(0), 2);
    // The worker has taken in the first part before the rest is taken back.
    assert_eq!(a.player.arrived().len(), 0);
    let ears = [Ears::of(&bench, 0, &a), Ears::of(&bench, 1, &b)];
    b.run(&bench, 1);
    let item = b.player.start();
    assert!(item.text == big, "it runs where there is room");
    b.player.answer(&item, Outcome::response("true"));
    bench.pool.rang();
    a.player.answer(&long, Outcome::nothing());
    bench.pool.rang();
    // What the first worker is given next is whole, and nothing of the other is before it.
    for seed in [2, 3] {
        let next = text(2 * Layout::RING as usize, seed);
        assert!(bench.pool.submit_to(1, &next, 0));
        let item = a.player.start();
        assert!(item.text == next);
        a.player.answer(&item, Outcome::nothing());
        bench.pool.rang();
    }
    drop((a, b));
    for ear in ears {
        ear.join();
    }
}

#[test]
fn a_message_that_is_half_way_is_not_taken_back_with_the_events_behind_it() {
    let (bench, [mut a, mut b]) = Bench::running();
    a.widen(&bench, 4);
    assert!(bench.pool.submit_to(2, b"100", 0));
    bench.submit([0]);
    a.player.start();
    let big = text(3 * Layout::RING as usize, 1);
    assert!(bench.pool.message(1, &big));
    bench.submit([1]);
    let _ears = [Ears::of(&bench, 0, &a), Ears::of(&bench, 1, &b)];
    b.run(&bench, 2);
    assert_eq!(bench.numbers(Queue::Results), [100, 1]);
    let item = a.player.next();
    assert!(item.header.kind == Kind::Message && item.text == big);
}

#[test]
fn a_worker_that_ends_while_it_waits_for_room_costs_the_event_whose_answer_it_wrote() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    let item = seat.player.start();
    let Seat { control, memory, .. } = &mut seat;
    let control = control.try_clone().expect("a descriptor");
    let memory = Arc::clone(memory);
    let answer = text(3 * Layout::RING as usize, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| seat.player.answer(&item, Outcome::response(&answer)));
        until("the writer waits", || memory.word(Layout::BLOCKED).load(Ordering::SeqCst) == 1);
        bench.pool.ended(0, Exit::Signal(9), false);
        // Here it is the master that ends, for the thread to end; see the worker's own tests.
        control.shutdown(Shutdown::Both).expect("a socket");
    });
    assert_eq!(bench.numbers(Queue::Failures), [1]);
    assert_eq!(bench.take(Queue::Results), []);
}
