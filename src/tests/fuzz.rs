//! Promised: whatever bytes come from the other side, in whatever pieces, decoding them neither
//! panics nor goes on for ever, gives out no more than came in, and is what it is however the
//! stream was cut. The number of cases is that of `PROPTEST_CASES`; what once failed is tried first
//! (`proptest-regressions`).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::os::memory::Memory;
use crate::run::results::{Array, Entry, Piece, Results};
use crate::run::value::Value;
use crate::shm::ring::{Consumer, Producer};
use crate::shm::store::Bytes;
use crate::wire::channel::{self, Lines};
use crate::wire::flow::{self, Record};
use crate::wire::format::Format;
use crate::wire::frame::{Decoder, Frame, MAX_FRAME, Malformed, encode};
use crate::wire::header::{HEADER, Header, Kind};
use crate::wire::layout::Place;
use crate::wire::protocol::{Hello, Invitation, Message, Refusal};

/// A stream of frames, some of them spoilt: frames whole, and bytes that are none.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let frame =
        (any::<u8>(), vec(any::<u8>(), 0..200)).prop_map(|(kind, body)| encode(kind, &body));
    let noise = vec(any::<u8>(), 0..20);
    let piece = prop_oneof![8 => frame, 1 => noise];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Everything that a decoder makes of a stream in these pieces, and how it ends.
fn decoded<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<Malformed>) {
    let mut decoder = Decoder::default();
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(malformed) => return (frames, Some(malformed)),
            }
        }
    }
    (frames, decoder.finish().err())
}

fn text() -> impl Strategy<Value = String> {
    ".{0,40}"
}

fn message() -> impl Strategy<Value = Message> {
    let hello = (any::<u32>(), any::<u32>(), text())
        .prop_map(|(version, pid, token)| Message::Hello(Hello { version, pid, token }));
    let refusal = (text(), text(), text())
        .prop_map(|(name, code, message)| Message::Refused(Refusal { name, code, message }));
    prop_oneof![
        Just(Message::Notify),
        Just(Message::Registered),
        Just(Message::Release),
        Just(Message::Ping),
        hello,
        refusal,
        text().prop_map(Message::Uncaught),
        text().prop_map(Message::Exiting),
        text().prop_map(Message::Passed),
    ]
}

/// JSON, or nearly so.
fn jsonish() -> impl Strategy<Value = Vec<u8>> {
    let sound = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        text().prop_map(|text| serde_json::Value::from(text).to_string()),
        (text(), any::<bool>())
            .prop_map(|(key, value)| serde_json::json!({ key: [value] }).to_string()),
    ];
    let garbage = prop_oneof!["[0-9,\\[\\]{}\":\n ]{0,12}", text()].prop_map(String::into_bytes);
    prop_oneof![4 => sound.prop_map(String::into_bytes), 1 => garbage, 1 => vec(any::<u8>(), 0..20)]
}

/// A line on Node's channel: something of Node's, of the program's, or garbage.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        "NODE_CLUSTER|NODE_HANDLE|NODE_|online|queryServer|exitedAfterDisconnect|listening",
        text(),
    ];
    let node = (word.clone(), word, jsonish()).prop_map(|(cmd, act, seq)| {
        let [cmd, act] = [cmd, act].map(|word| serde_json::Value::from(word).to_string());
        [format!("{{\"cmd\":{cmd},\"act\":{act},\"seq\":").as_bytes(), &seq, b"}"].concat()
    });
    prop_oneof![node, jsonish()]
}

const PLACE: Place = Place { tail: 0, head: 16, bytes: 128, size: 1024 };

fn ring_memory() -> Arc<Memory> {
    Arc::new(Memory::anonymous(4096).expect("memory"))
}

/// Takes everything out of a ring; how many frames and how many bytes of payload that was.
fn popped(memory: &Arc<Memory>) -> (usize, usize) {
    let mut consumer = Consumer::new(Arc::clone(memory), PLACE);
    let mut payload = Bytes::default();
    let (mut frames, mut bytes) = (0, 0);
    while let Ok(Some(_)) = consumer.pop(&mut payload) {
        frames += 1;
        bytes += payload.len();
    }
    (frames, bytes)
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Task),
        Just(Kind::Message),
        Just(Kind::Chunk),
        Just(Kind::Drop),
        Just(Kind::Answer),
    ]
}

/// The bytes of a record's values.
fn bytes_of(record: &Record<'_>) -> usize {
    match *record {
        Record::Out { item, .. } => item.bytes.len(),
        Record::Failed { error, redo, item, .. } => error.len() + redo.len() + item.bytes.len(),
        Record::Spilled { told, .. } => told.len(),
        Record::Further { data } => data.len(),
    }
}

/// Something like the records of a flow.
fn recordish() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[%&!$#'~ ]",
        3 => "[0-9]{0,3}\t",
        3 => "(1|\\{\\}|\"a\"|\\[\\]|null)",
        2 => "\n",
    ];
    let noise = vec(any::<u8>(), 0..4);
    let piece = prop_oneof![8 => piece.prop_map(String::into_bytes), 1 => noise];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn records_of_a_flow_are_no_more_than_what_came_and_cut_ones_are_none(
        payload in prop_oneof![recordish(), vec(any::<u8>(), 0..100)],
        records in vec((0x21..0x7f_u8, 0..8_u8, vec(any::<u8>(), 0..20)), 0..8),
        cut in any::<Index>(),
    ) {
        for format in [Format::Json, Format::Buffer] {
            if let Some(records) = flow::records(&payload, format) {
                let bytes: usize = records.iter().map(|record| 1 + bytes_of(record)).sum();
                prop_assert!(bytes <= payload.len());
            }
        }
        let mut ends = vec![0];
        let mut framed = Vec::new();
        for (what, format, bytes) in &records {
            framed.extend((bytes.len() as u32).to_le_bytes());
            framed.extend([*what, *format]);
            framed.extend(bytes);
            ends.push(framed.len());
        }
        let whole = flow::records(&framed, Format::Buffer);
        prop_assert!(whole.as_ref().is_none_or(|whole| whole.len() == records.len()));
        let cut = cut.index(framed.len() + 1);
        let part = flow::records(&framed[..cut], Format::Buffer);
        if !ends.contains(&cut) {
            prop_assert_eq!(part, None);
        } else if let Some(whole) = whole {
            let count = ends.iter().position(|end| *end == cut).expect("one of them");
            prop_assert_eq!(part.as_deref(), Some(&whole[..count]));
        }
    }

    #[test]
    fn a_stream_of_frames_is_the_same_however_it_is_cut(stream in stream(), cuts in vec(any::<Index>(), 0..8)) {
        let whole = decoded(std::iter::once(&stream[..]));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|ends| &stream[ends[0]..ends[1]]);
        prop_assert_eq!(&decoded(pieces), &whole);
        prop_assert_eq!(&decoded(stream.chunks(1)), &whole);
        let bytes: usize = whole.0.iter().map(|frame| 5 + frame.body.len()).sum();
        prop_assert!(bytes <= stream.len());
        prop_assert!(whole.0.iter().all(|frame| frame.body.len() < MAX_FRAME));
    }

    #[test]
    fn a_message_is_what_it_was_and_any_other_body_is_a_message_or_refused(
        message in message(),
        kind in 0_u8..10,
        body in prop_oneof![jsonish(), vec(any::<u8>(), 0..60)],
    ) {
        let (frames, end) = decoded(std::iter::once(&message.encode()[..]));
        prop_assert_eq!((frames.len(), end), (1, None));
        prop_assert_eq!(Message::decode(&frames[0]), Ok(message));
        if let Ok(other) = Message::decode(&Frame { kind, body }) {
            let (again, _) = decoded(std::iter::once(&other.encode()[..]));
            prop_assert_eq!(Message::decode(&again[0]), Ok(other));
        }
    }

    #[test]
    fn an_invitation_is_read_whole_or_refused(body in prop_oneof![jsonish(), vec(any::<u8>(), 0..60)]) {
        if let Ok(invitation) = serde_json::from_slice::<Invitation>(&body) {
            let text = serde_json::to_vec(&invitation).expect("plain data");
            prop_assert_eq!(serde_json::from_slice::<Invitation>(&text).expect("the same"), invitation);
        }
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut(lines in vec(line(), 0..8), step in 1_usize..50) {
        let stream: Vec<u8> = lines.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
        let mut cut = Lines::default();
        let mut seen = Vec::new();
        for piece in stream.chunks(step) {
            cut.feed(piece);
            while let Some(line) = cut.next().expect("short") {
                seen.push(line);
            }
        }
        let expected: Vec<&[u8]> = stream.split(|&byte| byte == b'\n').collect();
        prop_assert_eq!(&seen[..], &expected[..expected.len() - 1]);
        for line in &seen {
            // What is passed on to JavaScript is JSON there.
            if let channel::Said::Message(text) | channel::Said::Listening(text) = channel::interpret(line) {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
            }
        }
    }

    #[test]
    fn a_ring_of_arbitrary_bytes_ends(
        bytes in vec(any::<u8>(), PLACE.size as usize),
        head in any::<u32>(),
        published in prop_oneof![0..2048_u32, any::<u32>()],
    ) {
        let memory = ring_memory();
        memory.write(PLACE.bytes, &bytes);
        memory.word(PLACE.head).store(head, Ordering::SeqCst);
        memory.word(PLACE.tail).store(head.wrapping_add(published), Ordering::SeqCst);
        let (frames, bytes) = popped(&memory);
        prop_assert!(frames * HEADER + bytes <= PLACE.size as usize);
    }

    #[test]
    fn a_ring_of_frames_some_bits_of_which_were_turned_ends(
        begin in any::<u32>(),
        frames in vec((kind(), any::<u32>(), vec(any::<u8>(), 0..200)), 0..30),
        flips in vec((any::<Index>(), 0_u8..8), 0..4),
        tail in 0..64_u32,
    ) {
        let memory = ring_memory();
        for word in [PLACE.head, PLACE.tail] {
            memory.word(word).store(begin & !7, Ordering::SeqCst);
        }
        let producer = Producer::new(Arc::clone(&memory), PLACE);
        let mut sent = 0;
        for (kind, flags, payload) in &frames {
            let header = Header::new(*kind, flags & !0xff);
            if !producer.push(&header, payload, &mut 0) {
                break;
            }
            sent += usize::from(!matches!(kind, Kind::Chunk | Kind::Drop));
        }
        for (at, bit) in &flips {
            let at = PLACE.bytes + at.index(PLACE.size as usize);
            let [byte] = memory.array(at);
            memory.write(at, &[byte ^ (1 << bit)]);
        }
        if flips.is_empty() {
            prop_assert_eq!(popped(&memory).0, sent);
        } else {
            memory.word(PLACE.tail).fetch_sub(tail, Ordering::SeqCst);
            let (frames, bytes) = popped(&memory);
            prop_assert!(frames * HEADER + bytes <= PLACE.size as usize);
        }
    }

    #[test]
    fn every_entry_has_its_line_whatever_is_in_the_others(
        entries in vec((any::<u16>(), 1..9_u32, 0..4_u32, jsonish(), 0..4_u32, jsonish()), 0..200),
    ) {
        let mut results = Results::default();
        for (kind, worker, data_format, data, response_format, response) in &entries {
            results.push(Entry {
                kind: u32::from(*kind) & 0x7f,
                worker: *worker,
                data: Some(Value::new(data, Format::from_number(*data_format))),
                response: Some(Value::new(response, Format::from_number(*response_format))),
            });
        }
        let mut workers = Vec::new();
        while let Some(piece) = results.take() {
            match &piece {
                Piece::Array(Array { text, .. }) => {
                    prop_assert_eq!((text.first(), text.last()), (Some(&b'['), Some(&b']')));
                    for line in text[1..text.len() - 1].split(|&byte| byte == b'\n') {
                        let worker = line.split(|&byte| byte == b',').nth(1).expect("a number");
                        workers.push(std::str::from_utf8(worker).expect("digits").parse().expect("a number"));
                    }
                }
                Piece::Numbers(row) => workers.extend(row.chunks(4).map(|words| words[1] as u32)),
                Piece::Long(long) => workers.push(long.worker),
            }
        }
        let expected: Vec<u32> = entries.iter().map(|(_, worker, ..)| *worker).collect();
        prop_assert_eq!(workers, expected);
    }
}

/// A producer that writes on while it is read, and nothing that is ever whole.
#[test]
fn a_ring_that_is_filled_with_parts_for_ever_is_given_up() {
    for kind in [Kind::Chunk, Kind::Drop] {
        let place = Place { size: 1 << 20, ..PLACE };
        let memory = Arc::new(Memory::anonymous(place.bytes + (1 << 20)).expect("memory"));
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let producer = Producer::new(Arc::clone(&memory), place);
        assert!(producer.push(&Header::new(kind, 0), b"", &mut 0));
        let (theirs, stopped) = (Arc::clone(&memory), Arc::clone(&stop));
        // All of its bytes are that one frame: any position is one more.
        let frame: [u8; HEADER] = memory.array(place.bytes);
        memory.write(place.bytes, &frame.repeat((1 << 20) / HEADER));
        let hostile = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                let head = theirs.word(place.head).load(Ordering::SeqCst);
                theirs.word(place.tail).store(head.wrapping_add(1 << 19), Ordering::SeqCst);
            }
        });
        let mut consumer = Consumer::new(memory, place);
        let mut payload = Bytes::default();
        // Between two looks of the other it may be empty.
        let end = std::iter::from_fn(|| Some(consumer.pop(&mut payload))).find(Result::is_err);
        stop.store(true, Ordering::SeqCst);
        hostile.join().expect("no panic");
        assert_eq!(end, Some(Err(crate::shm::ring::Broken::Endless)), "{kind:?}");
    }
}
