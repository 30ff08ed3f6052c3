//! Promised: a cycle of waits that stands for a second rejects its youngest request, which says the cycle; the others go on. What
//! is no cycle is never rejected, however long it lasts.

use super::*;
use crate::core::sync::search::PATIENCE;

/// What is asked: by whom, inside of which grants, when.
type Step = (f64, Party, &'static [u64], Ask);

fn run(steps: Vec<Step>, until: f64, able: &dyn Fn() -> Able) -> (Program, Vec<String>) {
    let mut program = Program::new();
    for (at, party, inside, ask) in steps {
        program.advance(at, able);
        program.ask(party, inside, ask, None);
    }
    program.advance(until, able);
    let rejected = program.told();
    let rejected = rejected.into_iter().filter(|told| told.contains("DEADLOCK")).collect();
    (program, rejected)
}

fn barrier(name: &str, parties: u32) -> Ask {
    Ask::Barrier { name: name.into(), parties }
}

fn latch(name: &str, count: u32) -> Ask {
    Ask::Latch { name: name.into(), count }
}

fn once(name: &str) -> Ask {
    Ask::Once { name: name.into() }
}

/// The steps, the events that run while no other can begin, and what is rejected.
type Cycle = (&'static str, Vec<Step>, &'static [u64], &'static [&'static str]);

fn reject_all(cases: Vec<Cycle>) {
    for (what, steps, running, expected) in cases {
        let able = only(running);
        assert_eq!(run(steps, 1499.0, &able).1, expected, "{what}");
    }
}

const E1: Party = event(1, 1);
const E2: Party = event(2, 2);
const E3: Party = event(3, 3);

#[test]
fn a_cycle_of_locks_rejects_its_youngest_request_and_only_that() {
    reject_all(vec![
        (
            "two locks in different orders",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E1, &[1], lock("b")),
                (0.0, E2, &[2], lock("a")),
            ],
            &[],
            &["2.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "the youngest, whoever began",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E2, &[2], lock("a")),
                (0.0, E1, &[1], lock("b")),
            ],
            &[],
            &["1.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a ring of three",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E3, &[], lock("c")),
                (0.0, E1, &[1], lock("b")),
                (0.0, E2, &[2], lock("c")),
                (0.0, E3, &[3], lock("a")),
            ],
            &[],
            &["3.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a lock inside of itself",
            vec![(0.0, E1, &[], lock("a")), (0.0, E1, &[1], lock("a"))],
            &[],
            &["1.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "two readers that want to write",
            vec![
                (0.0, E1, &[], shared("a")),
                (0.0, E2, &[], shared("a")),
                (0.0, E1, &[1], lock("a")),
                (0.0, E2, &[2], lock("a")),
            ],
            &[],
            // Each waits for its own reader too.
            &["2.2 ERR_SONIC_DEADLOCK", "1.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a reader that waits behind a writer that waits for it",
            vec![
                (0.0, E1, &[], shared("a")),
                (0.0, E2, &[], lock("a")),
                (0.0, E1, &[1], shared("a")),
            ],
            &[],
            &["1.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "behind a request that is not in the cycle",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E1, &[1], lock("b")),
                (0.0, E3, &[], lock("a")),
                (0.0, E2, &[2], lock("a")),
            ],
            &[],
            &["2.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a bystander that is younger is not rejected",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E2, &[2], lock("a")),
                (0.0, E3, &[], lock("b")),
                (0.0, E1, &[1], lock("b")),
            ],
            &[],
            &["1.2 ERR_SONIC_DEADLOCK"],
        ),
    ]);
}

#[test]
fn a_cycle_of_locks_and_other_things_does_too() {
    reject_all(vec![
        (
            "a semaphore all of whose holders wait",
            vec![
                (0.0, E1, &[], semaphore("s", 2)),
                (0.0, E2, &[], semaphore("s", 2)),
                (0.0, E3, &[], lock("a")),
                (0.0, E3, &[3], semaphore("s", 2)),
                (0.0, E1, &[1], lock("a")),
                (0.0, E2, &[2], lock("a")),
            ],
            &[],
            &["2.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a semaphore that is asked for last",
            vec![
                (0.0, E1, &[], semaphore("s", 2)),
                (0.0, E2, &[], semaphore("s", 2)),
                (0.0, E3, &[], lock("a")),
                (0.0, E1, &[1], lock("a")),
                (0.0, E2, &[2], lock("a")),
                (0.0, E3, &[3], semaphore("s", 2)),
            ],
            &[],
            &["3.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "two cycles at once",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E1, &[1], lock("b")),
                (0.0, E2, &[2], lock("a")),
                (0.0, event(4, 4), &[], lock("c")),
                (0.0, event(5, 5), &[], lock("d")),
                (0.0, event(4, 4), &[3], lock("d")),
                (0.0, event(5, 5), &[4], lock("c")),
            ],
            &[],
            &["2.2 ERR_SONIC_DEADLOCK", "5.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a value that is made inside of itself",
            vec![(0.0, E1, &[], once("v")), (0.0, E1, &[1], once("v"))],
            &[],
            &["1.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a lock and a value that is made once",
            vec![
                (0.0, E1, &[], once("v")),
                (0.0, E2, &[], lock("a")),
                (0.0, E1, &[1], lock("a")),
                (0.0, E2, &[2], once("v")),
            ],
            &[],
            &["2.2 ERR_SONIC_DEADLOCK"],
        ),
        (
            "a barrier inside of a lock that the other needs to come",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E1, &[1], barrier("x", 2)),
                (0.0, E2, &[], lock("a")),
            ],
            &[1, 2],
            &["2.1 ERR_SONIC_DEADLOCK"],
        ),
    ]);
}

#[test]
fn a_circle_of_semaphores_rejects_its_youngest_request_whichever_that_is() {
    let asks = [(1, 1, "t"), (2, 2, "t"), (3, 3, "s"), (4, 4, "s")];
    let able = open;
    let mut orders = 0;
    for order in 0..256_usize {
        let order = [order % 4, order / 4 % 4, order / 16 % 4, order / 64];
        if (0..4).any(|at| !order.contains(&at)) {
            continue;
        }
        orders += 1;
        let mut program = Program::new();
        for (owner, name) in [(1, "s"), (2, "s"), (3, "t"), (4, "t")] {
            program.ask(event(owner, owner.into()), &[], semaphore(name, 2), None);
        }
        for at in order {
            let (owner, token, name) = asks[at];
            program.ask(event(owner, owner.into()), &[token], semaphore(name, 2), None);
        }
        program.told();
        program.advance(1499.0, &able);
        let (last, ..) = asks[order[3]];
        assert_eq!(program.told(), [format!("{last}.2 ERR_SONIC_DEADLOCK")], "{order:?}");
    }
    assert_eq!(orders, 24);
}

fn reject_none(cases: Vec<(&'static str, Vec<Step>, Able)>) {
    for (what, steps, able) in cases {
        let able = || able.clone();
        assert_eq!(run(steps, 10_000.0, &able).1, [""; 0], "{what}");
    }
}

#[test]
fn requests_that_can_go_on_are_not_rejected() {
    let same = [event(1, 1), event(1, 2), event(1, 3)];
    reject_none(vec![
        (
            "a holder that runs",
            vec![(0.0, E1, &[], lock("a")), (0.0, E2, &[], lock("a")), (0.0, E2, &[9], lock("a"))],
            open(),
        ),
        (
            "events in one process that each hold one and wait for others",
            vec![
                (0.0, same[0], &[], lock("a")),
                (0.0, same[1], &[], lock("b")),
                (0.0, same[0], &[1], lock("b")),
                (0.0, same[2], &[], lock("a")),
                (0.0, same[2], &[], lock("b")),
            ],
            open(),
        ),
        (
            "requests that say nothing of their callbacks",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E1, &[], lock("b")),
                (0.0, E2, &[], lock("a")),
            ],
            open(),
        ),
        (
            "what another process says of a callback",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E2, &[], lock("b")),
                (0.0, E3, &[1], lock("b")),
                (0.0, E2, &[2], lock("a")),
            ],
            open(),
        ),
        (
            "a semaphore one of whose holders runs",
            vec![
                (0.0, E1, &[], semaphore("s", 2)),
                (0.0, E2, &[], semaphore("s", 2)),
                (0.0, E3, &[], lock("a")),
                (0.0, E3, &[3], semaphore("s", 2)),
                (0.0, E1, &[1], lock("a")),
            ],
            open(),
        ),
    ]);
}

#[test]
fn waits_to_which_others_may_come_are_not_rejected() {
    reject_none(vec![
        (
            "a barrier to which another event may come",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E1, &[1], barrier("x", 2)),
                (0.0, E2, &[], lock("a")),
            ],
            open(),
        ),
        (
            "a barrier to which one that runs may come",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E1, &[1], barrier("x", 2)),
                (0.0, E2, &[], lock("a")),
            ],
            only(&[1, 2, 3])(),
        ),
        (
            "a barrier to which a process comes outside of events",
            vec![
                (
                    0.0,
                    process(9),
                    &[],
                    Ask::CountDown { name: "z".into(), count: 9, n: 1, ordinal: 0 },
                ),
                (0.0, E1, &[], lock("a")),
                (0.0, E1, &[1], barrier("x", 2)),
                (0.0, E2, &[], lock("a")),
            ],
            only(&[1, 2])(),
        ),
        (
            "latches, which the master may count down, also inside of locks",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E1, &[1], latch("x", 1)),
                (0.0, E2, &[], lock("a")),
                (0.0, E3, &[], latch("y", 1)),
            ],
            only(&[1, 2, 3])(),
        ),
        (
            "barriers outside of locks, to which the master may come",
            vec![(0.0, E1, &[], barrier("x", 2)), (0.0, E2, &[], barrier("y", 2))],
            only(&[1, 2])(),
        ),
        (
            "a barrier to which one may come who waits for the master at another",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E1, &[1], barrier("x", 2)),
                (0.0, E2, &[], lock("a")),
                (0.0, E3, &[], barrier("y", 2)),
            ],
            only(&[1, 2, 3])(),
        ),
        (
            "a barrier to which nobody comes, without a cycle",
            vec![(0.0, E1, &[], lock("a")), (0.0, E1, &[1], barrier("x", 2))],
            only(&[1])(),
        ),
        (
            "an event that waits for a limiter",
            vec![
                (0.0, E1, &[], lock("a")),
                (0.0, E1, &[1], barrier("x", 2)),
                (
                    0.0,
                    E2,
                    &[],
                    Ask::Take { name: "l".into(), tokens: 1.0, per: 1e9, burst: 1.0, n: 1.0 },
                ),
                (
                    0.0,
                    E2,
                    &[],
                    Ask::Take { name: "l".into(), tokens: 1.0, per: 1e9, burst: 1.0, n: 1.0 },
                ),
            ],
            only(&[1, 2])(),
        ),
    ]);
}

fn crossed(at: f64) -> Vec<Step> {
    vec![
        (0.0, event(1, 1), &[], lock("a")),
        (0.0, event(2, 2), &[], lock("b")),
        (0.0, event(1, 1), &[1], lock("b")),
        (at, event(2, 2), &[2], lock("a")),
    ]
}

#[test]
fn a_cycle_stands_for_a_second_before_it_is_rejected() {
    for at in [0.0, 1.0, 500.0, 999.0, 1000.0, 1001.0, 5000.0] {
        let (mut program, rejected) = run(crossed(at), at + 999.0, &open);
        assert_eq!(rejected, [""; 0], "after {at} ms");
        program.advance(at + 1100.0, &open);
        assert_eq!(program.told(), ["2.2 ERR_SONIC_DEADLOCK"], "after {at} ms");
    }
}

#[test]
fn a_cycle_with_a_barrier_is_rejected_in_time_whatever_closes_it() {
    for at in [0.0, 300.0, 999.0, 1001.0, 4321.0] {
        let steps: Vec<Step> = vec![
            (0.0, event(1, 1), &[], lock("a")),
            (0.0, event(1, 1), &[1], Ask::Barrier { name: "x".into(), parties: 2 }),
            (at, event(2, 2), &[], lock("a")),
        ];
        let (mut program, rejected) = run(steps, at + 999.0, &only(&[1, 2]));
        assert_eq!(rejected, [""; 0], "after {at} ms");
        program.advance(at + 1499.0, &only(&[1, 2]));
        assert_eq!(program.told(), ["2.1 ERR_SONIC_DEADLOCK"], "after {at} ms");
    }
}

#[test]
fn the_others_go_on_and_nothing_is_left() {
    let (mut program, rejected) = run(crossed(0.0), 1000.0, &open);
    assert_eq!(rejected, ["2.2 ERR_SONIC_DEADLOCK"]);
    let steps = vec![
        (2, unlock("b", 2), "1.2 granted #3"),
        (1, unlock("b", 3), ""),
        (1, unlock("a", 1), ""),
    ];
    program.play("the other goes on", steps);
    program.assert_empty();
    assert_eq!(program.sync.next_due(), None);
}

#[test]
fn a_cycle_that_ends_in_time_is_none() {
    for end in [cancel(2), unlock("a", 1)] {
        let (mut program, _) = run(crossed(0.0), 900.0, &open);
        program.plain(1, end);
        program.advance(5000.0, &open);
        assert!(program.told().iter().all(|told| !told.contains("DEADLOCK")));
    }
    let (mut program, _) = run(crossed(0.0), 900.0, &open);
    program.gone(1);
    program.advance(5000.0, &open);
    assert_eq!(program.told(), ["2.2 granted #3"]);
}

#[test]
fn the_message_says_who_waits_for_what_in_a_circle() {
    let message = |program: &mut Program| {
        program.out.retain(|out| matches!(out.told.reply, Reply::Failed { .. }));
        match program.out.pop().map(|out| out.told.reply) {
            Some(Reply::Failed { name, message, .. }) => format!("{name}: {message}"),
            other => panic!("{other:?} is no failure"),
        }
    };
    let mut program = Program::new();
    for (_, party, inside, ask) in crossed(0.0) {
        program.ask(party, inside, ask, None);
    }
    program.advance(1000.0, &open);
    assert_eq!(
        message(&mut program),
        "Error: deadlock, ended by rejecting its youngest request: \
         worker 2 (pid 102, event 2) waits for lock \"a\", held by worker 1 (pid 101, event 1); \
         worker 1 (pid 101, event 1) waits for lock \"b\", held by worker 2 (pid 102, event 2); \
         request locks in the same order everywhere"
    );
    let mut program = Program::new();
    program.plain(9, shared("a"));
    program.ask(event(2, 2), &[], lock("a"), None);
    program.ask(process(9), &[1], shared("a"), None);
    program.advance(1000.0, &open);
    assert_eq!(
        message(&mut program),
        "Error: deadlock, ended by rejecting its youngest request: \
         process 109 waits for lock \"a\", behind worker 2 (pid 102, event 2); \
         worker 2 (pid 102, event 2) waits for lock \"a\", held by process 109; \
         request locks in the same order everywhere"
    );
    let mut program = Program::new();
    program.ask(event(1, 1), &[], lock("a"), None);
    program.ask(event(1, 1), &[1], barrier("x", 2), None);
    program.ask(event(2, 2), &[], lock("a"), None);
    program.advance(1000.0, &only(&[1, 2]));
    assert_eq!(
        message(&mut program),
        "Error: deadlock, ended by rejecting its youngest request: \
         worker 2 (pid 102, event 2) waits for lock \"a\", held by worker 1 (pid 101, event 1); \
         worker 1 (pid 101, event 1) waits for barrier \"x\", where event 2 is missing; \
         request locks in the same order everywhere"
    );
}

#[test]
fn long_queues_are_not_searched_unless_something_waits_inside_a_callback() {
    let mut program = Program::new();
    for owner in 1..=8 {
        for _ in 0..100 {
            program.plain(owner, lock("a"));
        }
    }
    assert_eq!(program.sync.next_due(), None);
    program.ask(process(1), &[1], lock("b"), None);
    assert_eq!(program.sync.next_due(), None, "it does not wait");
    program.ask(process(2), &[1], lock("b"), None);
    assert_eq!(program.sync.next_due(), Some(PATIENCE));
    program.advance(PATIENCE, &open);
    assert_eq!(program.sync.next_due(), None, "each is searched once");
}
