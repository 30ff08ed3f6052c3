//! Whether an event that failed is tried again, when, and what its attempts came to. It only counts and
//! remembers: an event that has not failed costs nothing here, and where it runs is the scheduler's
//! business.

use std::collections::HashMap;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::core::task_id::TaskId;
use crate::os::clock::rounded;

/// Of an attempt's message so many bytes are kept: a list of attempts tells them apart, and is no log.
const LONGEST_MESSAGE: usize = 1024;

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its worker ended.
    Crash,
    /// It took too long.
    Timeout,
    /// A worker function threw.
    Error,
}

impl Cause {
    /// As the program names it.
    fn of(name: &str) -> Self {
        match name {
            "crash" => Self::Crash,
            "timeout" => Self::Timeout,
            _ => Self::Error,
        }
    }
}

/// Longer than anybody waits, in milliseconds: what comes of it is a duration in the end.
const LONGEST_DELAY: f64 = 1e12;

/// What the program wants. All times are in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// How many attempts follow the first.
    pub(crate) limit: u32,
    /// The pause before the second attempt; each later one is `factor` times as long, up to `max_delay`.
    pub(crate) backoff: f64,
    pub(crate) factor: f64,
    pub(crate) max_delay: f64,
    /// What is tried again.
    pub(crate) on: Vec<Cause>,
}

impl Policy {
    /// From what the program says: the limit; backoff, factor and the longest delay; what is tried again.
    pub(crate) fn new(
        limit: u32,
        (backoff, factor, max_delay): (f64, f64, f64),
        on: &[String],
    ) -> Self {
        let max_delay = max_delay.clamp(0.0, LONGEST_DELAY);
        Self {
            limit,
            backoff,
            factor,
            max_delay,
            on: on.iter().map(|name| Cause::of(name)).collect(),
        }
    }

    /// The pause after this attempt, counted from 1.
    fn delay(&self, attempt: u32) -> f64 {
        if self.backoff == 0.0 {
            return 0.0;
        }
        let exponent = i32::try_from(attempt - 1).unwrap_or(i32::MAX);
        (self.backoff * self.factor.powi(exponent)).min(self.max_delay)
    }
}

/// An attempt that has just failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) worker: u32,
    pub(crate) pid: u32,
    pub(crate) cause: Cause,
    /// Its worker crashed, and ran others too: any of them may be why.
    pub(crate) is_shared: bool,
    /// How long it ran in milliseconds, where that is known.
    pub(crate) duration: Option<f64>,
    /// The JSON of its error.
    pub(crate) error: &'a [u8],
}

impl Attempt<'_> {
    /// What a list of attempts says of it.
    fn summary(&self) -> Value {
        // An error of the program's may have properties of its own by the names of ours.
        let ours = ["name", "message", "code", "exitCode", "signal", "outOfMemory"];
        let kept = if self.cause == Cause::Error { &ours[..3] } else { &ours[..] };
        let mut summary = summary_of(&parsed_error(self.error), kept);
        summary["worker"] = self.worker.into();
        summary["pid"] = self.pid.into();
        if let Some(duration) = self.duration {
            summary["duration"] = json!(rounded(duration));
        }
        summary
    }
}

/// The JSON of an error, as far as it is any.
pub(crate) fn parsed_error(json: &[u8]) -> Value {
    serde_json::from_slice(json)
        .or_else(|_| serde_json::from_slice(&whole_characters(json)))
        .unwrap_or_default()
}

/// These properties of an error, if they are plain values; not all of a long text.
pub(crate) fn summary_of(error: &Value, names: &[&str]) -> Value {
    let mut summary = json!({});
    for &name in names {
        match error.get(name) {
            None | Some(Value::Object(_) | Value::Array(_)) => {}
            Some(Value::String(text)) => summary[name] = cut(text).into(),
            Some(value) => summary[name] = value.clone(),
        }
    }
    summary
}

/// The same JSON with a sign in the place of each half of a character: JavaScript writes those as escapes, and
/// nothing else of that range.
fn whole_characters(json: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len());
    let mut rest = json;
    while let [first, more @ ..] = rest {
        let (taken, put): (usize, &[u8]) = match (first, more) {
            (b'\\', [b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', _, _, ..]) => {
                (6, b"\\ufffd")
            }
            (b'\\', [_, ..]) => (2, &rest[..2]),
            _ => (1, &rest[..1]),
        };
        text.extend_from_slice(put);
        rest = &rest[taken..];
    }
    text
}

/// The beginning of a text.
fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(LONGEST_MESSAGE)).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
}

/// What is known of an event that has failed and not ended.
#[derive(Debug, Default)]
struct Record {
    attempts: Vec<Value>,
    /// An attempt came to an end that did not cost its worker.
    is_survivable: bool,
    /// The JSON of the last error.
    error: Vec<u8>,
}

/// When an event is to be tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Again {
    /// How many attempts have failed.
    pub(crate) after: usize,
    /// The pause in milliseconds.
    pub(crate) delay: f64,
}

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Retries {
    /// By the node of a flow that events enter; of all others there is the first alone.
    policies: Vec<Option<Policy>>,
    records: HashMap<TaskId, Record>,
}

impl Retries {
    pub(crate) fn new(policies: Vec<Option<Policy>>) -> Self {
        Self { policies, records: HashMap::new() }
    }

    /// Whether nothing is known of any event.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// An attempt of `task`, which enters this node, has failed. Says whether there is to be another one.
    pub(crate) fn failed(
        &mut self,
        task: TaskId,
        node: usize,
        attempt: Attempt<'_>,
    ) -> Option<Again> {
        let policy = self.policies.get(node)?.as_ref()?;
        let record = self.records.entry(task).or_default();
        record.attempts.push(attempt.summary());
        record.is_survivable |= attempt.cause == Cause::Error;
        record.error = attempt.error.to_vec();
        let after = record.attempts.len();
        let count = u32::try_from(after).unwrap_or(u32::MAX);
        let is_wanted = count <= policy.limit && policy.on.contains(&attempt.cause);
        is_wanted.then(|| Again { after, delay: policy.delay(count) })
    }

    /// How many attempts of `task` have failed, which has not ended.
    pub(crate) fn count(&self, task: TaskId) -> usize {
        self.records.get(&task).map_or(0, |record| record.attempts.len())
    }

    /// `task` has ended well.
    pub(crate) fn forget(&mut self, task: TaskId) {
        if !self.records.is_empty() {
            self.records.remove(&task);
        }
    }

    /// `task` has failed for good: the JSON of its error, which is that of its last attempt unless there is
    /// another, with the evidence. None if it was never tried.
    pub(crate) fn conclude(&mut self, task: TaskId, error: Option<&[u8]>) -> Option<Vec<u8>> {
        let record = self.records.remove(&task)?;
        let is_quarantined = record.attempts.len() > 1 && !record.is_survivable;
        let mut more = format!(r#""attempts":{}"#, Value::from(record.attempts));
        if is_quarantined && error.is_none() {
            more.push_str(r#","quarantined":true"#);
        }
        let error = error.unwrap_or(&record.error);
        Some(with(error, &more).unwrap_or_else(|| error.to_vec()))
    }
}

/// The JSON of an object with more properties, which come before others of the same names. None if it is no
/// object.
fn with(object: &[u8], more: &str) -> Option<Vec<u8>> {
    // Not its strings: JavaScript's may have what no other text has, half a character for instance.
    serde_json::from_slice::<IgnoredAny>(object).ok()?;
    let inner = object.trim_ascii().strip_prefix(b"{")?.strip_suffix(b"}")?;
    let comma = if inner.trim_ascii().is_empty() { "" } else { "," };
    Some([b"{", inner, comma.as_bytes(), more.as_bytes(), b"}"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(limit: u32, backoff: f64, on: &[Cause]) -> Retries {
        let on = on.to_vec();
        Retries::new(vec![Some(Policy { limit, backoff, factor: 2.0, max_delay: 100.0, on })])
    }

    fn attempt(cause: Cause, error: &str) -> Attempt<'_> {
        Attempt {
            worker: 3,
            pid: 77,
            cause,
            is_shared: false,
            duration: Some(1.5),
            error: error.as_bytes(),
        }
    }

    #[test]
    fn an_error_with_half_a_character_keeps_its_evidence() {
        let error = r#"{"name":"Error","message":"cut \ud83d, \\ud83d","list":["\udead"]}"#;
        let mut retries = retries(1, 0.0, &[Cause::Error]);
        assert!(retries.failed(1, 0, attempt(Cause::Error, error)).is_some());
        let text = retries.conclude(1, Some(error.as_bytes())).expect("it was tried");
        let text = String::from_utf8(text).expect("UTF-8");
        let (before, attempts) = text.split_once(r#","attempts":"#).expect("they are there");
        assert_eq!(before, error.strip_suffix('}').expect("an object"));
        let attempts: Value = serde_json::from_str(&attempts[..attempts.len() - 1]).expect("JSON");
        assert_eq!(attempts[0]["message"], "cut \u{fffd}, \\ud83d");
        for (empty, whole) in [("{}", r#"{"a":1}"#), (" { } ", r#"{ "a":1}"#)] {
            assert_eq!(with(empty.as_bytes(), r#""a":1"#).as_deref(), Some(whole.as_bytes()));
        }
        for wrong in ["", "[]", "{", "1", "{}}"] {
            assert_eq!(with(wrong.as_bytes(), r#""a":1"#), None, "{wrong}");
        }
    }

    fn json(text: Option<Vec<u8>>) -> Value {
        serde_json::from_slice(&text.expect("it was tried")).expect("JSON")
    }

    #[test]
    fn as_many_attempts_follow_the_first_as_the_limit_says() {
        for limit in 0..4 {
            let mut retries = retries(limit, 0.0, &[Cause::Error]);
            let mut follow = 0;
            while retries.failed(1, 0, attempt(Cause::Error, "{}")).is_some() {
                follow += 1;
            }
            assert_eq!(follow, limit);
            assert_eq!(retries.count(1), limit as usize + 1);
        }
    }

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let mut retries = retries(6, 10.0, &[Cause::Crash]);
        let pauses = std::iter::from_fn(|| retries.failed(1, 0, attempt(Cause::Crash, "{}")));
        let pauses: Vec<(usize, f64)> = pauses.map(|again| (again.after, again.delay)).collect();
        assert_eq!(pauses, [(1, 10.0), (2, 20.0), (3, 40.0), (4, 80.0), (5, 100.0), (6, 100.0)]);
        let at_once = super::tests::retries(1, 0.0, &[Cause::Crash]);
        assert!(at_once.policies[0].as_ref().expect("one").delay(1_000_000).abs() < f64::EPSILON);
        let mut endless = super::tests::retries(u32::MAX, 1.0, &[Cause::Crash]);
        let policy = endless.policies[0].as_mut().expect("one");
        policy.factor = 1e300;
        assert!((policy.delay(u32::MAX) - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn only_what_is_wanted_is_tried_again_and_each_event_counts_for_itself() {
        let mut retries = retries(1, 0.0, &[Cause::Crash, Cause::Timeout]);
        assert!(retries.failed(1, 0, attempt(Cause::Error, "{}")).is_none());
        assert!(retries.failed(2, 0, attempt(Cause::Timeout, "{}")).is_some());
        assert!(retries.failed(3, 0, attempt(Cause::Crash, "{}")).is_some());
        assert!(retries.failed(3, 0, attempt(Cause::Crash, "{}")).is_none());
        assert_eq!([1, 2, 3, 4].map(|task| retries.count(task)), [1, 1, 2, 0]);
        retries.forget(2);
        assert_eq!(retries.count(2), 0);
        assert_eq!(retries.conclude(4, None), None);
    }

    #[test]
    fn the_error_of_the_last_attempt_lists_them_all() {
        let mut retries = retries(1, 0.0, &[Cause::Error]);
        let long = "é".repeat(LONGEST_MESSAGE);
        let first = json!({ "name": "E", "message": long, "code": 5, "signal": "mine", "x": [1] });
        retries.failed(1, 0, attempt(Cause::Error, &first.to_string()));
        retries.failed(1, 0, attempt(Cause::Error, r#" {"name":"F","message":"m","n":1e400} "#));
        let text = retries.conclude(1, None).expect("it was tried");
        let text = String::from_utf8(text).expect("UTF-8");
        assert!(text.starts_with(r#"{"name":"F","message":"m","n":1e400"#), "{text}");
        assert_eq!(retries.count(1), 0);
    }

    #[test]
    fn attempts_say_who_ran_them_for_how_long_and_how_they_ended() {
        let mut retries = retries(1, 0.0, &[Cause::Error, Cause::Crash]);
        let error = r#"{"name":"E","message":"m","code":5,"signal":"mine","x":[1]}"#;
        retries.failed(1, 0, attempt(Cause::Error, error));
        let crash = r#"{"message":"gone","code":"C","exitCode":null,"signal":"SIGKILL"}"#;
        retries.failed(1, 0, Attempt { duration: None, ..attempt(Cause::Crash, crash) });
        let error = json(retries.conclude(1, None));
        let (worker, pid) = (3, 77);
        let expected = json!([
            { "worker": worker, "pid": pid, "duration": 1.5, "name": "E", "message": "m", "code": 5 },
            { "worker": worker, "pid": pid, "message": "gone", "code": "C", "exitCode": null,
              "signal": "SIGKILL" },
        ]);
        assert_eq!((&error["attempts"], &error["message"]), (&expected, &json!("gone")));
        assert_eq!(error.get("quarantined"), None, "a worker has survived it");
    }

    #[test]
    fn what_cost_a_worker_each_time_is_quarantined() {
        for (causes, expected) in [
            (&[Cause::Crash][..], false),
            (&[Cause::Crash, Cause::Crash], true),
            (&[Cause::Timeout, Cause::Crash, Cause::Crash], true),
            (&[Cause::Crash, Cause::Error], false),
        ] {
            let mut retries = retries(2, 0.0, causes);
            for &cause in causes {
                retries.failed(1, 0, attempt(cause, "{}"));
            }
            let error = json(retries.conclude(1, None));
            assert_eq!(error["quarantined"] == true, expected, "{causes:?}");
        }
    }

    #[test]
    fn another_error_takes_the_place_of_the_last_and_what_is_no_error_stays_as_it_is() {
        let mut retries = retries(1, 0.0, &[Cause::Crash]);
        retries.failed(1, 0, attempt(Cause::Crash, r#"{"message":"old"}"#));
        let error = json(retries.conclude(1, Some(br#"{"message":"new"}"#)));
        assert_eq!(
            (&error["message"], error["attempts"][0]["message"] == "old"),
            (&json!("new"), true)
        );
        for garbage in ["", "7", "[1]", "{\"a\":", "}"] {
            retries.failed(1, 0, attempt(Cause::Error, garbage));
            assert_eq!(retries.conclude(1, None).expect("it was tried"), garbage.as_bytes());
        }
    }
}
