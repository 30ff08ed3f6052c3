//! The progress of a run, for JavaScript.

use std::sync::Arc;

use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::run::RunHandle;
use crate::observe::progress::Progress;
use crate::observe::tally::Detail;

pub struct ProgressHandle(Arc<Progress>);

/// Shows the progress of a run until `progressEnd`: `total` is how many events there will be, or 0; `workers` adds a
/// line for each worker.
#[napi(ts_return_type = "ExternalObject<unknown>")]
pub fn progress_begin(
    run: &External<RunHandle>,
    total: f64,
    workers: bool,
) -> External<ProgressHandle> {
    let detail = if workers { Detail::Workers } else { Detail::Counts };
    let tally = run.tallies();
    let source = move || tally(detail);
    External::new(ProgressHandle(Progress::begin(total as u64, Box::new(source))))
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
