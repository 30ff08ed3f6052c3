//! Promised: an event that was handed over, by JavaScript or by the core, reaches a worker once and comes back once, with its data as the worker left it: in the results with its response, in the
//! failures with its error, in neither without a response. Order is that of completion; with one
//! worker that of submission. The program's messages keep their place among the answers.

use super::*;

#[test]
fn with_one_worker_results_are_in_the_order_of_submission_whichever_way_they_came() {
    let (bench, [mut seat]) = Bench::running();
    let mut random = fastrand::Rng::with_seed(1);
    let mut run = 0;
    for i in 0..2000_u32 {
        if random.bool() {
            bench.map([i]);
        } else {
            bench.submit([i]);
        }
        if random.u8(..4) == 0 {
            seat.run(&bench, 1);
            run += 1;
        }
    }
    seat.run(&bench, 2000 - run);
    assert_eq!(bench.numbers(Queue::Results), (0..2000).collect::<Vec<_>>());
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn across_workers_results_are_in_the_order_in_which_they_were_finished() {
    let (bench, [mut a, mut b, mut c]) = Bench::running();
    bench.submit(0..3);
    let seats = [&mut a, &mut b, &mut c];
    let mut started: Vec<(Item, &mut Seat)> =
        seats.into_iter().map(|seat| (seat.player.start(), seat)).collect();
    // The last worker's answer is written first, and stamped between the two others.
    for (at, finished) in [(2, 20.0), (0, 30.0), (1, 10.0)] {
        let (item, seat) = &mut started[at];
        seat.player.now = finished - SHORT;
        seat.player.answer(item, Outcome::response("true"));
    }
    bench.pool.flush();
    let order: Vec<u32> = bench.take(Queue::Results).iter().map(|entry| entry.worker).collect();
    assert_eq!(order, [2, 3, 1]);
}

#[test]
fn the_answers_of_one_worker_keep_their_order_among_those_of_others() {
    let (bench, [mut a, mut b]) = Bench::running();
    let mut random = fastrand::Rng::with_seed(2);
    bench.submit(0..16);
    for seat in [&mut a, &mut b] {
        for nth in ["0", "1", "2", "3", "4", "5", "6", "7"] {
            let item = seat.player.start();
            // Some at the same instant as the one before, or as one of the other worker.
            let run = f64::from(random.u8(..2));
            seat.player.answer(&item, Outcome::response(nth).taking(run));
        }
    }
    let entries = bench.take(Queue::Results);
    assert_eq!(entries.len(), 16);
    let changes = entries.windows(2).filter(|pair| pair[0].worker != pair[1].worker).count();
    assert!(changes > 2, "the two are mixed");
    for worker in [1, 2] {
        let of_worker = entries.iter().filter(|entry| entry.worker == worker);
        let order: Vec<u64> = of_worker.filter_map(|entry| entry.response.as_u64()).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7], "worker {worker}");
    }
}

#[test]
fn an_event_comes_out_with_its_data_as_the_worker_left_it() {
    let (bench, [mut seat]) = Bench::running();
    let answer = Outcome::response("7");
    let failure = Outcome::failed(r#"{"message":"no"}"#);
    let changed = |outcome: Outcome<'static>, data: &'static str| Outcome {
        flags: outcome.flags | flag::DATA,
        data: data.as_bytes(),
        ..outcome
    };
    let emptied =
        |outcome: Outcome<'static>| Outcome { flags: outcome.flags | flag::DATA_HOLE, ..outcome };
    let failed = entry::FAILED | ANSWERED;
    let whole = r#"{"data":1,"x":2}"#;
    let cases: [(&str, u32, Outcome<'_>, Queue, u32, &str, &str); 10] = [
        ("[1]", 0, answer, Queue::Results, ANSWERED, "[1]", "7"),
        ("", flag::HOLE, answer, Queue::Results, entry::RESPONSE, "0", "7"),
        ("[1]", 0, changed(answer, "[2]"), Queue::Results, ANSWERED, "[2]", "7"),
        ("[1]", 0, emptied(answer), Queue::Results, entry::RESPONSE, "0", "7"),
        ("", flag::HOLE, changed(answer, "[3]"), Queue::Results, ANSWERED, "[3]", "7"),
        (whole, flag::WHOLE, answer, Queue::Results, ANSWERED | entry::WHOLE, whole, "7"),
        // Changed data is the data alone, of a whole event too.
        (whole, flag::WHOLE, changed(answer, "5"), Queue::Results, ANSWERED, "5", "7"),
        (whole, flag::WHOLE, emptied(answer), Queue::Results, entry::RESPONSE, "0", "7"),
        ("[1]", 0, failure, Queue::Failures, failed, "[1]", r#"{"message":"no"}"#),
        ("[1]", 0, changed(failure, "[4]"), Queue::Failures, failed, "[4]", r#"{"message":"no"}"#),
    ];
    for (text, flags, outcome, queue, kind, data, response) in cases {
        bench.hand_over(text, flags);
        let item = seat.player.start();
        assert_eq!((item.text.as_ref(), item.header.flags), (text.as_bytes(), flags));
        seat.player.answer(&item, outcome);
        let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(bench.take(queue), [Entry::new(kind, 1, data, response)], "{text} {outcome:?}");
        let other = if queue == Queue::Results { Queue::Failures } else { Queue::Results };
        assert_eq!(bench.take(other), []);
    }
}

#[test]
fn an_event_without_a_response_is_answered_and_in_neither_queue() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    let item = seat.player.start();
    assert!(!bench.pool.drained(bench.run));
    seat.player.answer(&item, Outcome::nothing());
    assert_eq!((bench.take(Queue::Results), bench.take(Queue::Failures)), (vec![], vec![]));
    assert_eq!(bench.outstanding(), 0);
    assert_eq!(bench.hear(), [Note::Drained { run: bench.run }]);
}

#[test]
fn texts_of_every_length_cross_both_ways_and_come_out_as_they_went_in() {
    let (bench, [mut seat]) = Bench::running();
    for len in [0, 1, 7, 8, 23, 24, 25, 31, 32, 33, 64, 1000, 70_000] {
        let text = format!("\"{}\"", "é".repeat(len));
        let ways: [fn(&Bench, &str); 2] = [
            |bench, text| bench.hand_over(text, 0),
            |bench, text| bench.pool.submit(bench.run, text.as_bytes(), 0),
        ];
        for hand_over in ways {
            hand_over(&bench, &text);
            let item = seat.player.start();
            assert_eq!(item.text, text.as_bytes());
            seat.player.answer(&item, Outcome::response(&item.text));
            let expected: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(bench.take(Queue::Results), [Entry::new(ANSWERED, 1, expected, &text)]);
        }
    }
}

#[test]
fn the_program_s_messages_keep_their_place_among_the_answers() {
    let (bench, [mut seat]) = Bench::running();
    bench.map(0..3);
    let items: Vec<Item> = (0..3).map(|_| seat.player.start()).collect();
    seat.player.answer(&items[0], Outcome::response("0"));
    seat.player.say(flag::RESPONSE, br#"{"response":"a"}"#);
    seat.player.answer(&items[1], Outcome::failed("1"));
    seat.player.say(flag::FAILED, br#"{"failed":1}"#);
    seat.player.say(0, br#""nobody listens""#);
    seat.player.answer(&items[2], Outcome::response("2"));
    let message = entry::MESSAGE | entry::RESPONSE;
    let results = [
        Entry::new(ANSWERED, 1, 0, "0"),
        Entry::new(message, 1, 0, r#"{"response":"a"}"#),
        Entry::new(ANSWERED, 1, 2, "2"),
    ];
    assert_eq!(bench.take(Queue::Results), results);
    let failures = [
        Entry::new(ANSWERED | entry::FAILED, 1, 1, "1"),
        Entry::new(message | entry::FAILED, 1, 0, r#"{"failed":1}"#),
    ];
    assert_eq!(bench.take(Queue::Failures), failures);
}

#[test]
fn a_message_frees_nobody_and_answers_nothing() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    let item = seat.player.start();
    seat.player.say(flag::RESPONSE, br#"{"response":1}"#);
    assert_eq!(bench.pool.count(bench.run, Queue::Results), 1);
    assert!(!bench.pool.lock().scheduler.has_room(0));
    assert!(!bench.pool.drained(bench.run));
    seat.player.answer(&item, Outcome::response("1"));
    assert!(bench.pool.drained(bench.run));
}

#[test]
fn an_event_for_one_worker_goes_there_at_once_and_to_no_other() {
    let (bench, [mut a, mut b]) = Bench::running();
    assert!(bench.submit_to(2, b"1", 0));
    assert!(bench.submit_to(2, b"2", flag::HOLE));
    for flags in [flag::DIRECT, flag::DIRECT | flag::HOLE] {
        assert_eq!(b.player.start().header.flags, flags);
    }
    assert_eq!(a.arrived(), [""; 0]);
    assert!(!bench.submit_to(3, b"3", 0), "there is no worker 3");
}

#[test]
fn an_event_for_one_worker_can_be_started_at_once_whatever_runs_there() {
    let (bench, [mut seat, mut other]) = Bench::running();
    bench.map([0]);
    let first = seat.player.start();
    assert!(bench.submit_to(1, b"1", 0));
    assert!(bench.submit_to(1, b"2", 0));
    bench.map([3]);
    // What is sent to it alone comes before what it could claim.
    let started: Vec<Item> = (0..3).map(|_| seat.player.start()).collect();
    let texts: Vec<&[u8]> = started.iter().map(|item| item.text.as_ref()).collect();
    assert_eq!(texts, [b"1", b"2", b"3"]);
    for item in started.iter().chain([&first]) {
        seat.player.answer(item, Outcome::response(&item.text));
    }
    assert_eq!(bench.numbers(Queue::Results), [1, 2, 3, 0]);
    assert_eq!(other.arrived(), [""; 0]);
}

#[test]
fn events_of_both_ways_may_have_the_same_number_and_are_told_apart() {
    let (bench, [mut seat]) = Bench::running();
    bench.map([10]);
    assert!(bench.submit_to(1, b"20", 0));
    let [direct, claimed] = [seat.player.start(), seat.player.start()];
    assert_eq!((direct.header.index, claimed.header.index), (0, 0));
    seat.player.answer(&claimed, Outcome::response("10"));
    seat.player.answer(&direct, Outcome::response("20"));
    let expected = [Entry::new(ANSWERED, 1, 10, "10"), Entry::new(ANSWERED, 1, 20, "20")];
    assert_eq!(bench.take(Queue::Results), expected);
}

#[test]
fn many_events_for_one_busy_worker_are_given_once_each() {
    let (bench, [mut seat]) = Bench::running();
    bench.map([0]);
    seat.player.start();
    for i in 1..1000_u32 {
        assert!(bench.submit_to(1, i.to_string().as_bytes(), 0));
    }
    let expected: Vec<String> = (1..1000).map(|i: u32| i.to_string()).collect();
    assert_eq!(seat.arrived(), expected);
}

#[test]
fn an_event_for_a_worker_that_is_not_there_yet_waits_for_it() {
    let bench = Bench::new(1);
    assert!(bench.submit_to(1, b"1", 0));
    let mut seat = bench.seat(0);
    assert_eq!(seat.arrived(), [""; 0]);
    bench.register(0, &mut seat);
    assert_eq!(seat.player.start().text, b"1");
}
