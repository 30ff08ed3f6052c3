//! Results that wait until the program reads them: still encoded, in order, in few large pieces.
//!
//! An entry is four values: kind, worker, data, response. Many short entries share a piece. Entries of small whole
//! numbers are four words each. All others are the text of one JSON array, which JavaScript parses at once: a million
//! small results cost a few bytes each instead of an object each. Binary values lie beside that text, as they are. An
//! entry with long values is a piece of its own: its bytes are moved, never copied.
//!
//! JSON from workers is not validated here. Each entry has a line of its own, so that garbage in one cannot hide the
//! others.

use std::collections::VecDeque;

use crate::run::value::Value;
use crate::shm::store::LONG;
use crate::wire::format::Format;

/// A piece with this many bytes takes no more entries: large enough that reading it costs per entry and not per call,
/// small enough that a program which stops early has not decoded much.
const PIECE: usize = 64 * 1024;

/// A shorter row of numbers becomes text when an entry that is not numbers follows.
const ROW: usize = 32;

/// What separates two entries of a text.
const BETWEEN: &[u8] = b",\n";

/// An entry of numbers: kind, worker, data, response.
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
    /// Two bits each: the formats of the data and of the response. (A string in an array is JSON like its neighbours.)
    pub(crate) const DATA_FORMAT_AT: u32 = 7;
    pub(crate) const RESPONSE_FORMAT_AT: u32 = 9;
}

/// One entry. `Entry<'static>` owns its values.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: u32,
    pub(crate) worker: u32,
    pub(crate) data: Option<Value<'a>>,
    pub(crate) response: Option<Value<'a>>,
}

impl Entry<'_> {
    /// The same entry, borrowed.
    pub(crate) fn lent(&self) -> Entry<'_> {
        let (data, response) = (self.data.as_ref(), self.response.as_ref());
        Entry { data: data.map(Value::lent), response: response.map(Value::lent), ..*self }
    }

    pub(crate) fn into_owned(self) -> Entry<'static> {
        let Self { kind, worker, data, response } = self;
        let (data, response) = (data.map(Value::into_owned), response.map(Value::into_owned));
        Entry { kind, worker, data, response }
    }

    /// How many bytes its values have.
    pub(crate) fn bytes(&self) -> usize {
        let len = |value: &Option<Value<'_>>| value.as_ref().map_or(0, |value| value.len());
        len(&self.data) + len(&self.response)
    }

    /// Its kind with the formats that JavaScript needs to know to decode its values.
    pub(crate) fn kind_with(&self, number: impl Fn(Format) -> u32) -> u32 {
        let number = |value: &Option<Value<'_>>| value.as_ref().map_or(0, |it| number(it.format));
        self.kind
            | number(&self.data) << entry::DATA_FORMAT_AT
            | number(&self.response) << entry::RESPONSE_FORMAT_AT
    }

    /// Its words, if its values are small whole numbers.
    fn words(&self) -> Option<Words> {
        let small = |value: &Option<Value<'_>>| value.as_ref().map_or(Some(0), Value::small);
        let (data, response) = (small(&self.data)?, small(&self.response)?);
        Some([i32::try_from(self.kind).ok()?, i32::try_from(self.worker).ok()?, data, response])
    }
}

/// What JavaScript takes out of a queue at once.
#[derive(Debug)]
pub(crate) enum Piece {
    /// The words of each entry.
    Numbers(Vec<i32>),
    Array(Array),
    Long(Box<Entry<'static>>),
}

/// Short entries as one JSON array.
#[derive(Debug, Default)]
pub(crate) struct Array {
    /// The array. What stands for a binary value is its position in `binary`.
    pub(crate) text: Vec<u8>,
    /// Each binary value after its length, four bytes, little-endian.
    pub(crate) binary: Vec<u8>,
}

impl Array {
    fn of_numbers(row: &[i32]) -> Self {
        let mut array = Self::default();
        for words in row.chunks(WORDS) {
            array.begin_entry();
            array.write_number(words[0]);
            for &word in &words[1..] {
                array.text.push(b',');
                array.write_number(word);
            }
        }
        array
    }

    fn push(&mut self, entry: &Entry<'_>) {
        self.begin_entry();
        self.write_number(entry.kind_with(|it| if it.is_binary() { it.number() } else { 0 }));
        self.text.push(b',');
        self.write_number(entry.worker);
        for value in [&entry.data, &entry.response] {
            self.text.push(b',');
            match value {
                Some(value) => self.write(value),
                None => self.text.push(b'0'),
            }
        }
    }

    fn begin_entry(&mut self) {
        self.text.extend_from_slice(if self.text.is_empty() { b"[" } else { BETWEEN });
    }

    fn write_number(&mut self, number: impl itoa::Integer) {
        self.text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    fn write(&mut self, value: &Value<'_>) {
        match value.format {
            Format::Json => {
                let from = self.text.len();
                self.text.extend_from_slice(value);
                // Between JSON's tokens a newline is a space like any other; inside of them there is none.
                if memchr::memchr(b'\n', value).is_some() {
                    let newlines = self.text[from..].iter_mut().filter(|byte| **byte == b'\n');
                    newlines.for_each(|byte| *byte = b' ');
                }
            }
            Format::String if is_plain(value) => {
                self.text.push(b'"');
                self.text.extend_from_slice(value);
                self.text.push(b'"');
            }
            Format::String => {
                let string = String::from_utf8_lossy(value);
                serde_json::to_writer(&mut self.text, &string).expect("a vector takes any string");
            }
            Format::Clone | Format::Buffer => {
                self.write_number(self.binary.len());
                let len = u32::try_from(value.len()).expect("no longer than `LONG`");
                self.binary.extend_from_slice(&len.to_le_bytes());
                self.binary.extend_from_slice(value);
            }
        }
    }
}

/// Whether a string is ASCII of which JSON escapes nothing. It costs a tenth of having `serde_json` look for that,
/// because there is no branch: many bytes are checked at once.
fn is_plain(string: &[u8]) -> bool {
    let is_special = |byte: u8| !(0x20..0x80).contains(&byte) || byte == b'"' || byte == b'\\';
    !string.iter().fold(false, |any, &byte| any | is_special(byte))
}

impl Piece {
    /// Adds a short entry, whose words are `words` if it has any. False if it belongs in another piece.
    fn push(&mut self, entry: &Entry<'_>, words: Option<Words>) -> bool {
        match (&mut *self, words) {
            (Self::Numbers(row), Some(words)) if size_of_val(&**row) < PIECE => {
                row.extend_from_slice(&words);
                return true;
            }
            (Self::Numbers(row), None) if row.len() < ROW * WORDS => {
                *self = Self::Array(Array::of_numbers(row));
            }
            _ => {}
        }
        match self {
            Self::Array(array) if array.text.len() + array.binary.len() < PIECE => {
                array.push(entry);
                true
            }
            _ => false,
        }
    }
}

/// A queue of entries.
#[derive(Debug, Default)]
pub(crate) struct Results {
    queue: VecDeque<Queued>,
    count: usize,
    bytes: usize,
}

/// A piece in the queue, with how many entries it has, and how many bytes their values have.
#[derive(Debug)]
struct Queued {
    piece: Piece,
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
        let piece = if bytes > LONG {
            Piece::Long(Box::new(entry.into_owned()))
        } else {
            let words = entry.words();
            if let Some(last) = self.queue.back_mut()
                && last.piece.push(&entry, words)
            {
                last.count += 1;
                last.bytes += bytes;
                return;
            }
            let mut piece = if words.is_some() {
                Piece::Numbers(Vec::new())
            } else {
                Piece::Array(Array::default())
            };
            piece.push(&entry, words);
            piece
        };
        self.queue.push_back(Queued { piece, count: 1, bytes });
    }

    /// Adds an entry, if there is one.
    pub(crate) fn extend(&mut self, entry: Option<Entry<'_>>) {
        if let Some(entry) = entry {
            self.push(entry);
        }
    }

    /// Takes the oldest piece.
    pub(crate) fn take(&mut self) -> Option<Piece> {
        let Queued { mut piece, count, bytes } = self.queue.pop_front()?;
        self.count -= count;
        self.bytes -= bytes;
        if let Piece::Array(array) = &mut piece {
            array.text.push(b']');
        }
        Some(piece)
    }
}

#[cfg(test)]
impl Piece {
    /// Its entries as one JSON array, if they are short.
    pub(crate) fn json(&self) -> Option<Vec<u8>> {
        match self {
            Self::Numbers(row) => Some([&Array::of_numbers(row).text[..], b"]"].concat()),
            Self::Array(array) => Some(array.text.clone()),
            Self::Long(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shm::store::Bytes;

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
            assert!(size_of_val(&*row) <= PIECE + size_of::<Words>());
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
            match results.take().expect("an entry") {
                Piece::Array(array) => {
                    let values: Vec<serde_json::Value> =
                        serde_json::from_slice(&array.text).expect("JSON");
                    assert_eq!(values[2..], [text, text]);
                    assert!(!array.text.contains(&b'\n') && array.binary.is_empty());
                }
                Piece::Long(entry) => {
                    for value in [entry.data, entry.response].map(|value| value.expect("there")) {
                        assert_eq!(*value, *text.as_bytes());
                        assert_eq!(value.format, Format::String);
                    }
                    assert!(text.len() > LONG / 2);
                }
                Piece::Numbers(_) => unreachable!("no numbers"),
            }
        }
    }

    #[test]
    fn short_binary_values_lie_beside_the_text() {
        let mut results = Results::default();
        let all: Vec<Vec<u8>> = (0..1000).map(|number| vec![number as u8; number % 70]).collect();
        for bytes in &all {
            results.push(Entry {
                kind: entry::DATA | entry::RESPONSE,
                worker: 1,
                data: Some(Value::new(bytes, Format::Buffer)),
                response: Some(Value::new(b"text", Format::String)),
            });
            let response = Some(Value::new(bytes, Format::Clone));
            results.push(Entry { kind: entry::RESPONSE, worker: 2, data: None, response });
        }
        let mut seen = 0;
        let mut pieces = 0;
        while let Some(piece) = results.take() {
            let Piece::Array(Array { text, binary }) = piece else { panic!("they are short") };
            let at = |value: &serde_json::Value| {
                let at = value.as_u64().expect("a position") as usize;
                let len = u32::from_le_bytes(binary[at..at + 4].try_into().expect("4 bytes"));
                binary[at + 4..at + 4 + len as usize].to_vec()
            };
            let values: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
            for entry in values.chunks(WORDS) {
                let bytes = &all[seen / 2];
                if seen % 2 == 0 {
                    assert_eq!(entry[0], 6 | 3 << entry::DATA_FORMAT_AT);
                    assert!(at(&entry[2]) == *bytes && entry[3] == "text");
                } else {
                    assert_eq!(entry[0], 4 | 2 << entry::RESPONSE_FORMAT_AT);
                    assert!(entry[2] == 0 && at(&entry[3]) == *bytes);
                }
                seen += 1;
            }
            pieces += 1;
        }
        assert_eq!(seen, 2000);
        assert!(pieces < 5, "{pieces} pieces");
    }

    #[test]
    fn long_values_are_moved() {
        let mut results = Results::default();
        let mut bytes = Bytes::from(&*vec![200; LONG + 1]);
        let at = bytes.as_ptr();
        let response = Some(Value::out_of(&mut bytes, Format::Buffer));
        results.push(Entry { kind: entry::RESPONSE, worker: 1, data: None, response });
        assert!(bytes.is_empty());
        let Some(Piece::Long(long)) = results.take() else { panic!("it is long") };
        assert_eq!(
            long.kind_with(Format::number),
            entry::RESPONSE | 3 << entry::RESPONSE_FORMAT_AT
        );
        let response = long.response.expect("there");
        assert!(long.data.is_none() && long.kind == entry::RESPONSE);
        assert_eq!((response.as_ptr(), response.format), (at, Format::Buffer), "moved");
    }
}
