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
    /// The worker was lost, and did not answer itself; or its answer is from an earlier program.
    pub(crate) const CRASH: u32 = 32;
    /// The worker has another event already, or is gone for good: it is not free.
    pub(crate) const TAKEN: u32 = 64;
    /// Two bits each: the formats of the data and of the response. (A string in an array is JSON like its neighbours.)
    pub(crate) const DATA_FORMAT_AT: u32 = 7;
    pub(crate) const RESPONSE_FORMAT_AT: u32 = 9;
    /// Of a flow: the data is an array whose items are one after the other, or a failure whose own data is bytes.
    pub(crate) const DATA_PARTS: u32 = 1 << 11;
    pub(crate) const DATA_FAILURE: u32 = 1 << 12;
    /// Of a flow: the response is a failure whose own data is bytes.
    pub(crate) const RESPONSE_FAILURE: u32 = 1 << 13;
    /// Seven bits, of a flow: the node that failed, or the sink, each counted from 1 on; 0 if there is but one sink.
    pub(crate) const PLACE_AT: u32 = 14;
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

    pub(crate) fn extend<'a>(&mut self, entries: impl IntoIterator<Item = Entry<'a>>) {
        for entry in entries {
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
mod tests;
