//! Promised: what joins a master and its workers is theirs alone, cannot be cut, never makes anybody wait who
//! sends, and tells who has sent.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::fs::ftruncate;
use rustix::io::{FdFlags, fcntl_getfd};
use rustix::net::sockopt::set_socket_send_buffer_size;

use super::*;
use crate::os::memory::Memory;
use crate::os::socket::{Sender, token};
use crate::tests::player::DEADLINE;
use crate::wire::frame::{Decoder, encode};

const LEN: usize = 12_345;

#[test]
fn whoever_sends_is_known() {
    let (ours, theirs) = pair().expect("a socket");
    tell_senders(&ours, true).expect("a socket");
    let theirs = Stdio::from(OwnedFd::from(theirs));
    let mut child = Command::new("sh")
        .args(["-c", "printf word >&0; read line"])
        .stdin(theirs)
        .spawn()
        .expect("a shell");
    let mut bytes = [0; 16];
    let (count, sender) =
        crate::tests::player::until_some("a word", || receive_from(&ours, &mut bytes).ok());
    assert_eq!((&bytes[..count], sender), (b"word".as_slice(), Some(child.id())));
    drop(ours);
    // It ends with its input, and nobody else has used that.
    child.wait().expect("it ends");
}

#[test]
fn memory_is_zeroed_and_shared_and_nobody_can_cut_it() {
    let file = memory(LEN).expect("memory");
    let [first, second] = [0; 2].map(|_| Memory::of(&file).expect("a mapping"));
    assert!(first.len() >= LEN && first.len() == second.len());
    let mut bytes = vec![1; LEN];
    first.copy(0, &mut bytes);
    assert_eq!(bytes, [0; LEN]);
    first.write(LEN - 1, &[7]);
    assert_eq!(second.array(LEN - 1), [7]);
    for len in [0, LEN as u64 - 1, 1 << 20] {
        assert!(ftruncate(&file, len).is_err(), "it was made {len} bytes long");
    }
}

#[test]
fn no_other_program_gets_any_of_it() {
    let wires = wires(LEN).expect("wires");
    let Theirs { control, channel, memory } = &wires.theirs;
    let ends = [wires.control.as_fd(), wires.channel.as_fd(), wires.memory.as_fd()]
        .into_iter()
        .chain([control.as_fd(), channel.as_fd(), memory.as_fd()]);
    for end in ends {
        assert!(fcntl_getfd(end).expect("it is open").contains(FdFlags::CLOEXEC));
    }
}

#[test]
fn whoever_sends_to_somebody_who_does_not_read_or_is_gone_is_told_at_once() {
    let (ours, theirs) = pair().expect("a socket");
    let ours = Sender::new(ours);
    // The worker's end is one that waits.
    let full = std::iter::repeat_with(|| ours.send(&[1; 1000])).find_map(Result::err);
    assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    drop(theirs);
    // A process that another test starts has a copy of that end, until it runs its own program.
    let end = Instant::now() + DEADLINE;
    let gone = loop {
        let kind = ours.send(b"word").expect_err("nobody can have it").kind();
        if kind != io::ErrorKind::WouldBlock {
            break kind;
        }
        assert!(Instant::now() < end, "it is not told that nobody is there");
    };
    assert!(matches!(gone, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset), "{gone}");
}

/// The system takes what there is room for.
#[test]
fn a_frame_of_which_a_part_is_sent_is_whole_before_the_next_begins() {
    const BODY: usize = 30_000;
    let (ours, theirs) = pair().expect("a socket");
    // The least that there is.
    set_socket_send_buffer_size(&ours, 1).expect("a socket");
    let ours = Sender::new(ours);
    let (mut decoder, mut sent, mut heard) = (Decoder::default(), 0_u8, Vec::new());
    let (mut bytes, mut full) = ([0; 7000], 0);
    while sent < 50 {
        match ours.send(&encode(sent, &vec![sent; BODY])) {
            Ok(()) => sent += 1,
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                full += 1;
                let count = receive_now(&theirs, &mut bytes).expect("there is something");
                decoder.feed(&bytes[..count]);
            }
        }
    }
    // The rest of the last is waited for.
    let writer = std::thread::spawn(move || {
        while let Err(error) = ours.send_whole(&encode(sent, &vec![sent; BODY])) {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        }
    });
    let end = Instant::now() + DEADLINE;
    while heard.last() != Some(&sent) {
        assert!(Instant::now() < end, "the last frame is not whole");
        while let Some(frame) = decoder.next().expect("frames, and nothing else") {
            assert!(frame.body == vec![frame.kind; BODY]);
            heard.push(frame.kind);
        }
        match receive_now(&theirs, &mut bytes) {
            Ok(0) => break,
            Ok(count) => decoder.feed(&bytes[..count]),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
    writer.join().expect("no panic");
    assert!(full > 0 && heard == (0..=sent).collect::<Vec<_>>());
}

#[test]
fn a_token_is_no_other_s() {
    let [one, other] = [0; 2].map(|_| token().expect("random bits"));
    assert!([&one, &other].iter().all(|token| token.len() == 32));
    assert_ne!(one, other);
}
