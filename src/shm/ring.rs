//! A byte ring with one producer and one consumer.
//!
//! A worker has two: what is meant for it alone comes through its *task* ring, and its answers go
//! through its *answer* ring. A frame is a header of [`HEADER`] bytes and a payload padded to 8; it may
//! wrap around the end. A payload longer than a quarter of the ring travels as [`Kind::Chunk`] frames
//! before the frame itself, so that one of any length passes through a ring of fixed size.
//!
//! A frame is there when the tail has passed it, and the tail moves after the bytes: what a killed
//! producer had published is whole. Nothing here blocks or wakes; that is the owners' business.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::os::memory::{Memory, Sink};
use crate::shm::store::Bytes;
use crate::wire::header::{HEADER, Header, Kind};
use crate::wire::layout::Place;
use crate::wire::seq::Seq;

/// The longest payload that is put together from chunks: beyond what a V8 string can hold.
pub(crate) const MAX_PAYLOAD: usize = 1 << 30;

/// The longest payload that there is room for before it comes: what a producer says of its length is
/// believed so far. More grows with what is there.
const MOST_RESERVED: usize = 64 << 20;

/// The producer broke the ring: it is not ours, or its memory is garbage.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the ring's positions are {0} bytes apart, more than it holds")]
    Positions(u32),
    #[error("a frame of {0} bytes reaches beyond what was published")]
    Length(u32),
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
    #[error("a payload longer than {MAX_PAYLOAD} bytes")]
    TooLong,
    #[error("parts of payloads without an end")]
    Endless,
}

#[derive(Debug)]
struct Ring {
    memory: Arc<Memory>,
    place: Place,
}

impl Ring {
    fn new(memory: Arc<Memory>, place: Place) -> Self {
        assert!(place.size.is_power_of_two() && place.size >= 1024, "a ring's size is 2^n");
        assert!(place.bytes + place.size as usize <= memory.len(), "the ring fits the memory");
        Self { memory, place }
    }

    fn tail(&self, order: Ordering) -> Seq {
        Seq(self.memory.word(self.place.tail).load(order))
    }

    fn head(&self, order: Ordering) -> Seq {
        Seq(self.memory.word(self.place.head).load(order))
    }

    /// Which byte of the ring a position is.
    fn at(&self, position: Seq) -> usize {
        (position.0 & (self.place.size - 1)) as usize
    }

    fn longest_frame_payload(&self) -> usize {
        self.place.size as usize / 4
    }

    fn write(&self, position: Seq, from: &[u8]) {
        let at = self.at(position);
        let first = from.len().min(self.place.size as usize - at);
        self.memory.write(self.place.bytes + at, &from[..first]);
        self.memory.write(self.place.bytes, &from[first..]);
    }

    fn read(&self, position: Seq, len: usize, to: &mut impl Sink) {
        let at = self.at(position);
        let first = len.min(self.place.size as usize - at);
        self.memory.read(self.place.bytes + at, first, to);
        self.memory.read(self.place.bytes, len - first, to);
    }

    /// The bytes of the header at `position`, which may wrap around the end.
    fn header(&self, position: Seq) -> [u8; HEADER] {
        let at = self.at(position);
        if at + HEADER <= self.place.size as usize {
            return self.memory.array(self.place.bytes + at);
        }
        std::array::from_fn(|offset| {
            let at = (at + offset) & (self.place.size as usize - 1);
            let [byte] = self.memory.array(self.place.bytes + at);
            byte
        })
    }

    /// The header at `head` and the length of its payload, both checked.
    fn peek(&self, head: Seq) -> Result<Option<(Header, usize)>, Broken> {
        let published = self.tail(Ordering::SeqCst).since(head);
        if published == 0 {
            return Ok(None);
        }
        if published > self.place.size {
            return Err(Broken::Positions(published));
        }
        let (len, header) = Header::parse(&self.header(head));
        // First as it is: what it is padded to may be more than a word holds.
        if len > published || padded(len as usize) > published as usize {
            return Err(Broken::Length(len));
        }
        Ok(Some((header.map_err(Broken::Kind)?, len as usize)))
    }
}

fn padded(len: usize) -> usize {
    HEADER + len.next_multiple_of(8)
}

/// The writing end.
#[derive(Debug)]
pub(crate) struct Producer(Ring);

impl Producer {
    pub(crate) fn new(memory: Arc<Memory>, place: Place) -> Self {
        Self(Ring::new(memory, place))
    }

    /// Writes as much of the frame as fits, from byte `written` of its payload on, and moves
    /// `written`. True when the frame is complete and published.
    pub(crate) fn push(&self, header: &Header, payload: &[u8], written: &mut usize) -> bool {
        let longest = self.0.longest_frame_payload();
        let total = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        while payload.len() - *written > longest {
            let part = &payload[*written..*written + longest];
            if !self.frame(&Header { split: total, ..Header::new(Kind::Chunk, 0) }, part) {
                return false;
            }
            *written += longest;
        }
        let done = self.frame(header, &payload[*written..]);
        if done {
            *written = payload.len();
        }
        done
    }

    /// Where a payload of up to `room` bytes can be written in one piece, followed by [`Self::publish`].
    /// None if it is too long for one frame, or there is no room, or it would wrap around the end.
    pub(crate) fn place(&self, room: usize) -> Option<*mut u8> {
        let size = self.0.place.size as usize;
        let tail = self.0.tail(Ordering::Relaxed);
        let used = tail.since(self.0.head(Ordering::SeqCst)) as usize;
        let at = self.0.at(tail.plus(HEADER as u32));
        let fits = room <= self.0.longest_frame_payload()
            && used + padded(room) <= size
            && at + room <= size;
        fits.then(|| self.0.memory.at(self.0.place.bytes + at))
    }

    /// Publishes a frame whose payload of `len` bytes was written to its [`Self::place`].
    pub(crate) fn publish(&self, header: &Header, len: usize) {
        let tail = self.0.tail(Ordering::Relaxed);
        self.0.write(tail, &header.bytes(len));
        let next = tail.plus(u32::try_from(padded(len)).expect("a frame fits its ring"));
        self.0.memory.word(self.0.place.tail).store(next.0, Ordering::SeqCst);
    }

    /// Whether the consumer has taken everything.
    pub(crate) fn is_drained(&self) -> bool {
        self.0.tail(Ordering::Relaxed) == self.0.head(Ordering::SeqCst)
    }

    fn frame(&self, header: &Header, payload: &[u8]) -> bool {
        let tail = self.0.tail(Ordering::Relaxed);
        let used = tail.since(self.0.head(Ordering::SeqCst)) as usize;
        let len = padded(payload.len());
        if used + len > self.0.place.size as usize {
            return false;
        }
        self.0.write(tail.plus(HEADER as u32), payload);
        self.publish(header, payload.len());
        true
    }
}

/// The reading end. It trusts no position and no length that it finds.
#[derive(Debug)]
pub(crate) struct Consumer {
    ring: Ring,
    /// Its own position. The word in memory only tells the producer, who could change it.
    head: Seq,
    chunks: Bytes,
}

impl Consumer {
    pub(crate) fn new(memory: Arc<Memory>, place: Place) -> Self {
        let ring = Ring::new(memory, place);
        let head = ring.head(Ordering::SeqCst);
        Self { ring, head, chunks: Bytes::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ring.tail(Ordering::SeqCst) == self.head
    }

    /// Where the frames end that are published by now: no further away than the ring is long.
    pub(crate) fn end(&self) -> Seq {
        let published = self.ring.tail(Ordering::SeqCst).since(self.head);
        self.head.plus(published.min(self.ring.place.size))
    }

    /// The next complete frame, if it begins before `end`. So a producer that writes as fast as it is read
    /// keeps nobody, and nothing is left that was published before.
    pub(crate) fn pop_before(
        &mut self,
        end: Seq,
        payload: &mut Bytes,
    ) -> Result<Option<Header>, Broken> {
        if self.head.is_before(end) { self.pop(payload) } else { Ok(None) }
    }

    /// The next complete frame; its payload replaces what is in `payload`.
    pub(crate) fn pop(&mut self, payload: &mut Bytes) -> Result<Option<Header>, Broken> {
        payload.clear();
        let mut parts = 0;
        while let Some((header, len)) = self.ring.peek(self.head)? {
            if matches!(header.kind, Kind::Chunk | Kind::Drop) {
                parts += 1;
                if parts > self.most_parts() {
                    return Err(Broken::Endless);
                }
            }
            match header.kind {
                Kind::Chunk => {
                    if self.chunks.is_empty() {
                        self.chunks.reserve((header.split as usize).clamp(len, MOST_RESERVED));
                    }
                    self.take(len, None)?;
                }
                Kind::Drop => {
                    self.chunks = Bytes::default();
                    self.take(len, Some(payload))?;
                    payload.clear();
                }
                _ => {
                    if !self.chunks.is_empty() {
                        *payload = std::mem::take(&mut self.chunks);
                    }
                    self.take(len, Some(payload))?;
                    return Ok(Some(header));
                }
            }
        }
        Ok(None)
    }

    /// Twice the parts of the longest payload, in case the first was given up. A producer that writes parts
    /// of no length, or gives up again and again, would keep whoever reads for ever.
    fn most_parts(&self) -> usize {
        2 * (MAX_PAYLOAD / self.ring.longest_frame_payload() + 1)
    }

    /// Moves the frame's payload into `to`, or onto the chunks, and frees its place.
    fn take(&mut self, len: usize, to: Option<&mut Bytes>) -> Result<(), Broken> {
        let to = to.unwrap_or(&mut self.chunks);
        if to.len() + len > MAX_PAYLOAD {
            return Err(Broken::TooLong);
        }
        self.ring.read(self.head.plus(HEADER as u32), len, to);
        self.head = self.head.plus(padded(len) as u32);
        self.ring.memory.word(self.ring.place.head).store(self.head.0, Ordering::SeqCst);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
