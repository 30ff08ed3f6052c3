//! What a merge hands out at a time: keys with their values, or values as records of a text.

use super::Result;
use super::block::PADDING;
use super::key::{self, Rank};
use super::merge::Merge;
use super::record::{JSON, UNDEFINED};

/// A key with so many times more bytes of values than a chunk is to have comes in parts.
const MOST_OF_A_KEY: usize = 4;

/// No chunk is asked to be longer: strings of JavaScript have at most 2^29 characters.
const LONGEST: usize = 64 << 20;

/// Keys in order, each with its values.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// An array of JSON.
    pub(crate) keys: Vec<u8>,
    /// How many values each key has here.
    pub(crate) counts: Vec<u32>,
    /// Which side each value is of, unless all are of side 0.
    pub(crate) sides: Option<Vec<u8>>,
    pub(crate) values: Values,
    /// There are more values of the last key.
    pub(crate) is_partial: bool,
    /// The first key is the last one of the chunk before.
    pub(crate) continues: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Values {
    /// An array of JSON; the values one after the other if they have formats.
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<u32>,
    /// There are such if not all are JSON.
    pub(crate) kinds: Option<Vec<u8>>,
}

impl Values {
    #[inline]
    fn push(&mut self, kind: u8, (value, len): (&[u8], usize)) {
        if self.kinds.is_none() {
            if kind == JSON {
                self.bytes.push(if self.ends.is_empty() { b'[' } else { b',' });
                push_padded(&mut self.bytes, value, len);
                self.ends.push(self.bytes.len() as u32);
                return;
            }
            self.take_apart();
        }
        push_padded(&mut self.bytes, value, len);
        self.ends.push(self.bytes.len() as u32);
        if let Some(kinds) = &mut self.kinds {
            kinds.push(kind);
        }
    }

    /// The values so far were an array: takes away what is between them.
    #[cold]
    fn take_apart(&mut self) {
        let (mut from, mut to) = (0, 0);
        for end in &mut self.ends {
            let (start, stop) = (from + 1, *end as usize);
            self.bytes.copy_within(start..stop, to);
            to += stop - start;
            from = stop;
            *end = to as u32;
        }
        self.bytes.truncate(to);
        self.kinds = Some(vec![JSON; self.ends.len()]);
    }
}

/// Adds so many bytes; those behind them do not matter. A few are copied as many at once, without a call.
#[inline]
fn push_padded(to: &mut Vec<u8>, bytes: &[u8], len: usize) {
    match bytes.first_chunk::<PADDING>() {
        Some(few) if len <= PADDING => {
            let end = to.len() + len;
            to.extend_from_slice(few);
            to.truncate(end);
        }
        _ => to.extend_from_slice(&bytes[..len]),
    }
}

/// The key whose values are being read.
struct Current {
    rank: Rank,
    /// What the rank does not say, if the key is long.
    rest: Vec<u8>,
    /// How many bytes there were when it began.
    start: usize,
}

impl Merge {
    /// The next keys with their values, of about so many bytes. None at the end.
    pub(crate) fn next(&mut self, bytes: usize) -> Result<Option<Chunk>> {
        self.check()?;
        if self.top().is_none() {
            return Ok(None);
        }
        let bytes = bytes.clamp(1, LONGEST);
        let mut chunk = Chunk { continues: self.is_partial, ..Chunk::default() };
        chunk.keys.push(b'[');
        chunk.values.bytes.reserve(bytes + bytes / 4);
        self.is_partial = false;
        let mut current: Option<Current> = None;
        while let Some(top) = self.top() {
            let size = chunk.keys.len() + chunk.values.bytes.len();
            let rank = top.rank();
            let known = current.as_ref().filter(|current| {
                current.rank == rank
                    && (!rank.is_long() || top.key()[Rank::COVERED..] == *current.rest)
            });
            if let Some(known) = known {
                if size.saturating_sub(known.start) >= bytes * MOST_OF_A_KEY {
                    chunk.is_partial = true;
                    break;
                }
            } else {
                if current.is_some() {
                    if size >= bytes {
                        break;
                    }
                    chunk.keys.push(b',');
                }
                if key::write_json(top.key(), &mut chunk.keys).is_none() {
                    return Err(self.damaged("a record has no key"));
                }
                chunk.counts.push(0);
                let rest = if rank.is_long() { &top.key()[Rank::COVERED..] } else { &[] };
                let mut kept = current.take().map(|current| current.rest).unwrap_or_default();
                kept.clear();
                kept.extend_from_slice(rest);
                current = Some(Current { rank, rest: kept, start: size });
            }
            chunk.push(top.side(), top.kind(), top.padded_value());
            self.pop()?;
        }
        chunk.keys.push(b']');
        if chunk.values.kinds.is_none() {
            chunk.values.bytes.push(b']');
        }
        self.is_partial = chunk.is_partial;
        Ok(Some(chunk))
    }

    /// The next values, of about so many bytes, as records that begin with this character: text, one in a line, or with
    /// lengths if one of them is no JSON. None at the end.
    pub(crate) fn records(&mut self, prefix: u8, bytes: usize) -> Result<Option<Records>> {
        self.check()?;
        if self.top().is_none() {
            return Ok(None);
        }
        self.is_partial = false;
        let bytes = bytes.clamp(1, LONGEST);
        let mut records = Records::new(prefix, bytes + bytes / 4);
        while let Some(top) = self.top() {
            records.push(top.kind(), top.value());
            self.pop()?;
            if records.bytes.len() >= bytes {
                break;
            }
        }
        Ok(Some(records))
    }
}

impl Chunk {
    #[inline]
    fn push(&mut self, side: u8, kind: u8, value: (&[u8], usize)) {
        if side != 0 && self.sides.is_none() {
            self.sides = Some(vec![0; self.values.ends.len()]);
        }
        if let Some(sides) = &mut self.sides {
            sides.push(side);
        }
        self.values.push(kind, value);
        if let Some(count) = self.counts.last_mut() {
            *count += 1;
        }
    }
}

/// Values as records.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_text: bool,
    prefix: u8,
    /// Where each record ends, in the text.
    ends: Vec<usize>,
}

impl Records {
    fn new(prefix: u8, room: usize) -> Self {
        Self { bytes: Vec::with_capacity(room), is_text: true, prefix, ends: Vec::new() }
    }

    #[inline]
    fn push(&mut self, kind: u8, value: &[u8]) {
        if self.is_text && kind & !UNDEFINED == JSON {
            if !self.ends.is_empty() {
                self.bytes.push(b'\n');
            }
            self.bytes.push(self.prefix);
            self.bytes.extend_from_slice(value);
            self.ends.push(self.bytes.len());
            return;
        }
        if self.is_text {
            self.frame();
        }
        frame(&mut self.bytes, self.prefix, kind, value);
    }

    /// The records so far were lines: they get their lengths.
    #[cold]
    fn frame(&mut self) {
        self.is_text = false;
        let text = std::mem::take(&mut self.bytes);
        let mut start = 0;
        for end in std::mem::take(&mut self.ends) {
            let value = &text[start + 1..end];
            // JSON has at least one character.
            let kind = if value.is_empty() { UNDEFINED } else { JSON };
            frame(&mut self.bytes, self.prefix, kind, value);
            start = end + 1;
        }
    }
}

fn frame(to: &mut Vec<u8>, prefix: u8, kind: u8, value: &[u8]) {
    to.extend_from_slice(&(value.len() as u32).to_le_bytes());
    to.extend_from_slice(&[prefix, kind]);
    to.extend_from_slice(value);
}
