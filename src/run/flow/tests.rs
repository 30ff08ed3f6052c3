//! Promised: what a flow tells of its nodes is what has entered them, left them, and is held and written down there.

use serde_json::json;

use super::*;
use crate::core::task_id::{DIRECT, first_of};
use crate::wire::flow::Told;

/// A map with an exit to a node that holds all and one to a node that is written for.
fn flow() -> Flow {
    let node = |inputs: &[usize], hold: Option<&str>, exit: i32| {
        json!({ "name": "n", "hold": hold, "inputs": inputs, "errors": -1, "plain": exit,
            "ports": [{ "exit": exit, "next": 0 }] })
    };
    let plan = json!({
        "entry": 1,
        "nodes": [node(&[0], None, 0), node(&[1], Some("all"), 1), node(&[1], Some("spill"), 1)],
        "exits": [{ "to": [{ "node": 2 }] }, { "to": [{ "sink": 0 }] }],
    });
    let plan = serde_json::from_value(plan).expect("its shape is right");
    Flow::new(Plan::new(plan).expect("it makes sense"))
}

#[test]
fn the_source_and_what_entered_later_are_events_of_the_entry() {
    let mut flow = flow();
    flow.progress.entered(1);
    flow.progress.entered(2);
    for task in [first_of(0), first_of(0) + DIRECT] {
        assert!(flow.ended(task, 1).is_none());
    }
    let states = flow.states(4, &[1, 1], 0.0);
    assert_eq!((states[0].events, states[0].running), (5, 2));
    assert_eq!((states[1].events, states[1].running), (1, 0));
    flow.in_master.insert(first_of(0) + DIRECT + 1, 2);
    assert_eq!(flow.states(4, &[], 0.0)[1].running, 1, "the master's own work is work");
}

#[test]
fn items_are_counted_where_they_leave_and_where_they_are_held() {
    let mut flow = flow();
    for _ in 0..3 {
        flow.leaves(0);
        flow.node(2).held.push(Kept { bytes: b"12"[..].into(), flags: 0 });
    }
    flow.leaves(7);
    assert_eq!(flow.left(), [3, 0]);
    let held = flow.states(0, &[], 0.0)[1].held.expect("it holds");
    assert_eq!((held.came, held.items, held.bytes), (3, 3, 6));
    let _ = flow.node(2).held.take();
    let held = flow.states(0, &[], 0.0)[1].held.expect("it holds");
    assert_eq!((held.came, held.items, held.bytes), (3, 0, 0));
    assert!(flow.withdraw_all().is_empty());
    assert_eq!(
        flow.states(0, &[], 0.0)[1].held.expect("it holds").came,
        3,
        "a run that is over has counts too"
    );
}

#[test]
fn what_is_written_and_merged_counts_in_bytes_and_only_what_came_in_records() {
    let mut flow = flow();
    let told = |parts: &[(u32, u64, u64, u64)]| Told { file: "1-1".into(), parts: parts.into() };
    let came = flow.node(3).shuffle.add(told(&[(0, 0, 100, 4), (1, 100, 50, 2), (2, 150, 0, 0)]));
    flow.node(3).shuffle.has_come(came);
    let merged = flow.node(3).shuffle.add(told(&[(0, 150, 80, 3)]));
    assert_eq!((came, merged), (6, 3));
    let spilled = flow.states(0, &[], 0.0)[2].spilled.expect("it is written for");
    assert_eq!((spilled.records, spilled.bytes, spilled.extents), (6, 230, 3));
}

#[test]
fn a_node_is_open_then_drains_what_it_held_then_is_closed() {
    let mut flow = flow();
    let stages =
        |flow: &Flow| flow.states(0, &[], 0.0).iter().map(|state| state.stage).collect::<Vec<_>>();
    assert_eq!(stages(&flow), ["open", "open", "open"]);
    flow.progress.source_is_over();
    assert_eq!(flow.progress.next(&flow.plan), Some(2));
    assert_eq!(stages(&flow), ["closed", "draining", "open"]);
    assert_eq!(flow.progress.next(&flow.plan), Some(3));
    assert_eq!(flow.progress.next(&flow.plan), None);
    assert_eq!(stages(&flow), ["closed", "closed", "closed"]);
}

#[test]
fn a_node_tells_how_long_it_has_held_others_up() {
    let mut flow = flow();
    let held_up = |flow: &Flow, now: f64| {
        flow.states(0, &[], now).iter().map(|state| state.held_up).collect::<Vec<_>>()
    };
    let never = || -> f64 { unreachable!("nothing changes") };
    flow.hold_up(0, never);
    flow.hold_up(0b110, || 5.0);
    flow.hold_up(0b110, never);
    assert_eq!(held_up(&flow, 7.0), [2.0, 2.0, 0.0]);
    flow.hold_up(0b1100, || 8.0);
    assert_eq!(held_up(&flow, 10.0), [3.0, 5.0, 2.0]);
    flow.hold_up(0, || 11.0);
    flow.hold_up(0b10, || 20.0);
    assert_eq!(held_up(&flow, 21.0), [4.0, 6.0, 3.0]);
}
