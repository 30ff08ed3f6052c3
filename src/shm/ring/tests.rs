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
