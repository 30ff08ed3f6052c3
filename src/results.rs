//! Results as they wait for somebody to look: still encoded, in order, in few large pieces.
//!
//! An entry is four JSON values, `kind,worker,data,response`, and a segment is many of them with
//! commas between: `[` + segment + `]` is one JSON array that JavaScript parses at once. A million
//! small results so cost a few bytes each instead of an object each.

use std::collections::VecDeque;

/// A segment is closed when it has this many bytes: large enough that parsing it costs per entry
/// and not per call, small enough that a program which stops early has not decoded much.
const SEGMENT: usize = 64 * 1024;

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

/// One entry; the texts are JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: u32,
    pub(crate) worker: u32,
    pub(crate) data: Option<&'a [u8]>,
    pub(crate) response: Option<&'a [u8]>,
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
        if last.count > 0 {
            last.text.push(b',');
        }
        let mut digits = itoa::Buffer::new();
        last.text.extend_from_slice(digits.format(entry.kind).as_bytes());
        last.text.push(b',');
        last.text.extend_from_slice(digits.format(entry.worker).as_bytes());
        last.text.push(b',');
        last.text.extend_from_slice(entry.data.unwrap_or(b"0"));
        last.text.push(b',');
        last.text.extend_from_slice(entry.response.unwrap_or(b"0"));
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
                data: Some(data.as_bytes()),
                response: (i % 2 == 0).then_some(b"{\"a\":[1]}"),
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
}
