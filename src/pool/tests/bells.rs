//! Promised: a worker is rung exactly when it sleeps and there is something for it: asleep for
//! anything, busy only for what does not wait its turn. Whatever there was no room for follows without
//! anybody asking. Messages travel in order with the events, and before the program has reached its
//! call over Node's own channel.

use super::*;

/// The worker's end of a control socket, with nobody at it.
struct Bare {
    control: UnixStream,
    memory: Arc<Memory>,
    _master: UnixStream,
}

impl Bare {
    fn new(bench: &Bench) -> Self {
        let (master, control) = UnixStream::pair().expect("sockets");
        let (channel, _) = UnixStream::pair().expect("sockets");
        let memory = shared_memory();
        control.set_nonblocking(true).expect("a socket");
        let ours = master.try_clone().expect("a descriptor");
        let node = Arc::new(NodeChannel::new(channel));
        bench.pool.started(
            0,
            Link::new(Box::new(NoProcess::new(1)), ours, node, memory.clone()),
            None,
        );
        bench.pool.registered(0);
        Self { control, memory, _master: master }
    }

    fn set(&self, word: usize, value: u32) {
        self.memory.word(word).store(value, Ordering::SeqCst);
    }

    fn word(&self, word: usize) -> u32 {
        self.memory.word(word).load(Ordering::SeqCst)
    }

    /// How often it was rung since the last look.
    fn bells(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let count = self.control.read(&mut bytes).unwrap_or(0);
        let bell = Message::Bell.encode();
        assert!(bytes[..count].chunks(bell.len()).all(|frame| frame == bell));
        count / bell.len()
    }
}

#[test]
fn a_worker_is_rung_when_it_sleeps_and_not_when_it_looks_by_itself() {
    type Give = fn(&Bench);
    let in_turn: Give = |bench| bench.submit([1]);
    let direct: Give = |bench| assert!(bench.pool.submit_to(1, b"1", 0));
    let message: Give = |bench| assert!(bench.pool.message(1, b"1"));
    let cases = [
        ("an event, awake", in_turn, 0, 0),
        ("an event, asleep", in_turn, 1, 1),
        ("an event, busy", in_turn, 2, 0),
        ("an event of its own, awake", direct, 0, 0),
        ("an event of its own, asleep", direct, 1, 1),
        ("an event of its own, busy", direct, 2, 1),
        ("a message, awake", message, 0, 0),
        ("a message, asleep", message, 1, 1),
        ("a message, busy", message, 2, 1),
    ];
    for (name, give, waits, bells) in cases {
        let bench = Bench::new(1);
        let mut bare = Bare::new(&bench);
        bare.set(Layout::WAITS, waits);
        give(&bench);
        assert_eq!(bare.bells(), bells, "{name}");
        // Rung once, it looks by itself.
        assert_eq!(bare.word(Layout::WAITS), if bells > 0 { 0 } else { waits }, "{name}");
        give(&bench);
        assert_eq!(bare.bells(), 0, "{name}, a second time");
    }
}

#[test]
fn a_worker_rings_half_way_through_what_it_holds() {
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 32);
    let ring_at = || seat.memory.word(Layout::RING_AT).load(Ordering::SeqCst);
    let first = seat.memory.word(Layout::STARTED).load(Ordering::SeqCst);
    for (held, middle) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (9, 5)] {
        while (bench.pool.lock().scheduler.held(0) as u32) < held {
            bench.submit([0]);
        }
        assert_eq!(ring_at() - first, middle, "of {held}");
    }
}

#[test]
fn a_writer_that_waits_for_room_is_rung_when_there_is_some() {
    let bench = Bench::new(1);
    let mut bare = Bare::new(&bench);
    bench.pool.rang();
    assert_eq!(bare.bells(), 0);
    bare.set(Layout::BLOCKED, 1);
    bench.pool.rang();
    assert_eq!((bare.bells(), bare.word(Layout::BLOCKED)), (1, 0));
}

#[test]
fn messages_travel_in_order_with_the_events() {
    let (bench, [mut seat]) = Bench::running();
    bench.submit([1]);
    assert!(bench.pool.message(1, b"\"a\""));
    assert!(bench.pool.message(1, b"\"b\""));
    let kinds = [Kind::Task, Kind::Message, Kind::Message];
    let items = seat.player.arrived();
    assert_eq!(items.iter().map(|item| item.header.kind).collect::<Vec<_>>(), kinds);
    assert_eq!([&items[1].text, &items[2].text], [b"\"a\"", b"\"b\""]);
}

#[test]
fn before_the_program_has_reached_its_call_messages_take_node_s_own_channel() {
    let bench = Bench::new(2);
    let mut seat = bench.seat(0);
    assert!(bench.pool.message(1, br#"{"a":1}"#));
    assert!(!bench.pool.message(2, b"1"), "it is not started");
    assert!(!bench.pool.message(3, b"1"), "there is none");
    let mut bytes = [0; 64];
    let count = seat.channel.read(&mut bytes).expect("a line");
    assert_eq!(&bytes[..count], b"{\"a\":1}\n");
    assert_eq!(seat.arrived(), [""; 0]);
}

#[test]
fn a_message_reaches_a_busy_worker_also_from_behind_an_event_that_does_not_fit() {
    let bench = Bench::new(1);
    let mut bare = Bare::new(&bench);
    let answers = Producer::new(Arc::clone(&bare.memory), Layout::ANSWERS);
    bench.submit([0]);
    let answer = Header { finished: SHORT, ..Header::new(Kind::Answer, 0) };
    assert!(answers.push(&answer, b"", &mut 0));
    // It runs an event that waits for a message, and has been handed the next one, which is long.
    bench.submit([1]);
    bare.set(Layout::STARTED, 2);
    bare.set(Layout::WAITS, 2);
    bench.pool.submit(&vec![b' '; 3 * Layout::RING as usize], 0);
    assert_eq!((bench.pool.lock().scheduler.held(0), bare.bells()), (2, 0));
    assert!(bench.pool.message(1, b"\"go\""));
    assert_eq!(bare.bells(), 1);
    let mut tasks = Consumer::new(Arc::clone(&bare.memory), Layout::TASKS);
    let mut text = Vec::new();
    for _ in 0..10 {
        while let Some(header) = tasks.pop(&mut text).expect("a sound ring") {
            if header.kind == Kind::Message {
                assert_eq!(text, b"\"go\"");
                return;
            }
        }
        assert_eq!(bare.word(Layout::STUCK), 1, "the worker rings if the master has more");
        bench.pool.rang();
    }
    panic!("no message came");
}

/// The ring is always about full, and the worker sleeps whenever it has emptied it: whoever does not
/// see what the other did last leaves the rest behind.
#[test]
fn what_there_was_no_room_for_follows_without_anybody_asking() {
    const EVENTS: usize = 3000;
    let (bench, [mut seat]) = Bench::running();
    seat.widen(&bench, 128);
    let ears = Ears::of(&bench, 0, &seat);
    // Five fill the ring, and none can be cut into parts.
    let text = vec![b' '; Layout::RING as usize / 5 - 64];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..EVENTS {
                bench.pool.message(1, &text);
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
