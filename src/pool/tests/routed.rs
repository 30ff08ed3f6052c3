//! Promised: an event that names its workers runs on one of those and on no other, whatever becomes of workers, and ends
//! once; what names none runs on no exclusive worker. Workers that are busy hold up nobody else's events, nor their credit.
//! What no worker will ever run fails at once, with the tags that it wants.

mod chains;
mod lanes;
mod walk;

use super::parked::run_parking;
use super::*;
use crate::core::retry::{Cause, Policy};
use crate::core::router;
use crate::core::router::Routing;
use crate::pool::route::Room;

/// A pool of workers in groups: how many, their tags, whether they are exclusive.
pub(super) fn pool(groups: &[(usize, &[&str], bool)], options: RunOptions) -> Bench {
    let count: usize = groups.iter().map(|&(count, ..)| count).sum();
    let mut launch = launch(count as u32, DEADLINE);
    launch.groups = groups
        .iter()
        .map(|&(_, tags, is_exclusive)| {
            let tags = tags.iter().map(ToString::to_string).collect();
            Group { route: router::Group { tags, is_exclusive }, ..Group::default() }
        })
        .collect();
    launch.group_of = (0..).zip(groups).flat_map(|(at, &(count, ..))| vec![at; count]).collect();
    Bench::with(launch, options)
}

fn bench<const N: usize>(groups: &[(usize, &[&str], bool)]) -> (Bench, [Seat; N]) {
    pool(groups, plain()).run()
}

fn retrying<const N: usize>(groups: &[(usize, &[&str], bool)]) -> (Bench, [Seat; N]) {
    let on = vec![Cause::Crash, Cause::Timeout, Cause::Error];
    let retries = Some(Policy { limit: 1, backoff: 0.0, factor: 2.0, max_delay: 1e3, on });
    pool(groups, RunOptions { retries, ..plain() }).run()
}

impl Bench {
    fn route(&self, number: u32, tags: &[&str], key: Option<&str>) -> Result<Room, Error> {
        self.route_as(number, tags, key, 0)
    }

    /// Has an event taken in and offered, as JavaScript does once it has handed over what it has.
    fn take_in(&self, routing: Routing, text: impl Into<Bytes>, flags: u32) -> Result<Room, Error> {
        let room = self.pool.submit_routed(self.run, routing, text, flags)?;
        self.pool.flush();
        Ok(if room == Room::IsSoon { Room::Is } else { room })
    }

    fn route_as(
        &self,
        number: u32,
        tags: &[&str],
        key: Option<&str>,
        flags: u32,
    ) -> Result<Room, Error> {
        let tags = tags.iter().map(ToString::to_string).collect();
        let routing = Routing { tags, key: key.map(ToOwned::to_owned), priority: 0 };
        self.take_in(routing, number.to_string().as_bytes(), flags)
    }

    fn urgent(&self, numbers: impl IntoIterator<Item = u32>, priority: i32) {
        for number in numbers {
            let routing = Routing { priority, ..Routing::default() };
            let text = number.to_string();
            self.take_in(routing, text.as_bytes(), 0).expect("it runs");
        }
    }

    fn tag(&self, numbers: impl IntoIterator<Item = u32>, tag: &str) {
        for number in numbers {
            self.route(number, &[tag], None).expect("some worker runs it");
        }
    }

    /// Nothing of what was handed over is left anywhere.
    fn is_clean(&self) -> bool {
        let state = self.pool.lock();
        state.tasks.len() == 0 && state.router.count(self.run) == 0 && !state.router.has_offers()
    }
}

/// What the worker would run now.
fn look(seat: &mut Seat) -> Option<String> {
    seat.player.look().map(|item| String::from_utf8(item.text.to_vec()).expect("UTF-8"))
}

fn next(seat: &mut Seat) -> String {
    look(seat).expect("an event")
}

/// Nothing is started in `slot` any more.
pub(super) fn give_up(bench: &Bench, slot: usize, seat: Seat) {
    kill(bench, slot, seat);
    let source = std::io::Error::from_raw_os_error(libc::EAGAIN);
    bench.pool.not_started(slot, Error::Spawn { worker: 0, program: "node".into(), source });
}

#[test]
fn an_event_runs_on_a_worker_with_its_tags_and_others_on_none_that_is_exclusive() {
    let (bench, [mut gpu, mut cpu]) = bench(&[(1, &["gpu"], true), (1, &["cpu"], false)]);
    bench.map([1]);
    bench.tag([2], "gpu");
    bench.tag([3], "cpu");
    let item = gpu.player.start();
    assert_eq!(item.text, "2");
    assert_eq!(look(&mut gpu), None);
    for expected in ["3", "1"] {
        let item = cpu.player.start();
        assert_eq!(item.text, expected);
        cpu.player.answer(&item, Outcome::response(&item.text));
    }
    gpu.player.answer(&item, Outcome::response("2"));
    bench.pool.flush();
    let mut numbers = bench.numbers(Queue::Results);
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(bench.is_clean() && bench.pool.drained(bench.run));
}

#[test]
fn a_worker_takes_turns_between_what_names_it_and_the_rest() {
    let (bench, [mut seat]) = bench(&[(1, &["t"], false)]);
    bench.tag(0..4, "t");
    bench.map(10..14);
    let order: Vec<String> = (0..8)
        .map(|_| {
            let item = seat.player.start();
            seat.player.answer(&item, Outcome::response("1"));
            String::from_utf8(item.text.to_vec()).expect("UTF-8")
        })
        .collect();
    assert_eq!(order, ["0", "10", "1", "11", "2", "12", "3", "13"]);
}

/// Runs so many events, one after another. What they are.
fn in_order(bench: &Bench, seat: &mut Seat, count: usize) -> Vec<u32> {
    let next = |_| {
        let item = seat.player.start();
        seat.player.answer(&item, Outcome::response("1"));
        bench.pool.flush();
        String::from_utf8_lossy(&item.text).parse().expect("a number")
    };
    (0..count).map(next).collect()
}

#[test]
fn of_a_higher_priority_comes_first_whatever_else_waits() {
    let (bench, [mut seat]) = bench(&[(1, &["t"], false)]);
    bench.urgent(0..30, -1);
    bench.map(30..33);
    bench.tag(40..42, "t");
    assert_eq!(in_order(&bench, &mut seat, 2), [40, 30], "they take turns");
    bench.urgent([50], 1);
    bench.urgent([60], 2);
    bench.urgent([51], 1);
    assert_eq!(in_order(&bench, &mut seat, 6), [60, 50, 51, 31, 41, 32]);
    // One that has been offered for long comes after one that comes now.
    bench.urgent([70], 0);
    bench.map([34]);
    let mut next = in_order(&bench, &mut seat, 2);
    next.sort_unstable();
    assert_eq!(next, [34, 70]);
    assert_eq!(in_order(&bench, &mut seat, 30), (0..30).collect::<Vec<_>>());
    assert_eq!(look(&mut seat), None);
    bench.pool.flush();
    assert!(bench.is_clean() && bench.pool.drained(bench.run));
}

#[test]
fn a_priority_stays_an_events_when_its_worker_dies() {
    let (bench, [mut seat]) = retrying(&[(1, &[], false)]);
    bench.urgent([1], 1);
    bench.urgent(2..5, -1);
    bench.map([7]);
    assert_eq!(next(&mut seat), "1");
    let mut seat = replace(&bench, 0, seat);
    assert_eq!(in_order(&bench, &mut seat, 5), [1, 7, 2, 3, 4]);
    bench.pool.flush();
    assert_eq!(bench.results(), 5);
    assert!(bench.is_clean());
}

#[test]
fn the_least_specialised_worker_is_woken_first() {
    let (bench, [mut special, mut plain]) = bench(&[(1, &["a", "b"], false), (1, &["a"], false)]);
    let parked = || [0, 1].map(|slot| bench.pool.lock().lanes.is_parked(slot));
    assert_eq!(parked(), [true, true]);
    bench.map([1]);
    assert_eq!(parked(), [true, false]);
    plain.run(&bench, 1);
    assert!(plain.player.park());
    bench.tag([2], "a");
    assert_eq!(parked(), [true, false]);
    plain.run(&bench, 1);
    bench.tag([3], "b");
    special.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [1, 2, 3]);
}

#[test]
fn a_parked_worker_is_woken_for_what_names_it_even_if_it_is_exclusive() {
    let (bench, seats) = bench::<2>(&[(1, &["gpu"], true), (1, &[], false)]);
    let ears = Ears::of_all(&bench, &seats);
    let [mut gpu, other] = seats;
    for number in 0..100 {
        bench.tag([number], "gpu");
        let item = gpu.player.next();
        gpu.player.answer(&item, Outcome::response("1"));
    }
    // Nobody polls here for the last ones.
    bench.pool.flush();
    assert_eq!(bench.results(), 100);
    drop((gpu, other));
    ears.into_iter().for_each(Ears::join);
}

#[test]
fn another_worker_is_woken_where_one_does_not_come() {
    let (bench, [_stopped, mut other]) = bench(&[(2, &["t"], false)]);
    bench.tag([1], "t");
    let woken = |slot: usize| bench.pool.lock().slots[slot].wake_up;
    assert_ne!((woken(0), woken(1)), (wake::WakeUp::None, wake::WakeUp::None));
    while bench.pool.watched() {}
    bench.pool.flush();
    let item = other.player.next();
    assert_eq!(item.text, "1");
}

#[test]
fn busy_workers_hold_up_neither_the_events_of_others_nor_their_credit() {
    let (bench, [mut gpu, mut cpu]) = bench(&[(1, &["gpu"], true), (1, &[], false)]);
    let credit = bench.credit();
    bench.tag(0..20_000, "gpu");
    assert_eq!(next(&mut gpu), "0");
    assert_eq!(bench.credit(), credit, "the others have as much");
    bench.map([50_000]);
    assert_eq!(bench.credit(), credit - 1);
    cpu.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [50_000]);
    assert_eq!(bench.credit(), credit + bench.credit() - credit);
    assert!(bench.has_place());
}

#[test]
fn a_map_without_room_is_told_when_there_is() {
    let (bench, [mut gpu, _other]) = bench(&[(1, &["gpu"], true), (1, &[], false)]);
    let rooms: Vec<Room> =
        (0..66).map(|number| bench.route(number, &["gpu"], None).expect("it runs")).collect();
    assert!(rooms[..64].iter().all(|&room| room == Room::Is));
    assert_eq!(rooms[64..], [Room::Awaits(64), Room::Awaits(65)]);
    assert_eq!(bench.hear(), []);
    let mut run = |count: usize| {
        for _ in 0..count {
            let item = gpu.player.start();
            gpu.player.answer(&item, Outcome::response("1").taking(LONG));
            bench.pool.flush();
        }
    };
    run(1);
    assert_eq!(bench.hear(), [Note::Room { run: bench.run, numbers: vec![64] }]);
    run(2);
    assert_eq!(bench.hear(), [Note::Room { run: bench.run, numbers: vec![65] }]);
}

#[test]
fn where_events_are_short_there_is_room_for_more_and_a_little_of_it_is_told_together() {
    let (bench, [mut seat]) = bench(&[(1, &["t"], false)]);
    // As many as fit into a moment.
    let most = (1.0 / SHORT) as u32;
    seat.widen(&bench, most as usize);
    let first = bench.words.handed_over();
    let room = |number| bench.route(number, &["t"], None).expect("it runs");
    assert!((0..most).all(|number| room(number) == Room::Is));
    let waiting = first + u64::from(most);
    assert_eq!(room(most), Room::Awaits(waiting));
    seat.run(&bench, most as usize / 4);
    assert_eq!(bench.hear(), []);
    seat.run(&bench, 1);
    assert_eq!(bench.hear(), [Note::Room { run: bench.run, numbers: vec![waiting] }]);
    seat.run(&bench, 3 * most as usize / 4);
    assert!(bench.is_clean());
}

#[test]
fn short_events_that_come_one_after_the_other_are_offered_together_or_at_the_next_flush() {
    let (bench, [mut seat]) = bench(&[(1, &["t"], false)]);
    let submit = || {
        let routing = Routing { tags: vec!["t".into()], ..Routing::default() };
        bench.pool.submit_routed(bench.run, routing, b"1", 0).expect("it runs")
    };
    // Nothing is known of how long they run.
    assert_eq!([submit(), submit()], [Room::Is; 2]);
    seat.run(&bench, 2);
    seat.widen(&bench, 64);
    assert_eq!(submit(), Room::Is, "it is alone");
    let item = seat.player.start();
    assert_eq!(submit(), Room::IsSoon);
    assert_eq!(look(&mut seat), None);
    bench.pool.flush();
    let second = seat.player.start();
    assert!((0..32).all(|_| submit() == Room::IsSoon));
    assert_eq!((look(&mut seat), submit()), (None, Room::Is));
    for item in [item, second] {
        seat.player.answer(&item, Outcome::response("1"));
    }
    seat.run(&bench, 33);
    assert!(bench.is_clean());
}

#[test]
fn of_large_events_there_is_room_for_one_a_worker() {
    let options = RunOptions { max_bytes: 1000, ..plain() };
    let (bench, [mut gpu]) = pool(&[(1, &["gpu"], false)], options).run();
    let tags = || Routing { tags: vec!["gpu".into()], ..Routing::default() };
    let large = vec![b' '; 2000];
    let submit = || bench.take_in(tags(), &large, 0).expect("it runs");
    assert_eq!([submit(), submit()], [Room::Is, Room::Awaits(1)]);
    let item = gpu.player.start();
    gpu.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    assert_eq!(bench.hear(), [Note::Room { run: bench.run, numbers: vec![1] }]);
}

#[test]
fn a_text_that_is_too_long_for_a_lane_comes_to_the_worker_that_claims_it() {
    let (bench, [mut other, mut gpu]) = bench(&[(1, &[], false), (1, &["gpu"], false)]);
    let big = vec![b'7'; Shared::LONGEST + 1];
    let routing = Routing { tags: vec!["gpu".into()], ..Routing::default() };
    let routed = bench.take_in(routing, &big, 0);
    assert_eq!(routed.expect("it runs"), Room::Is);
    assert!(other.player.look().is_none());
    assert!(gpu.player.look().is_none() && gpu.player.awaits_text);
    bench.pool.flush();
    let item = loop {
        if let Some(item) = gpu.player.look() {
            break item;
        }
        bench.pool.flush();
    };
    assert!(gpu.player.claim(&item) && item.text == big);
    gpu.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    assert!(bench.is_clean());
}

#[test]
fn a_worker_that_dies_loses_no_event_and_none_goes_to_a_worker_without_its_tags() {
    let (bench, [mut gpu, mut other]) = retrying(&[(1, &["gpu"], false), (1, &[], false)]);
    bench.tag(0..20, "gpu");
    gpu.run(&bench, 3);
    assert_eq!(next(&mut gpu), "3");
    let mut gpu = replace(&bench, 0, gpu);
    assert_eq!(look(&mut other), None);
    let mut order = Vec::new();
    for _ in 0..17 {
        let item = gpu.player.start();
        order.push(String::from_utf8(item.text.to_vec()).expect("UTF-8"));
        // It fails once more, in its function.
        let fails = item.text == "3";
        let outcome = if fails { Outcome::failed("{}") } else { Outcome::response("1") };
        gpu.player.answer(&item, outcome);
        bench.pool.flush();
    }
    let again = order.iter().position(|text| text == "3").expect("it is tried again");
    assert!(again < order.len() - 1, "it comes before those that were never offered: {order:?}");
    assert_eq!(look(&mut other), None);
    assert_eq!(bench.numbers(Queue::Failures), [3]);
    assert_eq!(bench.take(Queue::Results).len(), 19);
    assert!(bench.is_clean() && bench.pool.drained(bench.run));
}

#[test]
fn of_a_key_one_event_runs_at_a_time_in_order_in_one_worker_through_crashes_and_retries() {
    let (bench, seats) = retrying::<3>(&[(3, &[], false)]);
    for number in 0..12 {
        let key = if number % 2 == 0 { "even" } else { "odd" };
        bench.route(number, &[], Some(key)).expect("it runs");
    }
    let mut seats: Vec<Option<Seat>> = seats.into_iter().map(Some).collect();
    let mut order: [Vec<u32>; 2] = Default::default();
    let mut workers: [Vec<usize>; 2] = Default::default();
    for round in 0.. {
        let mut held = Vec::new();
        for (slot, seat) in seats.iter_mut().enumerate() {
            let seat = seat.as_mut().expect("a worker");
            while let Some(item) = seat.player.look() {
                let number: u32 = String::from_utf8_lossy(&item.text).parse().expect("a number");
                held.push((slot, item, number));
            }
        }
        if held.is_empty() {
            break;
        }
        for key in 0..2 {
            let of_key = held.iter().filter(|(_, _, number)| number % 2 == key);
            assert!(of_key.count() <= 1, "one at a time");
        }
        for (slot, item, number) in held {
            let key = (number % 2) as usize;
            workers[key].push(slot);
            if number == 4 && round == 2 {
                let seat = seats[slot].take().expect("a worker");
                seats[slot] = Some(replace(&bench, slot, seat));
                continue;
            }
            order[key].push(number);
            let seat = seats[slot].as_mut().expect("a worker");
            seat.player.answer(&item, Outcome::response("1"));
        }
        bench.pool.flush();
    }
    assert_eq!(order, [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11]]);
    for workers in workers {
        assert!(workers.iter().all(|slot| *slot == workers[0]), "{workers:?}");
    }
    assert!(bench.is_clean() && bench.pool.drained(bench.run));
}

#[test]
fn what_only_a_worker_that_is_given_up_could_run_fails_at_once_and_the_rest_goes_on() {
    let (bench, [mut gpu, mut other]) = retrying(&[(1, &["gpu"], false), (1, &[], false)]);
    bench.tag(0..20, "gpu");
    for number in 20..30 {
        bench.route(number, &["gpu"], Some("key")).expect("it runs");
    }
    bench.map([99]);
    assert_eq!(next(&mut gpu), "0");
    bench.hear();
    give_up(&bench, 0, gpu);
    let failures = bench.take(Queue::Failures);
    let mut numbers: Vec<u64> = failures.iter().filter_map(|entry| entry.data.as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..30).collect::<Vec<_>>());
    for entry in failures {
        assert_eq!(entry.response["code"], "ERR_SONIC_NO_WORKER");
        let message = entry.response["message"].as_str().expect("a text");
        assert!(message.ends_with(r#"the last worker with "gpu" was given up"#), "{message}");
    }
    let error = bench.route(1, &["gpu"], None).expect_err("nobody runs it");
    assert_eq!(error.code(), "ERR_SONIC_NO_WORKER");
    other.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [99]);
    assert!(bench.is_clean() && bench.pool.drained(bench.run));
}

#[test]
fn a_key_whose_worker_is_given_up_moves_with_all_that_waits() {
    let (bench, seats) = retrying::<2>(&[(2, &[], false)]);
    for number in 0..10 {
        bench.route(number, &[], Some("key")).expect("it runs");
    }
    let mut seats: Vec<Option<Seat>> = seats.into_iter().map(Some).collect();
    let slot = seats
        .iter_mut()
        .position(|seat| seat.as_mut().is_some_and(|seat| look(seat).is_some()))
        .expect("some worker has the key");
    give_up(&bench, slot, seats[slot].take().expect("a worker"));
    seats[1 - slot].as_mut().expect("a worker").run(&bench, 10);
    assert_eq!(bench.numbers(Queue::Results), (0..10).collect::<Vec<_>>());
    assert!(bench.is_clean());
}

#[test]
fn what_names_no_worker_fails_where_all_that_are_left_are_exclusive() {
    let (bench, [mut gpu, other]) = bench(&[(1, &["gpu"], true), (1, &[], false)]);
    bench.map(0..3);
    give_up(&bench, 1, other);
    let failures = bench.take(Queue::Failures);
    assert_eq!(failures.len(), 3);
    assert_eq!(failures[0].response["code"], "ERR_SONIC_NO_WORKER");
    assert!(!bench.has_place(), "JavaScript asks first");
    assert!(bench.pool.refusal(bench.run).is_some());
    // What comes nevertheless ends too.
    bench.submit([4]);
    assert_eq!(bench.numbers(Queue::Failures), [4]);
    bench.tag([5], "gpu");
    gpu.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [5]);
    assert!(bench.is_clean() && bench.pool.drained(bench.run));
}

#[test]
fn a_run_that_is_stopped_or_closed_leaves_nothing_behind() {
    for closes in [false, true] {
        let (bench, [mut gpu]) = bench(&[(1, &["gpu"], false)]);
        bench.tag(0..100, "gpu");
        for number in 100..110 {
            bench.route(number, &[], Some("key")).expect("it runs");
        }
        let item = gpu.player.start();
        if closes {
            bench.pool.close(bench.run);
        } else {
            bench.pool.stop(bench.run);
        }
        bench.pool.flush();
        gpu.player.answer(&item, Outcome::response("1"));
        bench.pool.flush();
        assert!(bench.is_clean());
    }
}

#[test]
fn a_worker_that_claims_what_is_for_another_is_killed_and_the_event_runs_where_it_belongs() {
    let (bench, [mut gpu, mut rogue]) = bench(&[(1, &["gpu"], false), (1, &[], false)]);
    rogue.player.claimer = Claimer::new(Arc::clone(&bench.lanes), 1).in_group(0);
    bench.tag([1], "gpu");
    let item = rogue.player.look().expect("it takes it");
    bench.pool.flush();
    rogue.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    assert!(rogue.process.was_killed());
    gpu.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [1]);
    assert!(bench.is_clean());
}

#[test]
fn a_full_lane_of_events_for_a_busy_worker_lets_others_pass() {
    // Each queue offers a few, so it takes many of them.
    let count = 40;
    let groups: [(usize, &[&str], bool); 2] = [(count, &[], false), (1, &["free"], false)];
    let bench = pool(&groups, plain());
    let mut seats: Vec<Seat> = (0..=count).map(|slot| bench.seat(slot)).collect();
    for (slot, seat) in seats.iter_mut().enumerate() {
        bench.register(slot, seat);
    }
    let mut free = seats.pop().expect("a worker");
    // The first of them stays unclaimed, and in the way.
    bench.route(0, &[], Some("first")).expect("it runs");
    let mut ran = 0;
    for number in 1..=2 * Shared::PLACES {
        bench.tag([number], "free");
        while free.player.look().is_some_and(|item| {
            free.player.answer(&item, Outcome::response("1"));
            true
        }) {
            ran += 1;
        }
        bench.pool.flush();
    }
    assert_eq!(ran, 2 * Shared::PLACES);
    let first = seats.iter_mut().find_map(look).expect("it is still there");
    assert_eq!(first, "0");
}

#[test]
fn no_event_is_left_lying_however_workers_park_that_are_woken_for_two_reasons() {
    let (bench, seats) = bench::<2>(&[(2, &["cpu"], false)]);
    run_parking(&bench, seats, |event| {
        if event % 2 == 0 {
            bench.tag([event], "cpu");
        } else {
            bench.map([event]);
        }
    });
}
