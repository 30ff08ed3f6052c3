//! What is kept of a run, for JavaScript, and the pool's own log.

use std::cell::RefCell;
use std::path::Path;

use napi::bindgen_prelude::External;
use napi_derive::napi;
use serde_json::Value;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{fmt, registry};

use super::master::PoolHandle;
use super::text::Text;
use crate::observe::screen::beside;
use crate::observe::trace::Trace;
use crate::os::clock::clock;

/// The statistics of the run so far, as the JSON of an object: `RunStatistics` in index.d.ts.
#[napi(ts_return_type = "string")]
pub fn pool_statistics(pool: &External<PoolHandle>) -> Text {
    let statistics =
        pool.pool().recorded(|record, handed_over| record.statistics(handed_over, clock()));
    Text(statistics.to_string().into_bytes())
}

/// The whole record of the run as the JSON of an object. `head` is the JSON of an object with what the core does
/// not know, which comes first.
#[napi(ts_return_type = "string")]
pub fn pool_report(pool: &External<PoolHandle>, head: String) -> Text {
    let head: Value = serde_json::from_str(&head).unwrap_or_default();
    let report =
        pool.pool().recorded(|record, handed_over| record.report(&head, handed_over, clock()));
    Text(report.to_string().into_bytes())
}

/// Some of the events that have ended after the first `from`, as a JSON array, where each is listed; null if there are
/// none.
#[napi(ts_return_type = "string | null")]
pub fn pool_ended(pool: &External<PoolHandle>, from: u32) -> Option<Text> {
    let ended = pool.pool().recorded(|record, _| record.ended_since(from as usize));
    ended.map(|ended| Text(ended.into_bytes()))
}

/// A file that a trace is written to.
pub struct TraceFile(RefCell<Trace>);

/// Makes the file of a trace, or empties the one that is there. `program` is the name that is shown.
#[napi(ts_return_type = "ExternalObject<TraceHandle>")]
pub fn trace_create(path: String, program: String) -> napi::Result<External<TraceFile>> {
    let trace = Trace::create(Path::new(&path), &program, std::process::id())?;
    Ok(External::new(TraceFile(RefCell::new(trace))))
}

/// Writes what has happened in a run since the last time.
#[napi]
pub fn trace_append(
    #[napi(ts_arg_type = "ExternalObject<TraceHandle>")] trace: &External<TraceFile>,
    pool: &External<PoolHandle>,
) -> napi::Result<()> {
    let mut trace = trace.0.borrow_mut();
    // Whoever waits for the pool may go on between two pieces.
    trace.append(|cursor, text| pool.pool().recorded(|record, _| cursor.render(record, text)))?;
    Ok(())
}

/// Has the pool's own log shown on the error stream from now on: `filter` is a level (`debug`), or several as
/// `tracing` has them. What is wrong with it, if it is none.
#[napi]
pub fn log_show(filter: String) -> Option<String> {
    let targets: Targets = match filter.parse() {
        Ok(targets) => targets,
        Err(error) => return Some(format!("{error}")),
    };
    // A closed error stream is no reason to say so there.
    let lines = fmt::layer().with_writer(beside).with_ansi(false).log_internal_errors(false);
    // Another thread of this process may have done so before.
    let _ = tracing::subscriber::set_global_default(registry().with(targets).with(lines));
    None
}
