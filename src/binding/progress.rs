//! The progress of runs, for JavaScript.

use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::master::PoolHandle;
use crate::observe::progress::End;
use crate::observe::screen::{self, Show};
use crate::observe::tally::Detail;
use crate::os::terminal;

/// How the progress of a run is shown.
#[napi(object)]
pub struct ProgressOptions {
    /// How many events there will be, if that is known.
    pub total: Option<f64>,
    /// Whether there is a line for each worker.
    pub workers: bool,
    /// Whether the error stream is a terminal on which the cursor can be moved.
    pub is_terminal: bool,
}

/// Shows the progress of a run on the error stream until `progressEnd`; returns what it is called there.
#[napi]
pub fn progress_begin(pool: &External<PoolHandle>, options: ProgressOptions) -> u32 {
    let show = Show {
        total: options.total.map(|total| total as u64),
        detail: if options.workers { Detail::Workers } else { Detail::Counts },
        is_terminal: options.is_terminal,
    };
    screen::begin(pool.pool(), show)
}

/// No more events come than the run has been handed.
#[napi]
pub fn progress_complete(progress: u32) {
    screen::complete(progress);
}

/// Shows the run no more, but for a line that stays and says what came of it: whether it came to its end.
#[napi]
pub fn progress_end(progress: u32, pool: &External<PoolHandle>, is_whole: bool) {
    screen::end(progress, pool.pool(), if is_whole { End::Whole } else { End::Stopped });
}

/// Has a signal that ends or stops this process take what is drawn off the terminal. Again and again while something
/// is, on the main thread alone.
#[napi]
pub fn progress_arm() {
    terminal::arm();
}

/// The program is about to write to the terminal where progress is drawn, and its line is not ended by that.
#[napi]
pub fn progress_open_line() {
    screen::open_line();
}

/// It has written there, and the line is ended.
#[napi]
pub fn progress_end_line() {
    screen::end_line();
}
