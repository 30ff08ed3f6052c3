//! Keys: scalars of JSON as bytes whose order is the order of the keys, and back. `null` comes before `false`, `true`, the
//! numbers by value and the strings by code point.
//!
//! A key is a tag and, of a number, the eight bytes of its bits in an order that is that of the values; of a string its UTF-8.
//! A half of a surrogate pair takes three bytes, as any other character of its size would.

use std::io::Write;

use super::error::Error;
use super::{Result, text};

const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const NUMBER: u8 = 4;
const STRING: u8 = 5;

/// Up to here whole numbers are read and written as such.
const WHOLE_DIGITS: usize = 15;
const WHOLE: f64 = 1e15;

/// So much of a wrong key is in the error's text.
const SHOWN: usize = 80;

const SIGN: u64 = 1 << 63;

/// The key's tag and as much of the rest as there is space for, as a number in the order of keys. It covers the first
/// [`FIRST_WORD`] bytes of the key, and a little more.
pub(crate) fn first_word(key: &[u8]) -> u64 {
    let Some((&tag, rest)) = key.split_first() else { return 0 };
    u64::from(tag) << (64 - TAG_BITS) | word(rest) >> TAG_BITS
}

pub(crate) const FIRST_WORD: usize = 8;

/// Bits that a tag takes.
const TAG_BITS: u32 = 3;

/// The first eight bytes as a number in their order, as if zeros followed.
pub(crate) fn word(bytes: &[u8]) -> u64 {
    if let Some(&bytes) = bytes.first_chunk() {
        return u64::from_be_bytes(bytes);
    }
    let shifted = |word, (at, &byte): (usize, &u8)| word | u64::from(byte) << (56 - 8 * at);
    bytes.iter().enumerate().fold(0, shifted)
}

/// Which of so many partitions a key is of. The same in every process and version that reads the same files.
pub(crate) fn partition(key: &[u8], partitions: u32) -> u32 {
    (xxhash_rust::xxh3::xxh3_64(key) % u64::from(partitions)) as u32
}

/// A number whose order is that of keys, as far as it goes: fourteen bytes of the key, then four bits: [`Rank::LONG`] if it has
/// more, else how many it has. So keys of equal ranks are equal unless they are long. Twelve bits are left for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u128);

impl Rank {
    /// Bytes that a rank covers.
    pub(crate) const COVERED: usize = 14;
    const LONG: usize = Self::COVERED + 1;
    /// Bits at the end that are zeros.
    pub(crate) const FREE: u32 = 12;

    /// After that of every key.
    pub(crate) const END: Self = Self(u128::MAX << Self::FREE);

    /// The rank of the key of this length at the start of the bytes.
    #[inline]
    pub(crate) fn new(bytes: &[u8], len: usize) -> Self {
        let mut covered = [0; 16];
        if let Some(bytes) = bytes.first_chunk::<16>() {
            covered = *bytes;
        } else {
            covered[..bytes.len()].copy_from_slice(bytes);
        }
        let covered = u128::from_be_bytes(covered);
        let unused = 128 - 8 * len.min(Self::COVERED) as u32;
        let mask = u128::MAX.checked_shl(unused).unwrap_or(0);
        Self(covered & mask | (len.min(Self::LONG) as u128) << Self::FREE)
    }

    /// Whether keys of this rank may differ.
    #[inline]
    pub(crate) fn is_long(self) -> bool {
        self.0 >> Self::FREE & 15 == Self::LONG as u128
    }

    /// The rank with a number below 2^12 behind it.
    #[inline]
    pub(crate) fn with(self, number: u32) -> u128 {
        self.0 | u128::from(number)
    }

    /// The rank of a number that [`Self::with`] has made.
    #[inline]
    pub(crate) fn of(number: u128) -> Self {
        Self(number >> Self::FREE << Self::FREE)
    }
}

/// Adds the key that begins at `at` of the text; returns where it ends there.
pub(crate) fn parse(text: &[u8], at: usize, to: &mut Vec<u8>) -> Result<usize> {
    let rest = &text[at..];
    let word = |word: &[u8], tag, to: &mut Vec<u8>| {
        to.push(tag);
        rest.starts_with(word).then_some(at + word.len())
    };
    let end = match rest.first() {
        Some(b'"') => {
            to.push(STRING);
            text::unescape(text, at + 1, to)
        }
        Some(b'-' | b'0'..=b'9') => number(rest, to).map(|len| at + len),
        Some(b'n') => word(b"null", NULL, to),
        Some(b'f') => word(b"false", FALSE, to),
        Some(b't') => word(b"true", TRUE, to),
        _ => None,
    };
    end.ok_or_else(|| wrong(text, at))
}

/// Adds the key of a string in UTF-8.
pub(crate) fn push_string(string: &[u8], to: &mut Vec<u8>) {
    to.push(STRING);
    to.extend_from_slice(string);
}

/// The error of what is no key, which is shown as far as there is space.
fn wrong(text: &[u8], at: usize) -> Error {
    let end = text::skip(text, at).unwrap_or(text.len());
    let shown = String::from_utf8_lossy(&text[at..end]);
    let Some((cut, _)) = shown.char_indices().nth(SHOWN) else { return Error::Key(shown.into()) };
    Error::Key(format!("{}…", &shown[..cut]))
}

/// Adds the number that the text begins with; returns its length.
fn number(text: &[u8], to: &mut Vec<u8>) -> Option<usize> {
    let sign = usize::from(text[0] == b'-');
    let digits = text[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let len = sign + digits;
    let is_whole = !matches!(text.get(len), Some(b'.' | b'e' | b'E'));
    let value = if is_whole && (1..=WHOLE_DIGITS).contains(&digits) {
        let whole =
            text[sign..len].iter().fold(0, |sum, &digit| sum * 10 + u64::from(digit - b'0'));
        if sign == 1 { -(whole as f64) } else { whole as f64 }
    } else {
        return fraction(text, to);
    };
    push_number(value, to);
    Some(len)
}

fn fraction(text: &[u8], to: &mut Vec<u8>) -> Option<usize> {
    let is_part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let len = text.iter().take_while(is_part).count();
    let value: f64 = std::str::from_utf8(&text[..len]).ok()?.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    push_number(value, to);
    Some(len)
}

fn push_number(value: f64, to: &mut Vec<u8>) {
    // The two zeros are one key.
    let bits = (value + 0.0).to_bits();
    let ordered = if bits & SIGN == 0 { bits | SIGN } else { !bits };
    to.push(NUMBER);
    to.extend_from_slice(&ordered.to_be_bytes());
}

/// Adds the key as JSON. None if the bytes are no key.
pub(crate) fn write_json(key: &[u8], to: &mut Vec<u8>) -> Option<()> {
    let (&tag, rest) = key.split_first()?;
    match tag {
        STRING => return text::escape(rest, to),
        NUMBER => {
            let ordered = u64::from_be_bytes(rest.try_into().ok()?);
            let bits = if ordered & SIGN == 0 { !ordered } else { ordered & !SIGN };
            return write_number(f64::from_bits(bits), to);
        }
        _ if !rest.is_empty() => return None,
        NULL => to.extend_from_slice(b"null"),
        FALSE => to.extend_from_slice(b"false"),
        TRUE => to.extend_from_slice(b"true"),
        _ => return None,
    }
    Some(())
}

fn write_number(value: f64, to: &mut Vec<u8>) -> Option<()> {
    if !value.is_finite() {
        return None;
    }
    if value.abs() < WHOLE && value.fract() == 0.0 {
        to.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
        return Some(());
    }
    // The shortest digits that are this number again.
    write!(to, "{value:e}").ok()
}

#[cfg(test)]
mod tests;
