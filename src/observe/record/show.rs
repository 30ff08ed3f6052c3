//! A record as JSON.

use std::cmp::Reverse;
use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::{Lifetime, Mark, Outcome, Record, Row, Share};
use crate::os::clock::rounded;

/// How many events are rendered at once: others may wait for the pool meanwhile.
const PIECE: usize = 4096;

impl Record {
    /// The statistics, as `RunStatistics` in index.d.ts. `handed_over` is how many events `Map` handed over.
    pub(crate) fn statistics(&self, handed_over: u64, now: f64) -> Value {
        let counts = &self.counts;
        let of = |outcome: Outcome| self.count(outcome);
        let elapsed = self.ended.unwrap_or(now) - self.began;
        // Those of other machines come in any order.
        let mut shares: Vec<&Share> = self.shares.iter().collect();
        shares.sort_by_key(|share| share.worker);
        let mut statistics = json!({
            "startedAt": self.epoch,
            "elapsed": rounded(elapsed),
            "handedOver": handed_over + counts.direct,
            "answered": of(Outcome::Answered),
            "nothing": of(Outcome::Nothing),
            "failed": self.failed(),
            "failures": {
                "error": of(Outcome::Error),
                "crash": of(Outcome::Crash),
                "timeout": of(Outcome::Timeout),
                "aborted": of(Outcome::Aborted),
            },
            "unfinished": self.unfinished(handed_over),
            "retried": counts.retried,
            "resumed": counts.resumed,
            "crashes": counts.crashes,
            "restarts": counts.restarts,
            "bytesIn": counts.bytes_in,
            "bytesOut": counts.bytes_out,
            "counts": self.counters.iter().map(|(name, &count)| (name.clone(), number(count))).collect::<Map<_, _>>(),
            "workers": shares.into_iter().map(|share| self.worker(share, elapsed)).collect::<Vec<_>>(),
        });
        if let Some(detail) = &self.detail {
            statistics["wait"] = percentiles(&detail.wait);
            statistics["run"] = percentiles(&detail.run);
        }
        statistics
    }

    fn worker(&self, share: &Share, elapsed: f64) -> Value {
        let own = self.lifetimes.iter().filter(|lifetime| lifetime.worker == share.worker);
        let pids: Vec<u32> = own.map(|lifetime| lifetime.pid).collect();
        json!({
            "id": share.worker,
            "pids": pids,
            "tasks": share.tasks,
            "busy": rounded(share.busy),
            "share": if elapsed > 0.0 { rounded(share.busy / elapsed) } else { 0.0 },
        })
    }

    /// The whole record. The properties of `head` come first.
    pub(crate) fn report(&self, head: &Value, handed_over: u64, now: f64) -> Value {
        let rows = self.rows(0);
        let column = |value: fn(&Row) -> f64| -> Vec<Value> {
            rows.iter().map(|row| number(value(row))).collect()
        };
        let workers: Vec<(u32, u32)> = rows.iter().map(|row| self.worker_of(row)).collect();
        let mut report = json!({ "version": 1 });
        for (name, value) in head.as_object().into_iter().flatten() {
            report[name] = value.clone();
        }
        report["startedAt"] = json!(self.epoch);
        report["elapsed"] = json!(rounded(self.ended.unwrap_or(now) - self.began));
        report["workersAsked"] = json!(self.shares.len());
        report["workers"] = self.lifetimes.iter().map(|own| self.lifetime_of(own)).collect();
        report["events"] = json!({
            "id": column(|row| row.id as f64),
            "worker": workers.iter().map(|(worker, _)| worker).collect::<Vec<_>>(),
            "pid": workers.iter().map(|(_, pid)| pid).collect::<Vec<_>>(),
            "queued": column(|row| row.queued),
            "started": column(|row| row.started),
            "finished": column(|row| row.finished),
            "outcome": column(|row| f64::from(row.outcome as u8)),
            "attempts": column(|row| f64::from(row.attempts)),
        });
        report["unlisted"] = json!(self.unlisted());
        report["outcomes"] = json!(Outcome::NAMES);
        report["failures"] = self.failures();
        report["texts"] = self.texts();
        report["marks"] = self.marks(0).iter().map(mark).collect();
        report["statistics"] = self.statistics(handed_over, now);
        report
    }

    fn lifetime_of(&self, lifetime: &Lifetime) -> Value {
        let mut value = json!({
            "id": lifetime.worker,
            "pid": lifetime.pid,
            "started": rounded(lifetime.started),
            "ready": lifetime.ready.map(rounded),
            "ended": lifetime.ended.map(rounded),
            "code": lifetime.code,
            "signal": lifetime.signal,
        });
        if let Some(host) = self.host_of(lifetime.worker) {
            value["host"] = json!(host);
        }
        value
    }

    /// What is known of single events, by their numbers.
    fn texts(&self) -> Value {
        let Some(events) = self.events() else { return json!({}) };
        let slowest = events.slowest.iter().map(|Reverse((_, id, text))| (id, text));
        let all = slowest.chain(&events.texts).filter(|(_, text)| !text.is_empty());
        all.map(|(id, text)| (id.to_string(), json!(text))).collect::<Map<_, _>>().into()
    }

    fn failures(&self) -> Value {
        let failures = self.events().map_or(&[][..], |events| &events.failures);
        failures
            .iter()
            .map(|failure| {
                json!({
                    "id": failure.id,
                    "worker": failure.worker,
                    "name": failure.error["name"],
                    "message": failure.error["message"],
                    "code": failure.error["code"],
                    "stack": failure.error["stack"],
                    "stderr": failure.error["stderr"],
                    "attempts": failure.attempts,
                })
            })
            .collect()
    }

    /// The next events after the first `from` as a JSON array, with the wall clock's times; none if there are none.
    pub(crate) fn ended_since(&self, from: usize) -> Option<String> {
        let rows = self.rows(from);
        let rows = &rows[..rows.len().min(PIECE)];
        let since = |time: f64| rounded(self.epoch + time);
        let mut text = String::with_capacity(rows.len() * 160);
        for row in rows {
            let (worker, pid) = self.worker_of(row);
            // Without a `Value`, which would double the cost for subscribers.
            let _ = write!(
                text,
                r#"{}{{"id":{},"worker":{worker},"pid":{pid},"queued":{},"started":{},"finished":{},"outcome":"{}","attempts":{}}}"#,
                if text.is_empty() { '[' } else { ',' },
                row.id,
                since(row.queued),
                since(row.started),
                since(row.finished),
                row.outcome.name(),
                row.attempts,
            );
        }
        (!text.is_empty()).then(|| text + "]")
    }
}

fn mark(mark: &Mark) -> Value {
    let mut value = json!({
        "at": rounded(mark.at),
        "kind": mark.kind,
        "worker": mark.worker,
        "text": mark.text,
    });
    if let Some(until) = mark.until {
        value["until"] = json!(rounded(until));
    }
    value
}

/// In milliseconds; zeros if the histogram is empty.
pub(crate) fn percentiles(histogram: &Histogram<u64>) -> Value {
    let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    json!({
        "count": histogram.len(),
        "mean": histogram.mean() / 1e6,
        "p50": milliseconds(histogram.value_at_quantile(0.5)),
        "p90": milliseconds(histogram.value_at_quantile(0.9)),
        "p99": milliseconds(histogram.value_at_quantile(0.99)),
        "max": milliseconds(histogram.max()),
    })
}

/// A number as short as possible: whole if it is.
fn number(value: f64) -> Value {
    let value = rounded(value);
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}
