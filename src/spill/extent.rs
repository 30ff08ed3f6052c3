//! Extents: sorted blocks one after the other, as they are written; and what the outside says of one.

use std::fmt::Write as _;

use super::Result;
use super::block::{Compressor, FIRST, FULL, LAST};
use super::record::{self, Record};

/// Where an extent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// An extent that was written, of one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) records: u64,
}

/// What is told of a file: `{"file":"3-1234","parts":[[partition, offset, length, records], …]}`.
pub(crate) fn told(file: &str, parts: &[Part]) -> String {
    // A file's name has no character that JSON escapes.
    let mut text = format!("{{\"file\":\"{file}\",\"parts\":[");
    for (index, Part { partition, offset, length, records }) in parts.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}[{partition},{offset},{length},{records}]");
    }
    text + "]}"
}

/// Makes extents, one after the other, of records that come in order.
pub(crate) struct Writer {
    compressor: Compressor,
    /// The records of the block that is being made.
    block: Vec<u8>,
    /// Where the last key is in it.
    key: (usize, usize),
    /// What is to be written, from `offset` of the file on.
    out: Vec<u8>,
    offset: u64,
    /// Where the extent begins that is being made.
    start: u64,
    records: u64,
    is_first: bool,
}

impl Writer {
    /// What it makes begins at `offset` of the file.
    pub(crate) fn new(offset: u64) -> Self {
        Self {
            compressor: Compressor::default(),
            block: Vec::with_capacity(2 * FULL),
            key: (0, 0),
            out: Vec::new(),
            offset,
            start: offset,
            records: 0,
            is_first: true,
        }
    }

    /// So many bytes of records will come.
    pub(crate) fn reserve(&mut self, size: usize) {
        self.out.reserve(size + size / 8);
    }

    pub(crate) fn push(&mut self, key: &[u8], side: u8, kind: u8, value: &[u8]) -> Result<()> {
        let is_same = self.begin(key)?;
        let start = self.block.len();
        record::push(&mut self.block, (!is_same).then_some(key), side, kind, value);
        if !is_same {
            let from = start + 1 + record::len_size(key.len());
            self.key = (from, from + key.len());
        }
        Ok(())
    }

    /// The same of a record that has its key, at `at` of others.
    pub(crate) fn copy(&mut self, records: &[u8], at: usize) -> Result<()> {
        let Some((record, end)) = Record::read(records, at, None) else { return Ok(()) };
        let Record { key: (from, to), value: (value_from, value_to), side, kind } = record;
        if self.begin(&records[from..to])? {
            record::push(&mut self.block, None, side, kind, &records[value_from..value_to]);
        } else {
            let start = self.block.len();
            self.block.extend_from_slice(&records[at..end]);
            self.key = (start + from - at, start + to - at);
        }
        Ok(())
    }

    /// A record is to come. Whether its key is that of the one before it in the block.
    fn begin(&mut self, key: &[u8]) -> Result<bool> {
        if self.block.len() >= FULL {
            self.flush(0)?;
        }
        self.records += 1;
        Ok(!self.block.is_empty() && self.block[self.key.0..self.key.1] == *key)
    }

    /// Ends an extent. None if it has no records.
    pub(crate) fn end(&mut self, partition: u32) -> Result<Option<Part>> {
        if self.records == 0 {
            return Ok(None);
        }
        self.flush(LAST)?;
        let end = self.offset + self.out.len() as u64;
        let part =
            Part { partition, offset: self.start, length: end - self.start, records: self.records };
        (self.start, self.records, self.is_first) = (end, 0, true);
        Ok(Some(part))
    }

    /// What has been made and not yet taken: to be written to the file next.
    pub(crate) fn made(&self) -> &[u8] {
        &self.out
    }

    /// That is written.
    pub(crate) fn taken(&mut self) {
        self.offset += self.out.len() as u64;
        self.out.clear();
    }

    fn flush(&mut self, flags: u32) -> Result<()> {
        let flags = flags | if self.is_first { FIRST } else { 0 };
        let offset = self.offset + self.out.len() as u64;
        self.compressor.push(&self.block, flags, offset, &mut self.out)?;
        self.block.clear();
        self.is_first = false;
        Ok(())
    }
}
