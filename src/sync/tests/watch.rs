//! Promised: whoever watches a run gets what its events have waited for and held, once, and no more than was asked for; and what
//! other runs and other pools do is not among it.

use super::*;
use crate::core::sync::Span;
use crate::core::task_id::first_of;

fn texts(watch: &Watch) -> Vec<String> {
    let text = |span: Span| {
        assert!(span.until > span.from, "{span:?}");
        let verb = if span.is_hold { "held" } else { "waited for" };
        format!("{:?} {verb} {}", span.who.worker, span.name)
    };
    watch.take().into_iter().map(text).collect()
}

/// Takes a lock and gives it back, a little later.
fn use_lock(listener: &Listener, owner: &Owner, event: Option<TaskId>, name: &str) {
    let asked = |id, ask| Asked { id, inside: Vec::new(), event: None, ask };
    listener.member.ask(question(owner, event, asked(1, lock(name))), &());
    let (token, _) = listener.grant();
    let granted = clock();
    until("a later time", || clock() > granted);
    listener.member.ask(question(owner, event, asked(0, unlock(name, token))), &());
}

#[test]
fn a_run_is_shown_its_own_events_and_what_no_event_does() {
    let hub = Hub::new().expect("memory");
    let listener = || Listener::new(&hub, Looks::ByItself);
    let (pool, other, master) = (listener(), listener(), listener());
    let worker = |listener: &Listener, number| {
        let owner = listener.member.owner().expect("a number");
        owner.came(Who { worker: Some(number), pid: number });
        owner
    };
    let (a, b, c) = (worker(&pool, 1), worker(&other, 2), master.owner());
    let [first, second] = [0, 1].map(|run| pool.member.watch(run, 100));
    let theirs = other.member.watch(0, 100);
    use_lock(&pool, &a, Some(first_of(0) + 3), "of the first run");
    use_lock(&pool, &a, Some(first_of(1) + 3), "of the second run");
    use_lock(&pool, &a, None, "of no event");
    use_lock(&other, &b, Some(first_of(0) + 3), "of another pool");
    use_lock(&other, &b, None, "of no event there");
    use_lock(&master, &c, None, "of the master");
    assert_eq!(
        texts(&first),
        ["Some(1) held of the first run", "Some(1) held of no event", "None held of the master"]
    );
    assert_eq!(
        texts(&second),
        ["Some(1) held of the second run", "Some(1) held of no event", "None held of the master"]
    );
    assert_eq!(
        texts(&theirs),
        [
            "Some(2) held of another pool",
            "Some(2) held of no event there",
            "None held of the master"
        ]
    );
    assert_eq!(texts(&first), [""; 0], "each once");
}

#[test]
fn what_a_dead_process_held_and_waited_for_is_shown() {
    let hub = Hub::new().expect("memory");
    let pool = Listener::new(&hub, Looks::ByItself);
    let (a, b) = (pool.owner(), pool.owner());
    let watch = pool.member.watch(0, 100);
    pool.ask(&a, 1, lock("x"));
    pool.ask(&b, 1, lock("y"));
    pool.ask(&b, 2, lock("x"));
    let asked = clock();
    until("a later time", || clock() > asked);
    drop(b);
    let mut told = texts(&watch);
    told.sort_unstable();
    assert_eq!(told, ["None held y", "None waited for x"]);
}

#[test]
fn no_more_is_kept_than_was_asked_for_and_nothing_when_nobody_watches() {
    let hub = Hub::new().expect("memory");
    let pool = Listener::new(&hub, Looks::ByItself);
    let owner = pool.owner();
    let (few, all) = (pool.member.watch(0, 3), pool.member.watch(0, 100));
    for _ in 0..2 {
        use_lock(&pool, &owner, None, "x");
    }
    assert_eq!(texts(&few).len(), 2);
    for _ in 0..5 {
        use_lock(&pool, &owner, None, "x");
    }
    assert_eq!((texts(&few).len(), texts(&all).len()), (1, 7));
    drop(few);
    use_lock(&pool, &owner, None, "x");
    assert_eq!(texts(&all).len(), 1);
    drop(all);
    use_lock(&pool, &owner, None, "x");
    assert_eq!(hub.lock().core.take_spans(), []);
    assert!(hub.lock().watches.is_empty());
}
