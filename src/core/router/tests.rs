//! Promised: see the module's text.

use super::*;
use crate::core::task_id::first_of;

const NOTHING: [TaskId; 0] = [];

fn group(tags: &[&str], is_exclusive: bool) -> Group {
    Group { tags: tags.iter().map(ToString::to_string).collect(), is_exclusive }
}

fn routing(tags: &[&str], key: impl Into<Option<&'static str>>) -> Routing {
    let tags = tags.iter().map(ToString::to_string).collect();
    Routing { tags, key: key.into().map(ToOwned::to_owned), priority: 0 }
}

/// Of workers with the ids 11, 12, …, in groups given by how many there are in each.
fn router(groups: &[(usize, &[&str], bool)]) -> Router {
    let all = groups.iter().map(|&(_, tags, is_exclusive)| group(tags, is_exclusive)).collect();
    let of_slot = groups.iter().enumerate().flat_map(|(at, &(count, ..))| vec![at; count]);
    Router::new(all, (11..).zip(of_slot))
}

fn add(router: &mut Router, task: TaskId, routing: Routing) -> bool {
    router.add(task, routing, ROOM).expect("some worker runs it")
}

/// What is due, which is offered.
fn offered(router: &mut Router) -> Vec<TaskId> {
    let next = std::iter::from_fn(|| {
        let (task, ..) = router.next(|_| 0.0)?;
        router.offered(task);
        Some(task)
    });
    next.collect()
}

fn text(error: &Error) -> String {
    error.to_string()
}

#[test]
fn an_event_is_offered_to_the_workers_that_have_all_of_its_tags() {
    let mut router =
        router(&[(1, &["gpu"], true), (2, &["cpu"], false), (1, &["cpu", "big"], false)]);
    let cases: [(&[&str], &[usize]); 5] = [
        (&["gpu"], &[0]),
        (&["cpu"], &[1, 2, 3]),
        (&["big"], &[3]),
        (&["cpu", "big"], &[3]),
        (&[], &[1, 2, 3]),
    ];
    for (task, (tags, slots)) in (0..).zip(cases) {
        assert!(add(&mut router, task, routing(tags, None)));
        let (_, to, _) = router.next(|_| 0.0).expect("it is due");
        router.offered(task);
        assert_eq!(router.reach(to).collect::<Vec<_>>(), slots, "{tags:?}");
        for slot in 0..4 {
            assert_eq!(router.may_claim(slot, task), slots.contains(&slot));
        }
    }
    assert!(!router.may_claim(1, 99), "an event of another lane");
    assert!(router.is_exclusive(0) && !router.is_exclusive(3));
    assert_eq!((router.ranks(), router.rank(0), router.rank(3)), (&[1, 2][..], 1, 2));
    assert_eq!(router.next(|_| 0.0), None);
}

#[test]
fn what_no_worker_runs_is_told_with_its_tags() {
    let mut with_tags = router(&[(1, &["gpu", "big"], true), (1, &["cpu"], false)]);
    for (tags, expected) in [
        (
            &["tpu"][..],
            r#"no worker has the tag "tpu"; the workers have "big" and "cpu" and "gpu""#,
        ),
        (&["cpu", "gpu"], r#"no worker has "cpu" and "gpu" together"#),
    ] {
        let error = with_tags.add(0, routing(tags, None), ROOM).expect_err("nobody runs it");
        assert_eq!(text(&error), format!("no worker can run this event: {expected}"));
        assert!(!with_tags.has(0));
    }
    let mut without = router(&[(1, &[], false)]);
    let error = without.add(0, routing(&["a"], None), ROOM).expect_err("nobody runs it");
    assert!(
        text(&error).ends_with(r#"no worker has the tag "a"; the workers have no tags at all"#)
    );
    let mut exclusive = router(&[(1, &["gpu"], true)]);
    assert!(exclusive.refuses_others() && !with_tags.refuses_others());
    let refusal = exclusive.refusal().expect("a reason");
    assert!(text(&refusal).contains("all workers are exclusive"), "{refusal}");
    assert!(exclusive.add(0, routing(&[], "k"), ROOM).is_err());
    assert!(exclusive.add(0, routing(&["gpu"], "k"), ROOM).is_ok());
}

#[test]
fn a_few_events_a_worker_are_offered_at_a_time_and_a_busy_queue_holds_up_no_other() {
    let mut router = router(&[(1, &["a"], false), (2, &["b"], false)]);
    for task in 0..100 {
        add(&mut router, task, routing(&["a"], None));
    }
    assert_eq!(offered(&mut router), (0..WINDOW as TaskId).collect::<Vec<_>>());
    for task in 100..200 {
        add(&mut router, task, routing(&["b"], None));
    }
    assert_eq!(offered(&mut router).len(), 2 * WINDOW);
    assert_eq!(router.window(To::Slot(0)), WINDOW);
    assert_eq!(router.offers().iter().map(|&(_, count)| count).sum::<usize>(), 3 * WINDOW);
    router.claimed(0);
    assert_eq!(offered(&mut router), [WINDOW as TaskId]);
    // It fails, and is tried again before the others.
    assert!(router.put_back(0).is_ok());
    router.claimed(1);
    assert_eq!(offered(&mut router), [0]);
}

#[test]
fn of_a_key_one_event_is_offered_at_a_time_in_order_whatever_becomes_of_it() {
    let mut router = router(&[(3, &[], false)]);
    for task in 0..3 {
        add(&mut router, task, routing(&[], "k"));
    }
    add(&mut router, 3, routing(&[], "other"));
    let mut first = offered(&mut router);
    first.sort_unstable();
    assert_eq!(first, [0, 3]);
    router.claimed(0);
    assert_eq!(offered(&mut router), NOTHING);
    // It backs off, and comes back.
    assert!(router.put_back(0).is_ok());
    assert_eq!(offered(&mut router), [0]);
    for task in 0..3 {
        router.claimed(task);
        router.ended(task);
        let next: Vec<TaskId> = (task + 1..3).take(1).collect();
        assert_eq!(offered(&mut router), next);
    }
    router.ended(3);
    assert!(router.events.is_empty() && router.queues.is_empty() && router.keys.is_empty());
    assert!(router.runs.is_empty());
}

/// The slot that a key has.
fn slot_of(router: &mut Router, key: &str) -> usize {
    let Ok(To::Slot(slot)) = router.address(&[], Some(key)) else { panic!("one worker") };
    slot
}

#[test]
fn a_key_has_one_worker_and_moves_only_when_that_is_given_up() {
    let mut router = router(&[(2, &[], false), (3, &["t"], false), (1, &["x"], true)]);
    let keys: Vec<String> = (0..200).map(|key| key.to_string()).collect();
    let before: Vec<usize> = keys.iter().map(|key| slot_of(&mut router, key)).collect();
    for slot in 0..5 {
        let count = before.iter().filter(|&&it| it == slot).count();
        assert!((10..100).contains(&count), "{count} of 200 keys for one of five workers");
    }
    assert!(!before.contains(&5), "it is exclusive");
    for key in &keys {
        let to = router.address(&["t".to_owned()], Some(key));
        assert!(matches!(to, Ok(To::Slot(2..=4))), "tags come first");
    }
    assert_eq!(router.close(1), NOTHING);
    for (key, before) in keys.iter().zip(before) {
        let after = slot_of(&mut router, key);
        assert!(after == before || (before == 1 && after != 1));
    }
}

#[test]
fn what_was_for_a_worker_that_is_given_up_is_for_others_in_order() {
    let mut router = router(&[(2, &["t"], false)]);
    let slot = slot_of(&mut router, "k");
    for task in 0..3 {
        add(&mut router, task, routing(&["t"], "k"));
    }
    assert_eq!(offered(&mut router), [0]);
    assert_eq!(router.close(slot), NOTHING);
    assert!(!router.is_offered(0) && router.may_claim(1 - slot, 0) && !router.may_claim(slot, 0));
    // The pool takes it back.
    assert!(router.put_back(0).is_ok());
    for task in 0..3 {
        assert_eq!(offered(&mut router), [task]);
        router.claimed(task);
        router.ended(task);
    }
    assert!(router.queues.is_empty() && router.keys.is_empty());
}

#[test]
fn what_no_worker_will_ever_run_is_told_of_at_once() {
    let mut router = router(&[(2, &["t"], false), (1, &[], false)]);
    for task in 0..20 {
        add(&mut router, task, routing(&["t"], None));
    }
    for task in 20..23 {
        add(&mut router, task, routing(&["t"], "k"));
    }
    add(&mut router, 23, routing(&[], None));
    let first = offered(&mut router);
    router.claimed(0);
    assert_eq!(router.close(0), NOTHING);
    let lost = router.close(1);
    let expected: Vec<TaskId> = (0..23).filter(|task| !first.contains(task)).collect();
    assert_eq!(lost, expected, "all but what was offered");
    for task in lost {
        assert!(router.is_lost(task));
        let error = router.put_back(task).expect_err("nobody runs it");
        assert!(text(&error).ends_with(r#"the last worker with "t" was given up"#), "{error}");
        router.ended(task);
    }
    // What ran comes back.
    assert!(router.put_back(0).is_err());
    for task in first.into_iter().filter(|&task| task != 23) {
        router.ended(task);
    }
    assert!(router.add(30, routing(&["t"], None), ROOM).is_err());
    assert!(!router.refuses_others());
    router.ended(23);
    router.close(2);
    assert!(router.refuses_others());
    assert!(router.events.is_empty() && router.queues.is_empty() && router.keys.is_empty());
}

#[test]
fn there_is_room_for_so_many_events_a_worker_and_for_later_ones_in_order() {
    let mut router = router(&[(1, &["a"], false), (2, &["b"], false)]);
    let room = ROOM as TaskId;
    let has_room: Vec<bool> =
        (0..room + 3).map(|task| add(&mut router, task, routing(&["a"], None))).collect();
    assert!(has_room[..ROOM].iter().all(|&has_room| has_room));
    assert_eq!(has_room[ROOM..], [false; 3]);
    assert!(add(&mut router, 1000, routing(&["b"], None)), "another queue");
    offered(&mut router);
    assert_eq!(router.admit(|_| ROOM), NOTHING);
    router.ended(0);
    assert_eq!(router.admit(|_| 1), NOTHING, "too many bytes");
    assert_eq!(router.admit(|_| ROOM), [room]);
    // It fails before there was room.
    assert_eq!(router.withdraw(|task| task == room + 1), [room + 1]);
    router.ended(room + 1);
    assert_eq!(router.admit(|_| ROOM), [room + 1]);
    for (task, has_room) in [(2000, true), (2001, false)] {
        assert_eq!(router.add(task, routing(&["b"], None), 1).ok(), Some(has_room));
    }
    assert_eq!(router.count(0), ROOM + 4);
    let lost = router.close(0);
    assert!(lost.contains(&room) && router.admit(|_| ROOM).contains(&(room + 2)));
}

#[test]
fn what_is_withdrawn_waits_no_more_and_the_runs_are_counted() {
    let mut router = router(&[(1, &[], false)]);
    for run in 0..2 {
        for number in 0..20 {
            let key = (number % 2 == 0).then_some("k");
            add(&mut router, first_of(run) + number, routing(&[], key));
        }
    }
    assert_eq!((router.count(0), router.count(1), router.count(2)), (20, 20, 0));
    let offered = offered(&mut router);
    let is_meant = |task| run_of(task) == 0;
    let withdrawn = router.withdraw(is_meant);
    let expected: Vec<TaskId> = (0..20).filter(|task| !offered.contains(task)).collect();
    assert_eq!(withdrawn, expected);
    assert_eq!(router.withdraw(is_meant), NOTHING);
    for task in withdrawn {
        router.ended(task);
    }
    assert_eq!(router.count(0), offered.iter().filter(|&&task| is_meant(task)).count());
}

fn urgent(priority: Priority, key: Option<&'static str>) -> Routing {
    Routing { priority, ..routing(&[], key) }
}

/// Claims and ends what is offered, one event after another.
fn order(router: &mut Router) -> Vec<TaskId> {
    let next = std::iter::from_fn(|| {
        let (task, ..) = router.next(|_| 0.0)?;
        router.offered(task);
        router.ended(task);
        Some(task)
    });
    next.collect()
}

#[test]
fn of_a_higher_priority_comes_first_and_else_in_order() {
    let mut router = router(&[(2, &[], false)]);
    assert!(!router.has_priorities());
    for (task, priority) in (0..).zip([0, -1, 5, 0, i32::MAX, i32::MIN, 5]) {
        assert!(add(&mut router, task, urgent(priority, None)));
    }
    assert!(router.has_priorities());
    assert_eq!(
        router.next(|_| 0.0).map(|(task, _, priority)| (task, priority)),
        Some((4, i32::MAX))
    );
    assert_eq!(order(&mut router), [4, 2, 6, 0, 3, 1, 5]);
    assert!(!router.has_priorities());
}

#[test]
fn a_full_window_of_one_priority_keeps_no_other_from_being_offered() {
    let mut router = router(&[(1, &[], false)]);
    for task in 0..20 {
        add(&mut router, task, urgent(-1, None));
    }
    assert_eq!(offered(&mut router).len(), WINDOW);
    add(&mut router, 20, urgent(1, None));
    assert_eq!(offered(&mut router), [20]);
    assert_eq!(router.offers().iter().map(|(_, count)| count).sum::<usize>(), WINDOW + 1);
}

#[test]
fn a_priority_is_never_a_reason_to_pass_an_earlier_event_of_the_key() {
    let mut router = router(&[(1, &[], false)]);
    for (task, priority) in (0..).zip([0, 9, 5, 9]) {
        add(&mut router, task, urgent(priority, (task != 2).then_some("k")));
    }
    assert_eq!(order(&mut router), [2, 0, 1, 3]);
}

#[test]
fn each_priority_has_room_of_its_own_and_the_highest_is_let_in_first() {
    let mut router = router(&[(1, &[], false)]);
    for (first, priority) in [(0, -1), (100, 1)] {
        for task in first..=first + ROOM as TaskId {
            assert_eq!(
                add(&mut router, task, urgent(priority, None)),
                task < first + ROOM as TaskId
            );
        }
    }
    router.ended(0);
    router.ended(100);
    assert_eq!(router.admit(|_| ROOM), [100 + ROOM as TaskId, ROOM as TaskId]);
}

#[test]
fn of_the_runs_at_one_address_the_one_is_next_that_has_had_least() {
    let mut router = router(&[(2, &["t"], false)]);
    let tasks = [first_of(1), first_of(2), first_of(1) + 1, first_of(2) + 1];
    for task in tasks {
        add(&mut router, task, routing(&["t"], None));
    }
    let had = |run| if run == 1 { 8.0 } else { 7.0 };
    for expected in [tasks[1], tasks[3], tasks[0], tasks[2]] {
        let (task, ..) = router.next(had).expect("it is due");
        assert_eq!(task, expected);
        router.offered(task);
    }
}

#[test]
fn an_emitted_event_has_the_tags_and_the_priority_but_not_the_key() {
    let mut router = router(&[(1, &["t"], false)]);
    add(&mut router, 1, Routing { priority: 3, ..routing(&["t"], "k") });
    add(&mut router, 2, routing(&[], "k"));
    assert_eq!(router.inherited(1), Some(Routing { priority: 3, ..routing(&["t"], None) }));
    assert_eq!(router.inherited(2), Some(Routing::default()));
    assert_eq!(router.inherited(3), None, "it is not here");
}

#[test]
fn an_event_for_which_nobody_waits_has_room_and_leaves_less_to_others() {
    let mut router = router(&[(1, &["a"], false), (1, &["b"], false)]);
    for task in 0..2 * ROOM as TaskId {
        router.add_further(task, routing(&["a"], None)).expect("some worker runs it");
    }
    assert!(!router.has_blocked() && router.count(0) == 2 * ROOM);
    let (blocked, free) = (1000, 1001);
    assert!(!add(&mut router, blocked, routing(&["a"], None)));
    assert!(add(&mut router, free, routing(&["b"], None)));
    assert!(router.has_blocked());
    for task in 0..=ROOM as TaskId {
        assert_eq!(router.admit(|_| ROOM), NOTHING);
        router.ended(task);
    }
    assert_eq!(router.admit(|_| ROOM), [blocked]);
    let error = router.add_further(2000, routing(&["c"], None)).expect_err("nobody runs it");
    assert!(text(&error).contains(r#"no worker has the tag "c""#), "{error}");
    assert!(!router.has(2000));
}

#[test]
fn a_run_without_room_has_none_whatever_ends_until_it_has_some() {
    let mut router = router(&[(1, &["a"], false)]);
    assert!(!router.add(0, routing(&["a"], None), 0).expect("some worker runs it"));
    assert_eq!(router.admit(|_| 0), NOTHING);
    assert_eq!(offered(&mut router), [0], "it is offered nevertheless");
    let other = first_of(1);
    assert!(add(&mut router, other, routing(&["a"], None)), "another run has room");
    assert_eq!(router.admit(|run| usize::from(run == 0)), [0]);
}

#[test]
fn an_event_without_room_that_goes_on_has_room_when_its_run_has() {
    let mut router = router(&[(1, &["a"], false), (1, &["b"], false)]);
    for task in 0..3 {
        assert!(!router.add(task, routing(&["a"], None), 0).expect("some worker runs it"));
    }
    for task in [1, 0] {
        router.goes_on(task);
        router.ended(task);
        router.add_further(task, routing(&["b"], None)).expect("some worker runs it");
    }
    assert!(router.has_blocked());
    assert_eq!(router.admit(|_| 0), NOTHING);
    router.ended(0);
    assert_eq!(router.admit(|_| 0), NOTHING, "not even when it has ended");
    assert_eq!(router.admit(|_| 1), [1, 0, 2]);
    assert!(!router.has_blocked());
}
