//! Results as they wait for somebody to look: still encoded, in order, in few large pieces.
//!
//! An entry is four JSON values, `kind,worker,data,response`, and a segment is many of them with
//! commas between: `[` + segment + `]` is one JSON array that JavaScript parses at once. A million
//! small results so cost a few bytes each instead of an object each. What workers say is JSON is
//! not looked at, but each entry has a line of its own: if one is garbage, the others can be told
//! from it. Entries of small whole numbers are not even parsed: where there are many in a row they
//! lie as four words each. An entry with long texts is a piece of its own, so that they are copied
//! once less, and strings are not parsed at all.

use std::collections::VecDeque;

use crate::shm::store::{Bytes, LONG};
use crate::wire::format::Format;

/// A segment is closed when it has this many bytes: large enough that parsing it costs per entry
/// and not per call, small enough that a program which stops early has not decoded much.
const SEGMENT: usize = 64 * 1024;

/// So many entries of numbers in a row are worth a segment of their own.
const ROW: usize = 32;

/// What is between two entries of a text.
const BETWEEN: &[u8] = b",\n";

/// The words of an entry of numbers: kind, worker, data, response.
type Words = [i32; WORDS];
const WORDS: usize = 4;

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
    /// Two bits each, in an array: the format of the data and of the response, if that is binary.
    /// Strings are JSON there, and what is binary is a string of base64.
    pub(crate) const DATA_FORMAT_AT: u32 = 7;
    pub(crate) const RESPONSE_FORMAT_AT: u32 = 9;
}

/// A value as it waits.
#[derive(Debug)]
pub(crate) struct Value<'a> {
    format: Format,
    bytes: Source<'a>,
}

/// Where a value's bytes come from.
#[derive(Debug)]
enum Source<'a> {
    /// They are copied.
    Lent(&'a [u8]),
    /// They are moved.
    Given(Bytes),
}

impl<'a> Value<'a> {
    /// A value whose bytes are copied.
    pub(crate) fn new(bytes: &'a [u8], format: Format) -> Self {
        Self { format, bytes: Source::Lent(bytes) }
    }

    pub(crate) fn json(text: &'a [u8]) -> Self {
        Self::new(text, Format::Json)
    }

    /// A value whose bytes are moved out of `bytes` if they are long.
    pub(crate) fn out_of(bytes: &'a mut Bytes, format: Format) -> Self {
        let bytes = if bytes.is_long() {
            Source::Given(std::mem::take(bytes))
        } else {
            Source::Lent(bytes)
        };
        Self { format, bytes }
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Source::Lent(bytes) => bytes,
            Source::Given(bytes) => bytes,
        }
    }

    /// The same value, to be copied.
    fn lent(&self) -> Value<'_> {
        Value { format: self.format, bytes: Source::Lent(self.bytes()) }
    }

    fn into_bytes(self) -> Bytes {
        match self.bytes {
            Source::Lent(bytes) => Bytes::from(bytes),
            Source::Given(bytes) => bytes,
        }
    }

    /// The number that it is, if it is a whole one of few digits, as JSON writes it.
    fn small(&self) -> Option<i32> {
        if self.format != Format::Json {
            return None;
        }
        let bytes = self.bytes();
        let (is_negative, digits) = match bytes {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        // Nine always fit. Only zero begins with one, and a negative zero is no whole number.
        let (&first, len) = (digits.first()?, digits.len());
        if len > 9 || (first == b'0' && (len > 1 || is_negative)) {
            return None;
        }
        let mut number = 0;
        for digit in digits.iter().map(|byte| byte.wrapping_sub(b'0')) {
            if digit > 9 {
                return None;
            }
            number = number * 10 + i32::from(digit);
        }
        Some(if is_negative { -number } else { number })
    }

    /// Its format in an array.
    fn kind(&self) -> u32 {
        if self.format.is_binary() { self.format.number() } else { 0 }
    }

    fn write(&self, to: &mut Vec<u8>) {
        let bytes = self.bytes();
        match self.format {
            Format::Json => write_line(bytes, to),
            Format::String => {
                to.push(b'"');
                for part in bytes.chunks(4096) {
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
            Format::Clone | Format::Buffer => {
                to.push(b'"');
                write_base64(bytes, to);
                to.push(b'"');
            }
        }
    }
}

/// Between JSON's tokens a line's end is a space like any other; inside of them there is none.
fn write_line(bytes: &[u8], to: &mut Vec<u8>) {
    let from = to.len();
    to.extend_from_slice(bytes);
    if memchr::memchr(b'\n', bytes).is_some() {
        for byte in to[from..].iter_mut().filter(|byte| **byte == b'\n') {
            *byte = b' ';
        }
    }
}

fn write_base64(bytes: &[u8], to: &mut Vec<u8>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |triple: [u8; 3]| {
        let number = u32::from_be_bytes([0, triple[0], triple[1], triple[2]]);
        [18, 12, 6, 0].map(|at| DIGITS[(number >> at) as usize & 63])
    };
    let (triples, rest) = bytes.as_chunks::<3>();
    to.reserve(triples.len() * 4 + 4);
    for &triple in triples {
        to.extend_from_slice(&digits(triple));
    }
    if !rest.is_empty() {
        let mut triple = [0; 3];
        triple[..rest.len()].copy_from_slice(rest);
        let mut last = digits(triple);
        last[rest.len() + 1..].fill(b'=');
        to.extend_from_slice(&last);
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
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: u32,
    pub(crate) worker: u32,
    pub(crate) data: Option<Value<'a>>,
    pub(crate) response: Option<Value<'a>>,
}

impl Entry<'_> {
    /// The same entry, to be copied.
    pub(crate) fn lent(&self) -> Entry<'_> {
        let Self { kind, worker, .. } = *self;
        Entry {
            kind,
            worker,
            data: self.data.as_ref().map(Value::lent),
            response: self.response.as_ref().map(Value::lent),
        }
    }

    /// How many bytes its values have.
    pub(crate) fn bytes(&self) -> usize {
        let len = |value: &Option<Value<'_>>| value.as_ref().map_or(0, |it| it.bytes().len());
        len(&self.data) + len(&self.response)
    }

    /// The entry with its values in memory of their own.
    pub(crate) fn into_long(self) -> LongEntry {
        let long = |value: Value<'_>| Long { format: value.format, bytes: value.into_bytes() };
        let Self { kind, worker, data, response } = self;
        LongEntry { kind, worker, data: data.map(long), response: response.map(long) }
    }

    /// What it is in a row of numbers, if it can be in one.
    fn words(&self) -> Option<Words> {
        let small = |value: &Option<Value<'_>>| value.as_ref().map_or(Some(0), Value::small);
        let (data, response) = (small(&self.data)?, small(&self.response)?);
        Some([i32::try_from(self.kind).ok()?, i32::try_from(self.worker).ok()?, data, response])
    }
}

/// The piece of a queue that is taken at once.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Four an entry: kind, worker, data, response.
    Numbers(Vec<i32>),
    /// The text of one JSON array.
    Array(Vec<u8>),
    Long(Box<LongEntry>),
}

/// An entry with long texts.
#[derive(Debug)]
pub(crate) struct LongEntry {
    /// Without the formats, which stand by the texts.
    pub(crate) kind: u32,
    pub(crate) worker: u32,
    pub(crate) data: Option<Long>,
    pub(crate) response: Option<Long>,
}

impl LongEntry {
    /// The same entry, out of which its long values are moved.
    pub(crate) fn entry(&mut self) -> Entry<'_> {
        let (data, response) = (self.data.as_mut(), self.response.as_mut());
        let (data, response) = (data.map(Long::value), response.map(Long::value));
        Entry { kind: self.kind, worker: self.worker, data, response }
    }
}

/// A value of an entry with long texts.
#[derive(Debug)]
pub(crate) struct Long {
    pub(crate) format: Format,
    pub(crate) bytes: Bytes,
}

impl Long {
    /// The same value, moved out of this one if it is long.
    fn value(&mut self) -> Value<'_> {
        Value::out_of(&mut self.bytes, self.format)
    }
}

#[derive(Debug)]
struct Segment {
    piece: Piece,
    count: usize,
    /// How many its values have.
    bytes: usize,
}

/// A queue of entries. Nothing in it is looked at until it is taken.
#[derive(Debug, Default)]
pub(crate) struct Results {
    segments: VecDeque<Segment>,
    count: usize,
    bytes: usize,
}

impl Results {
    /// How many entries wait.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// How many bytes their values have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, entry: Entry<'_>) {
        let bytes = entry.bytes();
        self.count += 1;
        self.bytes += bytes;
        if bytes > LONG {
            let piece = Piece::Long(Box::new(entry.into_long()));
            self.segments.push_back(Segment { piece, count: 1, bytes });
            return;
        }
        let words = entry.words();
        if let Some(last) = self.segments.back_mut() {
            match (&mut last.piece, words) {
                (Piece::Numbers(row), Some(words)) if size_of_val(&**row) < SEGMENT => {
                    row.extend_from_slice(&words);
                    last.count += 1;
                    last.bytes += bytes;
                    return;
                }
                (Piece::Numbers(row), None) if last.count < ROW => {
                    last.piece = Piece::Array(array_of(row));
                }
                _ => {}
            }
            if let Piece::Array(text) = &mut last.piece
                && text.len() < SEGMENT
            {
                text.extend_from_slice(BETWEEN);
                write_entry(entry, text);
                last.count += 1;
                last.bytes += bytes;
                return;
            }
        }
        let piece = if let Some(words) = words {
            Piece::Numbers(words.to_vec())
        } else {
            let mut text = vec![b'['];
            write_entry(entry, &mut text);
            Piece::Array(text)
        };
        self.segments.push_back(Segment { piece, count: 1, bytes });
    }

    /// Takes in an entry, if there is one.
    pub(crate) fn extend(&mut self, entry: Option<Entry<'_>>) {
        if let Some(entry) = entry {
            self.push(entry);
        }
    }

    /// Takes the oldest piece.
    pub(crate) fn take(&mut self) -> Option<Piece> {
        let mut segment = self.segments.pop_front()?;
        self.count -= segment.count;
        self.bytes -= segment.bytes;
        if let Piece::Array(text) = &mut segment.piece {
            text.push(b']');
        }
        Some(segment.piece)
    }
}

#[cfg(test)]
impl Piece {
    /// Its entries as one JSON array, if it is short.
    pub(crate) fn json(&self) -> Option<Vec<u8>> {
        match self {
            Self::Numbers(row) => Some([&array_of(row)[..], b"]"].concat()),
            Self::Array(text) => Some(text.clone()),
            Self::Long(_) => None,
        }
    }
}

/// Writes an entry as its four JSON values.
fn write_entry(entry: Entry<'_>, text: &mut Vec<u8>) {
    let data = entry.data.unwrap_or(Value::json(b"0"));
    let response = entry.response.unwrap_or(Value::json(b"0"));
    let kind = entry.kind
        | data.kind() << entry::DATA_FORMAT_AT
        | response.kind() << entry::RESPONSE_FORMAT_AT;
    let mut digits = itoa::Buffer::new();
    text.extend_from_slice(digits.format(kind).as_bytes());
    text.push(b',');
    text.extend_from_slice(digits.format(entry.worker).as_bytes());
    text.push(b',');
    data.write(text);
    text.push(b',');
    response.write(text);
}

/// The text of an array, without its end, of entries that were numbers.
fn array_of(row: &[i32]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut digits = itoa::Buffer::new();
    for (at, &number) in row.iter().enumerate() {
        let is_first = at.is_multiple_of(WORDS);
        text.extend_from_slice(match at {
            0 => b"[",
            _ if is_first => BETWEEN,
            _ => b",",
        });
        text.extend_from_slice(digits.format(number).as_bytes());
    }
    text
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
                data: Some(Value::json(data.as_bytes())),
                response: (i % 2 == 0).then_some(Value::json(b"{\"a\":[1]}")),
            });
        }
        assert_eq!(results.len(), 20_000);
        let mut next = 0;
        let mut pieces = 0;
        while let Some(text) = results.take().and_then(|piece| piece.json()) {
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

    fn push(results: &mut Results, number: u32, data: &str, response: Option<&str>) {
        results.push(Entry {
            kind: entry::DATA,
            worker: number,
            data: Some(Value::json(data.as_bytes())),
            response: response.map(|text| Value::json(text.as_bytes())),
        });
    }

    #[test]
    fn rows_of_numbers_are_not_text() {
        let mut results = Results::default();
        for number in 0..20_000_u32 {
            push(&mut results, number, "-999999999", Some("999999999"));
        }
        push(&mut results, 20_000, "1", Some("{}"));
        let mut next = 0;
        while let Some(piece) = results.take() {
            if next == 20_000 {
                assert_eq!(piece.json().expect("short"), b"[2,20000,1,{}]");
                return;
            }
            let Piece::Numbers(row) = piece else { panic!("they are numbers") };
            assert!(size_of_val(&*row) <= SEGMENT + size_of::<Words>());
            for words in row.chunks(4) {
                assert_eq!(*words, [2, next, -999_999_999, 999_999_999]);
                next += 1;
            }
        }
        panic!("the last one was lost");
    }

    #[test]
    fn a_few_numbers_among_others_are_text_and_stay_in_order() {
        let mut results = Results::default();
        let values = ["1", "\"a\"", "2", "3", "null"];
        for number in 0..1000_u32 {
            push(&mut results, number, values[number as usize % values.len()], None);
        }
        let text = results.take().and_then(|piece| piece.json()).expect("short");
        assert!(results.take().is_none());
        let all: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
        for (number, entry) in all.chunks(4).enumerate() {
            assert_eq!(entry[1], number);
            assert_eq!(entry[2].to_string(), values[number % values.len()]);
        }
        assert_eq!(all.len(), 4000);
    }

    #[test]
    fn only_what_json_writes_so_is_a_small_number() {
        for (text, number) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("-12", Some(-12)),
            ("123456789", Some(123_456_789)),
            ("1234567890", None),
            ("-0", None),
            ("01", None),
            ("", None),
            ("-", None),
            ("1.5", None),
            ("1e3", None),
            ("true", None),
            ("\"1\"", None),
        ] {
            assert_eq!(Value::json(text.as_bytes()).small(), number, "{text}");
        }
        assert_eq!(Value::new(b"1", Format::String).small(), None);
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
            let [data, response] =
                [(); 2].map(|()| Some(Value::new(text.as_bytes(), Format::String)));
            results.push(Entry { kind: 6, worker: 1, data, response });
            let piece = results.take().expect("an entry");
            let Piece::Array(json) = piece else {
                let Piece::Long(entry) = piece else { unreachable!() };
                for value in [entry.data, entry.response].map(|value| value.expect("there")) {
                    assert_eq!(*value.bytes, *text.as_bytes());
                    assert_eq!(value.format, Format::String);
                }
                assert!(text.len() > LONG / 2);
                continue;
            };
            let values: Vec<serde_json::Value> = serde_json::from_slice(&json).expect("JSON");
            assert_eq!(values[2..], [text, text]);
        }
    }

    #[test]
    fn binary_values_become_base64_in_arrays_and_stay_as_they_are_when_long() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"\0", "AA=="),
            (b"\xff\xfe", "//4="),
            (b"\xfb\xef\xbe", "++++"),
            (b"any carnal pleas", "YW55IGNhcm5hbCBwbGVhcw=="),
        ] {
            let mut results = Results::default();
            let data = Some(Value::new(bytes, Format::Buffer));
            let response = Some(Value::new(bytes, Format::Clone));
            let kind = entry::DATA | entry::RESPONSE;
            results.push(Entry { kind, worker: 1, data, response });
            let Some(Piece::Array(json)) = results.take() else { panic!("it is short") };
            let values: Vec<serde_json::Value> = serde_json::from_slice(&json).expect("JSON");
            let kind = kind | (3 << entry::DATA_FORMAT_AT) | (2 << entry::RESPONSE_FORMAT_AT);
            assert_eq!(values[0], kind);
            assert_eq!(values[2..], [text, text]);
        }
        let mut results = Results::default();
        let mut bytes = Bytes::from(&*vec![200; LONG + 1]);
        let at = bytes.as_ptr();
        let response = Some(Value::out_of(&mut bytes, Format::Buffer));
        results.push(Entry { kind: entry::RESPONSE, worker: 1, data: None, response });
        assert!(bytes.is_empty());
        let Some(Piece::Long(long)) = results.take() else { panic!("it is long") };
        let response = long.response.expect("there");
        assert!(long.data.is_none() && long.kind == entry::RESPONSE);
        assert_eq!((response.bytes.as_ptr(), response.format), (at, Format::Buffer), "moved");
    }
}
