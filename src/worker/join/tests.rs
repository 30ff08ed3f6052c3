//! Promised: a worker says first who it is; it is woken for what arrives and told of its release;
//! it takes every event and message that is for it alone once and in order. The end of its master
//! before the release is told to it, and after the release is nothing: whatever it waits for, it
//! goes on. A master that makes no sense is one that has ended. Nothing it says is cut in the
//! middle of a character.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use super::*;
use crate::os::socket;
use crate::tests::player::{
    DEADLINE, Heard, Player, invitation, shared_common, shared_lanes, shared_memory, until,
};
use crate::wire::frame;
use crate::wire::header::{Kind, flag};
use crate::wire::protocol::Refusal;

/// A worker and the master's ends of its wires.
struct Bench {
    player: Player,
    control: UnixStream,
    heard: Heard,
    tasks: Producer,
    answers: Consumer,
    memory: Arc<Memory>,
}

impl Bench {
    /// A worker that has said hello.
    fn new() -> Self {
        let (control, theirs) = UnixStream::pair().expect("sockets");
        let memory = shared_memory();
        let player = Player::join(7, "secret", theirs, Arc::clone(&memory), shared_lanes());
        let mut heard = Heard::new(&control);
        heard.next();
        let tasks = Producer::new(Arc::clone(&memory), Layout::TASKS);
        let answers = Consumer::new(Arc::clone(&memory), Layout::ANSWERS);
        Self { player, control, heard, tasks, answers, memory }
    }

    /// The same, which may have been let go.
    fn with(released: bool) -> Self {
        let bench = Self::new();
        if released {
            bench.send(&Message::Release.encode());
        }
        bench
    }

    fn send(&self, bytes: &[u8]) {
        let sent = socket::send_some(&self.control, bytes).expect("the worker's end is open");
        assert_eq!(sent, bytes.len());
    }

    fn give(&self, kind: Kind, text: &[u8]) {
        assert!(self.tasks.push(&Header::new(kind, 0), text, &mut 0));
    }

    fn close(&self) {
        self.control.shutdown(Shutdown::Both).expect("a socket");
    }

    fn word(&self, at: usize) -> u32 {
        self.memory.word(at).load(Ordering::SeqCst)
    }

    /// The next message, as the master hears it.
    fn next_message(&mut self) -> Option<Message> {
        let message = self.heard.next().map(|frame| Message::decode(&frame).expect("ours"));
        self.memory.word(Layout::NOTIFIED).store(0, Ordering::SeqCst);
        message
    }

    fn is_released(&self) -> bool {
        self.player.signals.try_iter().any(|signal| signal == Signal::Released)
    }

    /// Waits for the end of the worker's I/O thread: whether it was orphaned.
    fn is_orphaned(&self) -> bool {
        // The thread drops its end of the channel without a word if it was not.
        self.player.orphaned.recv_timeout(DEADLINE).is_ok()
    }
}

#[test]
fn a_worker_says_first_who_it_is() {
    let (control, theirs) = UnixStream::pair().expect("sockets");
    let mut player = Player::join(7, "secret", theirs, shared_memory(), shared_lanes());
    player.register();
    let mut heard = Heard::new(&control);
    let mut next = || Message::decode(&heard.next().expect("a frame")).expect("ours");
    let hello = Hello { version: VERSION, pid: std::process::id(), token: "secret".into() };
    assert_eq!(next(), Message::Hello(hello));
    assert_eq!(next(), Message::Registered);
}

fn whole() -> Memories {
    Memories { memory: shared_memory(), lanes: shared_lanes(), common: shared_common() }
}

/// Whether a worker joins with such memory.
fn joins(control: UnixStream, memories: Memories) -> bool {
    Worker::join(&invitation(1, "t"), control, memories, |_| (), |_| ()).is_ok()
}

#[test]
fn a_worker_does_not_join_memory_that_is_too_small() {
    let short = |len: usize| Arc::new(Memory::anonymous(len - 4096).expect("memory"));
    for (memory, lanes, common, expected) in [
        (shared_memory(), shared_lanes(), shared_common(), true),
        (short(Layout::LEN), shared_lanes(), shared_common(), false),
        (shared_memory(), short(Shared::LEN), shared_common(), false),
        (shared_memory(), shared_lanes(), short(Common::LEN), false),
    ] {
        let (_control, theirs) = UnixStream::pair().expect("sockets");
        assert_eq!(joins(theirs, Memories { memory, lanes, common }), expected);
    }
}

/// A worker signs its claims with its slot, in the bits that there are for that.
#[test]
fn a_worker_does_not_join_in_a_slot_that_no_pool_has() {
    for slot in [Shared::MAX_WORKERS, Shared::MASTER, u32::MAX] {
        let (_control, theirs) = UnixStream::pair().expect("sockets");
        let invitation = Invitation { slot, ..invitation(1, "t") };
        assert!(Worker::join(&invitation, theirs, whole(), |_| (), |_| ()).is_err());
    }
}

#[test]
fn a_worker_does_not_join_a_master_that_is_gone() {
    let (control, theirs) = UnixStream::pair().expect("sockets");
    drop(control);
    assert!(!joins(theirs, whole()));
}

#[test]
fn a_worker_knows_its_slot_and_shares_the_lanes_with_the_others() {
    let lanes = shared_lanes();
    let workers = [1, 2, 40].map(|id| {
        let (_control, theirs) = UnixStream::pair().expect("sockets");
        Player::join(id, "t", theirs, shared_memory(), Arc::clone(&lanes)).worker
    });
    assert_eq!(workers.each_ref().map(|worker| worker.slot), [0, 1, 39]);
    lanes.word(Shared::OPEN).store(5, Ordering::SeqCst);
    let open = |worker: &Worker| worker.lanes.word(Shared::OPEN).load(Ordering::SeqCst);
    assert_eq!(workers.each_ref().map(|worker| open(worker)), [5; 3]);
}

/// Slots of workers that spin now.
fn spinners(lanes: &Memory) -> Vec<u32> {
    let words = (0..Shared::MAX_SPINNERS).map(|at| lanes.word(Shared::SPINNERS + at));
    words.map(|word| word.load(Ordering::SeqCst)).filter(|&slot| slot != 0).collect()
}

#[test]
fn no_more_workers_spin_at_a_time_than_may_and_each_signs_for_it() {
    let lanes = shared_lanes();
    lanes.word(Shared::SPIN_LIMIT).store(2, Ordering::SeqCst);
    let workers = [1, 2, 40].map(|id| {
        let (_control, theirs) = UnixStream::pair().expect("sockets");
        Player::join(id, "t", theirs, shared_memory(), Arc::clone(&lanes)).worker
    });
    let [first, second, third] = workers.each_ref();
    let (outer, inner) = (std::cell::Cell::new(false), std::cell::Cell::new(false));
    let did = first.spin(|| {
        assert_eq!(spinners(&lanes), [1]);
        let did = second.spin(|| {
            assert_eq!(spinners(&lanes), [1, 2]);
            assert!(!third.spin(|| panic!("two do")), "no more may");
            inner.set(true);
            true
        });
        outer.set(did);
        true
    });
    assert!(did && outer.get() && inner.get());
    assert!(spinners(&lanes).is_empty(), "their words are free again");
    assert!(third.spin(|| spinners(&lanes) == [40]));
    // Whatever another worker writes there, nothing beyond these words is used.
    lanes.word(Shared::SPIN_LIMIT).store(u32::MAX, Ordering::SeqCst);
    for at in 0..Shared::MAX_SPINNERS {
        lanes.word(Shared::SPINNERS + at).store(9, Ordering::SeqCst);
    }
    assert!(!first.spin(|| true));
}

#[test]
fn a_worker_that_turns_the_call_down_says_why() {
    let mut bench = Bench::new();
    let refusal = Refusal { name: "TypeError".into(), code: "E".into(), message: "né".into() };
    bench.player.worker.refuse(refusal.clone()).expect("open");
    assert_eq!(bench.next_message(), Some(Message::Refused(refusal)));
    // One that is cut still is a frame, whatever its characters take there.
    let novel = || "\u{1}".repeat(70_000);
    let refusal = Refusal { name: novel(), code: novel(), message: novel() };
    bench.player.worker.refuse(refusal).expect("open");
    let Some(Message::Refused(refusal)) = bench.next_message() else { panic!("no refusal") };
    assert!(refusal.name.starts_with('\u{1}') && refusal.message.len() > refusal.name.len());
}

#[test]
fn what_arrives_wakes_the_worker_and_is_taken_once_in_order() {
    let mut bench = Bench::new();
    assert!(!bench.player.worker.has_arrived());
    bench.give(Kind::Task, b"1");
    bench.give(Kind::Message, b"\"m\"");
    bench.give(Kind::Task, b"");
    assert!(bench.player.worker.has_arrived());
    bench.send(&Message::Notify.encode());
    assert_eq!(bench.player.signals.recv_timeout(DEADLINE), Ok(Signal::Arrived));
    assert!(bench.player.worker.has_arrived(), "the I/O thread keeps it");
    let texts: Vec<Vec<u8>> =
        bench.player.arrived().into_iter().map(|item| item.text.to_vec()).collect();
    assert_eq!(texts, [b"1".as_slice(), b"\"m\"", b""]);
    assert!(!bench.player.worker.has_arrived());
    assert!(bench.player.arrived().is_empty());
}

/// The bell may be for the lanes, where only JavaScript looks.
#[test]
fn every_bell_wakes_the_worker_and_has_it_rung_for_what_comes_next() {
    let bench = Bench::new();
    for _ in 0..3 {
        bench.memory.word(Layout::PARKED).store(0, Ordering::SeqCst);
        bench.send(&Message::Notify.encode());
        assert_eq!(bench.player.signals.recv_timeout(DEADLINE), Ok(Signal::Arrived));
        assert!(!bench.player.worker.has_arrived());
        assert_eq!(bench.word(Layout::PARKED), 1);
    }
}

#[test]
fn of_something_long_every_part_makes_the_worker_ask_for_the_rest() {
    let mut bench = Bench::new();
    let text = vec![b'x'; 2 * Layout::RING as usize];
    let mut written = 0;
    let header = Header::new(Kind::Task, flag::LONG);
    while !bench.tasks.push(&header, &text, &mut written) {
        bench.memory.word(Layout::STUCK).store(1, Ordering::SeqCst);
        bench.send(&Message::Notify.encode());
        assert_eq!(bench.next_message(), Some(Message::Notify));
        assert_eq!(bench.word(Layout::STUCK), 0);
        assert!(bench.player.arrived().is_empty(), "a part is nothing yet");
    }
    bench.send(&Message::Notify.encode());
    assert!(*bench.player.next().text == *text);
}

#[test]
fn the_worker_rings_for_more_only_if_the_master_has_more() {
    let mut bench = Bench::new();
    bench.give(Kind::Task, b"1");
    assert_eq!(bench.player.arrived().len(), 1);
    bench.memory.word(Layout::STUCK).store(1, Ordering::SeqCst);
    assert_eq!(bench.player.arrived().len(), 0);
    assert_eq!(bench.next_message(), Some(Message::Notify));
    bench.close();
    assert_eq!(bench.next_message(), None, "one bell, and no more");
}

#[test]
fn the_release_is_told_and_the_master_s_end_after_it_is_nothing() {
    let bench = Bench::new();
    bench.send(&Message::Release.encode());
    assert_eq!(bench.player.signals.recv_timeout(DEADLINE), Ok(Signal::Released));
    bench.close();
    assert!(!bench.is_orphaned());
}

#[test]
fn the_master_s_end_before_the_release_is_told() {
    let bench = Bench::new();
    bench.close();
    assert!(bench.is_orphaned());
    assert!(!bench.is_released());
}

#[test]
fn a_worker_that_is_being_killed_when_the_master_ends_is_doomed_released_or_not() {
    for released in [false, true] {
        let bench = Bench::with(released);
        bench.memory.word(Layout::KILL_PENDING).store(1, Ordering::SeqCst);
        bench.close();
        assert_eq!(bench.player.orphaned.recv_timeout(DEADLINE), Ok(Orphan::Doomed));
    }
}

#[test]
fn wherever_the_master_s_words_are_cut_the_release_is_heard_if_it_is_whole_and_never_else() {
    let stream = [Message::Notify, Message::Release, Message::Notify].map(|m| m.encode()).concat();
    let whole = 2 * Message::Notify.encode().len();
    for cut in 0..=stream.len() {
        for step in [1, stream.len()] {
            let bench = Bench::new();
            for piece in stream[..cut].chunks(step) {
                bench.send(piece);
            }
            bench.control.shutdown(Shutdown::Write).expect("a socket");
            let is_orphaned = bench.is_orphaned();
            assert_eq!((bench.is_released(), is_orphaned), (cut >= whole, cut < whole), "at {cut}");
        }
    }
}

#[test]
fn a_master_that_makes_no_sense_is_one_that_has_ended() {
    let garbage: [&[u8]; 4] =
        [&[0; 4], &[0xff; 64], &[1, 0, 1, 0, 5], &(frame::MAX_FRAME as u32 + 1).to_le_bytes()];
    for bytes in garbage {
        for released in [false, true] {
            let bench = Bench::with(released);
            bench.send(bytes);
            assert!(bench.is_orphaned(), "{bytes:?}, released: {released}");
        }
    }
}

#[test]
fn words_that_are_not_for_a_worker_are_no_release() {
    let bench = Bench::new();
    let hello = Hello { version: 1, pid: 1, token: String::new() };
    for message in [Message::Hello(hello), Message::Registered, Message::Uncaught("x".into())] {
        bench.send(&message.encode());
    }
    for kind in [6, 99, 255] {
        bench.send(&frame::encode(kind, b"of a later version"));
    }
    bench.close();
    assert!(bench.is_orphaned());
    assert!(!bench.is_released());
}

#[test]
fn memory_that_makes_no_sense_is_a_master_that_has_ended() {
    let spoils: [fn(&Memory); 2] = [
        |memory| memory.word(Layout::TASKS.tail).store(u32::MAX, Ordering::SeqCst),
        |memory| {
            memory.write(Layout::TASKS.bytes, &u32::MAX.to_le_bytes());
            memory.word(Layout::TASKS.tail).store(32, Ordering::SeqCst);
        },
    ];
    for spoil in spoils {
        let bench = Bench::new();
        bench.send(&Message::Release.encode());
        assert_eq!(bench.player.signals.recv_timeout(DEADLINE), Ok(Signal::Released));
        spoil(&bench.memory);
        bench.send(&Message::Notify.encode());
        assert!(bench.is_orphaned());
        assert!(bench.player.worker.take().is_err());
    }
}

#[test]
fn last_words_are_cut_between_two_characters() {
    for (character, longest) in [("a", 4096), ("é", 4096), ("€", 4095), ("😀", 4096)] {
        for before in ["", "x", "xy", "xyz"] {
            let mut bench = Bench::new();
            let words = format!("{before}{}", character.repeat(5000));
            bench.player.worker.uncaught(&words).expect("open");
            let Some(Message::Uncaught(said)) = bench.next_message() else { panic!("no words") };
            assert!(words.starts_with(&said), "cut inside of {character}");
            assert!(said.len() > longest - 4 && said.len() <= 4096, "{} bytes", said.len());
        }
    }
    for words in ["", "Error: short", &"😀".repeat(1024)] {
        let mut bench = Bench::new();
        bench.player.worker.uncaught(words).expect("open");
        assert_eq!(bench.next_message(), Some(Message::Uncaught(words.into())));
    }
}

#[test]
fn a_writer_that_waits_for_room_rings_and_goes_on_when_it_is_let_go() {
    let mut bench = Bench::new();
    let answer = vec![b'x'; 5 * Layout::RING as usize];
    let worker = Arc::clone(&bench.player.worker);
    let sent = answer.clone();
    let writer = thread::spawn(move || {
        worker.write(&Header::new(Kind::Answer, flag::RESPONSE), &sent);
        worker.notify();
    });
    let mut payload = Bytes::default();
    let header = loop {
        assert_eq!(bench.next_message(), Some(Message::Notify));
        if let Some(header) = bench.answers.pop(&mut payload).expect("sound") {
            break header;
        }
        if bench.memory.word(Layout::BLOCKED).swap(0, Ordering::SeqCst) == 1 {
            bench.send(&Message::Notify.encode());
        }
    };
    writer.join().expect("no panic");
    assert!(header.kind == Kind::Answer && *payload == *answer);
}

#[test]
fn a_writer_that_waits_for_room_goes_on_when_the_master_has_ended_released_or_not() {
    for released in [false, true] {
        let bench = Bench::with(released);
        let worker = Arc::clone(&bench.player.worker);
        let write = move || worker.write(&Header::new(Kind::Answer, 0), &vec![0; 3 << 20]);
        let writer = thread::spawn(write.clone());
        until("the writer waits", || bench.word(Layout::BLOCKED) == 1);
        bench.close();
        until("the writer goes on", || writer.is_finished());
        assert_eq!(bench.is_orphaned(), !released);
        // Nor does the next one wait.
        let writer = thread::spawn(write);
        until("the next one goes on", || writer.is_finished());
    }
}
