//! The place in one extent that is being read: one record, in one block.

use super::Result;
use super::block::{FIRST, HEADER, Header, LAST, PADDING};
use super::error::Error;
use super::extent::Extent;
use super::files::Files;
use super::key::Rank;
use super::record::{Record, has_same_key};

/// So much is read at once: a block, or a few that are compressed.
const READ: u64 = 32 << 10;

/// No file is longer: JavaScript's numbers are exact up to here.
const LONGEST_FILE: u64 = 1 << 53;

pub(crate) struct Cursor {
    /// The number of the file.
    file: usize,
    start: u64,
    end: u64,
    /// Where the block begins that is open.
    block: u64,
    /// Where the next one does.
    next: u64,
    /// The records of the block, and zeros behind them.
    raw: Vec<u8>,
    /// Where the next record begins in it.
    at: usize,
    /// The number of the record in its block.
    index: u32,
    record: Record,
    rank: Rank,
    is_done: bool,
    /// What was read of the file and not opened yet, and where that is.
    window: Vec<u8>,
    window_at: u64,
}

/// Where a step has led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// To a record with the same key and of the same side.
    Same,
    Other,
    End,
}

/// How far a cursor has come: the block's offset in the extent, and the record's number in that. None: it is at the end.
pub(crate) type Place = Option<(u64, u32)>;

impl Cursor {
    /// At the first record of the extent, or at a place that [`Self::place`] has told.
    pub(crate) fn open(extent: &Extent, place: Option<Place>, files: &mut Files) -> Result<Self> {
        let &Extent { ref file, offset, length } = extent;
        let end = offset.checked_add(length).filter(|&end| end <= LONGEST_FILE);
        let Some(end) = end.filter(|_| length > HEADER as u64) else {
            return Err(Error::argument(format!(
                "there is no extent of {length} bytes at {offset}"
            )));
        };
        let mut cursor = Self {
            file: files.number(file)?,
            start: offset,
            end,
            block: offset,
            next: offset,
            raw: Vec::new(),
            at: 0,
            index: 0,
            record: Record::default(),
            rank: Rank::END,
            is_done: false,
            window: Vec::new(),
            window_at: 0,
        };
        match place {
            None => cursor.open_block(files)?,
            Some(None) => cursor.finish(),
            Some(Some((block, record))) => cursor.go_to(block, record, files)?,
        }
        Ok(cursor)
    }

    fn go_to(&mut self, block: u64, record: u32, files: &mut Files) -> Result<()> {
        self.next = self.start.saturating_add(block);
        if self.next >= self.end {
            return Err(self.damaged("a position is behind the extent", files));
        }
        self.open_block(files)?;
        for _ in 0..record {
            if self.at + PADDING >= self.raw.len() {
                return Err(self.damaged("a position is behind its block", files));
            }
            self.read_record(true, files)?;
        }
        Ok(())
    }

    pub(crate) fn place(&self) -> Place {
        (!self.is_done).then_some((self.block - self.start, self.index))
    }

    /// The order of this record's key among others. That of no key at the end.
    #[inline]
    pub(crate) fn rank(&self) -> Rank {
        self.rank
    }

    #[inline]
    pub(crate) fn side(&self) -> u8 {
        self.record.side
    }

    #[inline]
    pub(crate) fn kind(&self) -> u8 {
        self.record.kind
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        &self.raw[self.record.key.0..self.record.key.1]
    }

    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        &self.raw[self.record.value.0..self.record.value.1]
    }

    /// The value, and at least [`PADDING`] bytes behind it.
    #[inline]
    pub(crate) fn padded_value(&self) -> (&[u8], usize) {
        let (start, end) = self.record.value;
        (&self.raw[start..], end - start)
    }

    /// On to the next record.
    #[inline]
    pub(crate) fn advance(&mut self, files: &mut Files) -> Result<Step> {
        if self.at + PADDING < self.raw.len() {
            return self.read_record(true, files);
        }
        self.cross(files)
    }

    /// The same, where a block ends.
    #[cold]
    fn cross(&mut self, files: &mut Files) -> Result<Step> {
        if self.next == self.end {
            self.finish();
            return Ok(Step::End);
        }
        self.open_block(files)?;
        Ok(Step::Other)
    }

    fn finish(&mut self) {
        self.is_done = true;
        self.rank = Rank::END;
        self.record = Record::default();
        self.raw = Vec::new();
        self.window = Vec::new();
        self.at = 0;
    }

    /// The bytes of the open block are not what they must be.
    pub(crate) fn damaged(&self, what: &'static str, files: &Files) -> Error {
        Error::Damaged { path: files.path(self.file), offset: self.block, what }
    }

    #[inline]
    fn read_record(&mut self, has_before: bool, files: &Files) -> Result<Step> {
        let records = &self.raw[..self.raw.len() - PADDING];
        let before = has_before.then_some(&self.record);
        let Some((record, end)) = Record::read(records, self.at, before) else {
            return Err(self.damaged("a block has no record where one begins", files));
        };
        let has_same_key = has_same_key(records, self.at);
        let is_same = has_same_key && record.side == self.record.side;
        if !has_same_key {
            let (start, key_end) = record.key;
            self.rank = Rank::new(&self.raw[start..], key_end - start);
        }
        self.index = if has_before { self.index + 1 } else { 0 };
        self.record = record;
        self.at = end;
        Ok(if is_same { Step::Same } else { Step::Other })
    }

    /// Opens the next block, at its first record.
    fn open_block(&mut self, files: &mut Files) -> Result<()> {
        self.block = self.next;
        let head = self.load(HEADER as u64, files)?;
        let Some(head) = self.window[head..].first_chunk::<HEADER>() else {
            return Err(self.damaged(SHORT, files));
        };
        let header = Header::read(head);
        let at = self.load(header.len(), files)?;
        let Some(block) = self.window.get(at..at + header.len() as usize) else {
            return Err(self.damaged(SHORT, files));
        };
        let opened = header.open(block, self.block, &mut self.raw);
        opened.map_err(|what| self.damaged(what, files))?;
        self.next = self.block + header.len();
        let is_whole = header.has(FIRST) == (self.block == self.start)
            && header.has(LAST) == (self.next == self.end);
        if !is_whole {
            return Err(self.damaged("an extent does not begin or end there", files));
        }
        self.at = 0;
        self.read_record(false, files)?;
        Ok(())
    }

    /// Sees to it that so many bytes from the block's start on are in the window; returns where they are.
    fn load(&mut self, len: u64, files: &mut Files) -> Result<usize> {
        let left = self.end - self.block;
        if len > left {
            return Err(self.damaged(SHORT, files));
        }
        let window_end = self.window_at + self.window.len() as u64;
        if self.block >= self.window_at && self.block + len <= window_end {
            return Ok((self.block - self.window_at) as usize);
        }
        // What is there of it comes to the front, and the rest behind that.
        let has_start = self.block >= self.window_at && self.block < window_end;
        let kept = if has_start { (window_end - self.block) as usize } else { 0 };
        let from = self.window.len() - kept;
        self.window.copy_within(from.., 0);
        self.window_at = self.block;
        let wanted = usize::try_from(len.max(READ).min(left));
        let wanted = wanted.map_err(|_| self.damaged(SHORT, files))?.max(kept);
        self.window.resize(wanted, 0);
        let read = files.read(self.file, &mut self.window[kept..], self.block + kept as u64);
        if read.is_err() {
            self.window.clear();
        }
        read.map(|()| 0)
    }
}

const SHORT: &str = "a block is longer than its extent";
