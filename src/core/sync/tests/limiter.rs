//! Promised: takers go on in their order, at exactly the rate, after a burst of at most its size; whoever does not wait any more
//! costs nothing.

use super::*;

fn take(tokens: f64, per: f64, burst: f64, n: f64) -> Ask {
    Ask::Take { name: "x".into(), tokens, per, burst, n }
}

/// How many were told that they go on.
fn gone_on(program: &mut Program) -> usize {
    program.told().iter().filter(|told| told.ends_with("done")).count()
}

#[test]
fn a_burst_goes_on_at_once_and_the_others_at_the_rate_in_their_order() {
    let mut program = Program::new();
    let one = || take(10.0, 100.0, 3.0, 1.0);
    program.play(
        "a burst",
        vec![
            (1, one(), "1.1 done"),
            (2, one(), "2.1 done"),
            (1, one(), "1.2 done"),
            (1, one(), ""),
            (2, take(10.0, 100.0, 3.0, 3.0), ""),
            (3, one(), ""),
        ],
    );
    let mut at = |time: f64| {
        program.advance(time, &open);
        program.told().concat()
    };
    for (time, expected) in [
        (9.9, ""),
        (10.0, "1.3 done"),
        (39.9, ""),
        (40.0, "2.2 done"),
        (49.9, ""),
        (50.0, "3.1 done"),
    ] {
        assert_eq!(at(time), expected, "after {time} ms");
    }
    program.advance(1000.0, &open);
    let four = vec![
        (1, one(), "1.4 done"),
        (1, one(), "1.5 done"),
        (1, one(), "1.6 done"),
        (1, one(), ""),
    ];
    program.play("it was never fuller than a burst", four);
}

#[test]
fn the_rate_is_exact_however_seldom_and_late_it_is_looked() {
    for (rate, burst, late) in [
        (1000.0, 1000.0, 0.0),
        (1000.0, 1.0, 0.9),
        (1000.0, 1.0, 17.0),
        (3.0, 2.0, 5.0),
        (7e3, 1.0, 2.0),
    ] {
        let mut program = Program::new();
        let all = (rate * 5.0 + burst) as usize;
        for number in 0..all + 10 {
            program.plain(1 + (number % 4) as u16, take(rate, 1000.0, burst, 1.0));
        }
        let mut count = gone_on(&mut program);
        while let Some(due) = program.sync.next_due().filter(|due| due + late <= 5000.0) {
            program.now = program.now.max(due + late);
            program.sync.tick(program.now, &open, &mut program.words, &mut program.out);
            count += gone_on(&mut program);
        }
        let missing = all.abs_diff(count) as f64;
        assert!(missing <= 1.0 + late * rate / 1000.0, "{rate} {burst} {late}: {count} of {all}");
    }
}

#[test]
fn many_takes_lose_nothing_by_rounding() {
    let mut program = Program::new();
    let mut count = 0;
    for step in 0..=100_000 {
        program.now = f64::from(step) * 0.1;
        program.plain(1, take(3.0, 1.0, 1.0, 0.3));
        count += gone_on(&mut program);
    }
    assert_eq!(count, 100_001);
}

#[test]
fn who_does_not_wait_any_more_takes_nothing() {
    let mut program = Program::new();
    let takes = |n| take(1.0, 100.0, 10.0, n);
    program.play(
        "takes",
        vec![
            (1, takes(10.0), "1.1 done"),
            (2, takes(10.0), ""),
            (2, takes(10.0), ""),
            (3, takes(1.0), ""),
            (4, takes(2.0), ""),
        ],
    );
    program.advance(150.0, &open);
    program.gone(2);
    assert_eq!(program.told(), ["3.1 done"]);
    let due = program.sync.next_due().expect("one waits");
    assert!((due - 300.0).abs() < 0.001, "{due}");
    program.play("nobody waits", vec![(4, cancel(1), "")]);
    assert_eq!(program.sync.next_due(), None);
    program.advance(1100.0, &open);
    program.play("it is full again", vec![(1, takes(10.0), "1.2 done"), (1, takes(1.0), "")]);
}

#[test]
fn options_are_sane_and_everybodys() {
    let mut program = Program::new();
    let cases = [
        take(0.0, 1.0, 1.0, 1.0),
        take(1.0, 0.0, 1.0, 1.0),
        take(1.0, 1.0, 0.0, 1.0),
        take(1.0, 1.0, 1.0, 0.0),
        take(1.0, 1.0, 1.0, 2.0),
        take(f64::NAN, 1.0, 1.0, 1.0),
        take(1.0, f64::INFINITY, 1.0, 1.0),
        take(1.0, 1.0, f64::INFINITY, 1.0),
        take(1.0, 1.0, 1.0, -1.0),
        take(f64::MAX, f64::MIN_POSITIVE, 1.0, 1.0),
        take(f64::MIN_POSITIVE, f64::MAX, 1.0, 1.0),
        take(1e-300, 1.0, 1e300, 1.0),
    ];
    for ask in cases {
        let what = format!("{ask:?}");
        program.plain(1, ask);
        let told = program.told().concat();
        assert!(told.ends_with(" ERR_SONIC_LIMITER_OPTIONS"), "{what}: {told}");
    }
    assert_eq!(program.sync.parts.limiters.len(), 0);
    program.questions.clear();
    program.play(
        "one that is used",
        vec![
            (1, take(1.0, 2.0, 3.0, 3.0), "1.1 done"),
            (1, take(1.0, 2.0, 4.0, 1.0), "1.2 ERR_SONIC_LIMITER_OPTIONS"),
            (1, take(1.0, 2.0, 3.0, 4.0), "1.3 ERR_SONIC_LIMITER_OPTIONS"),
        ],
    );
}

#[test]
fn limiters_that_are_full_are_forgotten_when_there_are_many() {
    let mut program = Program::new();
    for number in 0..100_000_u32 {
        program.now = f64::from(number);
        let (name, n) = (number.to_string(), 1.0);
        program.plain(1, Ask::Take { name, tokens: 1.0, per: 10.0, burst: 5.0, n });
        assert!(program.sync.parts.limiters.len() <= 1025);
    }
    assert_eq!(gone_on(&mut program), 100_000);
}
