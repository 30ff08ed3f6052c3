//! Promised: an answer is rung for before the next event runs, however long that takes, unless the master polls
//! for it; and an event that the master has taken back is not run.

use std::os::unix::net::UnixStream;

use super::*;
use crate::os::memory::Memory;
use crate::shm::ring::Consumer;
use crate::shm::store::Bytes;
use crate::tests::player::{Heard, Player, Writer, shared_backlog, shared_memory};
use crate::wire::protocol::{Board, Common, Message};

/// A worker that serves events, and the master's ends.
struct Bench {
    runner: Runner,
    control: UnixStream,
    heard: Heard,
    memory: Arc<Memory>,
    backlog: Arc<Memory>,
    _player: Player,
}

impl Bench {
    /// So many events wait.
    fn new(events: u32) -> Self {
        let (control, theirs) = UnixStream::pair().expect("sockets");
        let (memory, backlog) = (shared_memory(), shared_backlog());
        let player = Player::join(1, "t", theirs, Arc::clone(&memory), Arc::clone(&backlog));
        let board = Arc::new(Memory::anonymous(Board::LEN).expect("memory"));
        let writer = Writer::new(Arc::clone(&backlog), board, 1);
        for event in 0..events {
            assert!(writer.write(0, &event.to_string()));
        }
        let mut heard = Heard::new(&control);
        heard.next();
        let runner = Runner::new(Arc::clone(&player.worker));
        runner.register();
        runner.turn();
        // The word is 0 at first, and the first claim would ring.
        backlog.word(Common::RING_AT).store(u32::MAX, Ordering::SeqCst);
        Self { runner, control, heard, memory, backlog, _player: player }
    }

    /// Runs all events; `with` is called with each one's number.
    fn run(&self, mut with: impl FnMut(u32) -> Served) {
        loop {
            self.runner.turn();
            let pause = self.runner.run(|event| with(event.index));
            if pause != Some(Pause::TurnOver) {
                break;
            }
        }
    }

    /// What was answered: number and flags.
    fn answers(&self) -> Vec<(u32, u32)> {
        let mut answers =
            Consumer::new(Arc::clone(&self.memory), crate::wire::protocol::Layout::ANSWERS);
        let mut payload = Bytes::default();
        let next = || answers.pop(&mut payload).expect("sound");
        std::iter::from_fn(next).map(|header| (header.index, header.flags)).collect()
    }
}

#[test]
fn an_answer_is_rung_for_before_the_next_event_runs() {
    let Bench { runner, mut heard, .. } = Bench::new(3);
    let mut before = None;
    runner.run(|event| {
        if let Some(before) = before.replace(event.index) {
            let frame = heard.next().expect("a bell in time");
            assert_eq!(Message::decode(&frame), Ok(Message::Bell), "for event {before}");
        }
        assert!(runner.has_read(event));
        Served::Number(1)
    });
    assert_eq!(before, Some(2));
}

#[test]
fn while_the_master_polls_an_answer_is_not_rung_for() {
    let bench = Bench::new(3);
    bench.memory.word(Layout::POLLED).store(1, Ordering::SeqCst);
    bench.control.set_nonblocking(true).expect("a socket");
    bench.runner.turn();
    bench.runner.run(|event| {
        let mut bytes = [0; 16];
        // A turn that is over on a busy machine rings as well; here it has just begun.
        let nothing = std::io::Read::read(&mut &bench.control, &mut bytes);
        assert!(nothing.is_err(), "{bytes:?} before event {}", event.index);
        assert!(bench.runner.has_read(event));
        bench.runner.turn();
        Served::Number(1)
    });
    assert_eq!(bench.answers(), [0, 1, 2].map(|index| (index, flag::RESPONSE)));
}

#[test]
fn an_event_that_was_taken_back_before_it_was_read_is_given_up() {
    let bench = Bench::new(3);
    bench.run(|number| {
        if number == 1 {
            let state = bench.backlog.word(crate::queue::backlog::entry(1));
            state.store(Common::MASTER | Common::READ, Ordering::SeqCst);
        }
        let claimer = bench.runner.claimer.borrow();
        if claimer.has_read(number) { Served::Number(1) } else { Served::Lost }
    });
    let expected = [(0, flag::RESPONSE), (1, flag::RETURN), (2, flag::RESPONSE)];
    assert_eq!(bench.answers(), expected);
}
