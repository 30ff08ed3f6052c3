//! Promised: in a run that is stopped nothing starts any more, whatever waits and wherever; a worker goes as
//! soon as it runs nothing, and one that runs something is told to go only then, so that it ends with its
//! master until then; who is left when the grace is over is killed, and nobody is replaced.

use super::*;

/// Whether the worker was let go.
fn was_released(seat: &mut Seat) -> bool {
    let mut bytes = [0; 4096];
    seat.channel.set_nonblocking(true).expect("a socket");
    let count = seat.channel.read(&mut bytes).unwrap_or(0);
    bytes[..count].ends_with(b"\"act\":\"disconnect\",\"seq\":0}\n")
}

#[test]
fn nothing_starts_any_more_and_workers_go_when_they_run_nothing() {
    let (mut bench, [mut busy, mut idle]) = Bench::running();
    bench.map([0]);
    let running = busy.player.start();
    assert!(bench.submit_to(1, b"1", 0));
    bench.pool.stop(bench.run);
    bench.map(2..5);
    bench.submit([5]);
    assert!(was_released(&mut idle) && !was_released(&mut busy));
    assert!(busy.player.arrived().iter().all(|item| !busy.player.claim(item)));
    busy.player.answer(&running, Outcome::response("0"));
    bench.pool.flush();
    assert!(was_released(&mut busy));
    for seat in [&mut busy, &mut idle] {
        assert!(seat.player.look().is_none() && !seat.process.was_killed());
    }
    for slot in [0, 1] {
        bench.pool.exited(slot, Exit::Code(0), false);
    }
    assert_eq!(bench.hear().last(), Some(&Note::Closed));
    let orders = bench.orders();
    let is_end = |order: &&Order| matches!(order, Order::EndRun { .. } | Order::Stop);
    let ends: Vec<_> = orders.iter().filter(is_end).collect();
    assert!(matches!(ends[..], [Order::EndRun { .. }, Order::Stop]), "{orders:?}");
}

#[test]
fn who_is_left_is_killed_and_not_replaced() {
    let mut bench = Bench::new(3);
    let [mut busy, mut idle] = [0, 1].map(|slot| bench.seat(slot));
    let starting = bench.seat(2);
    for (slot, seat) in [&mut busy, &mut idle].into_iter().enumerate() {
        bench.register(slot, seat);
    }
    bench.map([0]);
    busy.player.start();
    bench.pool.stop(bench.run);
    bench.pool.release();
    assert!(!was_released(&mut busy), "a worker that runs something is not let go");
    bench.pool.end_run(bench.run);
    assert!([&busy, &idle, &starting].iter().all(|seat| seat.process.was_killed()));
    for slot in [0, 1, 2] {
        bench.pool.exited(slot, Exit::Signal(9), false);
    }
    assert_eq!(bench.restarts(), []);
    assert_eq!(bench.hear().last(), Some(&Note::Closed));
}

#[test]
fn a_worker_that_comes_up_in_a_stopped_run_is_let_go() {
    let bench = Bench::new(2);
    let [mut early, mut late] = [0, 1].map(|slot| bench.seat(slot));
    bench.register(0, &mut early);
    bench.pool.stop(bench.run);
    assert!(was_released(&mut early) && !was_released(&mut late));
    bench.register(1, &mut late);
    assert!(was_released(&mut late));
}

#[test]
fn the_first_failure_stops_a_run_that_wants_that_once() {
    let options = RunOptions { stop_on_failure: true, ..plain() };
    let bench = Bench::with(launch(2, DEADLINE), options);
    let (mut bench, [mut first, mut second]) = bench.run();
    bench.map(0..4);
    let [one, other] = [&mut first, &mut second].map(|seat| seat.player.start());
    first.player.answer(&one, Outcome::failed("{}"));
    bench.pool.flush();
    assert_eq!(bench.hear(), [Note::Stopped { run: bench.run }]);
    second.player.answer(&other, Outcome::failed("{}"));
    bench.pool.flush();
    assert_eq!(bench.hear(), []);
    assert!(was_released(&mut first) && was_released(&mut second));
    assert_eq!(bench.numbers(Queue::Failures), [0, 1]);
    let ends = bench.orders().into_iter().filter(|order| matches!(order, Order::EndRun { .. }));
    assert_eq!(ends.count(), 1);
}
