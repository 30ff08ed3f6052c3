//! Promised: what a worker asks of the hub is answered, whether its program has reached its call or not; an event that asks is
//! the one that runs there; a lock goes from one worker to the next when its holder gives it back, or is dead; and an event
//! whose barrier others have passed with it is not tried again.

use super::*;
use crate::core::retry::{Cause, Policy};
use crate::core::sync::Span;
use crate::core::task_id::number_of;
use crate::observe::record::Record;
use crate::os::child::Exit;
use crate::os::clock::clock;
use crate::shm::locks::{NO_EVENT, Spot};
use crate::wire::sync::{Ask, Asked, Info, Mode, Reply, Told};

fn lock(name: &str) -> Ask {
    let name = name.to_owned();
    Ask::Lock { name, mode: Mode::Exclusive, limit: None, if_available: false, steal: false }
}

fn unlock(name: &str, token: u64) -> Ask {
    Ask::Unlock { name: name.to_owned(), token }
}

impl Seat {
    /// Writes a question, for the event that it runs.
    fn write_question(&self, id: u32, event: Option<&Item>, ask: Ask, value: Option<&[u8]>) {
        let how = |item: &Item| if has_come_alone(item) { flag::DIRECT } else { FROM_LANE };
        let event = event.map(|item| (item.header.index, how(item)));
        let asked = Asked { id, inside: Vec::new(), event, ask };
        let text = serde_json::to_vec(&asked).expect("plain data");
        let has_value = if value.is_some() { flag::DATA } else { 0 };
        let (split, finished) = (text.len() as u32, clock());
        let header = Header { split, finished, ..Header::new(Kind::Sync, has_value) };
        self.player.worker.write(&header, &[&text, value.unwrap_or_default()].concat());
    }

    fn ask_for(&self, bench: &Bench, id: u32, event: &Item, ask: Ask) {
        self.write_question(id, Some(event), ask, None);
        bench.pool.flush();
    }

    fn ask(&self, bench: &Bench, id: u32, ask: Ask) {
        self.write_question(id, None, ask, None);
        bench.pool.flush();
    }

    /// What it is told by now, and the bytes behind each.
    fn told_all(&mut self) -> Vec<(Told, Vec<u8>)> {
        let told = |item: Item| {
            assert_eq!(item.header.kind, Kind::Sync);
            let (text, value) = item.text.split_at(item.header.split as usize);
            (serde_json::from_slice(text).expect("JSON"), value.to_vec())
        };
        self.player.arrived().into_iter().map(told).collect()
    }

    /// The replies that it has by now, with the ids of their questions.
    fn replies(&mut self) -> Vec<(u32, Reply)> {
        self.told_all().into_iter().map(|(told, _)| (told.id, told.reply)).collect()
    }

    /// The grant that it has been told of, alone.
    #[track_caller]
    fn grant(&mut self, id: u32) -> (u64, Spot) {
        match self.replies().as_slice() {
            &[(its, Reply::Granted { token, place: Some((place, generation)) })] if its == id => {
                (token, Spot { place, generation })
            }
            other => panic!("{other:?} is no grant of {id}"),
        }
    }
}

#[test]
fn a_lock_goes_from_one_worker_to_the_next() {
    let (bench, [mut a, mut b]) = Bench::running();
    a.ask(&bench, 1, lock("x"));
    let (token, spot) = a.grant(1);
    b.ask(&bench, 1, lock("x"));
    b.ask(&bench, 2, lock("y"));
    assert!(matches!(b.replies()[..], [(2, Reply::Granted { .. })]));
    let release = |seat: &Seat, spot, token| {
        let worker = &seat.player.worker;
        worker.common.release(spot, worker.owner, token, 0)
    };
    assert!(!release(&a, spot, token), "another waits");
    a.ask(&bench, 0, unlock("x", token));
    let (next, its) = b.grant(1);
    assert!(next > token && its == spot && a.replies().is_empty());
    // When nobody waits the next one need not ask.
    b.ask(&bench, 0, unlock("x", next));
    let acquire = |seat: &Seat| {
        let worker = &seat.player.worker;
        worker.common.acquire(spot, worker.owner, NO_EVENT, 0)
    };
    let alone = acquire(&a).expect("it is free");
    assert_eq!(acquire(&b), None);
    assert!(alone > next && release(&a, spot, alone));
    let alone = acquire(&b).expect("it is free");
    a.ask(&bench, 2, lock("x"));
    assert!(!release(&b, spot, alone));
    assert_eq!(a.replies(), []);
    b.ask(&bench, 0, unlock("x", alone));
    assert!(a.grant(2).0 > alone);
}

#[test]
fn a_worker_asks_before_its_program_has_reached_its_call() {
    let bench = Bench::new(2);
    let (mut a, mut b) = (bench.seat(0), bench.seat(1));
    a.ask(&bench, 1, lock("x"));
    b.ask(&bench, 1, lock("x"));
    let (token, _) = a.grant(1);
    assert_eq!(b.replies(), []);
    // It sleeps until it is rung.
    b.player.waits(true);
    a.ask(&bench, 0, unlock("x", token));
    assert_eq!(b.player.next().header.kind, Kind::Sync);
}

#[test]
fn a_value_of_any_length_goes_there_and_back() {
    let (bench, [mut a, mut b]) = Bench::running();
    let value = vec![7; 3 * Layout::RING as usize / 2];
    let set = Ask::Set { name: "s".into(), key: "k".into(), if_version: None };
    let (is_over, pool) = (AtomicBool::new(false), &bench.pool);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                pool.flush();
            }
        });
        let _ends = Ends(&is_over);
        a.write_question(1, None, set, Some(&value));
    });
    bench.pool.flush();
    assert_eq!(a.replies(), [(1, Reply::Number { number: 1 })]);
    b.ask(&bench, 1, Ask::Get { name: "s".into(), key: "k".into() });
    let end = Instant::now() + DEADLINE;
    let told = loop {
        if let Some(told) = b.told_all().pop() {
            break told;
        }
        assert!(Instant::now() < end, "the value does not come");
        bench.pool.flush();
    };
    assert_eq!(told, (Told { id: 1, reply: Reply::Value { version: 1 } }, value));
    b.write_question(
        2,
        None,
        Ask::Set { name: "s".into(), key: "e".into(), if_version: None },
        Some(&[]),
    );
    b.ask(&bench, 3, Ask::Get { name: "s".into(), key: "e".into() });
    let replies = b.told_all();
    assert_eq!(replies[1], (Told { id: 3, reply: Reply::Value { version: 2 } }, vec![]));
}

#[test]
fn what_a_dead_worker_held_and_waited_for_is_for_others_before_its_streams_are_read() {
    let (bench, [mut a, mut b, mut c]) = Bench::running();
    a.ask(&bench, 1, lock("x"));
    let (token, _) = a.grant(1);
    a.ask(&bench, 2, lock("y"));
    b.ask(&bench, 1, lock("y"));
    c.ask(&bench, 1, lock("x"));
    a.ask(&bench, 3, lock("x"));
    b.ask(&bench, 2, lock("x"));
    // In its last moment it gives one of them back.
    a.write_question(0, None, unlock("x", token), None);
    assert_eq!((b.replies(), c.replies()), (vec![], vec![]));
    drop(a);
    bench.pool.died(0);
    b.grant(1);
    let (token, _) = c.grant(1);
    // It waited before this one.
    c.ask(&bench, 0, unlock("x", token));
    b.grant(2);
    // What is taken without asking is free, too.
    c.ask(&bench, 2, lock("z"));
    let (token, spot) = c.grant(2);
    c.ask(&bench, 0, unlock("z", token));
    let its = &c.player.worker;
    its.common.acquire(spot, its.owner, NO_EVENT, 0).expect("it is free");
    drop(c);
    bench.pool.died(2);
    b.ask(&bench, 3, lock("z"));
    b.grant(3);
    for slot in [0, 2] {
        bench.pool.exited(slot, Exit::Signal(9), false);
    }
}

#[test]
fn an_event_that_asks_is_named_whichever_way_it_came() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map(7..9);
    let claimed = a.player.start();
    let other = b.player.start();
    a.ask_for(&bench, 1, &claimed, lock("x"));
    a.grant(1);
    b.ask_for(&bench, 1, &other, lock("x"));
    assert!(bench.submit_to(1, b"9", 0));
    let chosen = a.player.start();
    a.ask_for(&bench, 2, &chosen, lock("y"));
    // It is none that this worker runs.
    let unknown = Item { header: Header { index: 99, ..claimed.header }, ..claimed };
    a.ask_for(&bench, 3, &unknown, lock("z"));
    a.replies();
    a.ask(&bench, 4, Ask::Query);
    let replies = a.replies();
    let [(4, Reply::Snapshot { held, pending })] = &replies[..] else { panic!("{replies:?}") };
    let seen = |info: &Info| (info.name.clone(), info.worker, info.pid, info.event);
    let mut held: Vec<_> = held.iter().map(seen).collect();
    held.sort();
    let expected = [("x", Some(0)), ("y", Some(0)), ("z", None)];
    let expected = expected.map(|(name, event)| (name.to_owned(), Some(1), 1001, event));
    assert_eq!(held, expected);
    let pending: Vec<_> = pending.iter().map(seen).collect();
    assert_eq!(pending, [("x".to_owned(), Some(2), 1002, Some(1))]);
}

#[test]
fn an_event_that_took_a_lock_without_asking_is_named_to_those_of_its_pool() {
    let (bench, [mut a, mut b]) = Bench::running();
    bench.map(0..2);
    let item = a.player.start();
    a.ask(&bench, 1, lock("x"));
    let (token, spot) = a.grant(1);
    a.ask(&bench, 0, unlock("x", token));
    let worker = &a.player.worker;
    let event = crate::sync::event_word(item.header.index, Some(LANE));
    worker.common.acquire(spot, worker.owner, event, 0).expect("it is free");
    b.ask(&bench, 1, Ask::Query);
    b.ask(&bench, 2, lock("x"));
    b.ask(&bench, 3, Ask::Query);
    for (id, reply) in b.replies() {
        let Reply::Snapshot { held, .. } = reply else { panic!("{id}: {reply:?}") };
        let holders: Vec<_> = held.iter().map(|info| (info.worker, info.event)).collect();
        assert_eq!(holders, [(Some(1), Some(0))], "{id}");
    }
}

#[test]
fn the_record_of_a_run_with_a_trace_has_what_its_events_waited_for_and_held() {
    for record in [Level::Events, Level::Trace] {
        let options = RunOptions { record, ..plain() };
        let (bench, [mut a, mut b]) = Bench::with(launch(2, DEADLINE), options).run();
        bench.map(0..2);
        let (one, other) = (a.player.start(), b.player.start());
        a.ask_for(&bench, 1, &one, lock("x"));
        let (token, _) = a.grant(1);
        b.ask_for(&bench, 1, &other, lock("x"));
        let asked = clock();
        until("a later time", || clock() > asked);
        a.ask(&bench, 0, unlock("x", token));
        let text = |span: &Span| {
            let event = span.party.event.map(|event| number_of(event.task));
            (span.is_hold, span.who.worker, event)
        };
        let look = |record: &Record, _| record.spans(0).iter().map(text).collect::<Vec<_>>();
        let expected = [(true, Some(1), Some(0)), (false, Some(2), Some(1))];
        let expected = if record == Level::Trace { &expected[..] } else { &[] };
        for _ in 0..2 {
            assert_eq!(bench.pool.recorded(bench.run, look).as_deref(), Some(expected));
        }
    }
}

fn barrier(parties: u32) -> Ask {
    Ask::Barrier { name: "b".into(), parties }
}

#[test]
fn an_event_whose_barrier_others_have_passed_with_it_is_not_tried_again() {
    let on = vec![Cause::Crash, Cause::Timeout, Cause::Error];
    let retries = Some(Policy { limit: 3, backoff: 0.0, factor: 2.0, max_delay: 1e3, on });
    for crashes in [false, true] {
        let options = RunOptions { retries: retries.clone(), ..plain() };
        let (bench, [mut a, mut b]) = Bench::with(launch(2, DEADLINE), options).run();
        bench.map(0..2);
        let (one, other) = (a.player.start(), b.player.start());
        a.ask_for(&bench, 1, &one, barrier(2));
        assert_eq!(a.replies(), []);
        b.ask_for(&bench, 1, &other, barrier(2));
        assert_eq!(a.replies(), [(1, Reply::Number { number: 0 })]);
        assert_eq!(b.replies(), [(1, Reply::Number { number: 1 })]);
        if crashes {
            drop(a);
            bench.pool.died(0);
            bench.pool.exited(0, Exit::Signal(9), false);
        } else {
            a.player.answer(&one, Outcome::failed("{}"));
            bench.pool.flush();
        }
        assert_eq!(bench.numbers(Queue::Failures), [0], "crashes: {crashes}");
        // The other one is told when it comes there again.
        b.ask_for(&bench, 2, &other, barrier(2));
        let replies = b.replies();
        let broken = |reply: &Reply| matches!(reply, Reply::Failed { code, .. } if code == "ERR_SONIC_BARRIER_BROKEN");
        assert!(matches!(&replies[..], [(2, reply)] if broken(reply)), "{replies:?}");
        b.player.answer(&other, Outcome::response("1"));
        bench.pool.flush();
        assert_eq!(bench.numbers(Queue::Results), [1]);
    }
}

#[test]
fn one_that_waits_there_is_tried_again_and_withdrawn() {
    let on = vec![Cause::Error];
    let retries = Some(Policy { limit: 1, backoff: 0.0, factor: 2.0, max_delay: 1e3, on });
    let options = RunOptions { retries, ..plain() };
    let (bench, [mut a, mut b]) = Bench::with(launch(2, DEADLINE), options).run();
    bench.map(0..1);
    let one = a.player.start();
    a.ask_for(&bench, 1, &one, barrier(2));
    a.player.answer(&one, Outcome::failed("{}"));
    bench.pool.flush();
    a.replies();
    b.ask(&bench, 1, barrier(2));
    assert_eq!(b.replies(), [], "the first one does not count");
    let again = a.player.start();
    assert_eq!(again.text, "0");
    a.ask_for(&bench, 2, &again, barrier(2));
    assert_eq!(a.replies(), [(2, Reply::Number { number: 1 })]);
    assert_eq!(b.replies(), [(1, Reply::Number { number: 0 })]);
}

#[test]
fn a_worker_whose_questions_make_no_sense_is_killed() {
    let questions: [(&[u8], u32); 4] = [(b"{", 1), (b"", 0), (b"{\"id\":1}", u32::MAX), (b"[]", 2)];
    for (text, split) in questions {
        let (bench, [seat]) = Bench::running();
        let header = Header { split, ..Header::new(Kind::Sync, flag::DATA) };
        seat.player.worker.write(&header, text);
        bench.pool.flush();
        assert!(seat.process.was_killed(), "{text:?}");
        assert!(bench.said(0).is_some_and(|said| said.starts_with("its questions make no sense")));
    }
}

#[test]
fn workers_of_different_pools_share_locks_and_each_pool_is_told_by_an_order() {
    let hub = Hub::new().expect("memory");
    let [one, mut other] = [(); 2].map(|()| Bench::of_hub(&hub, launch(1, DEADLINE)));
    let (mut a, mut b) = (one.seat(0), other.seat(0));
    a.ask(&one, 1, lock("x"));
    let (token, _) = a.grant(1);
    b.ask(&other, 1, lock("x"));
    assert_eq!((b.replies(), other.orders().contains(&Order::Mail)), (vec![], false));
    a.ask(&one, 0, unlock("x", token));
    assert_eq!(b.replies(), [], "it is another pool's to tell it");
    assert!(other.orders().contains(&Order::Mail));
    other.pool.flush();
    b.grant(1);
    // A pool that is gone holds nothing.
    drop((b, other));
    a.ask(&one, 2, lock("x"));
    a.grant(2);
}
