//! How much waits for a node, and who is held up by that.

use super::*;
use crate::run::stream::Order as InOrder;

fn waits_for(run: &Bench, node: usize) -> usize {
    run.pool.lock().runs[&run.run].flow.as_ref().expect("a flow").progress.events(node)
}

/// Hands over as many as there is credit for, up to so many.
fn feed(bench: &Bench, most: u32) -> u32 {
    let mut fed = 0;
    while fed < most && bench.credit() > 0 {
        bench.map([fed]);
        fed += 1;
    }
    fed
}

#[test]
fn what_leads_to_a_node_is_held_up_while_enough_waits_for_that_and_goes_on_when_it_drains() {
    let few = json!({ "maxWaiting": 4 });
    let batches = json!({ "maxWaiting": 4, "hold": "batch", "batch": { "count": 2 } });
    let errors = json!({ "errors": 0 });
    for (first, second) in [(json!({}), few.clone()), (json!({}), batches), (errors, few)] {
        let (bench, [mut seat]) = of_flow(&two(&first, &second));
        let fails = first["errors"] == 0;
        let (mut answered, mut ended) = (0, 0);
        for round in 0..300 {
            feed(&bench, 3);
            let waits = waits_for(&bench, 2);
            assert!(waits <= 20, "{waits} wait in round {round}");
            let Some(item) = seat.player.look() else { continue };
            if number_of(&item).max(1) == 1 {
                answered += 1;
                let error = Outcome::failed("{}");
                seat.player.answer(&item, if fails { error } else { outputs("%1\n%2\n%3\n%4") });
            } else {
                ended += 1;
                seat.player.answer(&item, outputs(""));
            }
            bench.pool.flush();
        }
        assert!(answered > 10 && ended > 40, "{answered} and {ended}: all goes on");
        // Nobody runs what waits for the second node: the first comes to a halt.
        let mut held = Vec::new();
        for _ in 0..100 {
            feed(&bench, 100);
            let Some(item) = seat.player.look() else { break };
            if number_of(&item).max(1) == 1 {
                seat.player.answer(&item, outputs("%1\n%2\n%3\n%4"));
                bench.pool.flush();
            } else {
                held.push(item);
            }
        }
        assert_eq!(bench.credit(), 0, "no room");
        for item in held {
            seat.player.answer(&item, outputs(""));
        }
        bench.pool.flush();
        bench.pool.drained(bench.run);
        while let Some(item) = seat.player.look() {
            seat.player.answer(&item, outputs(""));
            bench.pool.flush();
        }
        assert!(bench.is_done());
    }
}

#[test]
fn what_leads_to_a_sink_waits_for_a_reader_that_is_behind() {
    let options = RunOptions {
        stream: Some(InOrder::Completion),
        max_bytes: 1000,
        ..flow(&two(&json!({}), &json!({})))
    };
    let (bench, [mut seat]) = of_options(options);
    bench.map([1]);
    let long = format!("%\"{}\"\n%2\n%3", "x".repeat(100));
    seat.does(&bench, ("1", 1), outputs(&long));
    let item = seat.player.start();
    let sunk = format!("&\"{}\"", "y".repeat(2000));
    seat.player.answer(&item, outputs(&sunk));
    bench.pool.flush();
    let mut handed_out = 0;
    while let Some(item) = seat.player.look() {
        handed_out += 1;
        seat.player.answer(&item, outputs(""));
        bench.pool.flush();
    }
    assert!(handed_out <= 2);
    bench.pool.drained(bench.run);
    assert_eq!(bench.pool.lock().runs[&bench.run].results.len(), 1);
    // What was not handed out before the reader was behind is not until it has read: one look is enough.
    assert!(bench.pool.take(bench.run, Queue::Results).is_some());
    while let Some(item) = seat.player.look() {
        seat.player.answer(&item, outputs(""));
        bench.pool.flush();
    }
    assert!(bench.is_done());
}

#[test]
fn a_stream_that_is_read_in_the_end_comes_to_its_end() {
    let options = RunOptions {
        stream: Some(InOrder::Completion),
        max_bytes: 200,
        ..flow(&two(&json!({}), &json!({})))
    };
    let (bench, [mut seat]) = of_options(options);
    bench.map(0..20);
    bench.pool.drained(bench.run);
    let text = format!("&\"{}\"", "z".repeat(90));
    let (mut read, mut stuck) = (0, 0);
    while read < 20 && stuck < 3 {
        while let Some(item) = seat.player.look() {
            let is_first = number_of(&item).max(1) == 1;
            seat.player.answer(&item, if is_first { outputs("%1") } else { outputs(&text) });
            bench.pool.flush();
        }
        let before = read;
        while bench.results() > 0 {
            let there = bench.results();
            assert!(bench.pool.take(bench.run, Queue::Results).is_some());
            // What follows from it may be more of them.
            read += there - bench.results();
        }
        stuck += usize::from(read == before);
    }
    assert_eq!(read, 20);
    assert!(bench.is_done());
}

#[test]
fn nodes_have_tags_and_what_no_worker_runs_fails_at_once() {
    let mut plan = plan(
        &[node(&[0], 0), node_with(&[1], 1, &json!({ "tags": ["a"] }))],
        &[&[to(2)], &[sink(1)]],
    );
    plan["nodes"][1]["errors"] = json!(-1);
    let groups: [(usize, &[&str], bool); 2] = [(1, &["a"], true), (1, &[], false)];
    let tagged = || super::super::routed::pool(&groups, flow(&plan)).run();
    let (bench, [mut a, mut rest]) = tagged();
    bench.map([1]);
    assert_eq!(a.sees(), None);
    rest.does(&bench, ("1", 1), Outcome::response("2"));
    assert_eq!(rest.sees(), None);
    a.does(&bench, ("2", 2), Outcome::response("3"));
    assert_eq!(bench.sunk(), [(1, json!(3))]);
    assert!(bench.is_done());
    for stops in [false, true] {
        let options = RunOptions { stop_on_failure: stops, ..flow(&plan) };
        let (bench, [a, mut rest]) = super::super::routed::pool(&groups, options).run();
        super::super::routed::give_up(&bench, 0, a);
        bench.map([1]);
        rest.does(&bench, ("1", 1), outputs("%2\n%3"));
        let failures = bench.failures();
        assert_eq!(failures.len(), if stops { 1 } else { 2 });
        assert_eq!((failures[0].0, &failures[0].1), (2, &json!(2)));
        assert!(failures[0].2.contains("\"a\""), "{}", failures[0].2);
        bench.hear();
        assert!(bench.is_done());
        let tags = vec![vec!["b".to_owned()]];
        let unknown = RunOptions { chains: tags, ..plain() };
        assert!(bench.pool.check_chains(&unknown).is_err());
        assert!(bench.pool.check_chains(&flow(&plan)).is_err());
    }
}
