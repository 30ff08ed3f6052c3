//! The control socket: who is heard, and until when.

use std::net::Shutdown;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::shm::ring::Producer;
use crate::tests::player::Claimer;
use crate::wire::frame;
use crate::wire::header::{Header, Kind, flag};
use crate::wire::protocol::Refusal;

#[tokio::test]
async fn the_process_that_was_started_is_heard() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    peer.say(&[hello()]);
    peer.say(&[Message::Registered]);
    assert_eq!(heard(&bench).await, [Note::Registered { worker: 1 }]);
    bench.map([1]);
    assert_eq!(Claimer::new(Arc::clone(&bench.lanes), 0).claim(), Some(0));
    let answers = Producer::new(Arc::clone(&peer.memory), Layout::ANSWERS);
    let answer = Header { split: 1, ..Header::new(Kind::Answer, flag::RESPONSE | FROM_LANE) };
    assert!(answers.push(&answer, b"2", &mut 0));
    peer.say(&[Message::Notify]);
    // Nobody asks for it: the notice is enough.
    until("the answer", || answers.is_drained()).await;
    assert_eq!(bench.take(Queue::Results)[0].response, 2);
    assert_eq!(peer.process.done(), []);
    peer.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn whoever_is_not_it_or_speaks_another_language_is_killed_and_heard_no_more() {
    let hello_of = |version, pid, token: &str| {
        Message::Hello(Hello { version, pid, token: token.into() }).encode()
    };
    let greeted = |bytes: &[u8]| [&hello().encode(), bytes].concat();
    let cases = [
        (hello_of(VERSION, pid(), "guess"), "it is not the process that was started"),
        (hello_of(VERSION, pid() + 1, TOKEN), "it is not the process that was started"),
        (hello_of(VERSION + 1, pid(), TOKEN), "it is of version 6, not 5"),
        (frame::encode(1, b"{\"version\":1}"), "missing field"),
        (frame::encode(1, b"\xff"), "expected value"),
        (Message::Registered.encode(), "it spoke before it said who it is"),
        (Message::Notify.encode(), "it spoke before it said who it is"),
        (vec![0; 4], "a control frame of 0 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "a control frame of 542393671 bytes"),
        (greeted(&frame::encode(77, b"")), "a control frame of unknown type 77"),
        (greeted(&frame::encode(3, b"{}")), "missing field"),
        (
            greeted(&[Message::Registered, Message::Registered].map(|it| it.encode()).concat()),
            "it registered twice",
        ),
        (greeted(&Message::Release.encode()), "it sent what only a master sends"),
        (greeted(&hello_of(VERSION, pid(), TOKEN)), "it said twice who it is"),
    ];
    for (bytes, reason) in cases {
        let later = [hello(), Message::Registered, Message::Uncaught("later".into())];
        let later: Vec<u8> = later.iter().flat_map(Message::encode).collect();
        // In one piece, and byte by byte.
        for step in [usize::MAX, 1] {
            let bench = Bench::new(1);
            let mut peer = Peer::start(&bench, 0);
            for piece in [bytes.as_slice(), &later].concat().chunks(step) {
                // It may have been hung up on.
                let _ = peer.control.write_all(piece);
                tokio::task::yield_now().await;
            }
            until(reason, || peer.process.was_killed()).await;
            let said = bench.said(0).expect("a reason");
            assert!(said.contains(reason), "{said}, not {reason}");
            assert!(said.starts_with("worker 1 does not speak this version's protocol"), "{said}");
            peer.exit(Exit::Signal(9)).await;
            let notes = bench.hear();
            let registered = notes.iter().filter(|note| matches!(note, Note::Registered { .. }));
            assert_eq!(
                registered.count(),
                usize::from(reason.contains("twice") && reason.contains("registered")),
                "{reason}"
            );
        }
    }
}

#[tokio::test]
async fn half_a_frame_at_the_end_is_told_as_such() {
    for cut in 1..hello().encode().len() {
        let bench = Bench::new(1);
        let mut peer = Peer::start(&bench, 0);
        peer.control.write_all(&hello().encode()[..cut]).expect("room");
        peer.control.shutdown(Shutdown::Write).expect("a socket");
        until("the reason", || bench.said(0).is_some()).await;
        assert_eq!(bench.said(0).as_deref(), Some("the stream ended inside a control frame"));
        peer.exit(Exit::Code(1)).await;
    }
}

#[tokio::test]
async fn a_worker_that_sends_half_a_frame_and_lives_on_is_killed_and_one_that_sends_the_rest_is_not()
 {
    let (stops, goes_on) = (Bench::new(1), Bench::new(1));
    let [mut half, mut whole] = [&stops, &goes_on].map(|bench| Peer::registered(bench, 0));
    let (first, rest) = (&[3, 0, 0], &[0, 4, b'w', b'o']);
    for peer in [&mut whole, &mut half] {
        peer.control.write_all(first).expect("room");
        tokio::task::yield_now().await;
    }
    whole.control.write_all(rest).expect("room");
    until("the end of patience", || half.process.was_killed()).await;
    let said = stops.said(0).expect("a reason");
    assert!(said.ends_with("it sent a part of a frame, and no more"), "{said}");
    assert_eq!(whole.process.done(), []);
    assert_eq!(goes_on.said(0).as_deref(), Some("wo"));
    half.exit(Exit::Signal(9)).await;
    whole.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn a_worker_that_is_silent_until_the_deadline_is_killed_and_one_that_registered_is_not() {
    let bench = Bench::with_deadline(2, Duration::from_millis(30));
    let registered = Peer::registered(&bench, 0);
    let mut silent = Peer::start(&bench, 1);
    // It is there, but does not reach the call.
    silent.say(&[hello(), Message::Passed("other.js:1:2".into())]);
    until("the deadline", || silent.process.was_killed()).await;
    silent.exit(Exit::Signal(9)).await;
    let notes = bench.hear();
    let Some(Note::Failed { code, message, .. }) = notes.last() else { panic!("{notes:?}") };
    assert_eq!(code, "ERR_SONIC_CALL_UNREACHABLE");
    let expected = "worker 2 did not reach the call within 30 ms; it reached other.js:1:2; ";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(registered.process.done(), []);
    registered.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn a_worker_that_cuts_the_wire_and_lives_on_is_killed_unless_the_run_is_over() {
    let (goes_on, over) = (Bench::new(1), Bench::new(1));
    let [cut, free] = [&goes_on, &over].map(|bench| Peer::registered(bench, 0));
    until("it is there", || over.ready() == 1).await;
    over.pool.release();
    // The one that may live on is first: its time is over before that of the other.
    for peer in [&free, &cut] {
        peer.control.shutdown(Shutdown::Both).expect("a socket");
        tokio::task::yield_now().await;
    }
    until("the end of patience", || cut.process.was_killed()).await;
    assert_eq!(free.process.done(), []);
    cut.exit(Exit::Signal(9)).await;
    free.exit(Exit::Code(0)).await;
}

/// The words are in the sockets before the process ends; the I/O thread learns of both at once.
#[tokio::test]
async fn everything_that_was_said_is_heard_before_the_end_is_told() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    // It is listened to, and has said nothing.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    peer.say(&[hello(), Message::Registered, Message::Uncaught("Error: at last".into())]);
    peer.line("{\"at\":\"last\"}");
    peer.exit(Exit::Code(3)).await;
    let expected = [
        Note::Registered { worker: 1 },
        Note::Message { worker: 1, text: "{\"at\":\"last\"}".into() },
        Note::Disconnect { worker: 1 },
        Note::Exit { worker: 1, code: Some(3), signal: None },
    ];
    assert_eq!(bench.hear(), expected);
}

#[tokio::test]
async fn last_words_are_in_the_errors_of_the_events_that_ran() {
    let bench = Bench::new(1);
    let mut peer = Peer::registered(&bench, 0);
    until("it is there", || bench.ready() == 1).await;
    bench.map([1]);
    assert_eq!(Claimer::new(Arc::clone(&bench.lanes), 0).claim(), Some(0));
    peer.say(&[Message::Uncaught("Error: at last".into())]);
    peer.exit(Exit::Code(3)).await;
    let failure = bench.take(Queue::Failures).remove(0);
    let message = failure.response["message"].as_str().expect("a text");
    assert!(message.ends_with("exited with code 3 while it ran this event: Error: at last"));
}

#[tokio::test]
async fn a_refusal_ends_the_run() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    let refusal = Refusal { name: "TypeError".into(), code: "E".into(), message: "no".into() };
    peer.say(&[hello(), Message::Refused(refusal)]);
    let failed = Note::Failed {
        run: Some(bench.run),
        name: "TypeError".into(),
        code: "E".into(),
        message: "no".into(),
        stderr: None,
    };
    assert_eq!(heard(&bench).await, [failed]);
    peer.exit(Exit::Code(1)).await;
}

#[tokio::test]
async fn a_worker_that_has_not_reached_its_call_is_heard_too() {
    let bench = Bench::new(1);
    bench.pool.observe(bench.run, true);
    let mut peer = Peer::start(&bench, 0);
    let answers = Producer::new(Arc::clone(&peer.memory), Layout::ANSWERS);
    assert!(answers.push(&Header::new(Kind::Message, 0), b"\"early\"", &mut 0));
    peer.say(&[hello(), Message::Notify]);
    until("the message", || answers.is_drained()).await;
    assert!(bench.calls() > 0);
    assert_eq!(bench.take(Queue::Observed)[0].response, "early");
    peer.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn a_process_whose_end_nobody_can_tell_has_ended() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    drop(peer.reaper.take());
    ended(peer.listening).await;
    assert!(bench.hear().contains(&Note::Exit { worker: 1, code: None, signal: None }));
}

#[tokio::test]
#[cfg_attr(
    target_os = "macos",
    ignore = "whoever made the socket, as this process did, is not told there"
)]
async fn who_sends_is_known_and_another_process_is_not_believed() {
    // It says what is right, but it is said by this process.
    let bench = Bench::new(1);
    let mut peer = Peer::start_as(&bench, 0, pid() + 1);
    peer.say(&[Message::Hello(Hello { version: VERSION, pid: pid() + 1, token: TOKEN.into() })]);
    until("the end of patience", || peer.process.was_killed()).await;
    assert!(bench.said(0).is_some_and(|said| said.contains("not the process that was started")));
    peer.exit(Exit::Signal(9)).await;
}

proptest! {
    /// Only who says hello as it must is ever heard; whatever else comes, in whatever pieces, ends with the peer.
    #[test]
    fn a_handshake_of_anything_is_one_or_none(
        messages in vec(prop_oneof![
            3 => Just(hello().encode()),
            1 => Just(Message::Registered.encode()),
            1 => Just(Message::Notify.encode()),
            1 => (0..8_u8, vec(any::<u8>(), 0..40)).prop_map(|(kind, body)| frame::encode(kind, &body)),
            1 => vec(any::<u8>(), 0..10),
        ], 0..6),
        step in 1..40_usize,
        lines in vec(vec(any::<u8>(), 0..20), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("one");
        let bytes = messages.concat();
        let is_greeted = bytes.starts_with(&hello().encode());
        let is_registered = bytes.starts_with(&[hello(), Message::Registered].map(|it| it.encode()).concat());
        let notes = runtime.block_on(async {
            let bench = Bench::new(1);
            let mut peer = Peer::start(&bench, 0);
            for piece in bytes.chunks(step) {
                // It may have been hung up on.
                let _ = peer.control.write_all(piece);
                tokio::task::yield_now().await;
            }
            for line in lines {
                let _ = peer.channel.write_all(&line);
            }
            peer.exit(Exit::Code(1)).await;
            bench.hear()
        });
        let registered = notes.contains(&Note::Registered { worker: 1 });
        prop_assert!(is_greeted || !registered);
        prop_assert!(registered || !is_registered);
        let ends = notes.iter().filter(|note| matches!(note, Note::Exit { .. }));
        prop_assert_eq!(ends.count(), 1);
    }
}
