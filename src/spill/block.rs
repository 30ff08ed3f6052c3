//! A block: a header of 20 bytes, then records, compressed where that makes them fewer bytes.
//!
//! Of the header eight bytes are the checksum of all that follows, four the length of the records, four that of the bytes
//! behind the header, four a mark and flags. The checksum depends on where in its file the block is: what has been moved
//! there, or is left of something older, is not taken for what was written.

use lz4_flex::block::{
    CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Result;
use super::error::Error;

/// A block is written once it has so many bytes of records.
pub(crate) const FULL: usize = 32 << 10;

pub(crate) const HEADER: usize = 20;

/// In the upper bytes of the flags.
const MARK: u32 = 0x534f_4e00;
const COMPRESSED: u32 = 1;
/// It is the first of its extent.
pub(crate) const FIRST: u32 = 2;
/// It is the last of its extent.
pub(crate) const LAST: u32 = 4;
const KNOWN: u32 = COMPRESSED | FIRST | LAST;

/// Bytes that may be read behind a block's records: zeros.
pub(crate) const PADDING: usize = 16;

/// No byte of compressed bytes stands for more.
const MOST_RATIO: u64 = 255;

/// Writes blocks.
#[derive(Default)]
pub(crate) struct Compressor {
    table: CompressTable,
}

impl Compressor {
    /// Adds the block of these records, which is at `offset` of its file.
    pub(crate) fn push(
        &mut self,
        records: &[u8],
        flags: u32,
        offset: u64,
        to: &mut Vec<u8>,
    ) -> Result<()> {
        let start = to.len();
        let body = start + HEADER;
        to.resize(body + get_maximum_output_size(records.len()), 0);
        let compressed = compress_into_with_table(records, &mut to[body..], &mut self.table);
        let (flags, len) = match compressed {
            Ok(len) if len < records.len() => (flags | COMPRESSED, len),
            _ => {
                to[body..body + records.len()].copy_from_slice(records);
                (flags, records.len())
            }
        };
        to.truncate(body + len);
        let too_long = |_| Error::argument("a record is longer than 4 GiB");
        let raw = u32::try_from(records.len()).map_err(too_long)?;
        let stored = u32::try_from(len).map_err(too_long)?;
        to[start + 8..start + 12].copy_from_slice(&raw.to_le_bytes());
        to[start + 12..start + 16].copy_from_slice(&stored.to_le_bytes());
        to[start + 16..start + 20].copy_from_slice(&(MARK | flags).to_le_bytes());
        let checksum = xxh3_64_with_seed(&to[start + 8..], offset);
        to[start..start + 8].copy_from_slice(&checksum.to_le_bytes());
        Ok(())
    }
}

/// What a block's header says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    checksum: u64,
    raw: u32,
    stored: u32,
    flags: u32,
}

impl Header {
    pub(crate) fn read(bytes: &[u8; HEADER]) -> Self {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let checksum = u64::from(word(0)) | u64::from(word(4)) << 32;
        Self { checksum, raw: word(8), stored: word(12), flags: word(16) }
    }

    /// How long the block is, its header included.
    pub(crate) fn len(&self) -> u64 {
        HEADER as u64 + u64::from(self.stored)
    }

    pub(crate) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Replaces `to` with the records of this block, whose bytes are at `offset` of their file, and [`PADDING`]. The error says
    /// what is wrong.
    pub(crate) fn open(
        &self,
        block: &[u8],
        offset: u64,
        to: &mut Vec<u8>,
    ) -> std::result::Result<(), &'static str> {
        if xxh3_64_with_seed(&block[8..], offset) != self.checksum {
            return Err("the checksum of a block is wrong");
        }
        if self.flags & !KNOWN != MARK {
            return Err("a block is of another version");
        }
        let stored = &block[HEADER..];
        let raw = self.raw as usize;
        if self.flags & COMPRESSED == 0 {
            to.clear();
            to.extend_from_slice(stored);
        } else {
            if u64::from(self.raw) > u64::from(self.stored) * MOST_RATIO + MOST_RATIO {
                return Err("a block is longer than it can be");
            }
            to.resize(raw, 0);
            let len = decompress_into(stored, to).map_err(|_| "a block cannot be decompressed")?;
            to.truncate(len);
        }
        if to.len() != raw || raw == 0 {
            return Err("a block is not as long as it says");
        }
        to.resize(raw + PADDING, 0);
        Ok(())
    }
}
