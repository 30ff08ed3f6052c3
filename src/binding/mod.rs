//! What JavaScript calls. Every function converts in, calls the core, converts out.

#![expect(unreachable_pub, reason = "napi exports what is public")]

mod call;
mod checkpoint;
mod direct;
mod elsewhere;
mod flow;
mod heap;
mod hub;
mod options;
mod pool;
mod progress;
mod record;
mod relay;
mod run;
mod serve;
mod spill;
mod sync;
mod text;
mod worker;

use napi_derive::napi;

use crate::os::clock;
use crate::run::results::entry;
use crate::wire::flow::{FIRST_EXIT, MOST_EXITS};
use crate::wire::header::{Kind, flag};
use crate::wire::protocol::VARIABLE;

/// Names for the numbers that JavaScript and the core say to each other; see `ring` and `results`.
#[napi(object, object_from_js = false)]
pub struct Wire {
    pub variable: String,
    pub task: u32,
    pub message: u32,
    pub run: u32,
    pub abort: u32,
    pub sync: u32,
    pub alone: u32,
    pub hole: u32,
    pub direct: u32,
    pub lane: u32,
    /// The bits above these are the number of a chain.
    pub chain_at: u32,
    pub most_chains: u32,
    pub outputs: u32,
    pub parts: u32,
    pub failure: u32,
    pub first_exit: u32,
    pub most_exits: u32,
    pub turn: u32,
    pub failed: u32,
    pub response: u32,
    pub data_hole: u32,
    pub whole: u32,
    pub string: u32,
    pub format_at: u32,
    pub data_format_at: u32,
    pub entry_failed: u32,
    pub entry_data: u32,
    pub entry_response: u32,
    pub entry_message: u32,
    pub entry_whole: u32,
    pub entry_crash: u32,
    pub entry_taken: u32,
    pub entry_data_format_at: u32,
    pub entry_response_format_at: u32,
    pub entry_data_parts: u32,
    pub entry_data_failure: u32,
    pub entry_response_failure: u32,
    pub entry_place_at: u32,
}

/// The wire's numbers.
#[napi]
pub fn wire() -> Wire {
    Wire {
        variable: VARIABLE.to_owned(),
        task: Kind::Task as u32,
        message: Kind::Message as u32,
        run: Kind::Run as u32,
        abort: Kind::Abort as u32,
        sync: Kind::Sync as u32,
        alone: flag::ALONE,
        hole: flag::HOLE,
        direct: flag::DIRECT,
        lane: flag::LANE,
        chain_at: flag::CHAIN_AT,
        most_chains: flag::MOST_CHAINS,
        outputs: flag::OUTPUTS,
        parts: flag::PARTS,
        failure: flag::FAILURE,
        first_exit: FIRST_EXIT.into(),
        most_exits: MOST_EXITS as u32,
        turn: flag::TURN,
        failed: flag::FAILED,
        response: flag::RESPONSE,
        data_hole: flag::DATA_HOLE,
        whole: flag::WHOLE,
        string: flag::STRING,
        format_at: flag::FORMAT_AT,
        data_format_at: flag::DATA_FORMAT_AT,
        entry_failed: entry::FAILED,
        entry_data: entry::DATA,
        entry_response: entry::RESPONSE,
        entry_message: entry::MESSAGE,
        entry_whole: entry::WHOLE,
        entry_crash: entry::CRASH,
        entry_taken: entry::TAKEN,
        entry_data_format_at: entry::DATA_FORMAT_AT,
        entry_response_format_at: entry::RESPONSE_FORMAT_AT,
        entry_data_parts: entry::DATA_PARTS,
        entry_data_failure: entry::DATA_FAILURE,
        entry_response_failure: entry::RESPONSE_FAILURE,
        entry_place_at: entry::PLACE_AT,
    }
}

/// Milliseconds of the system's monotonic clock, the same in every process.
#[napi]
pub fn clock() -> f64 {
    clock::clock()
}

/// How many processors this process may use: no more than its affinity and the quotas of its control groups (v1 and v2,
/// rounded down) allow, and at least one.
#[napi]
pub fn usable_processors() -> u32 {
    u32::try_from(processors()).unwrap_or(u32::MAX)
}

/// The same, for what is counted in memory.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A hash of bytes: other bytes have another, but for a chance that nobody meets.
#[napi]
pub fn hash(
    #[napi(ts_arg_type = "Uint8Array")] bytes: napi::bindgen_prelude::BufferSlice<'_>,
) -> String {
    format!("{:x}", xxhash_rust::xxh3::xxh3_128(&bytes))
}
