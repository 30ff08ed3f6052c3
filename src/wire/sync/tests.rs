//! Promised: the JSON of each message is this, for as long as the protocol has this version. `lib/shared/sync` writes and reads it.

use super::*;

fn name() -> String {
    "a".into()
}

fn lock(mode: Mode, limit: Option<u32>) -> Ask {
    Ask::Lock { name: name(), mode, limit, if_available: false, steal: false }
}

#[test]
fn what_is_asked_has_this_json() {
    let cases: [(Ask, &str); 16] = [
        (
            lock(Mode::Exclusive, None),
            r#"{"op":"lock","name":"a","mode":"exclusive","limit":null,"ifAvailable":false,"steal":false}"#,
        ),
        (
            lock(Mode::Shared, None),
            r#"{"op":"lock","name":"a","mode":"shared","limit":null,"ifAvailable":false,"steal":false}"#,
        ),
        (
            Ask::Lock {
                name: name(),
                mode: Mode::Exclusive,
                limit: Some(3),
                if_available: true,
                steal: true,
            },
            r#"{"op":"lock","name":"a","mode":"exclusive","limit":3,"ifAvailable":true,"steal":true}"#,
        ),
        (Ask::Unlock { name: name(), token: 9 }, r#"{"op":"unlock","name":"a","token":9}"#),
        (Ask::Cancel { question: 7 }, r#"{"op":"cancel","question":7}"#),
        (Ask::Query, r#"{"op":"query"}"#),
        (Ask::Barrier { name: name(), parties: 4 }, r#"{"op":"barrier","name":"a","parties":4}"#),
        (
            Ask::CountDown { name: name(), count: 4, n: 1, ordinal: 2 },
            r#"{"op":"countDown","name":"a","count":4,"n":1,"ordinal":2}"#,
        ),
        (Ask::Latch { name: name(), count: 4 }, r#"{"op":"latch","name":"a","count":4}"#),
        (Ask::Once { name: name() }, r#"{"op":"once","name":"a"}"#),
        (Ask::OnceDone { name: name(), token: 9 }, r#"{"op":"onceDone","name":"a","token":9}"#),
        (Ask::OnceFailed { name: name(), token: 9 }, r#"{"op":"onceFailed","name":"a","token":9}"#),
        (
            Ask::Take { name: name(), tokens: 10.0, per: 1000.0, burst: 2.5, n: 1.0 },
            r#"{"op":"take","name":"a","tokens":10.0,"per":1000.0,"burst":2.5,"n":1.0}"#,
        ),
        (Ask::Get { name: name(), key: "k".into() }, r#"{"op":"get","name":"a","key":"k"}"#),
        (
            Ask::Set { name: name(), key: "k".into(), if_version: Some(0) },
            r#"{"op":"set","name":"a","key":"k","ifVersion":0}"#,
        ),
        (Ask::Delete { name: name(), key: "k".into() }, r#"{"op":"delete","name":"a","key":"k"}"#),
    ];
    for (ask, json) in cases {
        let asked = Asked { id: 5, inside: Vec::new(), event: None, ask };
        let text = serde_json::to_string(&asked).expect("JSON");
        assert_eq!(text, format!(r#"{{"id":5,"ask":{json}}}"#));
        assert_eq!(serde_json::from_str::<Asked>(&text).expect("a message"), asked);
    }
}

#[test]
fn what_may_be_left_out_is_what_it_mostly_is() {
    let cases = [
        (
            r#"{"id":1,"ask":{"op":"lock","name":"a"}}"#,
            Asked { id: 1, inside: vec![], event: None, ask: lock(Mode::Exclusive, None) },
        ),
        (
            r#"{"id":1,"inside":[3,2],"event":[7,0],"ask":{"op":"lock","name":"a","mode":"shared"}}"#,
            Asked { id: 1, inside: vec![3, 2], event: Some((7, 0)), ask: lock(Mode::Shared, None) },
        ),
        (
            r#"{"id":1,"ask":{"op":"take","name":"a","tokens":10,"per":1000,"burst":10,"n":1}}"#,
            Asked {
                id: 1,
                inside: vec![],
                event: None,
                ask: Ask::Take { name: name(), tokens: 10.0, per: 1000.0, burst: 10.0, n: 1.0 },
            },
        ),
        (
            r#"{"id":1,"ask":{"op":"set","name":"a","key":"k"}}"#,
            Asked {
                id: 1,
                inside: vec![],
                event: None,
                ask: Ask::Set { name: name(), key: "k".into(), if_version: None },
            },
        ),
    ];
    for (json, asked) in cases {
        assert_eq!(serde_json::from_str::<Asked>(json).expect(json), asked);
    }
    for json in [
        r#"{"id":1}"#,
        r#"{"id":-1,"ask":{"op":"query"}}"#,
        r#"{"id":1,"ask":{"op":"other"}}"#,
        r#"{"id":1,"ask":{"op":"lock"}}"#,
        r#"{"id":1,"ask":{"op":"lock","name":"a","mode":"other"}}"#,
        r#"{"id":1,"ask":{"op":"lock","name":"a","limit":-1}}"#,
        r#"{"id":1,"ask":{"op":"barrier","name":"a","parties":4294967296}}"#,
        "[]",
    ] {
        assert!(serde_json::from_str::<Asked>(json).is_err(), "{json}");
    }
}

#[test]
fn what_is_told_has_this_json() {
    let info = Info {
        name: name(),
        mode: Mode::Shared,
        client_id: "101-1".into(),
        worker: Some(1),
        pid: 101,
        event: None,
    };
    let cases = [
        (Reply::Granted { token: 9, place: None }, r#"{"is":"granted","token":9}"#),
        (
            Reply::Granted { token: 9, place: Some((3, 4)) },
            r#"{"is":"granted","token":9,"place":[3,4]}"#,
        ),
        (Reply::Unavailable, r#"{"is":"unavailable"}"#),
        (
            Reply::Failed { name: "Error".into(), code: "ERR_X".into(), message: "why".into() },
            r#"{"is":"failed","name":"Error","code":"ERR_X","message":"why"}"#,
        ),
        (Reply::Number { number: 3 }, r#"{"is":"number","number":3}"#),
        (Reply::Done, r#"{"is":"done"}"#),
        (Reply::Run { token: 9 }, r#"{"is":"run","token":9}"#),
        (Reply::Value { version: 2 }, r#"{"is":"value","version":2}"#),
        (Reply::Nothing, r#"{"is":"nothing"}"#),
        (
            Reply::Snapshot { held: vec![info], pending: vec![] },
            concat!(
                r#"{"is":"snapshot","held":[{"name":"a","mode":"shared","clientId":"101-1","#,
                r#""worker":1,"pid":101,"event":null}],"pending":[]}"#
            ),
        ),
        (Reply::Stolen { token: 9 }, r#"{"is":"stolen","token":9}"#),
    ];
    for (reply, json) in cases {
        let told = Told { id: 5, reply };
        let text = serde_json::to_string(&told).expect("JSON");
        assert_eq!(text, format!(r#"{{"id":5,"reply":{json}}}"#));
        assert_eq!(serde_json::from_str::<Told>(&text).expect("a message"), told);
    }
}
