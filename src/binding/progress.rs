//! The progress of a run, for JavaScript.

use std::sync::Arc;

use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::run::RunHandle;
use crate::observe::excerpt::harmless;
use crate::observe::progress::{Names, Progress, Source};
use crate::observe::tally::Detail;

pub struct ProgressHandle(Arc<Progress>);

/// How the progress of a run is shown.
#[napi(object)]
pub struct ProgressStyle {
    /// How many events there will be, or 0.
    pub total: f64,
    /// Whether there is a line for each worker.
    pub workers: bool,
    /// What the run is called, if it is.
    pub label: Option<String>,
    /// What its events are called, in the plural.
    pub unit: Option<String>,
}

/// Shows the progress of a run until `progressEnd`.
#[napi(ts_return_type = "ExternalObject<unknown>")]
pub fn progress_begin(run: &External<RunHandle>, style: ProgressStyle) -> External<ProgressHandle> {
    let detail = if style.workers { Detail::Workers } else { Detail::Counts };
    let tally = run.tallies();
    shown(style, Box::new(move || tally(detail)))
}

/// Shows what this counts.
pub(super) fn shown(style: ProgressStyle, source: Source) -> External<ProgressHandle> {
    let unit = style.unit.map_or_else(|| Names::default().unit, |unit| harmless(&unit));
    let label = style.label.map(|label| harmless(&label)).unwrap_or_default();
    let names = Names { label, unit };
    External::new(ProgressHandle(Progress::begin(style.total as u64, names, source)))
}

/// The run gets no more events.
#[napi(ts_args_type = "progress: ExternalObject<unknown>")]
pub fn progress_complete(progress: &External<ProgressHandle>) {
    progress.0.complete();
}

/// Shows the run no longer, and writes a summary that ends with `note`.
#[napi(ts_args_type = "progress: ExternalObject<unknown>, note: string")]
pub fn progress_end(progress: &External<ProgressHandle>, note: String) {
    progress.0.end(&note);
}
