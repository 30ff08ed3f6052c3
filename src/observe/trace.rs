//! A run as a file in the Chrome trace format, which Perfetto, `chrome://tracing` and speedscope open: one track
//! per worker, one entry per event.
//!
//! It is written by hand, and not with `tracing-chrome` or another layer of `tracing`: those stamp what they are
//! told with their own clock at that moment, and the times here are the workers', known afterwards. The format
//! is a list of small objects.
//!
//! The text is made and written piece by piece. The file is whole JSON after each [`Trace::append`], which a
//! program may end right behind, and the next one goes on where the list ended.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::observe::record::{Lifetime, Mark, Record, Row};

/// So many events are put into one piece.
const PIECE: usize = 4096;

/// The most points of the curve of waiting events: more than a screen has.
const MOST_POINTS: usize = 4000;

/// The track of what is no worker's.
const MASTER: u32 = 0;

/// What ends the file.
const TAIL: &[u8] = b"\n]}\n";

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Trace {
    file: File,
    cursor: Cursor,
    /// Where the list ends.
    end: u64,
}

/// How far a record is written.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    pid: u32,
    rows: usize,
    marks: usize,
    /// For each process, how much of it: started, ready, ended.
    lifetimes: Vec<usize>,
    has_curve: bool,
}

impl Trace {
    /// Makes the file, or empties the one that is there.
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

    /// Writes what is new: `next` has it put into the bytes, and says whether there is more.
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
    /// Puts the next piece of what is new into `text`. True if there is more.
    pub(crate) fn render(&mut self, record: &Record, text: &mut Vec<u8>) -> bool {
        for (at, lifetime) in record.lifetimes().iter().enumerate() {
            self.lifetime(at, lifetime, text);
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
            self.event(row, record.worker_of(row), text);
        }
        self.rows += piece.len();
        piece.len() < rows.len()
    }

    fn event(&self, row: &Row, (worker, pid): (u32, u32), text: &mut Vec<u8>) {
        let Row { id, queued, started, finished, .. } = *row;
        let sent = row.sent.map_or_else(String::new, |sent| format!("\"sent\":{sent:.3},"));
        // Into memory: it does not fail.
        let _ = write!(
            text,
            ",\n{{\"ph\":\"X\",\"cat\":\"{outcome}\",\"name\":\"event {id}\",\"pid\":{master},\"tid\":{worker},\
             \"ts\":{ts:.3},\"dur\":{dur:.3},\"args\":{{\"event\":{id},\"outcome\":\"{outcome}\",\
             \"queued\":{queued:.6},{sent}\"started\":{started:.6},\"finished\":{finished:.6},\
             \"attempts\":{attempts},\"pid\":{pid}}}}}",
            outcome = row.outcome.name(),
            master = self.pid,
            ts = started * 1e3,
            dur = (finished - started) * 1e3,
            attempts = row.attempts,
        );
    }

    fn lifetime(&mut self, at: usize, lifetime: &Lifetime, text: &mut Vec<u8>) {
        let Lifetime { worker, pid, started, ready, ended, code, signal } = lifetime;
        if at == self.lifetimes.len() {
            self.lifetimes.push(0);
            let name = metadata("thread_name", self.pid, *worker, &format!("worker {worker}"));
            put(text, &name);
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
        put(
            text,
            &match mark.until {
                Some(until) => self.span(mark.kind, track, (mark.at, until), &args),
                None => self.instant(mark.kind, track, mark.at, &args),
            },
        );
    }

    /// How many events wait, over the time.
    fn curve(&self, record: &Record, text: &mut Vec<u8>) {
        let sorted = |time: fn(&Row) -> f64| {
            let mut times: Vec<f64> = record.rows(0).iter().map(time).collect();
            times.sort_by(f64::total_cmp);
            times
        };
        let (queued, started) = (sorted(|row| row.queued), sorted(|row| row.started));
        let mut times: Vec<f64> = queued.iter().chain(&started).copied().collect();
        times.sort_by(f64::total_cmp);
        let step = times.len().div_ceil(MOST_POINTS).max(1);
        let last = times.len().checked_sub(1);
        let points = (0..times.len()).step_by(step).chain(last);
        let before = |times: &[f64], now: f64| times.partition_point(|&time| time <= now);
        for now in points.map(|at| times[at]) {
            let waiting = before(&queued, now) - before(&started, now);
            put(
                text,
                &json!({ "ph": "C", "name": "waiting events", "pid": self.pid, "tid": MASTER,
                    "ts": micros(now), "args": { "waiting": waiting } }),
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

/// Of milliseconds, as the format has it.
fn micros(milliseconds: f64) -> f64 {
    (milliseconds * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::record::{Ended, Level, Outcome};

    fn end(record: &mut Record, task: u64) {
        record.claimed(task);
        let (bytes_in, bytes_out, error) = (0, 0, None);
        let (slot, started, outcome) = (Some(0), Some(1001.0), Outcome::Answered);
        let finished = 1002.0;
        let attempts = 1;
        record.end(Ended {
            task,
            slot,
            started,
            finished,
            outcome,
            bytes_in,
            bytes_out,
            error,
            attempts,
        });
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
}
