//! What fails, in the node that its event entered or behind it.

use super::*;
use crate::core::retry::Again;

#[test]
fn what_fails_behind_the_entry_costs_itself_alone() {
    let (bench, [mut seat]) = of_flow(&fused(&json!({}), &json!({})));
    bench.map([1]);
    let error = r#"{"message":"no"}"#;
    seat.does(&bench, ("1", 1), outputs(&format!("%5\n!2\t{error}\t\t6\n!2\t{error}\t\t\n%7")));
    assert_eq!(bench.sunk(), [(1, json!(5)), (1, json!(7))]);
    let entries = bench.take(Queue::Failures);
    let kinds: Vec<u32> = entries.iter().map(|it| it.kind & entry::DATA).collect();
    assert_eq!((kinds, place_of(&entries[0])), (vec![entry::DATA, 0], 2));
    assert_eq!(entries[0].data, 6);
    assert!(bench.is_done());
}

#[test]
fn it_is_tried_again_at_its_own_node_with_its_own_data() {
    let (bench, [mut seat]) = of_flow(&fused(&json!({}), &again(2, 0.0)));
    bench.map([1]);
    let error = r#"{"message":"no"}"#;
    seat.does(&bench, ("1", 1), outputs(&format!("!2\t{error}\t\t6\n%5\n!2\t{error}\t[9]\t8")));
    assert!(!bench.pool.drained(bench.run));
    seat.does(&bench, ("6", 2), Outcome::failed(r#"{"message":"again"}"#));
    // What comes back is the first.
    seat.does(&bench, ("6", 2), Outcome::response("7"));
    // By `redo` the worker knows what to do; the item is what failed.
    seat.does(&bench, ("[9]", 2), Outcome::failed(error));
    let mut seat = {
        let item = seat.player.start();
        assert_eq!(text_of(&item), "[9]");
        replace(&bench, 0, seat)
    };
    assert_eq!(seat.sees(), None);
    assert_eq!(bench.sunk(), [(1, json!(5)), (1, json!(7))]);
    let entries = bench.take(Queue::Failures);
    assert_eq!((entries.len(), place_of(&entries[0]), &entries[0].data), (1, 2, &json!(8)));
    let attempts = entries[0].response["attempts"].as_array().expect("a list").len();
    assert_eq!(attempts, 3);
    assert!(bench.is_done());
}

#[test]
fn what_backs_off_waits_for_that_and_holds_nobody_up() {
    let mut plan = fused(&json!({}), &again(1, 10.0));
    plan["nodes"][0]["maxWaiting"] = json!(1);
    let (mut bench, [mut seat]) = of_flow(&plan);
    bench.map([1, 2]);
    seat.does(&bench, ("1", 1), outputs("!2\t{}\t\t6"));
    seat.does(&bench, ("2", 1), outputs("!2\t{}\t\t7"));
    assert_eq!(seat.sees(), None);
    let delayed: Vec<(TaskId, Again)> = bench
        .orders()
        .into_iter()
        .filter_map(|order| match order {
            Order::BackOff { task, again } => Some((task, again)),
            _ => None,
        })
        .collect();
    assert_eq!(delayed.len(), 2);
    assert!(!bench.pool.drained(bench.run));
    for (task, again) in &delayed {
        assert_eq!((again.after, again.delay), (1, 10.0));
        bench.pool.backed_off(*task, again.after);
        bench.pool.backed_off(*task, again.after);
    }
    seat.does(&bench, ("6", 2), Outcome::response("60"));
    seat.does(&bench, ("7", 2), Outcome::failed("{}"));
    assert_eq!(seat.sees(), None);
    assert_eq!((bench.sunk(), bench.failures().len()), (vec![(1, json!(60))], 1));
    assert!(bench.is_done());
}

#[test]
fn a_nodes_errors_are_items_of_another_and_of_sinks() {
    let mut plan = plan(
        &[node_with(&[0], 0, &json!({ "errors": 1, "name": "the first" })), node(&[1], 2)],
        &[&[sink(1)], &[to(2), sink(2)], &[sink(3)]],
    );
    plan["nodes"][1]["errors"] = json!(-1);
    let (bench, [mut seat]) = of_flow(&plan);
    bench.map([1]);
    seat.does(&bench, ("1", 1), Outcome::failed(r#"{"message":"no"}"#));
    let expected = json!({ "id": 1, "failed": true, "node": "the first", "error": { "message": "no" }, "data": 1 });
    let item = seat.player.start();
    assert_eq!(serde_json::from_slice::<Json>(&item.text).expect("JSON"), expected);
    assert_eq!(number_of(&item), 2);
    seat.player.answer(&item, Outcome::response("5"));
    bench.pool.flush();
    bench.map([2]);
    seat.does(&bench, ("2", 1), Outcome::response("6"));
    assert_eq!(bench.sunk(), [(2, expected), (3, json!(5)), (1, json!(6))]);
    assert!(bench.is_done() && bench.failures().is_empty());
}

#[test]
fn failures_have_data_of_any_format() {
    let spoilt = |what: u8, bytes: &[u8]| {
        record(b'!', what, &[&b"2\t{\"message\":\"no\"}\t\t"[..], bytes].concat())
    };
    let all = [spoilt(0, b"1"), spoilt(3, b"\xff\n"), spoilt(2, b"\x01"), spoilt(4, b"")].concat();
    let answer = framed(&all);
    // As entries.
    let (bench, [mut seat]) = of_flow(&fused(&json!({}), &json!({})));
    bench.map([1]);
    seat.does(&bench, ("1", 1), answer);
    assert_eq!(bench.pool.count(bench.run, Queue::Failures), 4);
    assert!(bench.is_done());
    // As items, which others gather.
    let mut plan = fused(&json!({}), &json!({ "errors": 1 }));
    plan["exits"] = json!([{ "to": [sink(1)] }, { "to": [to(3)] }, { "to": [sink(2)] }]);
    plan["nodes"].as_array_mut().expect("nodes").push(node_with(
        &[2],
        2,
        &json!({ "hold": "all" }),
    ));
    let (bench, [mut seat]) = of_flow(&plan);
    bench.map([1]);
    seat.does(&bench, ("1", 1), answer);
    assert!(!bench.pool.drained(bench.run));
    let item = seat.player.start();
    assert_ne!(item.header.flags & flag::PARTS, 0);
    let mut rest = &item.text[..];
    let mut kinds = Vec::new();
    while let Some((head, behind)) = rest.split_at_checked(5) {
        let length = u32::from_le_bytes(head[..4].try_into().expect("four")) as usize;
        kinds.push(head[4]);
        rest = &behind[length..];
    }
    assert_eq!((kinds, rest.len()), (vec![0, 16 | 3, 16 | 3, 0], 0));
    // And one that fails with such data has that.
    seat.player.answer(&item, Outcome::failed(r#"{"message":"no"}"#));
    bench.pool.flush();
    assert_eq!(bench.pool.count(bench.run, Queue::Failures), 1);
    assert!(bench.is_done());
}

#[test]
fn the_first_failure_stops_a_run_that_wants_that_wherever_it_is() {
    for retries in [json!({}), again(1, 10.0)] {
        let options = RunOptions { stop_on_failure: true, ..flow(&fused(&retries, &json!({}))) };
        let (bench, [mut seat]) = of_options(options);
        bench.map([1, 2]);
        seat.does(&bench, ("1", 1), outputs("!2\t{}\t\t6\n%5"));
        assert!(bench.hear().contains(&Note::Stopped { run: bench.run }));
        assert_eq!(bench.sunk(), [(1, json!(5))]);
        assert_eq!(bench.failures().len(), 1);
        assert!(bench.is_done());
    }
}

#[test]
fn what_cannot_be_written_down_fails_the_run() {
    let plan = plan(
        &[node(&[0], -1), node_with(&[1], 0, &json!({ "hold": "spill", "errors": 0 }))],
        &[&[sink(1)]],
    );
    let (bench, [mut seat]) = of_flow(&plan);
    bench.map([1, 2, 3]);
    let error = r#"{"name":"Error","message":"disk full","code":"ERR_SONIC_SPILL"}"#;
    seat.does(&bench, ("1", 1), Outcome::failed(error));
    let failed = |note: &Note| {
        matches!(note, Note::Failed { run: Some(_), code, message, .. }
            if code == "ERR_SONIC_SPILL" && message == "disk full")
    };
    assert_eq!(bench.hear().iter().filter(|note| failed(note)).count(), 1);
    assert_eq!(seat.sees(), None);
    assert_eq!(bench.failures().len(), 2, "what no worker had");
    assert!(bench.is_done());
}

#[test]
fn a_cause_that_is_not_to_be_tried_again_is_not() {
    let mut retries = again(5, 0.0);
    retries["retries"]["on"] = json!(["crash"]);
    let (bench, [mut seat]) = of_flow(&fused(&retries, &retries));
    bench.map([1, 2]);
    seat.does(&bench, ("1", 1), outputs("!2\t{}\t\t6"));
    seat.does(&bench, ("2", 1), Outcome::failed("{}"));
    assert_eq!(bench.failures().len(), 2);
    assert!(bench.is_done());
}
