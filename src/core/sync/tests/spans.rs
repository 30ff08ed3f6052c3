//! Promised: each wait and each hold is told when it is over, with who, what and how long, as long as somebody wants that; and
//! nothing is kept otherwise.

use super::*;

/// "1.7" is event 7 in process 1.
fn texts(program: &mut Program) -> Vec<String> {
    let text = |span: Span| {
        let Span { is_hold, party, kind, mode, name, from, until, .. } = span;
        let event = party.event.map(|event| format!(".{}", event.task)).unwrap_or_default();
        let verb = if is_hold { "held" } else { "waited for" };
        let mode = mode.map(|mode| format!(" {mode:?}").to_lowercase()).unwrap_or_default();
        format!("{}{event} {verb}{mode} {kind} {name} {from}-{until}", party.owner)
    };
    program.sync.take_spans().into_iter().map(text).collect()
}

fn watched() -> Program {
    let mut program = Program::new();
    program.sync.keep_spans(true);
    program
}

#[test]
fn waits_and_holds_are_told_when_they_are_over() {
    let mut program = watched();
    program.ask(event(1, 7), &[], lock("a"), None);
    program.now = 10.0;
    program.ask(event(2, 8), &[], lock("a"), None);
    program.plain(3, lock("a"));
    program.plain(4, shared("b"));
    assert_eq!(texts(&mut program), [""; 0]);
    program.now = 15.0;
    program.plain(1, unlock("a", 1));
    program.now = 20.0;
    program.plain(2, unlock("a", 3));
    program.plain(4, unlock("b", 2));
    let expected = [
        "1.7 held exclusive lock a 0-15",
        "2.8 waited for exclusive lock a 10-15",
        "2.8 held exclusive lock a 15-20",
        "3 waited for exclusive lock a 10-20",
        "4 held shared lock b 10-20",
    ];
    assert_eq!(texts(&mut program), expected);
    assert_eq!(texts(&mut program), [""; 0], "each is told once");
}

#[test]
fn a_hold_that_began_without_asking_is_told_from_its_beginning_if_another_waits_for_it() {
    let mut program = watched();
    let token = program.words.acquire(3.0, "a", event(1, 7)).expect("it is free");
    program.now = 10.0;
    program.plain(2, lock("a"));
    program.now = 12.0;
    program.plain(1, unlock("a", token));
    let expected = ["1.7 held exclusive lock a 3-12", "2 waited for exclusive lock a 10-12"];
    assert_eq!(texts(&mut program), expected);
}

#[test]
fn a_hold_is_over_when_its_holder_said_so_and_a_wait_when_it_was_decided() {
    let mut program = watched();
    program.plain(1, lock("a"));
    program.plain(2, lock("a"));
    (program.now, program.late) = (10.0, 1.0);
    program.plain(1, unlock("a", 1));
    let expected = ["1 held exclusive lock a 0-9", "2 waited for exclusive lock a 0-10"];
    assert_eq!(texts(&mut program), expected);
}

#[test]
fn a_process_may_say_that_it_was_at_any_time() {
    for (at, expected) in [(25.0, 20), (f64::INFINITY, 20), (f64::NAN, 20), (15.0, 15)] {
        let mut program = watched();
        program.now = 10.0;
        program.plain(1, lock("a"));
        (program.now, program.late) = (20.0, 20.0 - at);
        program.plain(1, unlock("a", 1));
        let expected = format!("1 held exclusive lock a 10-{expected}");
        assert_eq!(texts(&mut program), [expected], "at {at}");
    }
    let mut program = watched();
    program.now = 10.0;
    program.plain(1, lock("a"));
    program.late = f64::INFINITY;
    program.plain(1, unlock("a", 1));
    assert_eq!(texts(&mut program), [""; 0], "before it began");
}

#[test]
fn what_ends_with_its_process_or_by_another_is_told_too() {
    let mut program = watched();
    program.plain(1, lock("a"));
    program.plain(2, lock("b"));
    program.plain(1, lock("b"));
    let waits = program.plain(3, lock("b"));
    program.now = 5.0;
    program.plain(3, cancel(waits));
    program.plain(4, steal(lock("b")));
    program.now = 6.0;
    program.gone(1);
    let mut told = texts(&mut program);
    told.sort_unstable();
    let expected = [
        "1 held exclusive lock a 0-6",
        "1 waited for exclusive lock b 0-6",
        "2 held exclusive lock b 0-5",
        "3 waited for exclusive lock b 0-5",
    ];
    assert_eq!(told, expected);
}

#[test]
fn other_things_that_are_waited_for_are_told_too() {
    let mut program = watched();
    program.plain(1, Ask::Barrier { name: "m".into(), parties: 2 });
    program.plain(2, Ask::Once { name: "o".into() });
    program.now = 3.0;
    program.plain(3, Ask::Barrier { name: "m".into(), parties: 2 });
    program.plain(2, Ask::OnceFailed { name: "o".into(), token: 1 });
    assert_eq!(texts(&mut program), ["1 waited for barrier m 0-3", "2 held once o 0-3"]);
}

#[test]
fn nothing_is_kept_while_nobody_wants_to_see_it() {
    let mut program = Program::new();
    for is_on in [false, true, false] {
        program.sync.keep_spans(is_on);
        program.plain(1, lock("a"));
        program.now += 5.0;
        program.plain(1, unlock("a", program.words.tokens));
        assert_eq!(texts(&mut program).len(), usize::from(is_on));
    }
}
