//! Promised: one makes the value, all have it; if that one cannot, the next makes it.

use super::*;

fn once() -> Ask {
    Ask::Once { name: "x".into() }
}

fn failed(token: u64) -> Ask {
    Ask::OnceFailed { name: "x".into(), token }
}

impl Program {
    fn done(&mut self, owner: u16, token: u64, value: &str) -> String {
        self.ask(process(owner), &[], Ask::OnceDone { name: "x".into(), token }, Some(value));
        self.told().join(", ")
    }
}

#[test]
fn one_makes_it_and_all_have_it_from_then_on() {
    let mut program = Program::new();
    program.play("a value", vec![(1, once(), "1.1 run #1"), (2, once(), ""), (3, once(), "")]);
    assert_eq!(program.done(2, 1, "not its own"), "");
    assert_eq!(program.done(1, 99, "unknown"), "");
    assert_eq!(program.done(1, 1, "made"), "2.1 made at 1, 3.1 made at 1");
    assert_eq!(program.done(1, 1, "made twice"), "");
    program.gone(1);
    program.play("later", vec![(2, once(), "2.2 made at 1"), (2, failed(1), "")]);
}

#[test]
fn when_it_cannot_the_next_that_waits_makes_it() {
    type Case = (&'static str, fn(&mut Program));
    let cases: [Case; 6] = [
        ("it throws", |program| _ = program.plain(1, failed(1))),
        ("its process is gone", |program| program.gone(1)),
        ("its question is cancelled", |program| _ = program.plain(1, cancel(1))),
        ("its event is answered", |program| program.ended(1, Ended::Answered)),
        ("its event fails", |program| program.ended(1, Ended::Failed)),
        ("its event is tried again", |program| program.ended(1, Ended::Retried)),
    ];
    for (what, end) in cases {
        let mut program = Program::new();
        program.ask(event(1, 1), &[], once(), None);
        program.told();
        // The second that waits is not there any more when it is its turn.
        program.play(
            what,
            vec![(2, once(), ""), (3, once(), ""), (2, cancel(1), ""), (4, once(), "")],
        );
        end(&mut program);
        assert_eq!(program.told(), ["3.1 run #2"], "{what}");
        assert_eq!(program.done(1, 1, "late"), "", "{what}");
        assert_eq!(program.done(3, 2, "made"), "4.1 made at 1", "{what}");
    }
}

#[test]
fn what_nobody_waits_for_is_forgotten_when_it_fails() {
    let mut program = Program::new();
    program.ask(event(1, 1), &[], once(), None);
    program.told();
    program.play("fails", vec![(1, failed(1), "")]);
    program.assert_empty();
    program.play("anew", vec![(2, once(), "2.1 run #2"), (1, once(), ""), (1, cancel(2), "")]);
    program.gone(2);
    program.assert_empty();
}

#[test]
fn nothing_is_run_by_a_process_that_is_gone_too() {
    let mut program = Program::new();
    for owner in [1, 1, 2] {
        program.plain(owner, once());
    }
    program.told();
    program.gone(1);
    assert_eq!(program.told(), ["2.1 run #2"]);
}
