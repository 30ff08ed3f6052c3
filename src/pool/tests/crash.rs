//! Promised: a worker's end costs exactly the events that it had started and not answered; they fail
//! with an error that says how it ended. What it had answered counts, rung or not; what it had not
//! started runs elsewhere, before anything later. Nothing that a worker writes is taken on trust.

use super::*;

/// A pool of two with eight events; the second worker runs another one, which takes long.
fn one_busy() -> (Bench, Seat, Seat, Item) {
    let (bench, [a, mut b]) = Bench::running();
    assert!(bench.submit_to(2, b"\"long\"", 0));
    let long = b.player.start();
    bench.map(0..8);
    (bench, a, b, long)
}

#[test]
fn exactly_the_events_that_were_started_and_not_answered_fail() {
    for started in 0..=8_u32 {
        for answered in 0..1_u32 << started.min(4) {
            let is_answered = |at: u32| at < 4 && answered & 1 << at != 0;
            let (bench, mut a, mut b, long) = one_busy();
            let items: Vec<Item> = (0..started).map(|_| a.player.start()).collect();
            for (item, _) in items.iter().zip(0..).filter(|&(_, at)| is_answered(at)) {
                a.player.answer(item, Outcome::response(&item.text));
            }
            bench.pool.exited(0, Exit::Signal(9), false);
            let (expected, failed): (Vec<u32>, Vec<u32>) =
                (0..started).partition(|&at| is_answered(at));
            assert_eq!(bench.numbers(Queue::Results), expected);
            assert_eq!(bench.numbers(Queue::Failures), failed);
            b.player.answer(&long, Outcome::nothing());
            bench.pool.flush();
            b.run(&bench, 8 - started as usize);
            let rest: Vec<u32> = (started..8).collect();
            assert_eq!(bench.numbers(Queue::Results), rest);
            assert!(bench.pool.drained(bench.run), "{started} started, {answered:b} answered");
        }
    }
}

/// As many frames as an answer ring holds.
#[test]
fn of_what_a_worker_had_said_nothing_is_forgotten_however_much_it_was() {
    let (bench, [mut seat]) = Bench::running();
    bench.map(0..2);
    let item = seat.player.start();
    let answers = Producer::new(Arc::clone(&seat.memory), Layout::ANSWERS);
    let most = Layout::ANSWERS.size as usize / crate::wire::header::HEADER;
    for _ in 0..most - 2 {
        assert!(answers.push(&Header::new(Kind::Message, 0), b"", &mut 0));
    }
    let header = Header {
        index: item.header.index,
        ..Header::new(Kind::Answer, flag::RESPONSE | FROM_LANE)
    };
    assert!(answers.push(&Header { split: 2, ..header }, b"17", &mut 0));
    assert!(!answers.push(&Header::new(Kind::Message, 0), b"", &mut 0), "the ring is full");
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(bench.take(Queue::Results), [Entry::new(ANSWERED, 1, 0, "17")]);
    assert_eq!(bench.take(Queue::Failures), []);
}

#[test]
fn the_error_says_how_the_worker_ended_and_what_it_said() {
    let exits = [
        (Exit::Code(7), "exited with code 7", Some(7), None),
        (Exit::Code(0), "exited with code 0", Some(0), None),
        (Exit::Signal(9), "was killed by SIGKILL", None, Some("SIGKILL")),
        (Exit::Signal(60), "was killed by signal 60", None, Some("signal 60")),
        (Exit::Unknown, "exited with an unknown status", None, None),
    ];
    for (exit, how, code, signal) in exits {
        for said in [None, Some("TypeError: \"x\"\nis no function")] {
            let (bench, [mut seat]) = Bench::running();
            bench.pool.submit(bench.run, b"[1]", 0);
            seat.player.start();
            if let Some(words) = said {
                bench.pool.uncaught(0, words.into());
            }
            bench.pool.exited(0, exit, false);
            let said = said.map(|words| format!(": {words}")).unwrap_or_default();
            let message = format!("worker 1 {how} while it ran this event{said}");
            let error = serde_json::json!({
                "name": "Error",
                "message": message,
                "stack": format!("Error: {message}"),
                "code": "ERR_SONIC_WORKER_EXIT",
                "exitCode": code,
                "signal": signal,
                "worker": 1,
                "pid": 1001,
            });
            let data = serde_json::json!([1]);
            let expected = Entry::new(CRASHED, 1, data, &error.to_string());
            assert_eq!(bench.take(Queue::Failures), [expected]);
            let signal = signal.map(str::to_owned);
            assert_eq!(bench.hear(), [Note::Exit { worker: 1, code, signal }]);
        }
    }
}

#[test]
fn the_error_says_what_was_written_last_and_whose_memory_was_short() {
    for (exit, is_heap_full, expected) in [
        (Exit::Signal(libc::SIGABRT), true, Some("heap")),
        (Exit::Signal(libc::SIGTRAP), true, Some("heap")),
        (Exit::Code(134), true, Some("heap")),
        (Exit::Signal(libc::SIGABRT), false, None),
        // It came back from the limit, and ended otherwise.
        (Exit::Code(7), true, None),
        (Exit::Signal(libc::SIGKILL), true, None),
    ] {
        let (bench, [mut seat]) = Bench::running();
        bench.submit([1]);
        seat.player.start();
        crate::shm::tail::append(&seat.memory, b"last words\n");
        seat.memory.word(Layout::HEAP_LIMIT).store(is_heap_full.into(), Ordering::SeqCst);
        bench.pool.exited(0, exit, false);
        let error = bench.take(Queue::Failures).remove(0).response;
        assert_eq!(error["stderr"], "last words\n");
        assert_eq!(error["outOfMemory"].as_str(), expected, "{exit}");
        let message = error["message"].as_str().expect("a text");
        assert_eq!(message.contains("its heap being full"), expected.is_some(), "{message}");
    }
}

#[test]
fn a_failed_event_keeps_its_kind_of_data() {
    for (text, flags, kind, data) in [
        ("", flag::HOLE, CRASHED & !entry::DATA, "0"),
        (r#"{"x":1}"#, flag::WHOLE, CRASHED | entry::WHOLE, r#"{"x":1}"#),
    ] {
        let (bench, [mut seat]) = Bench::running();
        bench.pool.submit(bench.run, text.as_bytes(), flags);
        seat.player.start();
        bench.pool.exited(0, Exit::Code(1), false);
        let entry = bench.take(Queue::Failures).remove(0);
        let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert_eq!((entry.kind, entry.data), (kind, data));
    }
}

#[test]
fn an_answer_that_is_only_partly_in_the_ring_is_none() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    let item = seat.player.start();
    let answers = Producer::new(Arc::clone(&seat.memory), Layout::ANSWERS);
    let header = Header {
        index: item.header.index,
        ..Header::new(Kind::Answer, flag::RESPONSE | FROM_LANE)
    };
    let long = vec![b'1'; 2 * Layout::RING as usize];
    assert!(!answers.push(&header, &long, &mut 0));
    bench.pool.flush();
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(bench.take(Queue::Results), []);
    assert_eq!(bench.numbers(Queue::Failures), [1]);
}

/// A text that a lane has no room for, and that does not fit the task ring at once.
fn long_text() -> String {
    format!("\"{}\"", "x".repeat(2 * Layout::RING as usize))
}

#[test]
fn a_long_event_that_was_claimed_and_not_started_runs_elsewhere_however_far_its_text_had_come() {
    let text = long_text();
    for looks in 0..6 {
        let (bench, [mut a, mut b]) = Bench::running();
        assert!(bench.submit_to(2, b"0", 0));
        let long = b.player.start();
        bench.hand_over(&text, 0);
        assert!(a.player.look().is_none(), "it has claimed the event, and awaits the text");
        let mut has_arrived = false;
        for _ in 0..looks {
            bench.pool.flush();
            has_arrived |= a.player.look().is_some();
        }
        assert!(has_arrived || looks < 3, "{looks} looks");
        bench.pool.exited(0, Exit::Signal(9), false);
        drop(a);
        let _ears = Ears::of(&bench, 1, &b);
        b.player.answer(&long, Outcome::nothing());
        bench.pool.flush();
        let item = b.player.start();
        assert!(item.text == text.as_bytes());
        assert_eq!(bench.take(Queue::Failures), []);
    }
}

#[test]
fn a_long_event_that_was_started_fails() {
    let (bench, [mut seat]) = Bench::running();
    let text = long_text();
    bench.hand_over(&text, 0);
    let ears = Ears::of(&bench, 0, &seat);
    seat.player.start();
    bench.pool.exited(0, Exit::Signal(9), false);
    drop(seat);
    ears.join();
    let failures = bench.take(Queue::Failures);
    assert!(failures.len() == 1 && failures[0].data == text.trim_matches('"'));
}

#[test]
fn of_all_that_a_worker_holds_only_what_it_had_started_fails() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map(0..2);
    a.player.start();
    for i in 10..14_u32 {
        assert!(bench.submit_to(1, i.to_string().as_bytes(), 0));
    }
    let direct = [a.player.start(), a.player.start()];
    a.player.answer(&direct[0], Outcome::response("10"));
    bench.pool.exited(0, Exit::Signal(9), false);
    assert_eq!(bench.numbers(Queue::Results), [10]);
    assert_eq!(bench.numbers(Queue::Failures), [0, 11]);
    b.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [1]);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    assert_eq!(next.arrived(), ["12", "13"]);
}

#[test]
fn events_for_the_lost_worker_alone_wait_for_the_next_one_and_those_it_ran_fail() {
    let (bench, [mut a, mut b]) = Bench::running();
    for i in 1..=3 {
        assert!(bench.submit_to(1, format!("{i}").as_bytes(), 0));
    }
    a.player.start();
    bench.pool.exited(0, Exit::Code(1), false);
    assert_eq!(bench.numbers(Queue::Failures), [1]);
    assert_eq!(b.arrived(), [""; 0]);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    assert_eq!(next.arrived(), ["2", "3"]);
}

#[test]
fn an_event_fails_once_whatever_is_heard_of_its_worker_later() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    let item = seat.player.start();
    bench.pool.exited(0, Exit::Code(1), false);
    // The process is gone; its memory can still be written here.
    seat.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    bench.pool.disconnected(0);
    bench.pool.exited(0, Exit::Code(1), false);
    assert_eq!(
        (bench.pool.count(bench.run, Queue::Results), bench.numbers(Queue::Failures)),
        (0, vec![1])
    );
}

#[test]
fn a_worker_that_answers_what_it_was_not_asked_is_killed_and_costs_what_it_ran() {
    type Answer = fn(&mut Player);
    const ANSWER: Outcome<'static> =
        Outcome { flags: flag::RESPONSE | FROM_LANE, response: b"1", data: b"", run: SHORT };
    fn lane(lane: u32) -> Outcome<'static> {
        Outcome { flags: flag::RESPONSE | lane << flag::LANE_AT, ..ANSWER }
    }
    let cases: [(&str, Answer); 9] = [
        ("an event that there is none of", |player| player.answer_at(7, ANSWER)),
        ("the next one", |player| player.answer_at(3, ANSWER)),
        ("one long ago", |player| player.answer_at(u32::MAX, ANSWER)),
        ("one that nobody has claimed", |player| player.answer_at(2, ANSWER)),
        ("one that another has claimed", |player| player.answer_at(1, ANSWER)),
        ("its number among those that came back", |player| player.answer_at(0, lane(0))),
        ("its number in a lane that there is none of", |player| player.answer_at(0, lane(2))),
        ("its number in the last lane", |player| player.answer_at(0, lane(7))),
        ("one for it alone that there is none of", |player| {
            player.answer_at(0, Outcome { flags: ANSWER.flags | flag::DIRECT, ..ANSWER });
        }),
    ];
    for (name, answer) in cases {
        let (bench, [mut seat, mut other]) = Bench::running();
        bench.map(0..3);
        seat.player.start();
        let theirs = other.player.start();
        answer(&mut seat.player);
        seat.player.answer_at(100, ANSWER);
        bench.pool.flush();
        assert!(seat.process.was_killed(), "{name}");
        assert_eq!(bench.take(Queue::Results), [], "{name}");
        bench.pool.exited(0, Exit::Signal(9), false);
        let failures = bench.take(Queue::Failures);
        assert_eq!(failures.len(), 1, "{name}");
        let message = failures[0].response["message"].as_str().expect("a text");
        assert!(message.contains("it answered event"), "{name}: {message}");
        other.player.answer(&theirs, Outcome::response("1"));
        bench.pool.flush();
        other.run(&bench, 1);
        assert_eq!(bench.numbers(Queue::Results), [1, 2], "{name}");
        assert!(!other.process.was_killed(), "{name}");
    }
}

#[test]
fn a_long_event_is_not_answered_before_its_text_has_come_and_not_by_its_number() {
    // The answer is there before the claim has been looked at, or while the text is half-way.
    for looks in 0..3 {
        let (bench, [mut seat]) = Bench::running();
        // It is not parked, so that no notice has it look while the text is on its way.
        seat.player.claimer.unpark();
        bench.hand_over(&long_text(), 0);
        assert!(seat.player.look().is_none());
        for _ in 0..looks {
            bench.pool.flush();
        }
        let outcome = Outcome::response("1");
        seat.player.answer_at(0, Outcome { flags: outcome.flags | FROM_LANE, ..outcome });
        bench.pool.flush();
        bench.pool.flush();
        assert!(seat.process.was_killed());
        assert_eq!(bench.take(Queue::Results), []);
        bench.pool.exited(0, Exit::Signal(9), false);
        assert_eq!((bench.pool.count(bench.run, Queue::Failures), bench.outstanding()), (0, 1));
    }
}

#[test]
fn an_answer_counts_once() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    let item = seat.player.start();
    seat.player.answer(&item, Outcome::response("1"));
    seat.player.answer(&item, Outcome::response("2"));
    assert_eq!(bench.take(Queue::Results), [Entry::new(ANSWERED, 1, 1, "1")]);
    assert!(seat.process.was_killed());
}

#[test]
fn a_worker_whose_memory_is_garbage_is_killed_and_what_was_sound_before_counts() {
    type Spoil = fn(&Memory);
    let garbage: [(&str, Spoil); 3] = [
        ("positions", |memory| memory.word(Layout::ANSWERS.tail).store(u32::MAX, Ordering::SeqCst)),
        ("a length", |memory| {
            let tail = memory.word(Layout::ANSWERS.tail).load(Ordering::SeqCst);
            memory.write(Layout::ANSWERS.bytes + tail as usize, &u32::MAX.to_le_bytes());
            memory.word(Layout::ANSWERS.tail).store(tail + 32, Ordering::SeqCst);
        }),
        ("a kind", |memory| {
            let tail = memory.word(Layout::ANSWERS.tail).load(Ordering::SeqCst);
            memory.write(Layout::ANSWERS.bytes + tail as usize, &[0, 0, 0, 0, 99, 0, 0, 0]);
            memory.word(Layout::ANSWERS.tail).store(tail + 32, Ordering::SeqCst);
        }),
    ];
    for (name, spoil) in garbage {
        let (bench, [mut seat, mut other]) = Bench::running();
        bench.submit(0..3);
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::response("0").taking(LONG));
        bench.pool.flush();
        seat.player.start();
        spoil(&seat.memory);
        bench.pool.flush();
        assert!(seat.process.was_killed(), "{name}");
        bench.pool.exited(0, Exit::Signal(9), false);
        assert_eq!(bench.numbers(Queue::Results), [0], "{name}");
        let failures = bench.take(Queue::Failures);
        assert_eq!(failures.len(), 1, "{name}");
        let message = failures[0].response["message"].as_str().expect("a text");
        assert!(message.contains("its answers make no sense"), "{name}: {message}");
        other.run(&bench, 1);
        assert!(!other.process.was_killed());
    }
}

#[test]
fn a_worker_that_counts_more_as_started_than_it_was_given_costs_what_it_was_given() {
    let (bench, [seat]) = Bench::running();
    for i in 1..3_u32 {
        assert!(bench.submit_to(1, i.to_string().as_bytes(), 0));
    }
    seat.memory.word(Layout::STARTED).store(1000, Ordering::SeqCst);
    bench.pool.exited(0, Exit::Code(1), false);
    assert_eq!(bench.numbers(Queue::Failures), [1, 2]);
}

#[test]
fn garbage_where_the_events_wait_costs_no_event_and_no_master() {
    type Spoil = fn(&Memory, usize);
    let garbage: [(&str, Spoil); 6] = [
        ("a claim of nobody's", |memory, place| {
            memory.word(place).store(77, Ordering::SeqCst);
        }),
        ("a claim of a worker that is not there", |memory, place| {
            memory.word(place).store(2, Ordering::SeqCst);
        }),
        ("another event's state", |memory, place| {
            memory.word(place).store(0xdead_beef, Ordering::SeqCst);
        }),
        ("a long text that is none", |memory, place| {
            memory.word(place + 3).store(flag::LONG, Ordering::SeqCst);
        }),
        ("a length", |memory, place| memory.word(place + 2).store(u32::MAX, Ordering::SeqCst)),
        ("a position", |memory, place| memory.word(place + 1).store(u32::MAX, Ordering::SeqCst)),
    ];
    for (name, spoil) in garbage {
        let bench = Bench::new(2);
        let mut seat = bench.seat(0);
        bench.map(0..3);
        // Of the event in the middle, before anybody has claimed it.
        spoil(&bench.lanes, Shared::entry(LANE, 1));
        bench.register(0, &mut seat);
        let over = || bench.outstanding() == 0;
        for _ in 0..10 {
            let Some(item) = seat.player.look() else {
                bench.pool.flush();
                continue;
            };
            if seat.player.claim(&item) {
                seat.player.answer(&item, Outcome::response("1"));
            }
            bench.pool.flush();
        }
        if name == "a long text that is none" {
            // Its worker waits for a text that nobody has.
            bench.pool.exited(0, Exit::Signal(9), false);
            let mut next = bench.seat(0);
            bench.register(0, &mut next);
            next.run(&bench, 1);
        }
        assert!(over(), "{name}");
        // The event's data may be garbage now; it is answered all the same.
        let ended = bench.pool.count(bench.run, Queue::Results)
            + bench.pool.count(bench.run, Queue::Failures);
        assert_eq!(ended, 3, "{name}");
    }
}
