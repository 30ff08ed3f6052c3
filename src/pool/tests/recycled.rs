//! Promised: a worker that has answered as many events as it may, or has grown too large, is let go when it
//! runs nothing and will claim nothing more, and not before; it is told so once. One without a sign of
//! life is killed, and nobody else. What was let go and is still there after its grace is killed.

use super::*;
use crate::core::lifecycle::Kill;
use crate::os::clock::clock;

impl Bench {
    fn with_limits(workers: u32, limits: Limits) -> Self {
        let mut launch = launch(workers, DEADLINE);
        launch.limits = limits;
        Self::launched(launch)
    }
}

fn max_tasks<const N: usize>(max_tasks: u32) -> (Bench, [Seat; N]) {
    let limits = Limits { max_tasks: Some(max_tasks), ..Limits::default() };
    Bench::with_limits(N as u32, limits).run()
}

fn is_recycled(notes: &[Note]) -> bool {
    notes.iter().any(|note| matches!(note, Note::Recycled { worker: 1 }))
}

#[test]
fn a_worker_is_let_go_with_its_last_answer_and_replaced_when_it_has_ended() {
    let (mut bench, [mut seat]) = max_tasks(3);
    bench.map(0..5);
    seat.run(&bench, 2);
    assert!(!is_recycled(&bench.hear()));
    seat.run(&bench, 1);
    assert!(is_recycled(&bench.hear()));
    assert!(seat.player.look().is_none(), "it claims nothing");
    bench.pool.exited(0, Exit::Code(0), false);
    assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
    assert_eq!(bench.take(Queue::Failures), []);
    let mut next = bench.seat(0);
    bench.register(0, &mut next);
    next.run(&bench, 2);
    assert_eq!(bench.numbers(Queue::Results), [0, 1, 2, 3, 4]);
}

#[test]
fn a_worker_that_answered_its_last_event_before_all_were_ready_is_let_go_when_they_are() {
    let limits = Limits { max_tasks: Some(2), ..Limits::default() };
    for is_given_up in [false, true] {
        let bench = Bench::with_limits(2, limits.clone());
        let (mut first, mut second) = (bench.seat(0), bench.seat(1));
        bench.register(0, &mut first);
        bench.map(0..3);
        first.run(&bench, 2);
        assert!(!is_recycled(&bench.hear()), "one that cannot be started would end the run");
        if is_given_up {
            let source = std::io::Error::from_raw_os_error(libc::EAGAIN);
            let error = Error::Spawn { worker: 2, program: "node".into(), source };
            bench.pool.not_started(1, error);
        } else {
            bench.register(1, &mut second);
        }
        assert!(is_recycled(&bench.hear()), "given up: {is_given_up}");
    }
}

#[test]
fn a_worker_is_not_let_go_while_it_runs_something() {
    let (bench, [mut seat]) = max_tasks(1);
    assert!(bench.submit_to(1, b"1", 0));
    assert!(bench.submit_to(1, b"2", 0));
    let (first, second) = (seat.player.start(), seat.player.start());
    seat.player.answer(&first, Outcome::response(b"1"));
    bench.pool.flush();
    assert!(!is_recycled(&bench.hear()));
    seat.player.answer(&second, Outcome::response(b"2"));
    bench.pool.flush();
    assert!(is_recycled(&bench.hear()));
    assert_eq!(bench.numbers(Queue::Results), [1, 2]);
}

#[test]
fn a_large_worker_is_let_go_when_it_has_seen_that_it_is_to_claim_nothing() {
    let (bench, [mut seat]) = Bench::running();
    let large = |bench: &Bench| bench.pool.enter(|state| state.recycle(0));
    bench.map(0..2);
    let item = seat.player.start();
    large(&bench);
    seat.player.answer(&item, Outcome::response(b"0"));
    bench.pool.flush();
    assert!(!is_recycled(&bench.hear()), "it might have claimed another");
    seat.memory.word(Layout::SETTLED).store(1, Ordering::SeqCst);
    bench.pool.flush();
    assert!(is_recycled(&bench.hear()));
    assert_eq!(bench.numbers(Queue::Results), [0]);
}

#[test]
fn a_worker_without_a_sign_of_life_is_killed_and_its_event_stalled() {
    let (bench, [mut a, b]) = Bench::running();
    bench.map([0]);
    a.player.start();
    let look = || bench.pool.check_heartbeats(Duration::from_secs(8));
    // Its I/O thread hears nothing any more.
    a.control.shutdown(Shutdown::Write).expect("it is open");
    a.player.orphaned.recv_timeout(DEADLINE).expect("it sees that");
    for _ in 0..=HEARTBEATS {
        assert!(!a.process.was_killed());
        let beat = || b.memory.word(Layout::HEARTBEAT).load(Ordering::SeqCst);
        let before = beat();
        look();
        until("the other's beat", || beat() > before);
    }
    assert!(a.process.was_killed());
    assert!(!b.process.was_killed());
    let is_doomed =
        |seat: &Seat| seat.memory.word(Layout::KILL_PENDING).load(Ordering::SeqCst) == 1;
    assert!(is_doomed(&a) && !is_doomed(&b), "should the master end now");
    bench.pool.exited(0, Exit::Signal(9), false);
    let [failed] = &bench.take(Queue::Failures)[..] else { panic!("one event failed") };
    assert_eq!(failed.response["code"], "ERR_SONIC_WORKER_STALLED");
}

#[test]
fn whoever_is_still_there_after_its_grace_is_killed_and_its_successor_is_not() {
    let grace = Duration::from_millis(5);
    let limits = Limits { grace: Some(grace), ..Limits::default() };
    let (mut bench, [seat]) = Bench::with_limits(1, limits).run();
    bench.pool.disconnect(1);
    bench.pool.disconnect(1);
    let pid = seat.process.pid;
    let is_order =
        |order: &Order| matches!(order, Order::EndLingering { slot: 0, pid: of, .. } if *of == pid);
    assert_eq!(bench.orders().iter().filter(|order| is_order(order)).count(), 1);
    bench.pool.has_lingered(0, pid + 1, grace);
    assert!(!seat.process.was_killed());
    bench.pool.has_lingered(0, pid, grace);
    assert!(seat.process.was_killed());
    let kill = bench.pool.lock().scheduler.worker(0).kill().cloned();
    assert_eq!(kill, Some(Kill::Lingering { limit: 5 }));
}

#[test]
fn a_worker_that_crashes_before_it_is_let_go_has_crashed() {
    let (mut bench, [mut seat]) = Bench::running();
    bench.map([0]);
    seat.player.start();
    bench.pool.enter(|state| state.recycle(0));
    // Its sockets close with it.
    bench.pool.disconnected(0);
    bench.pool.exited(0, Exit::Signal(9), false);
    assert!(!is_recycled(&bench.hear()));
    let look = |record: &crate::observe::record::Record, sent| record.statistics(sent, clock());
    let statistics = bench.pool.recorded(bench.run, look).expect("a run");
    assert_eq!(statistics["crashes"], 1);
    assert_eq!(bench.restarts(), [(0, Duration::ZERO)]);
    assert_eq!(bench.numbers(Queue::Failures), [0]);
}
