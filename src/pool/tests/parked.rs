//! Promised: one parked worker is woken per unclaimed event, minus those on their way; and no event is left unclaimed
//! while a worker is parked that could take it, whatever becomes of those that were woken before.

use super::notices::Bare;
use super::*;
use crate::core::event::Event;
use crate::core::task_id::Position;

/// A pool of workers that have registered, all parked.
fn all_parked(count: u32) -> (Bench, Vec<Bare>) {
    let bench = Bench::new(count);
    let bares: Vec<Bare> = (0..count as usize).map(|slot| Bare::new(&bench, slot)).collect();
    for bare in &bares {
        bare.claimer.park();
    }
    (bench, bares)
}

/// The workers that were notified since the last look.
fn woken(bares: &mut [Bare]) -> Vec<usize> {
    let slots = bares.iter_mut().enumerate();
    slots.filter_map(|(slot, bare)| (bare.notices() > 0).then_some(slot)).collect()
}

#[test]
fn as_many_are_woken_as_events_wait_and_not_more() {
    for events in 0..6 {
        let (bench, mut bares) = all_parked(4);
        bench.map(0..events);
        bench.pool.flush();
        assert_eq!(woken(&mut bares).len() as u32, events.min(4), "{events} events");
        bench.pool.flush();
        assert_eq!(woken(&mut bares), [0; 0], "they are on their way");
    }
}

#[test]
fn events_that_come_one_by_one_wake_one_each() {
    let (bench, mut bares) = all_parked(70);
    for event in 0..70 {
        bench.map([event]);
        assert_eq!(woken(&mut bares).len(), 1, "event {event}");
    }
    assert!(!bench.writer.has_parked());
    bench.map(0..10);
    assert_eq!(woken(&mut bares), [0; 0]);
}

#[test]
fn events_that_javascript_did_not_tell_of_wake_workers_at_the_next_look() {
    let (bench, mut bares) = all_parked(3);
    assert!(bench.writer.write(0, "1"));
    assert!(bench.writer.write(0, "2"));
    assert_eq!(woken(&mut bares), [0; 0]);
    bench.pool.flush();
    assert_eq!(woken(&mut bares).len(), 2);
}

#[test]
fn a_woken_worker_that_has_claimed_is_not_waited_for_any_more() {
    let (bench, mut bares) = all_parked(3);
    bench.map([0]);
    let first = woken(&mut bares)[0];
    assert_eq!(bares[first].claimer.claim(), Some(0));
    bench.map([1]);
    assert_eq!(woken(&mut bares).len(), 1, "the first one is busy");
}

#[test]
fn a_woken_worker_that_dies_or_leaves_before_it_claims_is_replaced_by_another() {
    type Go = fn(&Bench, usize);
    let ways: [(&str, Go); 4] = [
        ("dies", |bench, slot| bench.pool.exited(slot, Exit::Signal(9), false)),
        ("leaves", |bench, slot| bench.pool.disconnected(slot)),
        ("is released", |bench, slot| {
            assert!(bench.pool.disconnect(slot as u32 + 1));
        }),
        ("gets an event of its own", |bench, slot| {
            assert!(bench.submit_to(slot as u32 + 1, b"1", 0));
        }),
    ];
    for (name, go) in ways {
        let (bench, mut bares) = all_parked(3);
        bench.map([0]);
        let mut on_their_way = woken(&mut bares);
        for _ in 0..2 {
            let slot = on_their_way.remove(0);
            // It hears of that, and is not counted.
            assert!(bares.iter().all(|bare| bare.claimer.has_more()));
            go(&bench, slot);
            bares[slot].drain();
            on_their_way = woken(&mut bares);
            assert_eq!(on_their_way.len(), 1, "{name}");
            assert_ne!(on_their_way[0], slot, "{name}");
        }
    }
}

#[test]
fn a_woken_worker_that_came_too_late_and_parks_again_is_woken_again() {
    let (bench, mut bares) = all_parked(1);
    for event in 0..3 {
        bench.map([event]);
        assert_eq!(woken(&mut bares), [0]);
        // The event goes elsewhere, as it were.
        bench.pool.lock().lanes.take_back(|_, _| true);
        assert_eq!(bares[0].claimer.claim(), None);
        bares[0].claimer.park();
    }
}

#[test]
fn a_worker_that_is_parked_beside_an_event_of_its_own_is_woken_last() {
    let (bench, mut bares) = all_parked(3);
    for worker in [1, 3] {
        assert!(bench.submit_to(worker, b"0", 0));
    }
    bench.map([0]);
    assert_eq!(woken(&mut bares), [1]);
    bench.map([1]);
    assert_eq!(woken(&mut bares), [2], "better than nobody");
}

#[test]
fn for_a_woken_worker_that_does_not_come_another_is_woken_and_nobody_is_watched_in_vain() {
    let (mut bench, mut bares) = all_parked(3);
    bench.map([0]);
    let late = woken(&mut bares)[0];
    let watches = |bench: &mut Bench| {
        bench.orders().iter().filter(|order| matches!(order, Order::Watch)).count()
    };
    assert_eq!(watches(&mut bench), 1);
    assert!(bench.pool.watched(), "it was woken a moment ago");
    assert_eq!(woken(&mut bares), [0; 0]);
    bench.pool.watched();
    let others = woken(&mut bares);
    assert!(others.len() == 1 && others[0] != late, "{others:?} for {late}");
    assert_eq!(bares[others[0]].claimer.claim(), Some(0));
    while bench.pool.watched() {}
    assert_eq!(woken(&mut bares), [0; 0]);
    // The late one comes after all, and finds nothing.
    assert_eq!(bares[late].claimer.claim(), None);
    bares[late].claimer.park();
    watches(&mut bench);
    bench.map([1]);
    assert_eq!((woken(&mut bares).len(), watches(&mut bench)), (1, 1));
}

#[test]
fn only_workers_that_can_run_events_are_woken() {
    let bench = Bench::new(3);
    let early = bench.seat(0);
    let mut bares = [Bare::new(&bench, 1), Bare::new(&bench, 2)];
    let (word, bit) = Shared::parked(0);
    bench.lanes.word(word).fetch_or(bit, Ordering::SeqCst);
    for bare in &bares {
        bare.claimer.park();
    }
    bench.pool.disconnected(1);
    bares[0].drain();
    bench.map(0..3);
    bench.pool.flush();
    assert_eq!(woken(&mut bares), [1]);
    assert_eq!(early.player.signals.try_iter().count(), 0);
}

#[test]
fn a_worker_that_registers_finds_what_waits() {
    let bench = Bench::new(1);
    bench.map(0..3);
    let mut seat = bench.seat(0);
    bench.register(0, &mut seat);
    seat.run(&bench, 3);
    assert_eq!(bench.numbers(Queue::Results), [0, 1, 2]);
}

#[test]
fn a_worker_looks_once_more_before_it_parks() {
    let (bench, [mut seat]) = Bench::running();
    for event in 0..100 {
        // JavaScript saw nobody parked when it put the event in.
        seat.player.claimer.unpark();
        bench.map([event]);
        seat.run(&bench, 1);
    }
    assert_eq!(bench.take(Queue::Results).len(), 100);
}

#[test]
fn no_event_is_left_lying_however_workers_park() {
    let (bench, seats) = Bench::running::<3>();
    run_parking(&bench, seats, |event| bench.map([event]));
}

/// The workers park after every event, or nearly; whoever does not see what the other did last
/// leaves an event lying, and its worker parked.
pub(super) fn run_parking<const N: usize>(bench: &Bench, seats: [Seat; N], put: impl Fn(u32)) {
    const EVENTS: u32 = 20_000;
    let ears = Ears::of_all(bench, &seats);
    let (answered, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for mut seat in seats {
            let (answered, over) = (&answered, &over);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    // A worker that nobody notifies would sleep for ever: it looks again only at the end.
                    let Some(item) = seat.player.next_woken(|| over.load(Ordering::SeqCst)) else {
                        continue;
                    };
                    seat.player.answer(&item, Outcome::response("1"));
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut random = fastrand::Rng::with_seed(5);
        for event in 0..EVENTS {
            put(event);
            let most = random.usize(1..5);
            until("the events are claimed", || {
                (event as usize) < answered.load(Ordering::SeqCst) + most
            });
        }
        until("the last answer", || answered.load(Ordering::SeqCst) == EVENTS as usize);
    });
    for ear in ears {
        ear.join();
    }
}

/// A pool of four on two processors, whose events were all answered in no time.
fn swift_crowd() -> (Bench, Vec<Bare>) {
    let (bench, bares) = all_parked(4);
    for slot in 0..4 {
        let mut state = bench.pool.lock();
        state.on(Event::Claimed { slot, task: 90 + slot as u64, from: NOWHERE, is_long: false });
        state.on(Event::Answered { slot, task: 90 + slot as u64, run: 0.001 });
    }
    (bench, bares)
}

/// Where events were claimed that no lane has.
const NOWHERE: Position = Position { lane: LANE, at: u64::MAX };

#[test]
fn of_short_events_no_more_workers_are_woken_than_there_are_processors() {
    let (bench, mut bares) = swift_crowd();
    bench.map(0..100);
    bench.pool.flush();
    assert_eq!(woken(&mut bares).len(), 2);
    assert!(!bench.writer.has_parked(), "the others rest");
    // One that has nothing more to do is woken again.
    bares[0].claimer.park();
    assert!(bench.writer.has_parked());
    bench.pool.flush();
    assert_eq!(woken(&mut bares), [0]);
    assert!(!bench.writer.has_parked());
}

#[test]
fn those_that_rest_are_woken_as_soon_as_nobody_claims() {
    let (bench, mut bares) = swift_crowd();
    bench.map(0..100);
    bench.pool.flush();
    let awake = woken(&mut bares);
    for &slot in &awake {
        assert!(bares[slot].claimer.claim().is_some());
    }
    assert!(bench.pool.watched(), "somebody has claimed");
    assert_eq!(woken(&mut bares), [0; 0]);
    // Those two run something long.
    bench.pool.watched();
    assert_eq!(woken(&mut bares).len(), 2);
}

#[test]
fn nobody_rests_once_all_is_done_or_those_that_are_awake_are_gone() {
    let (bench, mut bares) = swift_crowd();
    bench.map(0..2);
    bench.pool.flush();
    let awake = woken(&mut bares);
    assert_eq!(awake.len(), 2);
    for &slot in &awake {
        while bares[slot].claimer.claim().is_some() {}
    }
    assert!(bench.pool.watched());
    assert!(!bench.pool.watched(), "nothing is left to watch");
    assert!(bench.writer.has_parked(), "an event wakes the others");

    let (bench, mut bares) = swift_crowd();
    bench.map(0..100);
    bench.pool.flush();
    for slot in woken(&mut bares) {
        bench.pool.exited(slot, Exit::Signal(9), false);
    }
    assert_eq!(woken(&mut bares).len(), 2);
}
