//! A piece of a file in memory. What is asked for one after the other is read in few large pieces; a little of what is
//! before each is kept, because answers are nearly in the order of their events.

use std::fs::File;
use std::io;

use crate::os::file::read_at;

/// So much is read at once, and so much of it is before what was asked for.
const LEN: usize = 256 << 10;
const BEFORE: u64 = (LEN / 4) as u64;

#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    start: u64,
}

impl Window {
    /// So many bytes at an offset; none if the file ends before.
    pub(super) fn bytes(
        &mut self,
        file: &File,
        offset: u64,
        len: usize,
    ) -> io::Result<Option<&[u8]>> {
        if self.range(offset, len).is_none() {
            self.start = offset.saturating_sub(BEFORE);
            let ahead = (offset - self.start) as usize + len;
            self.bytes.resize(ahead.max(LEN), 0);
            let read = read_at(file, &mut self.bytes, self.start);
            self.bytes.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        Ok(self.range(offset, len).map(|range| &self.bytes[range]))
    }

    fn range(&self, offset: u64, len: usize) -> Option<std::ops::Range<usize>> {
        let at = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let end = at.checked_add(len)?;
        (end <= self.bytes.len()).then_some(at..end)
    }

    /// Gives back the memory that one long piece took.
    pub(super) fn shrink(&mut self) {
        if self.bytes.capacity() > LEN * 4 {
            *self = Self::default();
        }
    }
}
