//! Promised: a record counts what it is told, whatever times a worker reports, and its memory is bounded.

use crate::observe::excerpt::Data;
use serde_json::Value;

use super::kept::{MOST_EVENTS, MOST_FAILURES, MOST_MARKS};
use super::*;
use crate::core::task_id::{DIRECT, first_of};

fn ended(task: TaskId, outcome: Outcome, started: f64, finished: f64) -> Ended<'static> {
    let is_failure = !matches!(outcome, Outcome::Answered | Outcome::Nothing);
    Ended {
        task,
        node: 0,
        slot: Some(0),
        started: Some(started),
        finished,
        outcome,
        data: Data { bytes: b"abc", flags: 0 },
        bytes_out: 5,
        error: is_failure.then_some(&b"{\"name\":\"E\",\"message\":\"m\"}"[..]),
        attempts: 1,
    }
}

/// A record of worker 7, which began at 1000.
fn record(level: Level) -> Record {
    let mut record = Record::new(level, &[7], 1000.0, 5e12);
    record.started(0, 70, 1001.0);
    record.ready(0, 1002.0);
    record
}

#[test]
fn statistics_are_sums_of_what_has_ended() {
    let mut record = record(Level::Times);
    for (number, outcome) in (0..).zip([
        Outcome::Answered,
        Outcome::Answered,
        Outcome::Nothing,
        Outcome::Error,
        Outcome::Timeout,
    ]) {
        record.claimed(number, 1002.0);
        record.end(ended(number, outcome, 1004.0, 1014.0));
    }
    record.over(1100.0);
    let statistics = record.statistics(6, 2000.0);
    assert_eq!(statistics["elapsed"], 100.0);
    assert_eq!(statistics["answered"], 2);
    assert_eq!(statistics["nothing"], 1);
    assert_eq!(statistics["failed"], 2);
    assert_eq!(statistics["failures"]["timeout"], 1);
    assert_eq!(statistics["unfinished"], 1);
    assert_eq!((&statistics["bytesIn"], &statistics["bytesOut"]), (&15.into(), &25.into()));
    assert_eq!(statistics["workers"][0]["tasks"], 5);
    assert_eq!(statistics["workers"][0]["busy"], 50.0);
    assert_eq!(statistics["workers"][0]["share"], 0.5);
    for (times, milliseconds) in [("wait", 2.0), ("run", 10.0)] {
        for name in ["p50", "p99", "max", "mean"] {
            let value = statistics[times][name].as_f64().expect("a number");
            assert!((value / milliseconds - 1.0).abs() < 0.01, "{times} {name}: {value}");
        }
    }
}

#[test]
fn what_is_not_asked_for_is_not_kept() {
    let mut record = record(Level::Counts);
    assert!(!record.has_times());
    record.claimed(0, 1003.0);
    record.end(ended(0, Outcome::Error, 1004.0, 1014.0));
    assert!(record.rows(0).is_empty() && record.marks(0).is_empty());
    let statistics = record.statistics(1, 1100.0);
    assert_eq!(statistics["failures"]["error"], 1);
    assert_eq!(statistics["workers"][0]["busy"], 10.0);
    assert!(statistics.get("run").is_none());
}

#[test]
fn times_that_make_no_sense_stay_in_the_run() {
    for (started, finished) in [
        (f64::NAN, f64::NAN),
        (f64::INFINITY, f64::NEG_INFINITY),
        (0.0, -5.0),
        (f64::NEG_INFINITY, f64::INFINITY),
        (f64::MAX, f64::MIN),
    ] {
        let mut record = record(Level::Events);
        record.claimed(0, 1003.0);
        record.end(ended(0, Outcome::Answered, started, finished));
        let text = record.report(&json_head(), 1, 1100.0).to_string();
        let value: Value = serde_json::from_str(&text).expect("JSON");
        for name in ["queued", "started", "finished"] {
            let time = value["events"][name][0].as_f64();
            assert!(time.is_some_and(|time| time >= 0.0), "{name} of {started} to {finished}");
        }
    }
}

#[test]
fn what_came_back_was_handed_over_when_it_was_first() {
    let mut record = record(Level::Events);
    record.claimed(0, 1003.0);
    record.claimed(0, 1008.0);
    record.end(ended(0, Outcome::Answered, 1009.0, 1010.0));
    assert!((record.rows(0)[0].queued - 3.0).abs() < f64::EPSILON);
}

#[test]
fn an_event_that_goes_on_counts_once_and_is_timed_in_each_worker() {
    let mut record = record(Level::Events);
    record.claimed(0, 1003.0);
    record.went_on(ended(0, Outcome::Answered, 1004.0, 1014.0));
    assert_eq!(record.statistics(1, 1100.0)["unfinished"], 1);
    record.claimed(0, 1015.0);
    record.end(ended(0, Outcome::Answered, 1020.0, 1030.0));
    let statistics = record.statistics(1, 1100.0);
    assert_eq!((&statistics["answered"], &statistics["unfinished"]), (&1.into(), &0.into()));
    assert_eq!((&statistics["bytesIn"], &statistics["bytesOut"]), (&3.into(), &5.into()));
    let worker = &statistics["workers"][0];
    assert_eq!((&worker["tasks"], &worker["busy"]), (&2.into(), &20.0.into()));
    let rows: Vec<(f64, f64)> =
        record.rows(0).iter().map(|row| (row.queued, row.started)).collect();
    assert_eq!(rows, [(3.0, 4.0), (15.0, 20.0)], "what it waits for is that of each chain");
}

#[test]
fn people_count_the_events_of_each_run_from_its_first() {
    for run in [0, 1, 700] {
        let first = first_of(run);
        for (task, number) in [(0, 0), (5, 5), (DIRECT, -1), (DIRECT + 5, -6)] {
            assert_eq!(number_of(first + task), number);
        }
    }
}

fn json_head() -> Value {
    serde_json::json!({ "program": "a.js" })
}

#[test]
fn a_report_has_a_column_each_and_the_events_of_every_process() {
    let mut record = record(Level::Events);
    record.claimed(0, 1003.0);
    record.end(ended(0, Outcome::Answered, 1004.0, 1005.5));
    record.exited(0, None, Some("SIGKILL".into()), 1006.0);
    record.crashed(0, "was killed", 1006.0);
    record.started(0, 71, 1007.0);
    record.direct(DIRECT, 1008.0);
    record.sent(DIRECT, 1008.5);
    record.end(ended(DIRECT, Outcome::Error, 1009.0, 1010.0));
    let report = record.report(&json_head(), 1, 1100.0);
    assert_eq!(report["program"], "a.js");
    assert_eq!(report["events"]["id"], serde_json::json!([0, -1]));
    assert_eq!(report["events"]["pid"], serde_json::json!([70, 71]));
    assert_eq!(report["events"]["finished"], serde_json::json!([5.5, 10]));
    assert_eq!(report["events"]["outcome"], serde_json::json!([0, 2]));
    assert_eq!(report["workers"][0]["signal"], "SIGKILL");
    assert_eq!(report["failures"][0]["message"], "m");
    let kinds: Vec<&Value> =
        report["marks"].as_array().expect("marks").iter().map(|mark| &mark["kind"]).collect();
    assert_eq!(kinds, ["crash", "restart"]);
    assert_eq!(report["statistics"]["handedOver"], 2);
    assert_eq!(report["statistics"]["workers"][0]["pids"], serde_json::json!([70, 71]));
}

#[test]
fn a_long_run_is_not_listed_to_its_end() {
    let mut record = record(Level::Events);
    let most = MOST_EVENTS as u64;
    for task in 0..most + 10 {
        record.end(ended(task, Outcome::Error, 1004.0, 1005.0));
        record.mark("crash", None, 1005.0, String::new);
    }
    assert_eq!((record.rows(0).len(), record.unlisted()), (MOST_EVENTS, 10));
    assert_eq!(record.marks(0).len(), MOST_MARKS);
    assert_eq!(record.events().map(|events| events.failures.len()), Some(MOST_FAILURES));
    assert_eq!(record.statistics(most + 10, 1100.0)["failed"], most + 10);
}

#[test]
fn pressure_is_told_when_it_lasts() {
    let mut record = record(Level::Events);
    record.pressed(true, 1010.0);
    record.pressed(false, 1010.5);
    record.pressed(true, 1020.0);
    record.pressed(true, 1025.0);
    record.over(1030.0);
    let [mark] = record.marks(0) else { panic!("one is long enough") };
    assert_eq!((mark.kind, mark.at, mark.until), ("backpressure", 20.0, Some(30.0)));
}

#[test]
fn workers_that_run_already_start_with_the_run() {
    let mut record = Record::new(Level::Events, &[7], 1000.0, 5e12);
    record.started(0, 70, 400.0);
    record.ready(0, 500.0);
    record.claimed(0, 0.0);
    record.end(ended(0, Outcome::Answered, 1004.0, 1005.0));
    let report = record.report(&json_head(), 1, 1100.0);
    assert_eq!(
        (&report["workers"][0]["started"], &report["workers"][0]["ready"]),
        (&0.0.into(), &0.0.into())
    );
    assert_eq!(report["events"]["pid"], serde_json::json!([70]));
    assert_eq!((record.marks(0).len(), &report["statistics"]["restarts"]), (0, &0.into()));
}
