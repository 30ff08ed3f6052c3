//! Runs that end in the middle, and runs beside each other.

use super::*;

/// A map, a batch behind it, a reduce in the master, one of a worker, and something with tags; each may fail and is tried again later.
fn everything() -> Json {
    plan(
        &[
            node_with(&[0], 0, &again(2, 50.0)),
            node_with(&[1], 1, &json!({ "hold": "batch", "batch": { "count": 2, "ms": 10 } })),
            node_with(&[2], 2, &again(1, 0.0)),
            node_with(&[3], 2, &json!({ "hold": "master" })),
            node_with(&[1], 2, &json!({ "hold": "all" })),
            node_with(&[1], 2, &json!({ "tags": ["a"] })),
        ],
        &[&[to(2), to(5), to(6)], &[to(3), to(4)], &[sink(1)]],
    )
}

fn answer_one(seat: &mut Seat, bench: &Bench, random: &mut fastrand::Rng) -> bool {
    let Some(item) = seat.player.look() else { return false };
    let exit = match number_of(&item).max(1) {
        1 => '%',
        2 => '&',
        _ => '\'',
    };
    let outcome = match random.u8(..6) {
        0 => Outcome::failed("{}"),
        1 => outputs(""),
        _ => {
            seat.player.answer(&item, outputs(&format!("{exit}1\n{exit}2")));
            bench.pool.flush();
            return true;
        }
    };
    seat.player.answer(&item, outcome);
    bench.pool.flush();
    true
}

#[test]
fn wherever_a_run_ends_nothing_of_it_is_left() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &["a"], false), (1, &[], false)];
    for how in ["stop", "fail", "close"] {
        for steps in 0..40 {
            let mut random = fastrand::Rng::with_seed(steps);
            let mut bench = super::super::routed::pool(&groups, flow(&everything()));
            bench.orders();
            let (bench, [mut a, mut b]) = bench.run();
            bench.map(0..6);
            for step in 0..steps {
                if step == 20 {
                    bench.pool.drained(bench.run);
                }
                let seat = if random.bool() { &mut a } else { &mut b };
                answer_one(seat, &bench, &mut random);
            }
            let mut held: Vec<(usize, Item)> = Vec::new();
            for (at, seat) in [&mut a, &mut b].into_iter().enumerate() {
                held.extend(seat.player.look().map(|item| (at, item)));
            }
            bench.pool.flush();
            match how {
                "stop" => bench.pool.stop(bench.run),
                "fail" => bench.pool.enter(|state| {
                    state.fail(Error::Protocol { worker: 1, what: "no".into() });
                }),
                _ => bench.pool.close(bench.run),
            }
            bench.hear();
            if how != "close" {
                let is_drained = bench.pool.drained(bench.run);
                assert_eq!(is_drained, bench.outstanding() == 0, "{how} {steps}");
                assert!(bench.outstanding() <= held.len(), "{how} {steps}");
            }
            for (at, item) in held {
                let seat = if at == 0 { &mut a } else { &mut b };
                seat.player.answer(&item, outputs("%1"));
            }
            bench.pool.flush();
            assert!(bench.leaves_nothing(bench.run), "{how} {steps}");
            if how != "close" {
                assert!(bench.is_done(), "{how} {steps}");
                bench.pool.close(bench.run);
            }
            let state = bench.pool.lock();
            assert_eq!((state.tasks.len(), state.tasks.bytes()), (0, 0), "{how} {steps}");
        }
    }
}

#[test]
fn runs_with_flows_and_without_are_beside_each_other() {
    let (bench, mut seats) = lasting(2).run::<2>();
    let flows: Vec<Other> =
        (0..3).map(|_| Other::of(&bench, flow(&two(&json!({}), &json!({}))))).collect();
    let others: Vec<Other> = (0..2).map(|_| Other::of(&bench, plain())).collect();
    for number in 0..20 {
        for run in flows.iter().chain(&others) {
            run.map(&bench, [number]);
        }
    }
    let mut idle = 0;
    let mut drained = vec![false; flows.len()];
    while idle < 4 {
        for (at, run) in flows.iter().enumerate() {
            drained[at] |= bench.pool.drained(run.id);
        }
        idle += 1;
        for seat in &mut seats {
            let Some(item) = seat.player.look() else { continue };
            idle = 0;
            let answer = text_of(&item);
            seat.player.answer(&item, Outcome::response(&answer));
            bench.pool.flush();
        }
    }
    for run in &flows {
        assert!(bench.leaves_nothing(run.id));
        let entries = bench.take_of(run.id, Queue::Results);
        let mut numbers: Vec<u64> =
            entries.iter().map(|entry| entry.response.as_u64().expect("a number")).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    }
    for run in &others {
        assert_eq!(run.numbers(&bench, Queue::Results), (0..20).collect::<Vec<_>>());
        assert!(bench.pool.drained(run.id));
    }
    for run in flows.iter().chain(&others) {
        assert_eq!(run.outstanding(&bench), 0);
        bench.pool.close(run.id);
    }
    assert_eq!(bench.pool.lock().tasks.len(), 0);
}

#[test]
fn an_emitted_event_is_not_put_in_while_javascript_is_putting_one_in_and_is_later() {
    let (bench, [mut seat]) = of_flow(&two(&json!({}), &json!({})));
    bench.map([1]);
    let item = seat.player.start();
    let writer = {
        let state = bench.pool.lock();
        let memory = Arc::clone(state.lanes.memory());
        crate::queue::writer::Writer::new(memory, state.lanes.front(LANE), bench.run, false)
    };
    let room = writer.room(10).expect("a place");
    seat.player.answer(&item, outputs("%7"));
    bench.pool.flush();
    assert_eq!((seat.sees(), bench.overflowing()), (None, 1));
    assert!(bench.pool.lock().watch.is_held_off && bench.pool.watched(), "somebody looks again");
    assert_eq!((seat.sees(), bench.overflowing()), (None, 1));
    assert!(!bench.has_place(), "no other is put in before it");
    drop(room);
    assert!(!bench.pool.lock().lanes.lane(LANE).waiting().contains(&0));
    bench.pool.watched();
    assert_eq!(bench.overflowing(), 0);
    seat.does(&bench, ("7", 2), Outcome::response("8"));
    assert!(bench.has_place() && bench.is_done());
}
