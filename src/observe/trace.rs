//! Writes a run as a file in the Chrome trace format, for Perfetto, `chrome://tracing` and speedscope: a track per worker,
//! an entry per event.
//!
//! Layers of `tracing` such as `tracing-chrome` stamp entries with their own clock as they arrive. These times are the
//! workers', known afterwards.
//!
//! After each [`Trace::append`] the file is complete JSON, because the program may end there. The next one continues
//! where the list ended.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::core::sync::Span;
use crate::observe::record::{Lifetime, Mark, Record, Row, number_of};

/// How many events are rendered at once: others may wait for the pool meanwhile.
const PIECE: usize = 4096;

/// The most points of the curve of waiting events: more than a screen shows.
const MOST_POINTS: usize = 4000;

/// The track for everything that is no worker's.
const MASTER: u32 = 0;

/// Ends the list and the file.
const TAIL: &[u8] = b"\n]}\n";

#[derive(Debug)]
pub(crate) struct Trace {
    file: File,
    cursor: Cursor,
    /// Where the list ends.
    end: u64,
}

/// How much of a record is written.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    pid: u32,
    rows: usize,
    marks: usize,
    spans: usize,
    /// By process: 0 if its start is written, 1 if it was ready, 2 if it ended.
    lifetimes: Vec<usize>,
    has_curve: bool,
}

impl Trace {
    /// Creates or empties the file.
    pub(crate) fn create(path: &Path, program: &str, pid: u32) -> io::Result<Self> {
        let mut file = File::create(path)?;
        let mut text = b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n".to_vec();
        let names = [("process_name", program), ("thread_name", "Map")];
        for (at, (kind, name)) in names.into_iter().enumerate() {
            text.extend_from_slice(if at == 0 { b"" } else { b",\n" });
            text.extend_from_slice(metadata(kind, pid, MASTER, name).to_string().as_bytes());
        }
        let end = text.len() as u64;
        text.extend_from_slice(TAIL);
        file.write_all(&text)?;
        Ok(Self { file, cursor: Cursor { pid, ..Cursor::default() }, end })
    }

    /// Writes what is new: `next` renders a piece of it, and returns whether there is more.
    pub(crate) fn append(
        &mut self,
        mut next: impl FnMut(&mut Cursor, &mut Vec<u8>) -> bool,
    ) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        let mut text = Vec::new();
        loop {
            text.clear();
            let has_more = next(&mut self.cursor, &mut text);
            self.file.write_all(&text)?;
            self.end += text.len() as u64;
            if !has_more {
                return self.file.write_all(TAIL);
            }
        }
    }
}

impl Cursor {
    /// Renders the next piece of what is new. Returns whether there is more.
    pub(crate) fn render(&mut self, record: &Record, text: &mut Vec<u8>) -> bool {
        for (at, lifetime) in record.lifetimes().iter().enumerate() {
            self.lifetime(at, lifetime, record.host_of(lifetime.worker), text);
        }
        for mark in record.marks(self.marks) {
            self.mark(mark, text);
            self.marks += 1;
        }
        if !self.has_curve {
            self.has_curve = true;
            self.curve(record, text);
        }
        let rows = record.rows(self.rows);
        let piece = &rows[..rows.len().min(PIECE)];
        for row in piece {
            self.event(row, record, text);
        }
        self.rows += piece.len();
        let spans = record.spans(self.spans);
        let shown = &spans[..spans.len().min(PIECE)];
        for span in shown {
            self.wait_or_hold(span, text);
        }
        self.spans += shown.len();
        piece.len() < rows.len() || shown.len() < spans.len()
    }

    fn event(&self, row: &Row, record: &Record, text: &mut Vec<u8>) {
        let (worker, pid) = record.worker_of(row);
        let Row { id, queued, started, finished, .. } = *row;
        let sent = row.sent.map_or_else(String::new, |sent| format!("\"sent\":{sent:.3},"));
        // Of a flow the node says more than a number.
        let named =
            record.node_name(row.node.into()).map(|name| (json!(name), format!("node {name}")));
        let (title, node) = named.map_or_else(
            || (json!(format!("event {id}")), String::new()),
            |(name, title)| (json!(title), format!("\"node\":{name},")),
        );
        let label = record
            .text_of(id)
            .map_or_else(String::new, |text| format!("\"label\":{},", json!(text)));
        // Writing to memory does not fail.
        let _ = write!(
            text,
            ",\n{{\"ph\":\"X\",\"cat\":\"{outcome}\",\"name\":{title},\"pid\":{master},\"tid\":{worker},\
             \"ts\":{ts:.3},\"dur\":{dur:.3},\"args\":{{\"event\":{id},{node}{label}\"outcome\":\"{outcome}\",\
             \"queued\":{queued:.6},{sent}\"started\":{started:.6},\"finished\":{finished:.6},\
             \"attempts\":{attempts},\"pid\":{pid}}}}}",
            outcome = row.outcome.name(),
            master = self.pid,
            ts = started * 1e3,
            dur = (finished - started) * 1e3,
            attempts = row.attempts,
        );
    }

    fn lifetime(&mut self, at: usize, lifetime: &Lifetime, host: Option<&str>, text: &mut Vec<u8>) {
        let Lifetime { worker, pid, started, ready, ended, code, signal } = lifetime;
        if at == self.lifetimes.len() {
            self.lifetimes.push(0);
            let of = host.map_or_else(String::new, |host| format!("{host}/"));
            let name = format!("{of}worker {worker}");
            put(text, &metadata("thread_name", self.pid, *worker, &name));
            put(text, &self.instant("started", *worker, *started, &json!({ "pid": pid })));
        }
        if self.lifetimes[at] < 1
            && let Some(ready) = ready
        {
            self.lifetimes[at] = 1;
            let args = json!({ "pid": pid });
            put(text, &self.span("starting", *worker, (*started, *ready), &args));
        }
        if self.lifetimes[at] < 2
            && let Some(ended) = ended
        {
            self.lifetimes[at] = 2;
            let args = json!({ "pid": pid, "code": code, "signal": signal });
            put(text, &self.instant("exited", *worker, *ended, &args));
        }
    }

    fn mark(&self, mark: &Mark, text: &mut Vec<u8>) {
        let track = mark.worker.unwrap_or(MASTER);
        let args = json!({ "text": mark.text });
        let entry = match mark.until {
            Some(until) => self.span(mark.kind, track, (mark.at, until), &args),
            None => self.instant(mark.kind, track, mark.at, &args),
        };
        put(text, &entry);
    }

    /// What was waited for, or held.
    fn wait_or_hold(&self, span: &Span, text: &mut Vec<u8>) {
        let Span { who, kind, name, .. } = span;
        let verb = match (span.is_hold, *kind) {
            (false, _) => "wait for",
            (true, "once") => "run",
            (true, _) => "hold",
        };
        let event = span.party.event.map(|event| number_of(event.task));
        let mut args = json!({ "name": &**name, "pid": who.pid });
        if let Some(mode) = span.mode {
            args["mode"] = json!(mode);
        }
        if let Some(event) = event {
            args["event"] = json!(event);
        }
        let title = format!("{verb} {kind} {name}");
        let mut entry =
            self.span(&title, who.worker.unwrap_or(MASTER), (span.from, span.until), &args);
        entry["cat"] = json!(kind);
        put(text, &entry);
    }

    /// The number of waiting events over time.
    fn curve(&self, record: &Record, text: &mut Vec<u8>) {
        let sorted = |time: fn(&Row) -> f64| {
            let mut times: Vec<f64> = record.rows(0).iter().map(time).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let (queued, started) = (sorted(|row| row.queued), sorted(|row| row.started));
        let mut times = [&queued[..], &started].concat();
        times.sort_by(f64::total_cmp);
        let step = times.len().div_ceil(MOST_POINTS).max(1);
        let last = times.len().checked_sub(1);
        let points = (0..times.len()).step_by(step).chain(last);
        let before = |times: &[f64], now: f64| times.partition_point(|&time| time <= now);
        for now in points.map(|at| times[at]) {
            let waiting = before(&queued, now) - before(&started, now);
            let args = json!({ "waiting": waiting });
            let name = "waiting events";
            put(
                text,
                &json!({ "ph": "C", "name": name, "pid": self.pid, "tid": MASTER, "ts": micros(now), "args": args }),
            );
        }
    }

    fn instant(&self, name: &str, track: u32, at: f64, args: &Value) -> Value {
        json!({ "ph": "i", "s": "t", "cat": "pool", "name": name, "pid": self.pid, "tid": track,
            "ts": micros(at), "args": args })
    }

    fn span(&self, name: &str, track: u32, (from, until): (f64, f64), args: &Value) -> Value {
        json!({ "ph": "X", "cat": "pool", "name": name, "pid": self.pid, "tid": track,
            "ts": micros(from), "dur": micros(until - from), "args": args })
    }
}

fn metadata(kind: &str, pid: u32, track: u32, name: &str) -> Value {
    json!({ "ph": "M", "name": kind, "pid": pid, "tid": track, "args": { "name": name } })
}

fn put(text: &mut Vec<u8>, value: &Value) {
    text.extend_from_slice(b",\n");
    text.extend_from_slice(value.to_string().as_bytes());
}

/// The format's unit.
fn micros(milliseconds: f64) -> f64 {
    (milliseconds * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests;
