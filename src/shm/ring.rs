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
mod tests {
    use super::*;
    use crate::wire::format::Format;
    use crate::wire::header::{data_format_of, flag, format_of};

    #[test]
    fn a_reader_takes_what_was_published_before_and_believes_no_position_but_its_own() {
        let (producer, mut consumer, memory) = pair();
        let (header, mut payload) = (Header::new(Kind::Message, 0), Bytes::default());
        let push = |count| (0..count).all(|_| producer.push(&header, b"12345678", &mut 0));
        assert!(push(3));
        let end = consumer.end();
        assert!(push(2));
        // The peer says that it has read nothing, or what is to come.
        for position in [0, 200] {
            memory.word(PLACE.head).store(position, Ordering::SeqCst);
            assert_eq!(consumer.pop_before(end, &mut payload), Ok(Some(header)));
        }
        assert_eq!(consumer.pop_before(end, &mut payload), Ok(Some(header)));
        assert_eq!(consumer.pop_before(end, &mut payload), Ok(None));
        assert!(!consumer.is_empty());
        memory.word(PLACE.tail).store(u32::MAX / 2, Ordering::SeqCst);
        assert_eq!(consumer.end().since(end), PLACE.size);
        let end = consumer.end();
        assert!(consumer.pop_before(end, &mut payload).is_err());
    }

    const PLACE: Place = Place { tail: 0, head: 16, bytes: 128, size: 1024 };

    fn pair() -> (Producer, Consumer, Arc<Memory>) {
        let memory = Arc::new(Memory::anonymous(4096).expect("memory"));
        (Producer::new(memory.clone(), PLACE), Consumer::new(memory.clone(), PLACE), memory)
    }

    fn header(index: u32) -> Header {
        Header {
            index,
            split: 3,
            started: 1.5,
            finished: 2.5,
            ..Header::new(Kind::Answer, flag::RESPONSE)
        }
    }

    #[test]
    fn frames_of_every_length_come_out_as_they_went_in_also_around_the_end() {
        let (producer, mut consumer, _) = pair();
        let mut payload = Bytes::default();
        for len in 0..3000_u32 {
            let sent: Vec<u8> = (0..len).map(|i| (i * 7 + len) as u8).collect();
            let mut written = 0;
            let mut parts = 0;
            let got = loop {
                let done = producer.push(&header(len), &sent, &mut written);
                let got = consumer.pop(&mut payload).expect("a sound ring");
                parts += 1;
                if done {
                    break got;
                }
                assert!(parts < 100, "a payload of {len} bytes makes no progress");
                assert_eq!(got, None, "an incomplete frame of {len} bytes came out");
            };
            assert_eq!(got, Some(header(len)));
            assert_eq!(*payload, *sent);
            assert!(producer.is_drained() && consumer.is_empty());
        }
    }

    #[test]
    fn a_full_ring_takes_nothing_more_until_it_is_read() {
        let (producer, mut consumer, _) = pair();
        let mut payload = Bytes::default();
        let mut pushed = 0;
        while producer.push(&header(pushed), b"12345", &mut 0) {
            pushed += 1;
        }
        assert_eq!(pushed, 1024 / 40);
        assert_eq!(consumer.pop(&mut payload).expect("sound").map(|h| h.index), Some(0));
        assert!(producer.push(&header(pushed), b"12345", &mut 0));
        for index in 1..=pushed {
            assert_eq!(consumer.pop(&mut payload).expect("sound").map(|h| h.index), Some(index));
        }
        assert_eq!(consumer.pop(&mut payload), Ok(None));
    }

    #[test]
    fn a_drop_frame_forgets_the_chunks_before_it() {
        let (producer, mut consumer, _) = pair();
        let mut payload = Bytes::default();
        let mut written = 0;
        assert!(!producer.push(&header(1), &[7; 2000], &mut written));
        assert!(written > 0);
        assert_eq!(consumer.pop(&mut payload), Ok(None));
        assert!(producer.push(&Header::new(Kind::Drop, 0), &[], &mut 0));
        assert!(producer.push(&header(2), b"whole", &mut 0));
        assert_eq!(consumer.pop(&mut payload).expect("sound").map(|h| h.index), Some(2));
        assert_eq!(*payload, *b"whole");
    }

    /// What a killed producer leaves: every prefix of the bytes of a stream of frames, with the
    /// tail at any of them. Nothing may be made up, and nothing published may be missed.
    #[test]
    fn a_tail_at_every_offset_yields_whole_frames_or_an_error_and_never_a_panic() {
        let (producer, _, memory) = pair();
        for index in 0..6 {
            assert!(producer.push(&header(index), &vec![9; index as usize * 11], &mut 0));
        }
        let end = memory.word(PLACE.tail).load(Ordering::SeqCst);
        let mut bounds = vec![0];
        for index in 0..6_usize {
            bounds.push(bounds[index] + padded(index * 11) as u32);
        }
        for tail in 0..=end {
            memory.word(PLACE.head).store(0, Ordering::SeqCst);
            memory.word(PLACE.tail).store(tail, Ordering::SeqCst);
            let mut consumer = Consumer::new(memory.clone(), PLACE);
            let mut payload = Bytes::default();
            let mut whole = 0;
            let ended = loop {
                match consumer.pop(&mut payload) {
                    Ok(Some(header)) => {
                        assert_eq!(header.index, whole);
                        assert_eq!(*payload, vec![9; whole as usize * 11]);
                        whole += 1;
                    }
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
            let expected = bounds.iter().filter(|&&bound| bound > 0 && bound <= tail).count();
            assert_eq!(whole as usize, expected, "at tail {tail}");
            assert_eq!(ended, bounds.contains(&tail), "at tail {tail}");
        }
    }

    /// A payload in chunks that say of its length what is not so.
    #[test]
    fn a_wrong_total_costs_nothing_but_copies() {
        let place = Place { size: 1 << 20, ..PLACE };
        for total in [0, 1, 40_000, 100_000, u32::MAX] {
            let memory = Arc::new(Memory::anonymous(place.bytes + (1 << 20)).expect("memory"));
            let producer = Producer::new(memory.clone(), place);
            let mut consumer = Consumer::new(memory, place);
            let part = vec![7; 30_000];
            for _ in 0..3 {
                let chunk = Header { split: total, ..Header::new(Kind::Chunk, 0) };
                assert!(producer.push(&chunk, &part, &mut 0));
            }
            assert!(producer.push(&header(1), &part, &mut 0));
            let mut payload = Bytes::default();
            assert_eq!(consumer.pop(&mut payload), Ok(Some(header(1))));
            assert!(*payload == vec![7; 4 * part.len()], "said to be {total}");
        }
    }

    #[test]
    fn formats_stand_side_by_side_in_the_flags_of_an_answer() {
        for number in 0..=Format::MASK {
            let (format, other) = (Format::from_number(number), Format::from_number(!number));
            let flags = flag::RESPONSE
                | (format.number() << flag::FORMAT_AT)
                | (other.number() << flag::DATA_FORMAT_AT);
            assert_eq!((format_of(flags), data_format_of(flags)), (format, other));
            assert_eq!(format.number(), number);
        }
        assert_eq!(format_of(flag::STRING), Format::String);
    }

    #[test]
    fn a_hostile_producer_gets_an_error() {
        let (producer, mut consumer, memory) = pair();
        let mut payload = Bytes::default();
        memory.word(PLACE.tail).store(4096, Ordering::SeqCst);
        assert_eq!(consumer.pop(&mut payload), Err(Broken::Positions(4096)));
        memory.word(PLACE.tail).store(0, Ordering::SeqCst);
        assert!(producer.push(&header(0), b"x", &mut 0));
        memory.write(PLACE.bytes, &u32::MAX.to_le_bytes());
        assert_eq!(consumer.pop(&mut payload), Err(Broken::Length(u32::MAX)));
        memory.write(PLACE.bytes, &1_u32.to_le_bytes());
        memory.write(PLACE.bytes + 4, &200_u32.to_le_bytes());
        assert_eq!(consumer.pop(&mut payload), Err(Broken::Kind(200)));
    }
}
