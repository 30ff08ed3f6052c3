//! Promised: a trace is whole JSON after each piece, with every event, wait and hold once.

use super::*;
use crate::core::sync::{EventName, Party, Who};
use crate::core::task_id::first_of;
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Level, Outcome};
use crate::wire::sync::Mode;

fn end(record: &mut Record, task: u64) {
    record.claimed(task, 1000.5);
    record.end(ended(task));
}

fn ended(task: u64) -> Ended<'static> {
    Ended {
        task,
        node: 0,
        slot: Some(0),
        started: Some(1001.0),
        finished: 1002.0,
        outcome: Outcome::Answered,
        data: Data::default(),
        bytes_out: 0,
        error: None,
        attempts: 1,
    }
}

#[test]
fn the_file_is_whole_after_each_piece_and_has_every_event_once() {
    let folder = std::env::temp_dir().join(format!("sonic-trace-{}", std::process::id()));
    let path = folder.with_extension("json");
    let mut record = Record::new(Level::Events, &[1], 1000.0, 0.0);
    record.started(0, 11, 1000.5);
    record.ready(0, 1001.0);
    let mut trace = Trace::create(&path, "a\"b.js", 10).expect("a file");
    let mut next = 0;
    for count in [0, 1, PIECE * 2 + 3] {
        (0..count as u64).for_each(|at| end(&mut record, next + at));
        next += count as u64;
        trace.append(|cursor, text| cursor.render(&record, text)).expect("written");
        let text = std::fs::read(&path).expect("a file");
        let value: Value = serde_json::from_slice(&text).expect("JSON");
        let list = value["traceEvents"].as_array().expect("a list");
        let mut ids: Vec<u64> =
            list.iter().filter_map(|entry| entry["args"]["event"].as_u64()).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..next).collect::<Vec<_>>());
        assert_eq!(list.iter().filter(|entry| entry["name"] == "starting").count(), 1);
        assert_eq!(list[0]["args"]["name"], "a\"b.js");
    }
    std::fs::remove_file(&path).expect("removed");
}

#[test]
fn an_event_of_a_flow_has_the_name_of_its_node() {
    let mut record = Record::new(Level::Events, &[1], 1000.0, 0.0);
    record.has_nodes(["a\"b".to_owned()].into_iter());
    end(&mut record, 0);
    record.end(Ended { node: 1, ..ended(1) });
    let list = rendered(&mut Cursor::default(), &record, |entry| entry["args"]["event"].is_u64());
    let shown: Vec<_> = list.iter().map(|entry| (&entry["name"], &entry["args"]["node"])).collect();
    assert_eq!(shown, [(&json!("event 0"), &Value::Null), (&json!("node a\"b"), &json!("a\"b"))]);
}

fn span(worker: Option<u32>, event: Option<u64>, from: f64, until: f64) -> Span {
    let event = event.map(|number| EventName { pool: 1, task: first_of(3) + number });
    Span {
        is_hold: false,
        who: Who { worker, pid: 11 },
        party: Party { owner: 1, event },
        kind: "lock",
        mode: Some(Mode::Exclusive),
        name: "a\"b".into(),
        from,
        until,
    }
}

/// What is rendered until there is nothing more.
fn rendered(cursor: &mut Cursor, record: &Record, is_meant: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut text = Vec::new();
    while cursor.render(record, &mut text) {}
    let list = [b"[0", &text[..], b"]"].concat();
    let list: Vec<Value> = serde_json::from_slice(&list).expect("JSON");
    list.into_iter().filter(is_meant).collect()
}

fn is_span(entry: &Value) -> bool {
    entry["args"]["name"] == "a\"b"
}

#[test]
fn waits_and_holds_are_on_the_tracks_of_those_who_waited_and_held() {
    let mut record = Record::new(Level::Trace, &[1, 2], 1000.0, 0.0);
    record.add_spans(vec![
        span(Some(2), Some(7), 1001.0, 1003.5),
        Span { is_hold: true, ..span(Some(2), None, 900.0, 1004.0) },
        Span { kind: "barrier", mode: None, ..span(None, None, 1002.0, 1003.0) },
        Span { is_hold: true, kind: "once", mode: None, ..span(Some(1), None, 1002.0, 1003.0) },
    ]);
    let list = rendered(&mut Cursor { pid: 10, ..Cursor::default() }, &record, is_span);
    let args = |more: Value| {
        let mut args = json!({ "name": "a\"b", "pid": 11 });
        args.as_object_mut().expect("one").extend(more.as_object().cloned().unwrap_or_default());
        args
    };
    let entry = |name: &str, cat: &str, track: u32, [ts, dur]: [f64; 2], more: Value| {
        json!({ "ph": "X", "cat": cat, "name": name, "pid": 10, "tid": track, "ts": ts, "dur": dur,
            "args": args(more) })
    };
    let own = json!({ "mode": "exclusive", "event": 7 });
    let expected = [
        entry("wait for lock a\"b", "lock", 2, [1000.0, 2500.0], own),
        entry("hold lock a\"b", "lock", 2, [0.0, 4000.0], json!({ "mode": "exclusive" })),
        entry("wait for barrier a\"b", "barrier", 0, [2000.0, 1000.0], json!({})),
        entry("run once a\"b", "once", 1, [2000.0, 1000.0], json!({})),
    ];
    assert_eq!(list, expected);
}

#[test]
fn many_waits_are_rendered_in_pieces_each_once() {
    let mut record = Record::new(Level::Trace, &[1], 1000.0, 0.0);
    let mut cursor = Cursor::default();
    for count in [PIECE * 2 + 3, 0, 5] {
        record.add_spans(vec![span(Some(1), None, 1001.0, 1002.0); count]);
        let mut first = Vec::new();
        assert_eq!(cursor.render(&record, &mut first), count > PIECE);
        let first = String::from_utf8(first).expect("text").matches("wait for").count();
        assert_eq!(first, count.min(PIECE));
        assert_eq!(rendered(&mut cursor, &record, is_span).len(), count - first);
    }
}

#[test]
fn a_run_without_a_trace_keeps_no_waits() {
    let mut record = Record::new(Level::Times, &[1], 1000.0, 0.0);
    record.add_spans(vec![span(Some(1), None, 1001.0, 1002.0)]);
    assert!(record.spans(0).is_empty());
}
