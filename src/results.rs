//! Results as they wait for somebody to look: still encoded, in order, in few large pieces.
//!
//! An entry is four JSON values, `kind,worker,data,response`, and a segment is many of them with
//! commas between: `[` + segment + `]` is one JSON array that JavaScript parses at once. A million
//! small results so cost a few bytes each instead of an object each.

use std::collections::VecDeque;

/// A segment is closed when it has this many bytes: large enough that parsing it costs per entry
/// and not per call, small enough that a program which stops early has not decoded much.
const SEGMENT: usize = 64 * 1024;

/// The most bytes of an entry beside its texts.
const ENTRY: usize = 32;

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

    fn len(self) -> usize {
        match self {
            Self::Json(text) | Self::String(text) => text.len() + 2,
        }
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

#[derive(Debug)]
struct Segment {
    text: Vec<u8>,
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
        if self.segments.back().is_none_or(|last| last.text.len() >= SEGMENT) {
            self.segments.push_back(Segment { text: vec![b'['], count: 0 });
        }
        let last = self.segments.back_mut().expect("just made");
        let nothing = Value::Json(b"0");
        let (data, response) = (entry.data.unwrap_or(nothing), entry.response.unwrap_or(nothing));
        // Long ones are moved only once.
        last.text.reserve(data.len() + response.len() + ENTRY);
        if last.count > 0 {
            last.text.push(b',');
        }
        let mut digits = itoa::Buffer::new();
        last.text.extend_from_slice(digits.format(entry.kind).as_bytes());
        last.text.push(b',');
        last.text.extend_from_slice(digits.format(entry.worker).as_bytes());
        last.text.push(b',');
        data.write(&mut last.text);
        last.text.push(b',');
        response.write(&mut last.text);
        last.count += 1;
        self.count += 1;
    }

    /// Takes the oldest segment, as the text of one JSON array.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let mut segment = self.segments.pop_front()?;
        self.count -= segment.count;
        segment.text.push(b']');
        Some(segment.text)
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
        while let Some(text) = results.take() {
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
        for text in ["", "a", "\"", "\\", "\u{1f}\u{7f}", &all, &long, &"x".repeat(10_000)] {
            let mut results = Results::default();
            let [data, response] = [Some(Value::String(text.as_bytes())); 2];
            results.push(Entry { kind: 6, worker: 1, data, response });
            let json = results.take().expect("an entry");
            let values: Vec<serde_json::Value> = serde_json::from_slice(&json).expect("JSON");
            assert_eq!(values[2..], [text, text]);
        }
    }
}
