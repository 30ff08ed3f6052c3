//! Promised: a pool that grows starts workers in slots of their own, that take events of runs which were open before; one that
//! shrinks loses no event: who is too many ends what it has, and what is for it alone, before it is released. Slots are used again.

use super::*;
use crate::pool::each::Each;

/// A pool that stays, with a run, and its workers.
fn running<const N: usize>() -> (Bench, [Seat; N]) {
    let mut launch = launch(N as u32, DEADLINE);
    launch.is_for_one_run = false;
    let (mut bench, seats) = Bench::with(launch, plain()).run();
    bench.orders();
    (bench, seats)
}

fn place(worker: u32) -> Place {
    Place { worker, node_args: Vec::new() }
}

fn removed(bench: &Bench) -> Vec<u32> {
    let worker = |note| if let Note::Removed { worker } = note { Some(worker) } else { None };
    bench.hear().into_iter().filter_map(worker).collect()
}

/// A worker that has nothing to do sees that it leaves, is released, and exits.
fn leave(bench: &Bench, slot: usize, seat: Seat) {
    assert!(seat.memory.word(Layout::WITHHELD).load(Ordering::SeqCst) & Layout::LEAVES != 0);
    assert!(!seat.process.was_killed());
    seat.memory.word(Layout::SETTLED).store(1, Ordering::SeqCst);
    bench.pool.flush();
    assert!(seat.is_released());
    drop(seat);
    bench.pool.exited(slot, Exit::Code(0), false);
}

#[test]
fn a_worker_more_takes_what_waits_in_runs_that_were_open_before() {
    let (mut bench, [mut first]) = running();
    bench.map(0..2);
    let item = first.player.start();
    assert_eq!(bench.resize(3, vec![place(2), place(3)]), [2, 3]);
    let starts = [(1, Duration::ZERO), (2, Duration::ZERO)];
    assert_eq!(bench.restarts(), starts);
    let mut second = bench.seat(1);
    bench.register(1, &mut second);
    second.run(&bench, 1);
    first.player.answer(&item, Outcome::response("1"));
    assert_eq!(bench.numbers(Queue::Results), [1, 0]);
    assert!(bench.hear().contains(&Note::Registered { worker: 2 }));
    // That many there are, or are on their way.
    assert_eq!(bench.resize(3, Vec::new()), [3]);
    assert_eq!(bench.restarts(), []);
}

#[test]
fn who_runs_nothing_leaves_first_and_of_those_the_last() {
    let (bench, [a, b, mut c]) = running();
    bench.map([0]);
    let item = c.player.start();
    bench.pool.flush();
    assert_eq!(bench.resize(1, Vec::new()), [1, 2]);
    leave(&bench, 0, a);
    leave(&bench, 1, b);
    assert_eq!(removed(&bench), [1, 2]);
    c.player.answer(&item, Outcome::response("1"));
    assert_eq!(bench.numbers(Queue::Results), [0]);
    assert_eq!(bench.ready(), 1);
    assert!(!c.is_released_now());
}

#[test]
fn who_is_too_many_ends_what_it_runs_and_what_is_for_it_alone() {
    let (mut bench, [mut seat, other]) = running();
    bench.map([0]);
    let item = seat.player.start();
    let each = Each { text: b"7".into(), flags: 0, tags: Vec::new(), title: None };
    assert_eq!(bench.pool.each(bench.run, each).expect("some worker"), [1, 2]);
    drop(other);
    bench.pool.exited(1, Exit::Signal(9), false);
    bench.orders();
    assert_eq!(bench.resize(1, Vec::new()), [2]);
    assert!(!bench.pool.is_unwanted(1), "its event is for no other worker");
    let mut next = bench.seat(1);
    bench.register(1, &mut next);
    seat.player.answer(&item, Outcome::response("1"));
    seat.run(&bench, 1);
    assert_eq!(bench.ready(), 2);
    next.run(&bench, 1);
    assert_eq!(bench.ready(), 1);
    leave(&bench, 1, next);
    assert_eq!(removed(&bench), [2]);
    assert_eq!(bench.restarts(), []);
}

#[test]
fn who_was_too_many_stays_or_is_replaced_if_the_pool_grows_again() {
    let (mut bench, [_stays, seat]) = running();
    assert_eq!(bench.resize(1, Vec::new()), [2]);
    assert_eq!(bench.resize(2, Vec::new()), [2]);
    leave(&bench, 1, seat);
    assert!(removed(&bench).is_empty());
    assert_eq!(bench.restarts(), [(1, Duration::ZERO)]);
    let mut next = bench.seat(1);
    bench.register(1, &mut next);
    assert_eq!(bench.ready(), 2);
}

#[test]
fn a_slot_that_is_closed_is_used_again() {
    let (mut bench, [_stays, seat]) = running();
    bench.resize(1, Vec::new());
    leave(&bench, 1, seat);
    assert_eq!(removed(&bench), [2]);
    assert_eq!(bench.resize(2, Vec::new()), [2]);
    assert_eq!(bench.restarts(), [(1, Duration::ZERO)]);
    let mut next = bench.seat(1);
    bench.register(1, &mut next);
    bench.map([0]);
    next.run(&bench, 1);
    assert_eq!(bench.numbers(Queue::Results), [0]);
}

#[test]
fn a_worker_that_is_not_there_yet_is_not_started_or_goes_when_it_comes() {
    let (mut bench, [_stays]) = running();
    assert_eq!(bench.resize(3, vec![place(2), place(3)]), [2, 3]);
    let mut seat = bench.seat(1);
    assert_eq!(bench.resize(1, Vec::new()), [2, 3]);
    // The I/O thread comes to the order now.
    assert!(bench.pool.is_unwanted(2));
    bench.pool.not_needed(2);
    assert_eq!(removed(&bench), [3]);
    bench.register(1, &mut seat);
    bench.pool.flush();
    assert!(seat.is_released());
    assert_eq!(bench.ready(), 1);
    drop(seat);
    bench.orders();
    bench.pool.exited(1, Exit::Code(0), false);
    assert_eq!(removed(&bench), [2]);
    assert_eq!(bench.restarts(), []);
}

#[test]
fn the_last_worker_that_is_wanted_ends_the_pool_when_it_is_given_up() {
    let (bench, [seat, other]) = running::<2>();
    bench.map([0]);
    bench.resize(1, Vec::new());
    drop(seat);
    let source = std::io::Error::from_raw_os_error(libc::EAGAIN);
    bench.pool.exited(0, Exit::Signal(9), false);
    bench.pool.not_started(0, Error::Spawn { worker: 1, program: "node".into(), source });
    assert_eq!(bench.take(Queue::Failures).len(), 1, "nobody is left for it");
    drop(other);
    bench.pool.exited(1, Exit::Code(0), false);
    assert!(bench.hear().contains(&Note::Closed));
}

impl Bench {
    fn resize(&self, count: usize, more: Vec<Place>) -> Vec<u32> {
        self.pool.resize(count, more);
        self.pool.resizing()
    }
}

impl Seat {
    fn is_released_now(&self) -> bool {
        self.player.signals.try_iter().any(|signal| signal == Signal::Released)
    }
}
