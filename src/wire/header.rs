//! The header of a frame in a ring: what it is, and what else it says.

use crate::wire::format::Format;

/// Bytes before a payload: length, kind and flags, index, split (four `u32`), then the times at
/// which the event started and finished (two `f64`, milliseconds of the monotonic clock).
pub(crate) const HEADER: usize = 32;

/// What a frame is: the low byte of its kind word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// An event for a worker; the payload is its data, as text, and `split` the number of its run.
    Task = 1,
    /// A message of the user's own (`worker.send`, `process.send`).
    Message = 2,
    /// A part of the payload of the frame that follows; its `split` is how long that is in all.
    Chunk = 3,
    /// Forget the chunks so far: their event went elsewhere.
    Drop = 4,
    /// An answer; the payload is the response and, from `split` on, the data if it changed.
    Answer = 5,
    /// What the run of number `index` is about, for a worker that serves many; or that it is over, if there is none.
    Run = 6,
    /// A further event of the same run, before the answer to the event that emits it: the payload is its data.
    Emit = 7,
    /// What an event adds to its run's counters, likewise: an object of numbers by their names, in JSON.
    Count = 8,
    /// The event of an earlier frame, or of a lane, is over as far as the master is concerned; named as an answer names it.
    /// Its `split` is 1 if it ran too long.
    Abort = 9,
    /// Of a worker: a question about what the program's processes share ([`Asked`](crate::wire::sync::Asked)). Of the
    /// master: what it is [`Told`](crate::wire::sync::Told). The payload is JSON and, from `split` on, a value if it has
    /// [`flag::DATA`].
    Sync = 10,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Task,
        Self::Message,
        Self::Chunk,
        Self::Drop,
        Self::Answer,
        Self::Run,
        Self::Emit,
        Self::Count,
        Self::Abort,
        Self::Sync,
    ];
}

/// What else a frame says: bits of its kind word above the low byte.
pub(crate) mod flag {
    use crate::wire::format::Format;

    /// The event's data is `undefined`: there is no text.
    pub(crate) const HOLE: u32 = 1 << 8;
    /// Of an event: start at once, whatever else runs, because the program chose this worker itself. Of
    /// an answer: it is to an event that came through the task ring.
    pub(crate) const DIRECT: u32 = 1 << 9;
    /// The event failed; the response is its error.
    pub(crate) const FAILED: u32 = 1 << 10;
    /// There is a response.
    pub(crate) const RESPONSE: u32 = 1 << 11;
    /// The worker function changed the event's data; the payload carries it after `split`.
    pub(crate) const DATA: u32 = 1 << 12;
    /// The changed data is `undefined` now.
    pub(crate) const DATA_HOLE: u32 = 1 << 13;
    /// The text is the whole event, not only its data: it has properties of its own.
    pub(crate) const WHOLE: u32 = 1 << 14;
    /// The event was claimed in a lane, but its text is too long to lie there.
    pub(crate) const LONG: u32 = 1 << 15;
    /// The text has no byte above 127.
    pub(crate) const ASCII: u32 = 1 << 16;
    /// Of an event for one worker: to be started when that runs nothing.
    pub(crate) const TURN: u32 = 1 << 17;
    /// Two bits: the format of the event's data, or of the answer's response. See [`super::format_of`].
    pub(crate) const FORMAT: u32 = Format::MASK << FORMAT_AT;
    pub(crate) const FORMAT_AT: u32 = 18;
    /// The format of a string as it is.
    pub(crate) const STRING: u32 = (Format::String as u32) << FORMAT_AT;
    /// Two bits: the format of an answer's changed data.
    pub(crate) const DATA_FORMAT_AT: u32 = 20;
    /// The event shared a worker that crashed with others: no other is to run beside it.
    pub(crate) const ALONE: u32 = 1 << 25;
    /// Three bits: the lane of the event that an answer is to, unless that came through the task ring.
    pub(crate) const LANE_AT: u32 = 22;
    pub(crate) const LANE_MASK: u32 = 7;
    pub(crate) const LANE: u32 = LANE_MASK << LANE_AT;
    /// Six bits: which chain of its run's functions an event goes through next, from 1 on. 0 where the run has but one.
    pub(crate) const CHAIN_AT: u32 = 26;
    pub(crate) const CHAIN: u32 = MOST_CHAINS << CHAIN_AT;
    pub(crate) const MOST_CHAINS: u32 = 63;
    /// Of an answer to an event of a flow: its response is [records](crate::wire::flow::Record).
    pub(crate) const OUTPUTS: u32 = WHOLE;
    /// Of an event of a flow: its data is an array, and the bytes are its items, each with its length and its format.
    pub(crate) const PARTS: u32 = DATA;
    /// Of an event of a flow: its data is a failure whose own data is bytes.
    pub(crate) const FAILURE: u32 = FAILED;
}

/// The bits that name a chain by its number, from 1 on.
pub(crate) fn chain(number: usize) -> u32 {
    (number as u32) << flag::CHAIN_AT & flag::CHAIN
}

/// How the event's data is encoded, or the answer's response.
pub(crate) fn format_of(flags: u32) -> Format {
    Format::from_number(flags >> flag::FORMAT_AT)
}

/// How the data is encoded that the worker function changed.
pub(crate) fn data_format_of(flags: u32) -> Format {
    Format::from_number(flags >> flag::DATA_FORMAT_AT)
}

/// What stands before a payload, without its length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) flags: u32,
    pub(crate) index: u32,
    pub(crate) split: u32,
    pub(crate) started: f64,
    pub(crate) finished: f64,
}

impl Header {
    pub(crate) fn new(kind: Kind, flags: u32) -> Self {
        Self { kind, flags, index: 0, split: 0, started: 0.0, finished: 0.0 }
    }

    pub(crate) fn has(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// The length of a payload and the header before it, or the kind that no frame has.
    pub(crate) fn parse(bytes: &[u8; HEADER]) -> (u32, Result<Self, u8>) {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let time = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        let kind = Kind::ALL.into_iter().find(|&kind| kind as u8 == bytes[4]);
        let header = |kind| Self {
            kind,
            flags: word(4) & !0xff,
            index: word(8),
            split: word(12),
            started: time(16),
            finished: time(24),
        };
        (word(0), kind.map(header).ok_or(bytes[4]))
    }

    /// The bytes before a payload of `len` bytes.
    pub(crate) fn bytes(&self, len: usize) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let length = u32::try_from(len).expect("a frame is shorter than its ring");
        bytes[0..4].copy_from_slice(&length.to_le_bytes());
        bytes[4..8].copy_from_slice(&(self.kind as u32 | self.flags).to_le_bytes());
        bytes[8..12].copy_from_slice(&self.index.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.split.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.started.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.finished.to_le_bytes());
        bytes
    }
}
