//! One pair as bytes: a head, the length of the key and the key unless it is that of the record before, the length of the
//! value, the value.

/// Beside the format: there is no value.
pub(crate) const UNDEFINED: u8 = 4;
/// A format, with [`UNDEFINED`] or not.
pub(crate) const KIND: u8 = 7;
const SIDE: u8 = 8;
const SAME_KEY: u8 = 16;
const KNOWN: u8 = KIND | SIDE | SAME_KEY;

/// The formats of values (see `wire::format`).
pub(crate) const JSON: u8 = 0;
pub(crate) const CLONE: u8 = 2;
pub(crate) const BUFFER: u8 = 3;

/// Where a record's parts are in its block.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Record {
    pub(crate) key: (usize, usize),
    pub(crate) value: (usize, usize),
    /// 0 or 1.
    pub(crate) side: u8,
    pub(crate) kind: u8,
}

/// How a value is encoded, and whether there is one, as one of the numbers that stand for it.
pub(crate) fn is_kind(kind: u8) -> bool {
    matches!(kind & !UNDEFINED, JSON | CLONE | BUFFER) && kind <= KIND
}

/// Adds a record. Without a key it has that of the one before it in the block.
pub(crate) fn push(to: &mut Vec<u8>, key: Option<&[u8]>, side: u8, kind: u8, value: &[u8]) {
    to.push(kind | if side == 0 { 0 } else { SIDE } | if key.is_none() { SAME_KEY } else { 0 });
    if let Some(key) = key {
        push_len(to, key.len());
        to.extend_from_slice(key);
    }
    push_len(to, value.len());
    to.extend_from_slice(value);
}

fn push_len(to: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        to.push(len as u8 | 0x80);
        len >>= 7;
    }
    to.push(len as u8);
}

/// How many bytes a length takes.
pub(crate) fn len_size(len: usize) -> usize {
    let bits = usize::BITS - (len | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

impl Record {
    /// The record at `at`, and where it ends. `before` is the one before it in the block. None if there is no record there.
    #[inline]
    pub(crate) fn read(block: &[u8], at: usize, before: Option<&Self>) -> Option<(Self, usize)> {
        let head = *block.get(at)?;
        if head & !KNOWN != 0 || !is_kind(head & KIND) {
            return None;
        }
        let (key, at) = if head & SAME_KEY == 0 {
            let key = span(block, at + 1)?;
            (key, key.1)
        } else {
            (before?.key, at + 1)
        };
        let value = span(block, at)?;
        let side = u8::from(head & SIDE != 0);
        Some((Self { key, value, side, kind: head & KIND }, value.1))
    }
}

/// The key of a record that was added with one.
#[inline]
pub(crate) fn key(records: &[u8], at: usize) -> &[u8] {
    span(records, at + 1).map_or(&[], |(start, end)| &records[start..end])
}

/// Whether the record at `at` has the key of the one before.
pub(crate) fn has_same_key(block: &[u8], at: usize) -> bool {
    block.get(at).is_some_and(|head| head & SAME_KEY != 0)
}

/// Where the bytes are behind the length at `at`.
#[inline]
fn span(block: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = *block.get(at)?;
    let (len, start) =
        if first < 0x80 { (usize::from(first), at + 1) } else { long_len(block, at)? };
    let end = start.checked_add(len)?;
    (end <= block.len()).then_some((start, end))
}

fn long_len(block: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut len = 0_u64;
    for (index, &byte) in block.get(at..)?.iter().take(5).enumerate() {
        len |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((usize::try_from(len).ok()?, at + index + 1));
        }
    }
    None
}
