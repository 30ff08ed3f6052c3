//! Flows, for JavaScript: what the master reduces, and where workers write what is too large for memory.

use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::run::RunHandle;
use super::text::Argument;
use super::worker::WorkerHandle;
use crate::run::flow::Kept;
use crate::run::value::Value;
use crate::wire::header::{flag, format_of};

/// All items that a flow's node is to reduce.
#[napi(object, object_from_js = false)]
pub struct ToReduce {
    /// `parts` if they are one after the other, each with its length and format.
    pub flags: u32,
    /// The JSON of an array, or a Buffer.
    #[napi(ts_type = "any")]
    pub items: Value<'static>,
}

/// The items that the note with this number is about; null if the run is over.
#[napi]
pub fn run_to_reduce(run: &External<RunHandle>, number: f64) -> Option<ToReduce> {
    let (items, flags) = run.pool.to_reduce(run.id, number as u64)?;
    let items = Value::owned(items, format_of(flags));
    Some(ToReduce { flags: flags & (flag::PARTS | flag::FORMAT), items })
}

/// What those came to: an item, in the format of the flags, with `hole` among them if it is undefined; or with `failed` the JSON
/// of an error.
#[napi]
pub fn run_reduced(
    run: &External<RunHandle>,
    number: f64,
    flags: u32,
    #[napi(ts_arg_type = "string | Uint8Array")] value: Argument<'_>,
) -> napi::Result<()> {
    let bytes = value.read(format_of(flags))?.unwrap_or_default();
    let item = if flags & flag::FAILED != 0 {
        Err(bytes.to_vec())
    } else {
        Ok(Kept { bytes, flags: flags & (flag::FORMAT | flag::HOLE) })
    };
    run.pool.reduced(run.id, number as u64, item);
    Ok(())
}

/// Where this worker writes what is too large for memory.
#[napi(object, object_from_js = false)]
pub struct SpillPlace {
    /// The folder of the pool, which is there once something was written.
    pub folder: String,
    /// Into how many parts keys are divided.
    pub partitions: u32,
}

/// See `SpillPlace`; null if nothing is to be written.
#[napi]
pub fn worker_spill(worker: &External<WorkerHandle>) -> Option<SpillPlace> {
    let spill = worker.worker.spill.as_ref()?;
    Some(SpillPlace { folder: spill.folder.clone(), partitions: spill.partitions })
}
