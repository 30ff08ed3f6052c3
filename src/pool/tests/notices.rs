//! Promised: a worker is notified of what is sent to it alone exactly when it does not look by itself, and notifies the
//! master of a claim only if somebody waits for what comes after it. Whatever there was no room for follows without
//! anybody asking. Messages travel in order with the events, and before the program has reached its call over Node's own
//! channel.

use super::*;
use crate::tests::player::Claimer;

/// The worker's end of a control socket, with nobody at it.
pub(super) struct Bare {
    control: UnixStream,
    memory: Arc<Memory>,
    pub(super) claimer: Claimer,
    _master: UnixStream,
}

impl Bare {
    /// One that has registered, and does not sleep.
    pub(super) fn new(bench: &Bench, slot: usize) -> Self {
        let (master, control) = UnixStream::pair().expect("sockets");
        let (channel, _) = UnixStream::pair().expect("sockets");
        let memory = shared_memory();
        control.set_nonblocking(true).expect("a socket");
        let ours = master.try_clone().expect("a descriptor");
        let node = Arc::new(NodeChannel::new(channel));
        let process = Box::new(NoProcess::new(1));
        bench.pool.started(slot, Connection::new(process, ours, node, Arc::clone(&memory)), None);
        bench.pool.registered(slot);
        let claimer = Claimer::new(Arc::clone(&bench.lanes), slot);
        Self { control, memory, claimer, _master: master }
    }

    fn set(&self, word: usize, value: u32) {
        self.memory.word(word).store(value, Ordering::SeqCst);
    }

    fn word(&self, word: usize) -> u32 {
        self.memory.word(word).load(Ordering::SeqCst)
    }

    /// Reads what it was told.
    pub(super) fn drain(&mut self) {
        // There may be nothing.
        let _ = self.control.read(&mut [0; 4096]);
    }

    /// How often it was notified since the last look.
    pub(super) fn notices(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let count = self.control.read(&mut bytes).unwrap_or(0);
        let bell = Message::Notify.encode();
        assert!(bytes[..count].chunks(bell.len()).all(|frame| frame == bell));
        count / bell.len()
    }
}

#[test]
fn a_worker_is_notified_of_what_is_its_own_when_it_sleeps_and_not_when_it_looks_by_itself() {
    type Give = fn(&Bench);
    let direct: Give = |bench| assert!(bench.submit_to(1, b"1", 0));
    let message: Give = |bench| assert!(bench.pool.message(1, b"1", 0));
    let cases = [
        ("an event of its own, awake", direct, 0, 0),
        ("an event of its own, asleep", direct, 1, 1),
        ("a message, awake", message, 0, 0),
        ("a message, asleep", message, 1, 1),
    ];
    for (name, give, waits, notices) in cases {
        let bench = Bench::new(1);
        let mut bare = Bare::new(&bench, 0);
        bare.set(Layout::PARKED, waits);
        give(&bench);
        assert_eq!(bare.notices(), notices, "{name}");
        // Notified once, it looks by itself.
        assert_eq!(bare.word(Layout::PARKED), if notices > 0 { 0 } else { waits }, "{name}");
        give(&bench);
        assert_eq!(bare.notices(), 0, "{name}, a second time");
    }
}

#[test]
fn while_a_map_waits_the_worker_that_claims_the_middle_one_of_the_waiting_events_notifies() {
    for waiting in 1..10_u32 {
        let bench = Bench::new(1);
        let mut bare = Bare::new(&bench, 0);
        bench.map(0..waiting);
        bench.wait_for(1000);
        bench.pool.flush();
        assert_eq!(bench.notify_at(), waiting / 2);
        // Then it is the middle of what is left, until nothing is.
        let mut claimed = 0;
        let mut notices = 0;
        while let Some(number) = bare.claimer.claim() {
            assert_eq!(number, claimed);
            claimed += 1;
            if bare.claimer.is_to_notify(number) {
                notices += 1;
                bench.pool.flush();
            }
        }
        assert_eq!((claimed, bench.unclaimed()), (waiting, 0));
        assert_eq!(notices, (waiting + 1).ilog2(), "of {waiting}");
    }
}

#[test]
fn while_nobody_waits_no_claim_is_told() {
    let bench = Bench::new(1);
    let _bare = Bare::new(&bench, 0);
    bench.map([0; 10]);
    bench.pool.flush();
    // The word is 0 at first: the very first claim may be told for nothing.
    assert_eq!(bench.notify_at(), 0);
}

#[test]
fn a_writer_that_waits_for_room_is_notified_when_there_is_some() {
    let bench = Bench::new(1);
    let mut bare = Bare::new(&bench, 0);
    bench.pool.flush();
    assert_eq!(bare.notices(), 0);
    bare.set(Layout::BLOCKED, 1);
    bench.pool.flush();
    assert_eq!((bare.notices(), bare.word(Layout::BLOCKED)), (1, 0));
}

#[test]
fn messages_travel_in_order_with_the_events() {
    let (bench, [mut seat]) = Bench::running();
    assert!(bench.submit_to(1, b"1", 0));
    assert!(bench.pool.message(1, b"\"a\"", 0));
    assert!(bench.pool.message(1, b"\"b\"", 0));
    let kinds = [Kind::Task, Kind::Message, Kind::Message];
    let items = seat.player.arrived();
    assert_eq!(items.iter().map(|item| item.header.kind).collect::<Vec<_>>(), kinds);
    assert_eq!([&items[1].text, &items[2].text], [b"\"a\"", b"\"b\""]);
}

#[test]
fn before_the_program_has_reached_its_call_messages_take_node_s_own_channel() {
    let bench = Bench::new(2);
    let mut seat = bench.seat(0);
    assert!(bench.pool.message(1, br#"{"a":1}"#, 0));
    assert!(!bench.pool.message(2, b"1", 0), "it is not started");
    assert!(!bench.pool.message(3, b"1", 0), "there is none");
    let mut bytes = [0; 64];
    let count = seat.channel.read(&mut bytes).expect("a line");
    assert_eq!(&bytes[..count], b"{\"a\":1}\n");
    assert_eq!(seat.arrived(), [""; 0]);
}

#[test]
fn a_message_reaches_a_worker_also_from_behind_a_text_that_does_not_fit() {
    let bench = Bench::new(1);
    let mut bare = Bare::new(&bench, 0);
    bench.pool.submit(bench.run, vec![b' '; 3 * Layout::RING as usize], 0);
    let number = bare.claimer.claim().expect("an event");
    assert!(bare.claimer.read(number).0 & flag::LONG != 0);
    bare.set(Layout::PARKED, 1);
    bench.pool.flush();
    assert!(bench.pool.message(1, b"\"go\"", 0));
    assert_eq!(bare.notices(), 1);
    let mut tasks = Consumer::new(Arc::clone(&bare.memory), Layout::TASKS);
    let mut text = Bytes::default();
    let mut arrived = Vec::new();
    for _ in 0..10 {
        while let Some(header) = tasks.pop(&mut text).expect("a sound ring") {
            arrived.push((header.kind, text.len()));
        }
        if arrived.len() == 2 {
            break;
        }
        assert_eq!(bare.word(Layout::STUCK), 1, "the worker notifies if the master has more");
        bench.pool.flush();
    }
    assert_eq!(arrived, [(Kind::Task, 3 * Layout::RING as usize), (Kind::Message, 4)]);
}

/// The ring is always about full, and the worker sleeps whenever it has emptied it: whoever does not
/// see what the other did last leaves the rest behind.
#[test]
fn what_there_was_no_room_for_follows_without_anybody_asking() {
    const EVENTS: usize = 3000;
    let (bench, [mut seat]) = Bench::running();
    let ears = Ears::of(&bench, 0, &seat);
    // Five fill the ring, and none can be cut into parts.
    let text = vec![b' '; Layout::RING as usize / 5 - 64];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..EVENTS {
                bench.pool.message(1, &text, 0);
            }
        });
        for at in 0..EVENTS {
            let item = seat.player.next();
            assert_eq!(item.text.len(), text.len(), "message {at}");
        }
    });
    drop(seat);
    ears.join();
}
