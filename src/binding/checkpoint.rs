//! A file of answers, for JavaScript: it opens one, compares whose it is, and gives it to a run.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::pool::{self, Result};
use super::run::RunHandle;
use super::text::Argument;
use crate::checkpoint::{Checkpoint, Error, Opened, Sync};
use crate::pool::checkpoint::Known;
use crate::wire::header::format_of;

/// No answer is known of an event, nor of any behind it.
const NO_MORE: u32 = 8;

/// An open file, until a run has it.
pub struct CheckpointHandle {
    checkpoint: RefCell<Option<Checkpoint>>,
    program: Option<String>,
}

impl CheckpointHandle {
    fn take(&self) -> Option<Checkpoint> {
        self.checkpoint.take()
    }
}

fn failed(error: Error) -> napi::Error<String> {
    napi::Error::new(error.code().to_owned(), error.to_string())
}

/// Opens a file, or creates it as one of `program`'s. `fsync`: 0 before each answer is told, so many milliseconds after it at
/// most, or negative for when the system likes.
#[napi]
pub fn checkpoint_open(
    path: String,
    program: String,
    fsync: f64,
) -> Result<External<CheckpointHandle>> {
    let sync = match fsync {
        ..0.0 => Sync::Never,
        0.0 => Sync::Always,
        _ => Sync::Every(Duration::from_millis(fsync as u64)),
    };
    let opened = Checkpoint::open(Path::new(&path), &program, sync).map_err(failed)?;
    let Opened { checkpoint, program } = opened;
    Ok(External::new(CheckpointHandle { checkpoint: RefCell::new(Some(checkpoint)), program }))
}

/// Whose answers are in the file, as it was said when that was created; none if it is new.
#[napi]
pub fn checkpoint_program(file: &External<CheckpointHandle>) -> Option<String> {
    file.program.clone()
}

/// Lets go of a file that no run has got.
#[napi]
pub fn checkpoint_close(file: &External<CheckpointHandle>) {
    file.take();
}

/// Ends the next event by what the run's checkpoint says of it: see `runSubmit`. Returns what the putting function would; 0 if
/// nothing is written of the event, and 8 if nor of any behind it. Throws if what is written is an answer to other data.
#[napi]
pub fn run_resume(
    run: &External<RunHandle>,
    #[napi(ts_arg_type = "string | Uint8Array")] text: Argument<'_>,
    flags: u32,
) -> Result<u32> {
    let text = text.read(format_of(flags)).map_err(pool::failed)?.unwrap_or_default();
    let event = run.words.handed_over();
    Ok(match run.pool.resume(run.id, text, flags).map_err(failed)? {
        Known::Answered => run.putter.done(event),
        Known::Not => 0,
        Known::NoMore => NO_MORE,
    })
}

/// Has the run's answers written down. The file is the run's from now on.
#[napi]
pub fn run_write_down(run: &External<RunHandle>, file: &External<CheckpointHandle>) {
    if let Some(checkpoint) = file.take() {
        run.pool.write_down(run.id, checkpoint);
    }
}

/// Writes down nothing more: others may open the file. Throws if what was written may not be on the disk.
#[napi]
pub fn run_close_checkpoint(run: &External<RunHandle>) -> Result<()> {
    run.pool.close_checkpoint(run.id).map_err(failed)
}
