//! Results as they wait for somebody to look: still encoded, in order, in few large pieces.
//!
//! An entry is four JSON values, `kind,worker,data,response`, and a segment is many of them with
//! commas between: `[` + segment + `]` is one JSON array that JavaScript parses at once. A million
//! small results so cost a few bytes each instead of an object each. An entry with long texts is a
//! piece of its own, so that they are copied once less, and strings are not parsed at all.

use std::collections::VecDeque;

/// A segment is closed when it has this many bytes: large enough that parsing it costs per entry
/// and not per call, small enough that a program which stops early has not decoded much.
const SEGMENT: usize = 64 * 1024;

/// An entry whose texts have more bytes is a piece of its own: the few calls that it takes cost less
/// than copying that much.
const LONG: usize = 16 * 1024;

/// What kind of entry it is: the sum of these.
pub(crate) mod entry {
    /// The event failed; the response is its error.
    pub(crate) const FAILED: u32 = 1;
    /// The event's data is not `undefined`.
    pub(crate) const DATA: u32 = 2;
    /// There is a response.
    pub(crate) const RESPONSE: u32 = 4;
    /// The user's own message, in the place of the response.
    pub(crate) const MESSAGE: u32 = 8;
    /// The data is the whole event.
    pub(crate) const WHOLE: u32 = 16;
    /// The worker was lost, and did not answer itself.
    pub(crate) const CRASH: u32 = 32;
    /// The worker has another event already, or is gone for good: it is not free.
    pub(crate) const TAKEN: u32 = 64;
}

/// A value as it waits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Json(&'a [u8]),
    /// A string, as it is.
    String(&'a [u8]),
}

impl<'a> Value<'a> {
    /// A text that is a string itself, or JSON.
    pub(crate) fn new(text: &'a [u8], is_string: bool) -> Self {
        if is_string { Self::String(text) } else { Self::Json(text) }
    }

    fn text(self) -> &'a [u8] {
        match self {
            Self::Json(text) | Self::String(text) => text,
        }
    }

    fn is_string(self) -> bool {
        matches!(self, Self::String(_))
    }

    fn write(self, to: &mut Vec<u8>) {
        match self {
            Self::Json(text) => to.extend_from_slice(text),
            Self::String(text) => {
                to.push(b'"');
                for part in text.chunks(4096) {
                    // Without a branch, so that it takes many bytes at a time.
                    let is_plain = !part.iter().fold(false, |any, &byte| any | must_escape(byte));
                    if is_plain {
                        to.extend_from_slice(part);
                    } else {
                        for &byte in part {
                            escape(byte, to);
                        }
                    }
                }
                to.push(b'"');
            }
        }
    }
}

fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn escape(byte: u8, to: &mut Vec<u8>) {
    /// The digits of a byte below 32, which is 00 or 01 and one of these.
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if byte < 0x20 {
        let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
        to.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
    } else {
        if must_escape(byte) {
            to.push(b'\\');
        }
        to.push(byte);
    }
}

/// One entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: u32,
    pub(crate) worker: u32,
    pub(crate) data: Option<Value<'a>>,
    pub(crate) response: Option<Value<'a>>,
}

/// The piece of a queue that is taken at once.
#[derive(Debug)]
pub(crate) enum Piece {
    /// The text of one JSON array.
    Array(Vec<u8>),
    Long(Box<LongEntry>),
}

/// An entry with long texts.
#[derive(Debug)]
pub(crate) struct LongEntry {
    pub(crate) kind: u32,
    pub(crate) worker: u32,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) is_data_string: bool,
    pub(crate) response: Option<Vec<u8>>,
    pub(crate) is_response_string: bool,
}

#[derive(Debug)]
struct Segment {
    piece: Piece,
    count: usize,
}

/// A queue of entries. Nothing in it is looked at until it is taken.
#[derive(Debug, Default)]
pub(crate) struct Results {
    segments: VecDeque<Segment>,
    count: usize,
}

impl Results {
    /// How many entries wait.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn push(&mut self, entry: Entry<'_>) {
        self.count += 1;
        let nothing = Value::Json(b"0");
        let (data, response) = (entry.data.unwrap_or(nothing), entry.response.unwrap_or(nothing));
        if data.text().len() + response.text().len() > LONG {
            self.push_long(entry);
            return;
        }
        let is_open =
            |last: &Segment| matches!(&last.piece, Piece::Array(text) if text.len() < SEGMENT);
        if !self.segments.back().is_some_and(is_open) {
            self.segments.push_back(Segment { piece: Piece::Array(vec![b'[']), count: 0 });
        }
        let last = self.segments.back_mut().expect("just made");
        let Piece::Array(text) = &mut last.piece else { unreachable!("just looked at") };
        if last.count > 0 {
            text.push(b',');
        }
        let mut digits = itoa::Buffer::new();
        text.extend_from_slice(digits.format(entry.kind).as_bytes());
        text.push(b',');
        text.extend_from_slice(digits.format(entry.worker).as_bytes());
        text.push(b',');
        data.write(text);
        text.push(b',');
        response.write(text);
        last.count += 1;
    }

    fn push_long(&mut self, entry: Entry<'_>) {
        let Entry { kind, worker, data, response } = entry;
        let long = LongEntry {
            kind,
            worker,
            data: data.map(|data| data.text().to_vec()),
            is_data_string: data.is_some_and(Value::is_string),
            response: response.map(|response| response.text().to_vec()),
            is_response_string: response.is_some_and(Value::is_string),
        };
        self.segments.push_back(Segment { piece: Piece::Long(Box::new(long)), count: 1 });
    }

    /// Takes the oldest piece.
    pub(crate) fn take(&mut self) -> Option<Piece> {
        let mut segment = self.segments.pop_front()?;
        self.count -= segment.count;
        if let Piece::Array(text) = &mut segment.piece {
            text.push(b']');
        }
        Some(segment.piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_in_order_and_in_large_pieces() {
        let mut results = Results::default();
        for i in 0..20_000_u32 {
            let data = i.to_string();
            results.push(Entry {
                kind: entry::DATA | entry::RESPONSE,
                worker: i % 3,
                data: Some(Value::Json(data.as_bytes())),
                response: (i % 2 == 0).then_some(Value::Json(b"{\"a\":[1]}")),
            });
        }
        assert_eq!(results.len(), 20_000);
        let mut next = 0;
        let mut pieces = 0;
        while let Some(Piece::Array(text)) = results.take() {
            pieces += 1;
            let values: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
            for entry in values.chunks(4) {
                assert_eq!(entry[1], next % 3);
                assert_eq!(entry[2], next);
                assert_eq!(entry[3].is_object(), next % 2 == 0);
                next += 1;
            }
        }
        assert_eq!((next, results.len()), (20_000, 0));
        assert!(pieces < 20, "{pieces} pieces");
    }

    #[test]
    fn strings_become_json() {
        let all: String = (0..128_u8).map(char::from).collect();
        let long = all.repeat(100);
        for text in [
            "",
            "a",
            "\"",
            "\\",
            "\u{1f}\u{7f}",
            &all,
            &long,
            &"x".repeat(8_000),
            &"x".repeat(10_000),
        ] {
            let mut results = Results::default();
            let [data, response] = [Some(Value::String(text.as_bytes())); 2];
            results.push(Entry { kind: 6, worker: 1, data, response });
            let piece = results.take().expect("an entry");
            let Piece::Array(json) = piece else {
                let Piece::Long(entry) = piece else { unreachable!() };
                assert_eq!([entry.data, entry.response], [(); 2].map(|()| Some(text.into())));
                assert!(text.len() > LONG / 2 && entry.is_data_string && entry.is_response_string);
                continue;
            };
            let values: Vec<serde_json::Value> = serde_json::from_slice(&json).expect("JSON");
            assert_eq!(values[2..], [text, text]);
        }
    }
}
