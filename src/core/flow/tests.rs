use serde_json::{Value, json};

use super::*;

fn node(inputs: &[usize], hold: Option<&str>, exit: i32) -> Value {
    json!({
        "name": "n", "hold": hold, "inputs": inputs, "errors": -1, "plain": exit,
        "ports": [{ "exit": exit, "next": 0 }],
    })
}

fn plan_of(plan: Value) -> Option<Plan> {
    Plan::new(serde_json::from_value(plan).expect("its shape is right"))
}

/// Source, a map, a node that holds all, and behind it a map that leads to a sink.
fn chain() -> Plan {
    plan_of(json!({
        "entry": 1,
        "nodes": [node(&[0], None, 0), node(&[1], Some("all"), 1), node(&[2], None, 2)],
        "exits": [{ "to": [{ "node": 2 }] }, { "to": [{ "node": 3 }] }, { "to": [{ "sink": 0 }] }],
    }))
    .expect("it makes sense")
}

#[test]
fn a_node_opens_when_all_before_it_have_ended() {
    let plan = chain();
    let mut progress = Progress::new(&plan);
    assert_eq!(progress.next(&plan), None);
    progress.entered(1);
    progress.source_is_over();
    assert_eq!(progress.next(&plan), None, "an event of the first has not ended");
    progress.ended(1);
    assert_eq!(progress.next(&plan), Some(2));
    progress.entered(2);
    assert_eq!(progress.next(&plan), None, "what it holds is an event now");
    progress.entered(3);
    progress.ended(2);
    assert_eq!(progress.next(&plan), None);
    assert!(!progress.is_done());
    progress.ended(3);
    assert_eq!(progress.next(&plan), None);
    assert!(progress.is_done());
}

#[test]
fn nothing_at_all_opens_what_holds_too() {
    let plan = chain();
    let mut progress = Progress::new(&plan);
    progress.source_is_over();
    assert_eq!(progress.next(&plan), Some(2));
    assert_eq!(progress.next(&plan), None);
    assert!(progress.is_done(), "it has made nothing");
}

#[test]
fn what_is_postponed_opens_when_its_events_have_ended() {
    let plan = chain();
    let mut progress = Progress::new(&plan);
    progress.source_is_over();
    assert_eq!(progress.next(&plan), Some(2));
    progress.entered(2);
    progress.postpone(2);
    assert_eq!(progress.next(&plan), None);
    progress.ended(2);
    assert_eq!(progress.next(&plan), Some(2));
}

#[test]
fn a_plan_that_makes_no_sense_is_none() {
    let good = json!({
        "entry": 1, "nodes": [node(&[0], None, 0)], "exits": [{ "to": [{ "sink": 0 }] }],
    });
    assert!(plan_of(good.clone()).is_some());
    let changes: &[(&str, Value)] = &[
        ("/entry", json!(0)),
        ("/entry", json!(2)),
        ("/exits/0/to/0", json!({ "node": 2 })),
        ("/exits/0/to/0", json!({ "node": 0 })),
        ("/exits/0/to/0", json!({ "sink": 128 })),
        ("/nodes/0/inputs", json!([2])),
        ("/nodes/0/inputs", json!([1])),
        ("/nodes/0/errors", json!(1)),
        ("/nodes/0/plain", json!(-2)),
        ("/nodes/0/ports/0/exit", json!(1)),
        ("/nodes/0/ports/0/next", json!(5)),
    ];
    for (at, value) in changes {
        let mut bad = good.clone();
        *bad.pointer_mut(at).expect("it is there") = value.clone();
        assert!(plan_of(bad).is_none(), "{at} = {value}");
    }
}

#[test]
fn a_plan_knows_what_an_event_may_make() {
    let mut first = node(&[0], None, -1);
    first["ports"] = json!([{ "exit": -1, "next": 2 }, { "exit": 0, "next": 0 }]);
    let plan = plan_of(json!({
        "entry": 1,
        "nodes": [first, node(&[1], None, 1), node(&[1], None, 2), node(&[2], Some("batch"), 2)],
        "exits": [
            { "to": [{ "node": 3 }] }, { "to": [{ "node": 4 }, { "node": 3 }] }, { "to": [{ "sink": 0 }] },
        ],
    }))
    .expect("it makes sense");
    assert_eq!(plan.node(1).feeds, [3, 4], "through what runs in the same event");
    assert!(!plan.node(1).has_sink);
    assert!(plan.node(3).has_sink && plan.node(4).has_sink);
    let makes = |number: usize| {
        let node = plan.node(number);
        let exits: Vec<usize> = (0..200).filter(|&exit| node.may_put_out(exit)).collect();
        let nodes: Vec<usize> = (0..200).filter(|&other| node.may_fail_at(other)).collect();
        (exits, nodes)
    };
    assert_eq!(makes(1), (vec![0, 1], vec![1, 2]));
    assert_eq!(makes(3), (vec![2], vec![3]));
    let last: Vec<usize> = plan.last_first.iter().rev().copied().collect();
    assert_eq!(last, [1, 2, 3, 4]);
}

#[test]
fn failures_and_what_is_written_down_are_of_an_event_too() {
    let first = node(&[0], None, -1);
    let mut second = node(&[1], Some("spill"), 0);
    second["errors"] = json!(1);
    let told = json!({
        "entry": 1,
        "nodes": [first, second, node(&[2], None, 2), node(&[2], Some("all"), 2)],
        "exits": [{ "to": [{ "node": 4 }] }, { "to": [{ "node": 3 }] }, { "to": [{ "sink": 0 }] }],
    });
    let plan = plan_of(told).expect("it makes sense");
    let [first, second] = [1, 2].map(|number| plan.node(number));
    assert!(first.may_spill_for(2) && first.may_fail_at(2) && !first.may_put_out(0));
    assert!(second.may_spill_for(2) && second.may_fail_at(2) && second.may_put_out(0));
    assert!(
        !second.may_spill_for(1) && !second.may_put_out(1),
        "failures are the master's to put out"
    );
    assert_eq!((&*first.feeds, &*second.feeds), (&[3][..], &[3][..]), "and never what takes all");
}
