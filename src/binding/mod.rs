//! What JavaScript calls. Every function converts in, calls the core, converts out.

#![expect(unreachable_pub, reason = "napi exports what is public")]

mod call;
mod master;
mod text;
mod words;
mod worker;

use napi_derive::napi;

use crate::protocol::{Board, Common, Layout, VARIABLE};
use crate::results::entry;
use crate::ring::{HEADER, Kind, flag};

/// Names for the numbers that JavaScript needs to use the shared memory; see `protocol` and `ring`.
#[napi(object, object_from_js = false)]
pub struct Wire {
    pub variable: String,
    pub header: u32,
    pub task: u32,
    pub message: u32,
    pub answer: u32,
    pub hole: u32,
    pub direct: u32,
    pub failed: u32,
    pub response: u32,
    pub data: u32,
    pub data_hole: u32,
    pub whole: u32,
    pub long: u32,
    pub ascii: u32,
    pub give_back: u32,
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
    pub allowed: u32,
    pub called: u32,
    pub waiting: u32,
    pub waiting_for: u32,
    pub started: u32,
    pub waits: u32,
    pub held: u32,
    pub ring_always: u32,
    pub tasks: RingPlace,
    pub answers: RingPlace,
    pub backlog: BacklogPlace,
}

/// Where a ring lies: indices of its position words, offset and number of its bytes.
#[napi(object, object_from_js = false)]
pub struct RingPlace {
    pub tail: u32,
    pub head: u32,
    pub bytes: u32,
    pub size: u32,
}

/// Where everything is in the memory that a run's workers share; see `Common` and `Board`.
#[napi(object, object_from_js = false)]
pub struct BacklogPlace {
    pub published: u32,
    pub claimed: u32,
    pub ring_at: u32,
    pub looks: u32,
    pub sleepers: u32,
    pub places: u32,
    pub entry: u32,
    pub read: u32,
    pub table: u32,
    pub bytes: u32,
    pub size: u32,
    pub longest: u32,
    pub board_overflows: u32,
    pub board_first: u32,
    pub board_head: u32,
    pub board_published: u32,
    pub board_tail: u32,
}

/// The wire's numbers.
#[napi]
pub fn wire() -> Wire {
    let number = |at: usize| u32::try_from(at).expect("a small number");
    let place = |place: crate::ring::Place| RingPlace {
        tail: number(place.tail),
        head: number(place.head),
        bytes: number(place.bytes),
        size: place.size,
    };
    Wire {
        variable: VARIABLE.to_owned(),
        header: number(HEADER),
        task: Kind::Task as u32,
        message: Kind::Message as u32,
        answer: Kind::Answer as u32,
        hole: flag::HOLE,
        direct: flag::DIRECT,
        failed: flag::FAILED,
        response: flag::RESPONSE,
        data: flag::DATA,
        data_hole: flag::DATA_HOLE,
        whole: flag::WHOLE,
        long: flag::LONG,
        ascii: flag::ASCII,
        give_back: flag::RETURN,
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
        allowed: number(Board::ALLOWED),
        called: number(Board::CALLED),
        waiting: number(Board::WAITING),
        waiting_for: number(Board::WAITING_FOR),
        started: number(Layout::STARTED),
        waits: number(Layout::WAITS),
        held: number(Layout::HELD),
        ring_always: number(Layout::RING_ALWAYS),
        tasks: place(Layout::TASKS),
        answers: place(Layout::ANSWERS),
        backlog: BacklogPlace {
            published: number(Common::PUBLISHED),
            claimed: number(Common::CLAIMED),
            ring_at: number(Common::RING_AT),
            looks: number(Common::LOOKS),
            sleepers: number(Common::SLEEPERS),
            places: Common::PLACES,
            entry: number(Common::ENTRY),
            read: Common::READ,
            table: number(Common::TABLE),
            bytes: number(Common::BYTES),
            size: Common::SIZE,
            longest: number(Common::LONGEST),
            board_overflows: number(Board::OVERFLOWS),
            board_first: number(Board::FIRST),
            board_head: number(Board::HEAD),
            board_published: number(Board::PUBLISHED),
            board_tail: number(Board::TAIL),
        },
    }
}

/// Milliseconds of the system's monotonic clock, the same in every process.
#[napi]
pub fn clock() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}
