//! Promised: all go on when as many have come as are to come. Who fails while it waits is withdrawn, who fails later breaks the
//! barrier for those who count on it, until they have ended.

use super::*;

const E1: Party = event(1, 1);
const E2: Party = event(2, 2);
const E3: Party = event(3, 3);
const E4: Party = event(4, 4);

impl Program {
    fn wait(&mut self, party: Party, parties: u32) -> Vec<String> {
        self.ask(party, &[], Ask::Barrier { name: "x".into(), parties }, None);
        self.told()
    }

    /// These come in turn; then this is told.
    fn come(&mut self, parties: &[Party], expected: &[&str]) {
        let count = parties.len() as u32;
        let told: Vec<_> = parties.iter().flat_map(|&party| self.wait(party, count)).collect();
        assert_eq!(told, expected);
    }

    fn has_passed(&self, number: u64) -> bool {
        self.sync.has_passed_barrier(EventName { pool: 1, task: number })
    }
}

#[test]
fn all_go_on_when_the_last_has_come_again_and_again() {
    let mut program = Program::new();
    program.come(&[E3, E1, E2], &["3.1 0", "1.1 1", "2.1 2"]);
    program.come(&[E1, E2, E3], &["1.2 0", "2.2 1", "3.2 2"]);
    assert!((1..=3).all(|number| program.has_passed(number)) && !program.has_passed(4));
    for number in 1..=3 {
        program.ended(number, Ended::Answered);
    }
    assert!(!program.has_passed(1));
    program.assert_empty();
    program.come(&[E1], &["1.3 0"]);
    program.ended(1, Ended::Failed);
    program.assert_empty();
}

#[test]
fn events_of_one_process_and_processes_come_each_for_itself() {
    let mut program = Program::new();
    program.come(&[event(1, 1), event(1, 2), process(1)], &["1.1 0", "1.2 1", "1.3 2"]);
    let mut program = Program::new();
    program.come(&[process(9), process(9)], &["9.1 0", "9.2 1"]);
}

#[test]
fn the_number_of_parties_is_everybodys_as_long_as_the_barrier_is_used() {
    let mut program = Program::new();
    assert_eq!(program.wait(E1, 0), ["1.1 ERR_SONIC_BARRIER_PARTIES"]);
    assert_eq!(program.wait(E1, 2), [""; 0]);
    assert_eq!(program.wait(E2, 3), ["2.1 ERR_SONIC_BARRIER_PARTIES"]);
    assert_eq!(program.wait(E2, 2), ["1.2 0", "2.2 1"]);
    assert_eq!(program.wait(E2, 3), ["2.3 ERR_SONIC_BARRIER_PARTIES"]);
    program.ended(1, Ended::Answered);
    program.ended(2, Ended::Answered);
    program.come(&[E1, E2, E3], &["1.3 0", "2.4 1", "3.1 2"]);
}

#[test]
fn who_ends_while_it_waits_is_withdrawn() {
    // What ends the wait of event 1, and what its process is told.
    type Case = (&'static str, fn(&mut Program), &'static [&'static str]);
    let cases: [Case; 5] = [
        ("its process is gone", |program| program.gone(1), &[]),
        ("it is cancelled", |program| _ = program.plain(1, cancel(1)), &[]),
        ("it is answered", |program| program.ended(1, Ended::Answered), &[]),
        (
            "it fails, but may still run",
            |program| program.ended(1, Ended::Failed),
            &["1.1 ERR_SONIC_BARRIER_BROKEN"],
        ),
        (
            "it is tried again, but may still run",
            |program| program.ended(1, Ended::Retried),
            &["1.1 ERR_SONIC_BARRIER_BROKEN"],
        ),
    ];
    for (what, end, expected) in cases {
        let mut program = Program::new();
        program.wait(E1, 2);
        end(&mut program);
        assert_eq!(program.told(), expected, "{what}");
        assert!(!program.has_passed(1), "{what}: it may be tried again");
        program.assert_empty();
        program.come(&[E2, E3], &["2.1 0", "3.1 1"]);
    }
}

#[test]
fn who_fails_after_it_went_on_breaks_the_barrier_for_those_who_went_on_with_it() {
    type Case = (&'static str, fn(&mut Program));
    let cases: [Case; 3] = [
        ("it fails", |program| program.ended(1, Ended::Failed)),
        ("it fails and would be tried again", |program| program.ended(1, Ended::Retried)),
        ("its process is gone", |program| {
            program.gone(1);
            assert!(program.has_passed(1), "it is not tried again");
        }),
    ];
    for (what, fail) in cases {
        let mut program = Program::new();
        program.come(&[E1, E2, E3], &["1.1 0", "2.1 1", "3.1 2"]);
        assert_eq!(program.wait(E2, 3), [""; 0]);
        fail(&mut program);
        assert_eq!(program.told(), ["2.2 ERR_SONIC_BARRIER_BROKEN"], "{what}");
        for _ in 0..2 {
            let told = [program.wait(E3, 3), program.wait(E2, 3)].concat();
            assert!(told.iter().all(|told| told.ends_with("BROKEN")), "{what}: {told:?}");
        }
        program.ended(1, Ended::Failed);
        program.ended(2, Ended::Failed);
        assert!(program.has_passed(3) && !program.has_passed(2), "{what}");
        let told = program.wait(E3, 3);
        assert_eq!(told, ["3.4 ERR_SONIC_BARRIER_BROKEN"], "{what}");
        program.ended(3, Ended::Failed);
        program.assert_empty();
        program.come(&[E2, E3, E4], &["2.5 0", "3.5 1", "4.1 2"]);
    }
}

#[test]
fn the_message_says_who_broke_it() {
    let mut program = Program::new();
    program.come(&[E1, E2], &["1.1 0", "2.1 1"]);
    program.ended(1, Ended::Failed);
    program.ask(E2, &[], Ask::Barrier { name: "x".into(), parties: 2 }, None);
    let reply = program.out.pop().map(|out| out.told.reply);
    let Some(Reply::Failed { name, message, .. }) = reply else { panic!("it is broken") };
    assert_eq!(
        (&*name, &*message),
        (
            "Error",
            "barrier \"x\" is broken: event 1 failed after it had passed; \
             it can be used again when the events that passed it together have ended"
        )
    );
}

#[test]
fn others_may_meet_while_it_is_broken() {
    let mut program = Program::new();
    program.come(&[E1, E2], &["1.1 0", "2.1 1"]);
    program.ended(1, Ended::Failed);
    program.come(&[E3, E4], &["3.1 0", "4.1 1"]);
    assert_eq!(program.wait(E2, 2), ["2.2 ERR_SONIC_BARRIER_BROKEN"]);
    program.come(&[E3, E4], &["3.2 0", "4.2 1"]);
    for number in 2..=4 {
        program.ended(number, Ended::Answered);
    }
    program.assert_empty();
}

#[test]
fn who_is_answered_is_no_party_any_more() {
    let mut program = Program::new();
    program.come(&[E1, E2], &["1.1 0", "2.1 1"]);
    program.ended(1, Ended::Answered);
    program.gone(1);
    assert_eq!(program.wait(E2, 2), [""; 0]);
    assert_eq!(program.wait(E3, 2), ["2.2 0", "3.1 1"]);
}

#[test]
fn a_process_that_came_outside_of_events_breaks_it_when_it_is_gone() {
    let mut program = Program::new();
    program.come(&[process(1), E2], &["1.1 0", "2.1 1"]);
    program.gone(1);
    assert_eq!(program.wait(E2, 2), ["2.2 ERR_SONIC_BARRIER_BROKEN"]);
    program.ended(2, Ended::Failed);
    program.assert_empty();
}
