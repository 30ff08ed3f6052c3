//! Node's own channel: what Node asks is answered, what the program says is passed on, and neither a
//! long line nor a worker that does not read is waited for.

use std::net::Shutdown;

use super::*;

/// What the worker reads, until it has read so many lines.
async fn lines(peer: &mut Peer, count: usize) -> Vec<String> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 20];
    let end = Instant::now() + DEADLINE;
    let lines = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count();
    while lines(&bytes) < count {
        assert!(Instant::now() < end, "{} of {count} lines", lines(&bytes));
        tokio::task::yield_now().await;
        let more = peer.channel.read(&mut buffer).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..more]);
    }
    String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect()
}

const LEAVING: &str = r#"{"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":9}"#;
const LEAVE: &str = r#"{"ack":9,"cmd":"NODE_CLUSTER"}"#;

#[tokio::test]
async fn node_s_questions_are_answered_and_the_rest_is_passed_on_in_order() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    let listening = r#"{"cmd":"NODE_CLUSTER","act":"listening","port":80}"#;
    peer.line(r#"{"cmd":"NODE_CLUSTER","act":"online","seq":0}"#);
    peer.line(r#"{"cmd":"NODE_CLUSTER","act":"queryServer","seq":7,"port":0}"#);
    peer.line(listening);
    peer.line(r#"{"cmd":"NODE_CLUSTER","act":"close","seq":8}"#);
    peer.line(r#"{"mine":1}"#);
    peer.line(LEAVING);
    let no_handle = r#"{"ack":7,"cmd":"NODE_CLUSTER","errno":-95}"#;
    assert_eq!(lines(&mut peer, 2).await, [no_handle, LEAVE]);
    let expected = [
        Note::Online { worker: 1 },
        Note::Listening { worker: 1, text: listening.into() },
        Note::Message { worker: 1, text: r#"{"mine":1}"#.into() },
        Note::Leaving { worker: 1 },
    ];
    assert_eq!(heard(&bench).await, expected);
    peer.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn a_line_that_comes_in_pieces_is_one_message() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    let text = format!("\"{}\"", "é".repeat(20_000));
    let line = format!("{text}\n");
    for piece in line.as_bytes().chunks(3333) {
        peer.channel.write_all(piece).expect("room");
        tokio::task::yield_now().await;
    }
    assert_eq!(heard(&bench).await, [Note::Message { worker: 1, text }]);
    peer.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn lines_of_every_length_leave_whole_and_in_order() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    let texts = [10, 5_000_000, 20, 300_000, 30].map(|len| format!("\"{}\"", "é".repeat(len)));
    for text in &texts {
        assert!(bench.pool.message(1, text.as_bytes(), 0));
        // Node's question comes in between; its answer goes between two lines.
        peer.line(LEAVING);
    }
    let received = lines(&mut peer, 10).await;
    let (replies, sent): (Vec<_>, Vec<_>) = received.into_iter().partition(|line| line == LEAVE);
    assert_eq!(replies.len(), 5);
    assert!(sent == texts, "the lines are not those that were sent");
    peer.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn a_worker_that_does_not_read_its_channel_is_heard_and_its_end_is_told() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    assert!(bench.pool.message(1, vec![b' '; 3_000_000], 0));
    peer.line(LEAVING);
    peer.line("\"mine\"");
    peer.say(&[hello(), Message::Registered]);
    until("it is there", || bench.ready() == 1).await;
    let message = Note::Message { worker: 1, text: "\"mine\"".into() };
    until("the message", || bench.hear().contains(&message)).await;
    // Its end of the channel stays open, in a child of its own perhaps.
    peer.reaper.take().expect("it lives").send(Exit::Code(0)).expect("somebody listens");
    ended(peer.listening).await;
}

#[tokio::test]
async fn a_worker_that_does_not_read_its_channel_is_killed_at_the_deadline_too() {
    let bench = Bench::with_deadline(1, Duration::from_millis(30));
    let peer = Peer::start(&bench, 0);
    assert!(bench.pool.message(1, vec![b' '; 3_000_000], 0));
    until("the deadline", || peer.process.was_killed()).await;
    peer.exit(Exit::Signal(9)).await;
}

#[tokio::test]
async fn a_channel_that_closes_is_told_once_and_the_worker_gets_nothing_more() {
    let bench = Bench::new(1);
    let peer = Peer::registered(&bench, 0);
    until("it is there", || bench.ready() == 1).await;
    bench.hear();
    peer.channel.shutdown(Shutdown::Both).expect("a socket");
    assert_eq!(heard(&bench).await, [Note::Disconnect { worker: 1 }]);
    assert_eq!(bench.ready(), 0);
    peer.exit(Exit::Code(0)).await;
    assert_eq!(bench.hear(), [Note::Exit { worker: 1, code: Some(0), signal: None }]);
}

#[tokio::test]
async fn nothing_is_sent_to_a_worker_that_is_gone() {
    let bench = Bench::new(1);
    let peer = Peer::start(&bench, 0);
    peer.channel.shutdown(Shutdown::Both).expect("a socket");
    assert!(!bench.pool.message(1, b"1", 0));
    peer.exit(Exit::Code(0)).await;
    assert!(!bench.pool.message(1, b"1", 0));
}

#[tokio::test]
async fn a_worker_that_sends_what_is_no_message_is_killed_and_heard_no_more() {
    for garbage in ["{", "", "NODE_", "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\"", "1 2"] {
        let bench = Bench::new(1);
        let mut peer = Peer::start(&bench, 0);
        peer.line("1");
        peer.line(garbage);
        peer.line("2");
        until(garbage, || peer.process.was_killed()).await;
        let said = bench.said(0).expect("a reason");
        assert!(said.contains("Node's channel"), "{said}");
        peer.exit(Exit::Signal(9)).await;
        let message = Note::Message { worker: 1, text: "1".into() };
        let end = Note::Exit { worker: 1, code: None, signal: Some("SIGKILL".into()) };
        assert_eq!(bench.hear()[..3], [message, Note::Disconnect { worker: 1 }, end], "{garbage}");
    }
}

#[tokio::test]
async fn what_a_worker_sends_is_left_with_it_while_javascript_does_not_come_to_hear() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    let mut sent = 0;
    let mut refused = 0;
    // Far more than either side holds; a socket that stays full is not read.
    while refused < 1000 {
        match peer.channel.write(b"1\n1\n1\n1\n") {
            Ok(bytes) => (sent, refused) = (sent + bytes, 0),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                refused += 1;
            }
        }
        assert!(sent < 8 << 20, "{sent} bytes were taken, and nobody has heard them");
        tokio::task::yield_now().await;
    }
    // As soon as somebody does it goes on, and nothing is lost.
    let mut heard = bench.hear().len();
    let mut more = b"1\n".repeat(10_000);
    let all = sent / 2 + 10_000;
    let end = Instant::now() + DEADLINE;
    while heard < all {
        assert!(Instant::now() < end, "{heard} of {all} were heard");
        if let Ok(count) = peer.channel.write(&more) {
            more.drain(..count);
        }
        tokio::task::yield_now().await;
        heard += bench.hear().len();
    }
    assert!(!peer.process.was_killed());
    peer.exit(Exit::Code(0)).await;
}

#[tokio::test]
async fn a_worker_that_asks_without_end_and_reads_no_answer_is_killed() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    let questions = format!("{LEAVING}\n").repeat(1000);
    let end = Instant::now() + DEADLINE;
    while !peer.process.was_killed() {
        assert!(Instant::now() < end, "it still asks");
        let _ = peer.channel.write(questions.as_bytes());
        bench.hear();
        tokio::task::yield_now().await;
    }
    peer.exit(Exit::Signal(9)).await;
}
