//! Promised: an event goes through the chains of its run one after the other, each in a worker with the tags of that chain, and
//! ends once, with the data that it came with. What a worker dies of, and each attempt, concerns one chain alone. An event leaves
//! nothing behind, wherever its run ends, and not too many wait beyond their first chain.

mod crowded;

use super::*;
use crate::run::stream::Order as InOrder;
use crate::wire::header::chain;

/// One worker for each chain.
const TWO: [(usize, &[&str], bool); 2] = [(1, &["a"], false), (1, &["b"], false)];

/// A run whose events go through chains with these tags.
fn of_chains(chains: &[&[&str]]) -> RunOptions {
    let strings = |tags: &&[&str]| tags.iter().map(ToString::to_string).collect();
    RunOptions { chains: chains.iter().map(strings).collect(), ..plain() }
}

pub(super) fn through(chains: &[&[&str]], options: RunOptions) -> RunOptions {
    RunOptions { chains: of_chains(chains).chains, ..options }
}

fn two(options: RunOptions) -> (Bench, [Seat; 2]) {
    pool(&TWO, through(&[&["a"], &["b"]], options)).run()
}

fn again(limit: u32) -> RunOptions {
    let on = vec![Cause::Crash, Cause::Timeout, Cause::Error];
    let retries = Some(Policy { limit, backoff: 0.0, factor: 2.0, max_delay: 1e3, on });
    RunOptions { retries, ..plain() }
}

/// Which chain an event goes through; 0 where there is but one.
pub(super) fn number_of(item: &Item) -> u32 {
    item.header.flags >> flag::CHAIN_AT
}

impl Bench {
    /// Hands numbers over as JavaScript does where the first chain has these tags.
    fn begin(&self, numbers: impl IntoIterator<Item = u32>, tags: &[&str], key: Option<&str>) {
        for number in numbers {
            if tags.is_empty() && key.is_none() {
                self.hand_over(&number.to_string(), chain(1));
            } else {
                self.route_as(number, tags, key, chain(1)).expect("some worker runs it");
            }
        }
    }

    /// Nothing is left of any event, in whatever chain it was.
    pub(super) fn has_forgotten_all(&self) -> bool {
        let further = self.pool.lock().runs.get(&self.run).map_or(0, |run| run.further);
        self.is_clean() && further == 0 && self.pool.lock().tasks.gone_on() == 0
    }
}

impl Seat {
    /// The worker runs its next event, which is to have this text and this chain.
    #[track_caller]
    fn answers(&mut self, bench: &Bench, expected: (&str, u32), outcome: Outcome<'_>) {
        let item = self.player.start();
        let text = String::from_utf8(item.text.to_vec()).expect("UTF-8");
        assert_eq!((&*text, number_of(&item)), expected);
        self.player.answer(&item, outcome);
        bench.pool.flush();
    }
}

#[test]
fn an_event_goes_on_to_a_worker_of_the_next_chain_and_ends_with_the_data_that_it_came_with() {
    let chains: [&[&str]; 3] = [&["a"], &[], &["b"]];
    let groups: [(usize, &[&str], bool); 3] =
        [(1, &["a"], true), (1, &["b"], true), (1, &[], false)];
    let (bench, [mut a, mut b, mut rest]) = pool(&groups, of_chains(&chains)).run();
    bench.begin([1], &["a"], None);
    a.answers(&bench, ("1", 1), Outcome::response("10"));
    assert_eq!((look(&mut a), look(&mut b), bench.results()), (None, None, 0));
    assert_eq!(bench.outstanding(), 1);
    rest.answers(&bench, ("10", 2), Outcome::response("100"));
    assert_eq!((look(&mut a), look(&mut rest)), (None, None));
    b.answers(&bench, ("100", 3), Outcome::response("1000"));
    assert_eq!(bench.take(Queue::Results), [Entry::new(ANSWERED, 2, 1, "1000")]);
    assert!(bench.has_forgotten_all() && bench.pool.drained(bench.run));
}

#[test]
fn a_first_chain_without_tags_takes_its_events_from_the_lane() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &[], false), (1, &["b"], true)];
    let (bench, [mut a, mut b]) = pool(&groups, of_chains(&[&[], &["b"]])).run();
    bench.begin(0..3, &[], None);
    for number in ["0", "1", "2"] {
        a.answers(&bench, (number, 1), Outcome::response("7"));
        b.answers(&bench, ("7", 2), Outcome::response("8"));
    }
    assert_eq!(bench.numbers(Queue::Results), [0, 1, 2]);
    assert!(bench.has_forgotten_all());
}

#[test]
fn what_the_first_chain_makes_of_the_data_is_the_entrys_and_a_hole_is_one_to_the_next_chain() {
    let (bench, [mut a, mut b]) = two(plain());
    bench.begin([1], &["a"], None);
    let flags = flag::RESPONSE | flag::DATA;
    a.answers(&bench, ("1", 1), Outcome { flags, data: b"5", ..Outcome::response("10") });
    b.answers(&bench, ("10", 2), Outcome::response("20"));
    assert_eq!(bench.take(Queue::Results), [Entry::new(ANSWERED, 2, 5, "20")]);
    bench.begin([2], &["a"], None);
    a.answers(&bench, ("2", 1), Outcome::nothing());
    let item = b.player.start();
    assert_eq!((item.header.flags & flag::HOLE, &*item.text), (flag::HOLE, &b""[..]));
    b.player.answer(&item, Outcome::failed("{}"));
    bench.pool.flush();
    assert_eq!(bench.numbers(Queue::Failures), [2]);
    bench.begin([3], &["a"], None);
    let flags = flag::RESPONSE | flag::DATA_HOLE;
    a.answers(&bench, ("3", 1), Outcome { flags, ..Outcome::response("30") });
    b.answers(&bench, ("30", 2), Outcome::response("40"));
    let entries = bench.take(Queue::Results);
    assert_eq!((entries.len(), entries[0].kind & entry::DATA), (1, 0));
    assert!(bench.has_forgotten_all());
}

#[test]
fn what_is_too_long_for_a_lane_goes_on_too() {
    let (bench, [mut a, mut b]) = two(plain());
    bench.begin([1], &["a"], None);
    let long = "7".repeat(Shared::LONGEST + 1);
    let item = a.player.start();
    let item = std::thread::scope(|scope| {
        // It is more than the ring has room for.
        scope.spawn(|| a.player.answer(&item, Outcome::response(&long)));
        loop {
            if let Some(item) = b.player.look() {
                break item;
            }
            bench.pool.flush();
        }
    });
    assert!(b.player.claim(&item) && item.text == long.as_bytes());
    assert_eq!(number_of(&item), 2);
    b.player.answer(&item, Outcome::response("2"));
    bench.pool.flush();
    assert_eq!(bench.take(Queue::Results), [Entry::new(ANSWERED, 2, 1, "2")]);
    assert!(bench.has_forgotten_all());
}

#[test]
fn a_worker_that_dies_in_a_later_chain_concerns_that_chain_alone() {
    let (bench, [mut a, mut b]) = two(again(1));
    bench.begin([1], &["a"], None);
    a.answers(&bench, ("1", 1), Outcome::response("10"));
    assert_eq!(next(&mut b), "10");
    let mut b = replace(&bench, 1, b);
    assert_eq!(look(&mut a), None);
    b.answers(&bench, ("10", 2), Outcome::response("20"));
    assert_eq!(bench.take(Queue::Results), [Entry::new(ANSWERED, 2, 1, "20")]);
    assert!(bench.has_forgotten_all());

    let (bench, [mut a, mut b]) = two(plain());
    bench.begin([1, 2], &["a"], None);
    a.answers(&bench, ("1", 1), Outcome::response("10"));
    assert_eq!(next(&mut b), "10");
    let mut b = replace(&bench, 1, b);
    let failures = bench.take(Queue::Failures);
    assert_eq!((failures[0].data.as_u64(), failures[0].kind), (Some(1), CRASHED));
    a.answers(&bench, ("2", 1), Outcome::response("11"));
    b.answers(&bench, ("11", 2), Outcome::response("21"));
    assert_eq!(bench.numbers(Queue::Results), [2]);
    assert!(bench.has_forgotten_all() && bench.pool.drained(bench.run));
}

#[test]
fn attempts_count_anew_in_each_chain() {
    let (bench, [mut a, mut b]) = two(again(1));
    bench.begin([1], &["a"], None);
    a.answers(&bench, ("1", 1), Outcome::failed("{}"));
    a.answers(&bench, ("1", 1), Outcome::response("10"));
    b.answers(&bench, ("10", 2), Outcome::failed("{}"));
    b.answers(&bench, ("10", 2), Outcome::failed(r#"{"message":"last"}"#));
    assert_eq!(look(&mut a), None);
    let failures = bench.take(Queue::Failures);
    assert_eq!((failures.len(), failures[0].data.as_u64()), (1, Some(1)));
    let attempts = failures[0].response["attempts"].as_array().expect("a list");
    assert_eq!(attempts.len(), 2, "{failures:?}");
    assert!(bench.has_forgotten_all());
}

#[test]
fn a_run_that_ends_leaves_nothing_behind_in_any_chain() {
    for (how, chains) in [0, 1, 2].into_iter().flat_map(|how| {
        [[&["a"][..], &["b"]], [&["a"], &[]], [&[], &["b"]]].map(|chains| (how, chains))
    }) {
        let (bench, [mut a, mut b]) = pool(&TWO, through(&chains, again(2))).run();
        bench.begin(0..10, chains[0], None);
        for _ in 0..5 {
            let item = a.player.start();
            if number_of(&item) == 1 {
                a.player.answer(&item, Outcome::response("7"));
            } else {
                a.player.answer(&item, Outcome::failed("{}"));
            }
            bench.pool.flush();
        }
        let held = [a.player.look(), b.player.look()];
        assert!(held.iter().any(Option::is_some), "something runs");
        match how {
            0 => bench.pool.stop(bench.run),
            1 => bench.pool.close(bench.run),
            _ => bench
                .pool
                .enter(|state| state.fail(Error::Protocol { worker: 1, what: "a test".into() })),
        }
        bench.pool.flush();
        for (seat, item) in [&mut a, &mut b].into_iter().zip(&held) {
            let Some(item) = item else { continue };
            seat.player.answer(item, Outcome::response("8"));
            bench.pool.flush();
        }
        assert!(bench.has_forgotten_all(), "{how} {chains:?}");
        if how == 1 {
            continue;
        }
        assert_eq!(bench.outstanding(), 0);
        if how == 2 {
            let entries = bench.take(Queue::Results).len() + bench.take(Queue::Failures).len();
            assert_eq!(entries, 10, "each has an entry");
        }
    }
}

#[test]
fn entries_in_order_of_submission_wait_for_events_that_have_chains_to_go() {
    let stream = Some(InOrder::Submission);
    let (bench, [mut a, mut b]) = two(RunOptions { stream, ..plain() });
    bench.begin([1, 2], &["a"], None);
    a.answers(&bench, ("1", 1), Outcome::response("10"));
    a.answers(&bench, ("2", 1), Outcome::response("20"));
    let (first, second) = (b.player.start(), b.player.start());
    b.player.answer(&second, Outcome::response("21"));
    bench.pool.flush();
    assert_eq!(bench.numbers(Queue::Results), [0; 0]);
    b.player.answer(&first, Outcome::response("11"));
    bench.pool.flush();
    assert_eq!(bench.numbers(Queue::Results), [1, 2]);
    assert!(bench.has_forgotten_all());
}

#[test]
fn the_answers_of_a_numbered_run_have_the_numbers_of_their_events() {
    let (bench, [mut a, mut b]) = two(RunOptions { is_numbered: true, ..plain() });
    bench.begin([7, 8], &["a"], None);
    a.answers(&bench, ("7", 1), Outcome::response("70"));
    a.answers(&bench, ("8", 1), Outcome::failed("{}"));
    b.answers(&bench, ("70", 2), Outcome::response("700"));
    let entries = bench.take(Queue::Results);
    let told: Vec<(u32, u32)> =
        entries.iter().map(|entry| (entry.worker, entry.kind & entry::FAILED)).collect();
    assert_eq!(told, [(1, entry::FAILED), (0, 0)]);
    assert!(bench.has_forgotten_all());
}

#[test]
fn a_key_is_free_as_soon_as_its_event_goes_on() {
    let groups: [(usize, &[&str], bool); 2] = [(2, &["a"], false), (1, &["b"], false)];
    let (bench, [mut one, mut other, mut b]) = pool(&groups, of_chains(&[&["a"], &["b"]])).run();
    bench.begin(1..4, &["a"], Some("key"));
    // One of the two has the key.
    let (first, a, idle) = match one.player.look() {
        Some(item) => (item, &mut one, &mut other),
        None => (other.player.start(), &mut other, &mut one),
    };
    a.player.answer(&first, Outcome::response("10"));
    bench.pool.flush();
    assert_eq!(next(&mut b), "10");
    a.answers(&bench, ("2", 1), Outcome::response("20"));
    a.answers(&bench, ("3", 1), Outcome::response("30"));
    assert_eq!(look(idle), None);
    assert_eq!(bench.outstanding(), 3);
    assert_eq!([next(&mut b), next(&mut b)], ["20", "30"]);
}

#[test]
fn a_priority_holds_in_all_chains() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &["a"], true), (1, &[], false)];
    let (bench, [mut a, mut b]) = pool(&groups, of_chains(&[&["a"], &[]])).run();
    let busy = {
        bench.submit([99]);
        b.player.start()
    };
    for (number, priority) in [(1, 0), (2, 5)] {
        let text = number.to_string();
        let routing = Routing { tags: vec!["a".into()], key: None, priority };
        bench.take_in(routing, text.as_bytes(), chain(1)).expect("it runs");
    }
    a.answers(&bench, ("2", 1), Outcome::response("20"));
    a.answers(&bench, ("1", 1), Outcome::response("10"));
    b.player.answer(&busy, Outcome::response("1"));
    bench.pool.flush();
    assert_eq!(next(&mut b), "20");
}

#[test]
fn what_an_event_emits_begins_with_the_first_chain() {
    let (bench, [mut a, mut b]) = two(plain());
    bench.begin([1], &["a"], None);
    a.answers(&bench, ("1", 1), Outcome::response("10"));
    let item = b.player.start();
    b.player.worker.write(&Header::new(Kind::Emit, 0), b"2");
    b.player.answer(&item, Outcome::response("11"));
    bench.pool.flush();
    assert_eq!(look(&mut b), None);
    a.answers(&bench, ("2", 1), Outcome::response("20"));
    b.answers(&bench, ("20", 2), Outcome::response("21"));
    assert_eq!(bench.numbers(Queue::Results), [1, 2]);
    assert!(bench.has_forgotten_all() && bench.pool.drained(bench.run));
}

#[test]
fn events_fail_whose_next_chain_no_worker_will_run() {
    let (bench, [mut a, mut b]) = two(again(3));
    bench.begin(1..5, &["a"], None);
    for number in ["1", "2"] {
        a.answers(&bench, (number, 1), Outcome::response("7"));
    }
    assert_eq!(next(&mut b), "7");
    give_up(&bench, 1, b);
    assert!(bench.pool.check_chains(&of_chains(&[&["a"], &["b"]])).is_err());
    let mut failures = bench.take(Queue::Failures);
    assert_eq!(failures.len(), 2);
    for number in ["3", "4"] {
        a.answers(&bench, (number, 1), Outcome::response("7"));
    }
    failures.extend(bench.take(Queue::Failures));
    let mut numbers: Vec<u64> = failures.iter().filter_map(|entry| entry.data.as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    for entry in failures {
        assert_eq!(entry.response["code"], "ERR_SONIC_NO_WORKER");
    }
    assert!(bench.has_forgotten_all() && bench.pool.drained(bench.run));
}

#[test]
fn an_event_given_to_one_worker_runs_all_functions_there() {
    let (bench, [mut a, mut b]) = two(plain());
    assert!(bench.submit_to(1, b"1", 0));
    let item = a.player.start();
    assert_eq!(number_of(&item), 0);
    a.player.answer(&item, Outcome::response("2"));
    bench.pool.flush();
    assert_eq!((look(&mut b), bench.numbers(Queue::Results)), (None, vec![1]));
}
