//! Promised: locks are granted in the order and in the modes that the specification of Web Locks says, and its platform tests
//! check; limits, tokens, death and locks taken without asking fit in.

use super::*;

type Case = (&'static str, Vec<(u16, Ask, &'static str)>);

fn play_all(cases: Vec<Case>) {
    for (what, steps) in cases {
        let mut program = Program::new();
        program.play(what, steps);
        program.assert_empty();
    }
}

#[test]
fn requests_are_granted_in_order_as_the_platform_tests_of_web_locks_say() {
    play_all(vec![
        (
            "exclusive requests follow each other (mode-exclusive)",
            vec![
                (1, lock("a"), "1.1 granted #1"),
                (2, lock("a"), ""),
                (3, lock("a"), ""),
                (1, lock("b"), "1.2 granted #2"),
                (1, unlock("a", 1), "2.1 granted #3"),
                (2, unlock("a", 3), "3.1 granted #4"),
                (3, unlock("a", 4), ""),
                (1, unlock("b", 2), ""),
            ],
        ),
        (
            "shared requests are held together (mode-shared)",
            vec![
                (1, shared("a"), "1.1 granted #1"),
                (2, shared("a"), "2.1 granted #2"),
                (2, shared("a"), "2.2 granted #3"),
                (1, unlock("a", 1), ""),
                (3, shared("a"), "3.1 granted #4"),
                (2, unlock("a", 2), ""),
                (2, unlock("a", 3), ""),
                (3, unlock("a", 4), ""),
            ],
        ),
        (
            "shared and exclusive requests keep their order (mode-mixed)",
            vec![
                (1, shared("a"), "1.1 granted #1"),
                (2, shared("a"), "2.1 granted #2"),
                (3, lock("a"), ""),
                (4, shared("a"), ""),
                (5, shared("a"), ""),
                (6, lock("a"), ""),
                (7, shared("a"), ""),
                (1, unlock("a", 1), ""),
                (2, unlock("a", 2), "3.1 granted #3"),
                (3, unlock("a", 3), "4.1 granted #4, 5.1 granted #5"),
                (5, unlock("a", 5), ""),
                (4, unlock("a", 4), "6.1 granted #6"),
                (6, unlock("a", 6), "7.1 granted #7"),
                (7, unlock("a", 7), ""),
            ],
        ),
        (
            "names are different names, however odd (resource-names)",
            vec![
                (1, lock(""), "1.1 granted #1"),
                (1, lock("\0"), "1.2 granted #2"),
                (1, lock("ab"), "1.3 granted #3"),
                (1, lock("a"), "1.4 granted #4"),
                (2, lock("\0"), ""),
                (1, unlock("", 1), ""),
                (1, unlock("\0", 2), "2.1 granted #5"),
                (2, unlock("\0", 5), ""),
                (1, unlock("ab", 3), ""),
                (1, unlock("a", 4), ""),
            ],
        ),
    ]);
}

#[test]
fn what_is_asked_for_in_another_manner_is_granted_as_the_platform_tests_say() {
    play_all(vec![
        (
            "what is asked for if it is available is granted at once or not at all (ifAvailable)",
            vec![
                (1, if_available(lock("a")), "1.1 granted #1"),
                (2, if_available(lock("a")), "2.1 unavailable"),
                (2, if_available(shared("a")), "2.2 unavailable"),
                (1, unlock("a", 1), ""),
                (1, shared("a"), "1.2 granted #2"),
                (2, if_available(shared("a")), "2.3 granted #3"),
                (3, lock("a"), ""),
                (2, if_available(shared("a")), "2.4 unavailable"),
                (1, unlock("a", 2), ""),
                (2, unlock("a", 3), "3.1 granted #4"),
                (3, unlock("a", 4), ""),
            ],
        ),
        (
            "who steals takes it from all, before all who wait (steal)",
            vec![
                (1, steal(lock("a")), "1.1 granted #1"),
                (2, lock("a"), ""),
                (3, steal(lock("a")), "1.0 stolen #1, 3.1 granted #2"),
                (1, unlock("a", 1), ""),
                (3, unlock("a", 2), "2.1 granted #3"),
                (2, unlock("a", 3), ""),
                (1, shared("a"), "1.2 granted #4"),
                (2, shared("a"), "2.2 granted #5"),
                (2, steal(lock("a")), "1.0 stolen #4, 2.0 stolen #5, 2.3 granted #6"),
                (2, unlock("a", 6), ""),
            ],
        ),
        (
            "a request that is cancelled was never there (signal)",
            vec![
                (1, lock("a"), "1.1 granted #1"),
                (2, lock("a"), ""),
                (3, lock("a"), ""),
                (2, cancel(1), ""),
                (1, unlock("a", 1), "3.1 granted #2"),
                (3, unlock("a", 2), ""),
            ],
        ),
        (
            "when a writer is cancelled, readers behind it go on at once",
            vec![
                (1, shared("a"), "1.1 granted #1"),
                (2, lock("a"), ""),
                (3, shared("a"), ""),
                (4, shared("a"), ""),
                (2, cancel(1), "3.1 granted #2, 4.1 granted #3"),
                (1, unlock("a", 1), ""),
                (3, unlock("a", 2), ""),
                (4, unlock("a", 3), ""),
            ],
        ),
        (
            "a request that was granted when it is cancelled is over",
            vec![
                (1, lock("a"), "1.1 granted #1"),
                (2, lock("a"), ""),
                (1, cancel(1), "2.1 granted #2"),
                (1, unlock("a", 1), ""),
                (2, cancel(1), ""),
            ],
        ),
    ]);
}

#[test]
fn limits_and_owners_are_checked() {
    play_all(vec![
        (
            "a semaphore has as many holders as its limit says",
            vec![
                (1, semaphore("a", 2), "1.1 granted #1"),
                (2, semaphore("a", 2), "2.1 granted #2"),
                (3, semaphore("a", 2), ""),
                (4, semaphore("a", 2), ""),
                (5, if_available(semaphore("a", 2)), "5.1 unavailable"),
                (2, unlock("a", 2), "3.1 granted #3"),
                (1, unlock("a", 1), "4.1 granted #4"),
                (5, steal(semaphore("a", 2)), "3.0 stolen #3, 4.0 stolen #4, 5.2 granted #5"),
                (1, semaphore("a", 2), "1.2 granted #6"),
                (5, unlock("a", 5), ""),
                (1, unlock("a", 6), ""),
            ],
        ),
        (
            "a limit is everybody's, as long as it is used",
            vec![
                (1, semaphore("a", 2), "1.1 granted #1"),
                (2, semaphore("a", 3), "2.1 ERR_SONIC_LOCK_LIMIT"),
                (2, lock("a"), "2.2 ERR_SONIC_LOCK_LIMIT"),
                (2, shared("a"), "2.3 ERR_SONIC_LOCK_LIMIT"),
                (2, steal(lock("a")), "2.4 ERR_SONIC_LOCK_LIMIT"),
                (1, unlock("a", 1), ""),
                (2, semaphore("a", 3), "2.5 granted #2"),
                (2, unlock("a", 2), ""),
                (1, semaphore("a", 0), "1.2 ERR_SONIC_LOCK_LIMIT"),
                (1, shared("a"), "1.3 granted #3"),
                (1, semaphore("a", 1), "1.4 ERR_SONIC_LOCK_LIMIT"),
                (1, unlock("a", 3), ""),
            ],
        ),
        (
            "nobody ends what is another's, or over, or never was",
            vec![
                (1, lock("a"), "1.1 granted #1"),
                (2, unlock("a", 1), ""),
                (2, cancel(1), ""),
                (1, unlock("a", 99), ""),
                (2, lock("a"), ""),
                (1, unlock("another name", 1), "2.1 granted #2"),
                (1, unlock("a", 1), ""),
                (1, cancel(1), ""),
                (2, unlock("a", 2), ""),
            ],
        ),
    ]);
}

#[test]
fn a_writer_does_not_wait_for_readers_that_come_after_it() {
    let mut program = Program::new();
    program.plain(1, shared("a"));
    program.plain(2, lock("a"));
    for _ in 0..100 {
        program.plain(3, shared("a"));
    }
    program.told();
    program.play("the first reader ends", vec![(1, unlock("a", 1), "2.1 granted #2")]);
    program.plain(2, unlock("a", 2));
    assert_eq!(program.told().len(), 100);
}

#[test]
fn what_a_dead_process_held_is_granted_to_the_next_and_what_it_waited_for_is_not() {
    let mut program = Program::new();
    for ask in [lock("a"), shared("b"), semaphore("c", 2), lock("d")] {
        program.plain(1, ask);
    }
    program.plain(2, shared("b"));
    program.plain(2, semaphore("c", 2));
    // The dead one waits too, in every role.
    for ask in [lock("a"), lock("b"), semaphore("c", 2)] {
        program.plain(1, ask);
    }
    for ask in [lock("a"), shared("b"), semaphore("c", 2)] {
        program.plain(3, ask);
    }
    program.plain(4, shared("b"));
    program.told();
    program.gone(1);
    assert_eq!(
        program.told(),
        ["3.1 granted #7", "3.2 granted #8", "4.1 granted #9", "3.3 granted #10"]
    );
    program.play("it says nothing any more", vec![(1, unlock("a", 7), ""), (1, lock("z"), "")]);
    program.gone(1);
    for owner in 2..=4 {
        program.gone(owner);
    }
    program.assert_empty();
}

#[test]
fn a_number_that_came_back_is_another_process() {
    let mut program = Program::new();
    program.plain(1, lock("a"));
    program.gone(1);
    program.sync.owner_came(1, who(1));
    program.told();
    program.play("anew", vec![(1, unlock("a", 1), ""), (1, lock("a"), "1.2 granted #2")]);
    program.gone(1);
    program.assert_empty();
}

#[test]
fn a_lock_that_was_taken_without_asking_is_waited_for() {
    let mut program = Program::new();
    let token = program.words.acquire(0.0, "a", process(1)).expect("it is free");
    program
        .play("adopted", vec![(2, if_available(lock("a")), "2.1 unavailable"), (3, lock("a"), "")]);
    assert!(!program.words.release("a", token), "the core has to know");
    assert_eq!(program.words.acquire(0.0, "a", process(2)), None);
    program
        .play("released", vec![(1, unlock("a", token), "3.1 granted #2"), (3, unlock("a", 2), "")]);
    assert_eq!(program.words.acquire(0.0, "a", process(2)), Some(3));
    program.play("stolen", vec![(3, steal(lock("a")), "2.0 stolen #3, 3.2 granted #4")]);
    program.play("stolen", vec![(2, unlock("a", 3), ""), (3, unlock("a", 4), "")]);
    assert_eq!(program.words.acquire(0.0, "a", process(2)), Some(5));
    program.play("a waiter", vec![(3, shared("a"), "")]);
    program.gone(2);
    assert_eq!(program.told(), ["3.3 granted #6"]);
    assert_eq!(program.words.acquire(0.0, "a", process(1)), None, "it is held by readers");
    program.gone(3);
    program.assert_empty();
}

#[test]
fn what_the_shared_memory_says_may_be_wrong() {
    let mut program = Program::new();
    program.play("a lock", vec![(1, lock("a"), "1.1 granted #1")]);
    let holder = |owner, token| Holder { owner, event: None, token, since: 0.0 };
    for (name, holder) in [("nobody's", holder(777, 5)), ("twice", holder(2, 1))] {
        program.words.words.entry(name.into()).or_default().holder = Some(holder);
    }
    program.play(
        "a holder that is nobody counts for nothing",
        vec![(3, lock("nobody's"), "3.1 granted #2"), (3, unlock("nobody's", 2), "")],
    );
    program
        .play("a token that is another's", vec![(3, lock("twice"), ""), (2, unlock("a", 1), "")]);
    program.gone(2);
    assert_eq!(program.told(), ["3.2 granted #4"]);
    program.play("the lock", vec![(1, unlock("a", 1), ""), (3, unlock("twice", 4), "")]);
    program.assert_empty();
}

#[test]
fn a_question_that_waits_is_not_asked_twice() {
    let mut program = Program::new();
    program.plain(1, lock("a"));
    program.plain(2, lock("a"));
    program.questions.insert(2, 0);
    program.told();
    program
        .play("the same number", vec![(2, lock("b"), ""), (1, unlock("a", 1), "2.1 granted #2")]);
    program.questions.insert(2, 0);
    program.play("for what is held", vec![(2, lock("b"), "2.1 granted #3")]);
    program.play("both end", vec![(2, unlock("a", 2), ""), (2, cancel(1), "")]);
    program.assert_empty();
}

#[test]
fn a_query_shows_who_holds_and_who_waits_in_order() {
    let mut program = Program::new();
    program.words.acquire(0.0, "fast", event(2, 30));
    program.ask(event(1, 40), &[], shared("b"), None);
    program.plain(9, lock("a"));
    program.ask(event(2, 41), &[], lock("b"), None);
    program.ask(event(3, 42), &[], shared("b"), None);
    program.plain(1, lock("fast"));
    program.told();
    program.plain(9, Ask::Query);
    let told = program.out.pop().map(|out| out.told.reply);
    let Some(Reply::Snapshot { held, pending }) = told else { panic!("a snapshot") };
    let short = |info: &crate::wire::sync::Info| {
        let crate::wire::sync::Info { name, mode, client_id, worker, pid, event } = info;
        format!("{name} {mode:?} {client_id} {worker:?} {pid} {event:?}")
    };
    assert_eq!(
        held.iter().map(short).collect::<Vec<_>>(),
        [
            "fast Exclusive 102-2 Some(2) 102 Some(30)",
            "b Shared 101-1 Some(1) 101 Some(40)",
            "a Exclusive 109-9 None 109 None",
        ]
    );
    assert_eq!(
        pending.iter().map(short).collect::<Vec<_>>(),
        [
            "b Exclusive 102-2 Some(2) 102 Some(41)",
            "b Shared 103-3 Some(3) 103 Some(42)",
            "fast Exclusive 101-1 Some(1) 101 None",
        ]
    );
    // One that nobody asked the core for.
    program.words.acquire(0.0, "unknown", process(4));
    program.plain(9, Ask::Query);
    let told = program.out.pop().map(|out| out.told.reply);
    let Some(Reply::Snapshot { held, .. }) = told else { panic!("a snapshot") };
    assert_eq!(held.last().map(short).as_deref(), Some("unknown Exclusive 104-4 Some(4) 104 None"));
}

#[test]
fn tokens_rise_over_all_locks_and_all_ways_to_take_them() {
    let mut program = Program::new();
    let mut tokens = vec![program.words.acquire(0.0, "x", process(1)).expect("it is free")];
    for ask in [lock("a"), shared("b"), semaphore("c", 2), steal(lock("a"))] {
        program.plain(2, ask);
        tokens.extend(program.words.acquire(0.0, &format!("{}", tokens.len()), process(1)));
    }
    program.plain(1, lock("a"));
    program.gone(2);
    for out in &program.out {
        if let Reply::Granted { token, .. } = out.told.reply {
            tokens.push(token);
        }
    }
    tokens.sort_unstable();
    assert_eq!(tokens, (1..=10).collect::<Vec<_>>());
    let granted = program.out.iter().filter_map(|out| match out.told.reply {
        Reply::Granted { token, place } => Some((token, place)),
        _ => None,
    });
    let place = Some((7, 1));
    assert_eq!(
        granted.collect::<Vec<_>>(),
        [(2, place), (4, None), (6, None), (8, place), (10, place)]
    );
}

#[test]
fn a_hundred_thousand_names_leave_no_memory_behind() {
    let mut program = Program::new();
    for number in 0..100_000_u64 {
        let name = number.to_string();
        for ask in [lock(&name), unlock(&name, number + 1)] {
            program.plain(1, ask);
        }
        program.out.clear();
    }
    program.assert_empty();
    assert_eq!(program.sync.next_due(), None);
    assert!(program.sync.statistics().len() <= 100);
}

#[test]
fn waits_and_holds_are_counted_by_name() {
    let mut program = Program::new();
    program.plain(1, lock("a"));
    program.plain(2, lock("a"));
    program.now = 30.0;
    program.plain(1, unlock("a", 1));
    program.now = 40.0;
    program.plain(2, unlock("a", 2));
    let [a] = &program.sync.statistics()[..] else { panic!("one name") };
    assert_eq!((&*a.name, a.granted, a.waited, a.held), ("a", 2, 1, 40.0));
    assert!((a.wait_max - 30.0).abs() < 0.5 && a.wait_p50 == 0.0, "{a:?}");
}
