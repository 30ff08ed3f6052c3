//! Promised: what an event waits for can be said in words, with who holds it or how many are missing.

use super::*;

fn latch(name: &str) -> Ask {
    Ask::Latch { name: name.into(), count: 1 }
}

fn barrier(name: &str) -> Ask {
    Ask::Barrier { name: name.into(), parties: 3 }
}

fn once(name: &str) -> Ask {
    Ask::Once { name: name.into() }
}

fn take(name: &str) -> Ask {
    Ask::Take { name: name.into(), tokens: 1.0, per: 1e6, burst: 1.0, n: 1.0 }
}

#[test]
fn an_event_that_waits_is_told_of_with_what_it_waits_for() {
    let table = [
        (lock("x"), lock("x"), "lock \"x\", held by worker 1 (pid 101, event 1)"),
        (shared("x"), lock("x"), "lock \"x\", held by worker 1 (pid 101, event 1)"),
        (once("x"), once("x"), "once \"x\", which worker 1 (pid 101, event 1) runs"),
        (barrier("x"), barrier("x"), "barrier \"x\", where 2 of 3 have come"),
        (latch("x"), latch("x"), "latch \"x\""),
        (take("x"), take("x"), "limiter \"x\""),
    ];
    for (first, second, expected) in table {
        let mut program = Program::new();
        program.ask(event(1, 1), &[], first, None);
        program.ask(event(2, 2), &[], second, None);
        let why = |number| program.sync.why_waits(EventName { pool: 1, task: number });
        assert_eq!(why(2), Some(format!("it waits for {expected}")));
        assert_eq!(why(3), None);
    }
}

#[test]
fn all_holders_are_named() {
    let mut program = Program::new();
    for owner in [1, 9] {
        program.ask(process(owner), &[], semaphore("x", 2), None);
    }
    program.ask(event(2, 2), &[], semaphore("x", 2), None);
    assert_eq!(
        program.sync.why_waits(EventName { pool: 1, task: 2 }).as_deref(),
        Some("it waits for lock \"x\", held by worker 1 (pid 101), process 109")
    );
}
