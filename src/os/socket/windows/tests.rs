//! Promised: a pipe never makes anybody wait who sends, ends when its other end does, and carries what libuv can
//! read; and what was said before an end is heard.

use std::io::{Read, Write};

use super::pipe::pair;
use super::*;
use crate::os::memory::Memory;
use crate::os::socket::token;

const LEN: usize = 100_000;

/// The ends of a pipe, the second as a child has it.
fn ends() -> (Stream, Stream) {
    let (ours, theirs) = pair(false).expect("a pipe");
    (ours, taken_over(theirs).expect("an end"))
}

/// All of it, at once.
fn send_now(stream: &Stream, bytes: &[u8]) -> io::Result<()> {
    assert_eq!(stream.send(bytes)?, bytes.len());
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn either_end_hears_the_other_and_its_end() {
    let (ours, mut theirs) = ends();
    send_now(&ours, b"there").expect("room");
    let mut bytes = [0; 16];
    assert_eq!(theirs.read(&mut bytes).expect("a word"), 5);
    send_now(&theirs, b"and back").expect("room");
    // While one thread waits, another sends through the same end.
    let mut reader = ours.try_clone().expect("a clone");
    let waits = std::thread::spawn(move || {
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).expect("until the end");
        heard
    });
    send_now(&ours, b"more").expect("room");
    assert_eq!(theirs.read(&mut bytes).expect("a word"), 4);
    drop(theirs);
    assert_eq!(waits.join().expect("no panic"), b"and back");
    assert_eq!(
        send_now(&ours, b"word").map_err(|error| error.kind()),
        Err(io::ErrorKind::BrokenPipe)
    );
}

#[test]
fn whoever_sends_to_somebody_who_does_not_read_is_told_at_once_and_loses_nothing() {
    let (ours, mut theirs) = ends();
    let mut sent = 0_usize;
    while ours.has_room() {
        send_now(&ours, &[7; 1000]).expect("room");
        sent += 1000;
    }
    assert!(sent >= 64_000, "{sent}");
    let full = send_now(&ours, b"word").expect_err("it is full");
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    let mut bytes = vec![0; sent];
    theirs.read_exact(&mut bytes).expect("all of it");
    assert!(bytes.iter().all(|&byte| byte == 7) && ours.has_room());
    // One that goes with a write under way takes that with it.
    while ours.has_room() {
        send_now(&ours, &[8; 1000]).expect("room");
    }
    drop(ours);
}

#[test]
fn what_passes_through_nodes_channel_is_framed_both_ways() {
    let (ours, theirs) = pair(true).expect("a pipe");
    let mut theirs = taken_over(theirs).expect("an end");
    let text = vec![b'x'; LEN];
    // More than there is room for: the rest comes while it is read.
    assert_eq!(ours.send(&text).expect("room"), LEN);
    let mut header = [0; 16];
    theirs.read_exact(&mut header).expect("a header");
    assert_eq!(header, [1, 0, 0, 0, 0, 0, 0, 0, 0xa0, 0x86, 1, 0, 0, 0, 0, 0]);
    let mut bytes = vec![0; LEN];
    theirs.read_exact(&mut bytes).expect("the text");
    assert_eq!(bytes, text);
    let writer = std::thread::spawn(move || {
        let frames = [&b"{\"a\":1}\n"[..], &vec![b'y'; LEN], b"last\n"];
        for frame in frames {
            let whole = [&crate::os::socket::frames::header(frame.len()), frame].concat();
            for part in whole.chunks(30_000) {
                while send_now(&theirs, part).is_err() {
                    std::thread::yield_now();
                }
            }
        }
        while !theirs.has_room() {
            std::thread::yield_now();
        }
    });
    let heard = runtime().block_on(async {
        let polled = Polled::from_std(ours).expect("in a runtime");
        let (mut heard, mut bytes) = (Vec::new(), [0; 8192]);
        while settle(&polled).await {
            match receive_now(&polled, &mut bytes) {
                Ok(0) => break,
                Ok(count) => heard.write_all(&bytes[..count]).expect("a Vec"),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        heard
    });
    writer.join().expect("no panic");
    assert_eq!(heard.len(), 8 + LEN + 5);
    assert!(heard.starts_with(b"{\"a\":1}\ny") && heard.ends_with(b"ylast\n"));
}

#[test]
fn memory_is_zeroed_and_shared() {
    let section = memory(12_345).expect("memory");
    let [first, second] = [0; 2].map(|_| Memory::of(&section).expect("a view"));
    drop(section);
    assert!(first.len() >= 12_345 && first.len() == second.len());
    let mut bytes = vec![1; first.len()];
    first.copy(0, &mut bytes);
    assert!(bytes.iter().all(|&byte| byte == 0));
    first.write(first.len() - 1, &[7]);
    assert_eq!(second.array(first.len() - 1), [7]);
}

#[test]
fn a_token_is_no_other_s() {
    let [one, other] = [0; 2].map(|_| token().expect("random bits"));
    assert!([&one, &other].iter().all(|token| token.len() == 32));
    assert_ne!(one, other);
}
