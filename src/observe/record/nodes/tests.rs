//! Promised: a node's counts are sums of what its events came to, and cost nothing where there is no flow.

use super::super::Level;
use super::*;
use crate::core::retry::Cause;
use crate::core::task_id::TaskId;
use crate::observe::excerpt::Data;

fn ended(
    task: TaskId,
    node: usize,
    outcome: Outcome,
    [started, finished]: [f64; 2],
) -> Ended<'static> {
    Ended {
        task,
        node,
        slot: Some(0),
        started: Some(started),
        finished,
        outcome,
        data: Data::default(),
        bytes_out: 0,
        error: None,
        attempts: 1,
    }
}

fn record(level: Level) -> Record {
    let mut record = Record::new(level, &[7], 1000.0, 0.0);
    record.has_nodes(["first", "second"].map(str::to_owned).into_iter());
    record
}

fn state(events: u64, running: u64) -> NodeState {
    NodeState { events, running, made: 9, stage: "open", ..NodeState::default() }
}

#[test]
fn counts_and_times_are_those_of_the_nodes_own_events() {
    let mut record = record(Level::Times);
    for (task, node, outcome, times) in [
        (0, 1, Outcome::Answered, [1002.0, 1003.0]),
        (1, 1, Outcome::Nothing, [1003.0, 1006.0]),
        (2, 1, Outcome::Timeout, [1006.0, 1008.0]),
        (3, 2, Outcome::Answered, [1008.0, 1018.0]),
    ] {
        record.claimed(task, 1001.0);
        record.end(ended(task, node, outcome, times));
    }
    record.retried((4, 2), 0, Cause::Error, 1, 1010.0);
    let nodes = record.nodes(&[state(6, 1), state(1, 0)]);
    let expected = json!({
        "events": 6, "answered": 2, "failed": 1, "retried": 0, "waiting": 2, "running": 1, "made": 9,
        "state": "open", "busy": 6.0, "mean": 2.0, "longest": 3.0, "heldUp": 0.0, "waited": 8.0,
    });
    assert_eq!(nodes[0], expected);
    assert_eq!((&nodes[1]["answered"], &nodes[1]["retried"]), (&1.into(), &1.into()));
    assert_eq!(nodes[1]["longest"], 10.0);
}

#[test]
fn nodes_with_nothing_to_do_are_not_busy() {
    let mut record = record(Level::Counts);
    record.end(ended(0, 1, Outcome::Answered, [1002.0, 1003.0]));
    let busy = record.busy_nodes(&[state(1, 0), state(5, 2)]);
    assert_eq!(busy, [Busy { name: "second".into(), waiting: 3, running: 2 }]);
}

#[test]
fn without_times_only_the_waiting_is_unknown() {
    let mut record = record(Level::Counts);
    record.end(ended(0, 1, Outcome::Answered, [1002.0, 1003.0]));
    let nodes = record.nodes(&[state(1, 0), state(0, 0)]);
    assert_eq!((&nodes[0]["busy"], &nodes[0]["mean"]), (&1.0.into(), &1.0.into()));
    assert_eq!(nodes[0].get("waited"), None);
}

#[test]
fn an_event_that_no_worker_had_has_no_part_in_the_times() {
    let mut record = record(Level::Times);
    record.end(Ended { slot: None, ..ended(0, 1, Outcome::Error, [1002.0, 1009.0]) });
    let nodes = record.nodes(&[state(1, 1), state(0, 0)]);
    assert_eq!((&nodes[0]["failed"], &nodes[0]["busy"]), (&1.into(), &0.0.into()));
    assert_eq!(nodes[0]["running"], 0, "it has ended");
}

#[test]
fn what_a_node_holds_and_what_was_written_for_it_is_told() {
    let record = record(Level::Counts);
    let held = Some(Holding { came: 5, items: 2, bytes: 20 });
    let spilled = Some(Spilled { records: 3, bytes: 400, extents: 2 });
    let nodes =
        record.nodes(&[NodeState { held, ..state(0, 0) }, NodeState { spilled, ..state(0, 0) }]);
    assert_eq!(nodes[0]["held"], json!({ "came": 5, "items": 2, "bytes": 20 }));
    assert_eq!(nodes[1]["spilled"], json!({ "records": 3, "bytes": 400, "extents": 2 }));
}

#[test]
fn runs_without_a_flow_have_no_nodes() {
    let mut record = Record::new(Level::Counts, &[7], 1000.0, 0.0);
    record.end(ended(0, 0, Outcome::Answered, [1002.0, 1003.0]));
    record.end(ended(1, 5, Outcome::Answered, [1002.0, 1003.0]));
    assert_eq!(record.nodes(&[]), json!([]));
}
