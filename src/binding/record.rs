//! The record of a run and the pool's log, for JavaScript.

use std::cell::RefCell;
use std::path::Path;

use napi::bindgen_prelude::External;
use napi_derive::napi;
use serde_json::Value;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{fmt, registry};

use super::pool::PoolHandle;
use super::run::RunHandle;
use crate::observe::trace::Trace;
use crate::os::clock::clock;
use crate::pool::tell::Seen;

/// The statistics of the run so far, as the JSON of an object: `RunStatistics` in index.d.ts.
#[napi]
pub fn run_statistics(run: &External<RunHandle>) -> String {
    let now = clock();
    let statistics = run.seen(|seen| {
        let mut statistics = seen.record.statistics(seen.handed_over, now);
        add_nodes(&mut statistics, &seen);
        statistics
    });
    statistics.unwrap_or_default().to_string()
}

/// Adds the counts of a flow's nodes, in the order of their numbers, and how many items have left each exit.
fn add_nodes(statistics: &mut Value, seen: &Seen<'_>) {
    if let Some(nodes) = &seen.nodes {
        statistics["nodes"] = seen.record.nodes(&nodes.states);
        statistics["exits"] = nodes.left.into();
    }
}

/// The same of all runs of a pool, since it began. `startedAt` is 0.
#[napi]
pub fn pool_statistics(pool: &External<PoolHandle>) -> String {
    pool.pool().statistics()
}

/// How long events of the run waited and ran in the last minute, as the JSON of an object; null if no dashboard shows it.
#[napi]
pub fn run_recent(run: &External<RunHandle>) -> Option<String> {
    run.pool.recent(Some(run.id))
}

/// The same of all runs of a pool.
#[napi]
pub fn pool_recent(pool: &External<PoolHandle>) -> Option<String> {
    pool.pool().recent(None)
}

/// The whole record of the run as the JSON of an object. Its first properties are those of `head`, the JSON of an object.
#[napi]
pub fn run_report(run: &External<RunHandle>, head: String) -> String {
    let head: Value = serde_json::from_str(&head).unwrap_or_default();
    let report = run.seen(|seen| {
        let mut report = seen.record.report(&head, seen.handed_over, clock());
        add_nodes(&mut report["statistics"], &seen);
        report
    });
    report.unwrap_or_default().to_string()
}

/// Some of the listed events after the first `from`, as a JSON array; null if there are none.
#[napi]
pub fn run_ended(run: &External<RunHandle>, from: u32) -> Option<String> {
    run.recorded(|record, _| record.ended_since(from as usize)).flatten()
}

/// The workers that run an event of the run: each with the event's number, and the milliseconds for which it has run.
#[napi]
pub fn run_doing(run: &External<RunHandle>) -> Vec<Vec<f64>> {
    let all = run.pool.doing(run.id).into_iter();
    all.map(|(worker, event, time)| vec![worker.into(), event as f64, time.into()]).collect()
}

pub struct TraceFile(pub(super) RefCell<Trace>);

/// Creates or empties the file of a trace. `program` is the name to show.
#[napi(ts_return_type = "ExternalObject<TraceHandle>")]
pub fn trace_create(path: String, program: String) -> napi::Result<External<TraceFile>> {
    let trace = Trace::create(Path::new(&path), &program, std::process::id())?;
    Ok(External::new(TraceFile(RefCell::new(trace))))
}

/// Writes what happened in a run since the last call.
#[napi]
pub fn trace_append(
    #[napi(ts_arg_type = "ExternalObject<TraceHandle>")] trace: &External<TraceFile>,
    run: &External<RunHandle>,
) -> napi::Result<()> {
    let mut trace = trace.0.borrow_mut();
    // Others get the pool between two pieces.
    trace.append(|cursor, text| {
        run.recorded(|record, _| cursor.render(record, text)).unwrap_or_default()
    })?;
    Ok(())
}

/// Shows the pool's log on the error stream from now on. `filter` is a level (`debug`) or several targets, as `tracing`
/// defines them. Returns what is wrong with it, if anything.
#[napi]
pub fn log_show(filter: String) -> Option<String> {
    let targets: Targets = match filter.parse() {
        Ok(targets) => targets,
        Err(error) => return Some(format!("{error}")),
    };
    // A closed error stream cannot show an error.
    let lines =
        fmt::layer().with_writer(std::io::stderr).with_ansi(false).log_internal_errors(false);
    // Another thread may have set it first.
    let _ = tracing::subscriber::set_global_default(registry().with(targets).with(lines));
    None
}
