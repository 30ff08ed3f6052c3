//! Promised: an event and an answer of any length pass through memory of fixed size, whole, in order
//! and beside short ones; whoever waits for room is let go when there is some; and an event that was
//! taken back while its text was half-way leaves nothing behind.

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

/// Around every bound: what JavaScript puts into a lane itself, what lies there, a frame without
/// parts, the ring, a payload of many rings.
const LENGTHS: [usize; 15] = [
    100,
    1_000,
    100_000,
    Layout::RING as usize / 4 - 1,
    Layout::RING as usize / 4,
    Layout::RING as usize / 4 + 1,
    Shared::LONGEST / 3,
    Shared::LONGEST / 3 + 1,
    Layout::RING as usize / 2,
    Layout::RING as usize - 32,
    Shared::LONGEST - 1,
    Shared::LONGEST,
    Shared::LONGEST + 1,
    5_000_000,
    20_000_000,
];

#[test]
fn events_and_answers_of_every_length_pass_whole_and_beside_short_ones() {
    let (bench, seats) = Bench::running::<2>();
    let over = AtomicBool::new(false);
    let ears = Ears::of_all(&bench, &seats);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for mut seat in seats {
            let over = &over;
            scope.spawn(move || {
                seat.serve(over, |player, item| player.answer(item, Outcome::response(&item.text)));
            });
        }
        for len in LENGTHS {
            for seed in 0..2 {
                let text = String::from_utf8(text(len, seed)).expect("ASCII");
                bench.hand_over(&text, 0);
                bench.map([u32::from(seed)]);
            }
        }
        until("the answers", || bench.outstanding() == 0);
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
            assert_eq!(bench.results(), 0);
            bench.pool.flush();
        }
        until("the writer is done", || {
            bench.pool.flush();
            writer.is_finished()
        });
    });
    let expected: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    let entries = bench.take(Queue::Results);
    assert!(entries.len() == 1 && entries[0].response == expected);
}

#[test]
fn with_one_worker_long_and_short_events_are_started_in_the_order_of_submission() {
    let (bench, [mut seat]) = Bench::running();
    let ears = Ears::of(&bench, 0, &seat);
    let lengths = [10, 2_000_000, 20, 30, 1_500_000, 3_000_000, 40];
    for len in lengths {
        bench.hand_over(std::str::from_utf8(&text(len, 0)).expect("ASCII"), 0);
    }
    for len in lengths {
        let item = seat.player.start();
        assert_eq!(item.text.len(), len);
        seat.player.answer(&item, Outcome::nothing());
    }
    drop(seat);
    ears.join();
}

#[test]
fn an_event_that_is_taken_back_half_way_leaves_nothing_behind() {
    let (bench, [mut a, mut b]) = Bench::running();
    let big = text(3 * Layout::RING as usize, 1);
    // It is not parked, so that no notice has it look while the text is on its way.
    a.player.claimer.unpark();
    bench.pool.submit(bench.run, &big, 0);
    assert!(a.player.look().is_none(), "it has claimed the event, and awaits the text");
    bench.pool.flush();
    // The worker has taken in the first part when it leaves.
    assert_eq!(a.player.arrived().len(), 0);
    bench.pool.disconnected(0);
    let ears = [Ears::of(&bench, 0, &a), Ears::of(&bench, 1, &b)];
    let item = b.player.start();
    assert!(item.text == big, "it runs where there is room");
    b.player.answer(&item, Outcome::response("true"));
    // What it is sent next is whole, and nothing of the other is before it.
    for seed in [2, 3] {
        let next = text(2 * Layout::RING as usize, seed);
        assert!(bench.pool.message(1, &next, 0));
        let item = a.player.next();
        assert!(item.header.kind == Kind::Message && item.text == next);
    }
    drop((a, b));
    for ear in ears {
        ear.join();
    }
}

#[test]
fn a_message_that_is_half_way_is_not_taken_back_with_the_events_behind_it() {
    let (bench, [mut a, mut b]) = Bench::running();
    let big = text(3 * Layout::RING as usize, 1);
    assert!(bench.pool.message(1, &big, 0));
    bench.pool.submit(bench.run, &big, 0);
    assert!(a.player.look().is_none());
    bench.pool.flush();
    bench.pool.disconnected(0);
    let _ears = [Ears::of(&bench, 0, &a), Ears::of(&bench, 1, &b)];
    let item = b.player.start();
    assert!(item.text == big);
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
        bench.pool.exited(0, Exit::Signal(9), false);
        // Here it is the master that ends, for the thread to end; see the worker's own tests.
        control.shutdown(Shutdown::Both).expect("a socket");
    });
    assert_eq!(bench.numbers(Queue::Failures), [1]);
    assert_eq!(bench.take(Queue::Results), []);
}

/// Of every format, and of a length that makes a piece of its own or not.
#[test]
fn values_keep_their_formats_on_all_ways() {
    let (bench, [mut seat]) = Bench::running();
    for (len, is_changed) in [(9, false), (9, true), (20_000, false), (20_000, true)] {
        for number in 0..16 {
            let (data, response) = (Format::from_number(number), Format::from_number(number >> 2));
            let bytes = text(len, number as u8);
            let format = if is_changed { Format::Json } else { data };
            let given = format.number() << flag::FORMAT_AT;
            assert!(bench.submit_to(1, &bytes, given));
            let item = seat.player.start();
            assert!(item.header.flags == flag::DIRECT | given && item.text == bytes);
            let changed = flag::DATA | data.number() << flag::DATA_FORMAT_AT;
            let changed = if is_changed { changed } else { 0 };
            let flags = flag::RESPONSE | response.number() << flag::FORMAT_AT | changed;
            let data_bytes = if is_changed { &bytes[..] } else { &[] };
            let outcome = Outcome { flags, ..Outcome::response(&bytes) };
            seat.player.answer(&item, Outcome { data: data_bytes, ..outcome });
            bench.pool.flush();
            let kind = entry::DATA | entry::RESPONSE;
            match bench.pool.take(bench.run, Queue::Results).expect("an answer") {
                Piece::Numbers(_) => panic!("no numbers were sent"),
                Piece::Array(json) => {
                    let values: Vec<serde_json::Value> =
                        serde_json::from_slice(&json.text).expect("JSON");
                    let binary =
                        |format: Format| if format.is_binary() { format.number() } else { 0 };
                    let formats = binary(data) << entry::DATA_FORMAT_AT
                        | binary(response) << entry::RESPONSE_FORMAT_AT;
                    assert!(len == 9 && values.len() == 4);
                    assert_eq!(values[0], kind | formats);
                }
                Piece::Long(long) => {
                    let [a, b] = [long.data, long.response].map(|value| value.expect("there"));
                    assert_eq!((long.kind, a.format, b.format), (kind, data, response));
                    assert!(len == 20_000 && *a == *bytes && *b == *bytes);
                }
            }
        }
    }
}
