//! Arrays of JSON, taken apart without decoding what is in them; and the strings of keys.

use memchr::{memchr, memchr2};

use super::Result;
use super::error::Error;

/// Calls `item` at the start of each item of an array; it returns where that ends.
pub(crate) fn each(
    text: &[u8],
    name: &str,
    mut item: impl FnMut(&[u8], usize) -> Result<usize>,
) -> Result<()> {
    let wrong = || Error::argument(format!("{name}: it is no array of JSON"));
    let mut at = blank(text, 0);
    if text.get(at) != Some(&b'[') {
        return Err(wrong());
    }
    at = blank(text, at + 1);
    if text.get(at) == Some(&b']') {
        at += 1;
    } else {
        loop {
            at = blank(text, item(text, at)?);
            match text.get(at) {
                Some(b',') => at = blank(text, at + 1),
                Some(b']') => break at += 1,
                _ => return Err(wrong()),
            }
        }
    }
    if blank(text, at) == text.len() { Ok(()) } else { Err(wrong()) }
}

fn blank(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// Where the items of an array of JSON are in its text. They have no line breaks.
pub(crate) fn values(text: &[u8]) -> Result<Vec<(u32, u32)>> {
    let wrong = || Error::argument("values: it is no array of JSON");
    if u32::try_from(text.len()).is_err() || memchr(b'\n', text).is_some() {
        return Err(Error::argument("values: the text has line breaks, or is longer than 4 GiB"));
    }
    let mut spans = Vec::with_capacity(text.len() / 8);
    each(text, "values", |text, at| {
        let end = skip(text, at).ok_or_else(wrong)?;
        spans.push((at as u32, end as u32));
        Ok(end)
    })?;
    Ok(spans)
}

/// Where the value ends that begins at `at`. None if there is none, or it has no end.
pub(crate) fn skip(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => skip_string(text, at + 1),
        b'[' | b'{' => skip_nested(text, at),
        _ => {
            let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
            let len = text[at..].iter().take_while(is_part).count();
            (len > 0).then_some(at + len)
        }
    }
}

/// Where a string ends, from behind its first quote on.
fn skip_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn skip_nested(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.get(at)? {
            b'"' => {
                at = skip_string(text, at + 1)?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Bytes that end the plain part of a string in JSON.
const SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special
};

/// Adds the characters of the string that begins behind the quote before `at`; returns where it ends.
pub(crate) fn unescape(text: &[u8], mut at: usize, to: &mut Vec<u8>) -> Option<usize> {
    loop {
        let rest = text.get(at..)?;
        let plain = rest.iter().position(|&byte| SPECIAL[byte as usize])?;
        to.extend_from_slice(&rest[..plain]);
        match rest[plain] {
            b'"' => return Some(at + plain + 1),
            b'\\' => at = unescape_one(text, at + plain + 1, to)?,
            _ => return None,
        }
    }
}

/// Adds the character of the escape whose letter is at `at`; returns where that ends.
fn unescape_one(text: &[u8], at: usize, to: &mut Vec<u8>) -> Option<usize> {
    let byte = match text.get(at)? {
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'f' => 12,
        b'r' => b'\r',
        byte @ (b'"' | b'\\' | b'/') => *byte,
        b'u' => return unescape_unit(text, at + 1, to),
        _ => return None,
    };
    to.push(byte);
    Some(at + 1)
}

/// The same of four digits, and of the other half of a pair behind them.
fn unescape_unit(text: &[u8], at: usize, to: &mut Vec<u8>) -> Option<usize> {
    let unit = hex(text, at)?;
    let end = at + 4;
    if (0xd800..0xdc00).contains(&unit) && text.get(end..end + 2) == Some(b"\\u") {
        let low = hex(text, end + 2)?;
        if (0xdc00..0xe000).contains(&low) {
            push(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00), to);
            return Some(end + 6);
        }
    }
    push(unit, to);
    Some(end)
}

fn hex(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.iter().try_fold(0, |sum, &digit| Some(sum * 16 + (digit as char).to_digit(16)?))
}

/// Adds a code point; a half of a surrogate pair is one too.
fn push(point: u32, to: &mut Vec<u8>) {
    if let Some(char) = char::from_u32(point) {
        to.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let tail = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
        to.extend_from_slice(&[0xe0 | (point >> 12) as u8, tail(6), tail(0)]);
    }
}

/// Adds a string in JSON. None if the bytes are no string.
pub(crate) fn escape(bytes: &[u8], to: &mut Vec<u8>) -> Option<()> {
    to.push(b'"');
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        // Only with this byte does half a surrogate pair begin.
        if !SPECIAL[byte as usize] && byte != 0xed {
            continue;
        }
        let unit = match (byte, bytes.get(at + 1..at + 3)) {
            (0xed, Some(&[high, low])) if high >= 0xa0 => {
                0xd000 | u32::from(high & 0x3f) << 6 | u32::from(low & 0x3f)
            }
            (0xed, Some(_)) => continue,
            (0xed, None) => return None,
            _ => u32::from(byte),
        };
        to.extend_from_slice(&bytes[from..at]);
        from = at + if byte == 0xed { 3 } else { 1 };
        match byte {
            b'"' | b'\\' => to.extend_from_slice(&[b'\\', byte]),
            _ => {
                to.extend_from_slice(b"\\u");
                for shift in [12, 8, 4, 0] {
                    to.push(b"0123456789abcdef"[(unit >> shift & 15) as usize]);
                }
            }
        }
    }
    to.extend_from_slice(&bytes[from..]);
    to.push(b'"');
    Some(())
}

#[cfg(test)]
mod tests;
