//! Promised: what joins a master and its workers is theirs alone, cannot be cut, never makes anybody wait who
//! sends, and tells who has sent.

use std::process::{Command, Stdio};

use rustix::fs::ftruncate;
use rustix::io::{FdFlags, fcntl_getfd};

use super::*;
use crate::memory::Memory;
use crate::socket::{send_now, token};

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
    // The worker's end is one that waits.
    let full = std::iter::repeat_with(|| send_now(&ours, &[1; 1000])).find_map(Result::err);
    assert_eq!(full.map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
    drop(theirs);
    let gone = send_now(&ours, b"word").expect_err("nobody can have it").kind();
    assert!(matches!(gone, io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset), "{gone}");
}

#[test]
fn a_token_is_no_other_s() {
    let [one, other] = [0; 2].map(|_| token().expect("random bits"));
    assert!([&one, &other].iter().all(|token| token.len() == 32));
    assert_ne!(one, other);
}
