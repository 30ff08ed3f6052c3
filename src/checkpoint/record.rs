//! The bytes of a file: its head, and its records. Whole numbers are little-endian.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::shm::ring::MAX_PAYLOAD;
use crate::shm::store::Bytes;

/// What a file begins with: the version of the format is in it.
const MAGIC: &[u8; 20] = b"sonic-checkpoint v1\n";

/// What every version begins with.
const OF_ALL: &[u8] = b"sonic-checkpoint ";

/// The magic, the checksum of what follows (8 bytes), the length of the text (4), the text.
pub(super) struct Head;

impl Head {
    const CHECKSUM: usize = MAGIC.len();
    const LEN: usize = Self::CHECKSUM + 8;
    const TEXT: usize = Self::LEN + 4;

    /// The longest one: a text says some words of each function and each argument.
    pub(super) const LONGEST: usize = 1 << 20;

    pub(super) fn bytes(text: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([0; 8]);
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
        let checksum = xxh3_64(&bytes[Self::LEN..]);
        bytes[Self::CHECKSUM..Self::LEN].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The text of the head that a file begins with, and where it ends; none if the file ends before. Fails with why the
    /// file is no checkpoint.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(String, usize)>, &'static str> {
        let start = bytes.len().min(MAGIC.len());
        if bytes[..start] != MAGIC[..start] {
            let is_ours = bytes.starts_with(OF_ALL);
            let of_other = "was written by another version of this package";
            return Err(if is_ours { of_other } else { "is no checkpoint" });
        }
        if bytes.len() < Self::TEXT {
            return Ok(None);
        }
        let end = Self::TEXT.saturating_add(word(bytes, Self::LEN) as usize);
        if end > Self::LONGEST {
            return Err("is damaged at its start");
        }
        let Some(text) = bytes.get(Self::TEXT..end) else { return Ok(None) };
        let is_whole = xxh3_64(&bytes[Self::LEN..end]) == long(bytes, Self::CHECKSUM);
        match String::from_utf8(text.to_vec()) {
            Ok(text) if is_whole => Ok(Some((text, end))),
            _ => Err("is damaged at its start"),
        }
    }
}

/// What an event was answered, as its worker has said it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The id of the worker.
    pub(crate) worker: u32,
    /// The flags of the frame that it came in.
    pub(crate) flags: u32,
    /// Where in the payload the response ends, and changed data begins.
    pub(crate) split: usize,
    pub(crate) payload: Bytes,
}

/// An answered event.
#[derive(Debug, PartialEq)]
pub(crate) struct Record<'a> {
    /// The event's number among those of its run.
    pub(crate) number: u64,
    /// The [`digest`] of its data.
    pub(crate) digest: u64,
    /// As in [`Answer`].
    pub(crate) worker: u32,
    pub(crate) flags: u32,
    pub(crate) split: u32,
    pub(crate) payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// Bytes before the payload: the checksum of all that follows it, then the fields above, and the payload's length.
    pub(super) const HEAD: usize = 40;

    pub(super) fn append_to(&self, bytes: &mut Vec<u8>) {
        let at = bytes.len();
        bytes.extend([0; 8]);
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.digest.to_le_bytes());
        let len = u32::try_from(self.payload.len()).expect("an answer is shorter");
        for word in [self.worker, self.flags, self.split, len] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(self.payload);
        let checksum = xxh3_64(&bytes[at + 8..]);
        bytes[at..at + 8].copy_from_slice(&checksum.to_le_bytes());
    }

    /// How long the record is that begins so; none if no record does.
    pub(super) fn len(head: &[u8]) -> Option<u64> {
        let payload = word(head, Self::HEAD - 4);
        (payload as usize <= MAX_PAYLOAD).then(|| u64::from(payload) + Self::HEAD as u64)
    }

    /// The record that these bytes are; none if they are not what was written.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, payload) = bytes.split_at_checked(Self::HEAD)?;
        let split = word(head, 32);
        let is_whole = xxh3_64(&bytes[8..]) == long(head, 0) && split as usize <= payload.len();
        is_whole.then(|| Self {
            number: long(head, 8),
            digest: long(head, 16),
            worker: word(head, 24),
            flags: word(head, 28),
            split,
            payload,
        })
    }

    pub(super) fn answer(&self) -> Answer {
        let Self { worker, flags, split, payload, .. } = *self;
        Answer { worker, flags, split: split as usize, payload: Bytes::from(payload) }
    }
}

/// Tells an event's data from other data. `flags` say how it is encoded.
pub(crate) fn digest(data: &[u8], flags: u32) -> u64 {
    xxh3_64_with_seed(data, flags.into())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}
