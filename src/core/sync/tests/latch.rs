//! Promised: a latch opens when it was counted down, each call of an event counts once, and it stays open.

use super::*;

fn down(count: u32, n: u32, ordinal: u32) -> Ask {
    Ask::CountDown { name: "x".into(), count, n, ordinal }
}

fn latch(count: u32) -> Ask {
    Ask::Latch { name: "x".into(), count }
}

#[test]
fn it_opens_at_zero_for_all_who_wait_and_stays_open() {
    let mut program = Program::new();
    program.play(
        "a latch",
        vec![
            (1, latch(3), ""),
            (2, down(3, 1, 0), "2.1 2"),
            (3, latch(3), ""),
            (3, latch(4), "3.2 ERR_SONIC_LATCH_COUNT"),
            (3, down(2, 1, 0), "3.3 ERR_SONIC_LATCH_COUNT"),
            (2, down(3, 5, 0), "2.2 0, 1.1 done, 3.1 done"),
            (2, down(3, 1, 0), "2.3 0"),
            (4, latch(3), "4.1 done"),
            (4, latch(2), "4.2 ERR_SONIC_LATCH_COUNT"),
        ],
    );
    program.play("an open one", vec![(1, Ask::Latch { name: "y".into(), count: 0 }, "1.2 done")]);
}

#[test]
fn a_call_of_an_event_counts_once_however_often_it_is_tried() {
    let mut program = Program::new();
    let mut count = |owner, number, ordinal, ended: Option<Ended>| {
        program.ask(event(owner, number), &[], down(9, 1, ordinal), None);
        if let Some(ended) = ended {
            program.ended(number, ended);
        }
        program.told().concat()
    };
    assert_eq!(count(1, 1, 0, None), "1.1 8");
    assert_eq!(count(1, 1, 1, Some(Ended::Retried)), "1.2 7");
    assert_eq!(count(2, 1, 0, None), "2.1 7");
    assert_eq!(count(2, 1, 1, None), "2.2 7");
    assert_eq!(count(2, 1, 2, Some(Ended::Retried)), "2.3 6");
    assert_eq!(count(1, 2, 0, None), "1.3 5");
    assert_eq!(count(1, 1, 2, None), "1.4 5");
    assert_eq!(count(1, 1, 3, Some(Ended::Answered)), "1.5 4");
    assert_eq!(count(1, 2, 0, Some(Ended::Failed)), "1.6 4");
    assert_eq!(program.sync.parts.latches.len(), 1, "events that ended are forgotten");
}

#[test]
fn who_is_gone_waits_no_more_and_a_latch_that_was_never_counted_is_forgotten() {
    let mut program = Program::new();
    program.play("waits", vec![(1, latch(2), ""), (2, latch(2), ""), (2, cancel(1), "")]);
    program.gone(1);
    program.assert_empty();
    assert_eq!(program.sync.parts.latches.len(), 0);
    program.play("anew", vec![(2, down(1, 1, 0), "2.2 0")]);
}
