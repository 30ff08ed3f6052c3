//! Promised: an answer is rung for before the next event runs, however long that takes, unless the master polls
//! for it; and an event that the master has taken back is not run.

use std::os::unix::net::UnixStream;

use super::*;
use crate::os::memory::Memory;
use crate::queue::lanes::Lanes;
use crate::queue::writer;
use crate::run::words::Words;
use crate::shm::ring::Consumer;
use crate::shm::store::Bytes;
use crate::tests::player::{Heard, Player, Writer, shared_lanes, shared_memory};
use crate::wire::layout::Shared;
use crate::wire::protocol::Message;

/// A worker that serves events, and the master's ends.
struct Bench {
    runner: Runner,
    control: UnixStream,
    heard: Heard,
    memory: Arc<Memory>,
    lanes: Lanes,
    /// The lane of the events.
    lane: usize,
    _player: Player,
}

impl Bench {
    /// So many events wait.
    fn new(events: u32) -> Self {
        let (control, theirs) = UnixStream::pair().expect("sockets");
        let (memory, shared) = (shared_memory(), shared_lanes());
        let player = Player::join(1, "t", theirs, Arc::clone(&memory), Arc::clone(&shared));
        let mut lanes = Lanes::new(Arc::clone(&shared), 1, 1).expect("memory");
        let lane = lanes.assign(1.0).expect("memory");
        let end = writer::Writer::new(shared, lanes.front(lane), 0, false);
        let writer = Writer::of(end, Arc::new(Words::new()));
        for event in 0..events {
            assert!(writer.write(0, &event.to_string()));
        }
        let mut heard = Heard::new(&control);
        heard.next();
        let runner = Runner::new(Arc::clone(&player.worker));
        runner.register();
        runner.turn();
        // The word is 0 at first, and the first claim would ring.
        let notify_at = Shared::header(lane, Shared::NOTIFY_AT);
        lanes.memory().word(notify_at).store(u32::MAX, Ordering::SeqCst);
        Self { runner, control, heard, memory, lanes, lane, _player: player }
    }

    /// Runs all events; `with` is called with each.
    fn run(&self, mut with: impl FnMut(&Claimed) -> Served) {
        loop {
            self.runner.turn();
            let pause = self.runner.run(0, &mut with);
            if pause != Some(Pause::TurnOver) {
                break;
            }
        }
    }

    /// What was answered: number and flags.
    fn answers(&self) -> Vec<(u32, u32)> {
        let mut answers =
            Consumer::new(Arc::clone(&self.memory), crate::wire::layout::Layout::ANSWERS);
        let mut payload = Bytes::default();
        let next = || answers.pop(&mut payload).expect("sound");
        std::iter::from_fn(next).map(|header| (header.index, header.flags)).collect()
    }
}

#[test]
fn an_answer_is_rung_for_before_the_next_event_runs() {
    let Bench { runner, mut heard, memory, .. } = Bench::new(3);
    let mut before = None;
    runner.run(0, |event| {
        if let Some(before) = before.replace(event.index) {
            let frame = heard.next().expect("a bell in time");
            assert_eq!(Message::decode(&frame), Ok(Message::Notify), "for event {before}");
            memory.word(Layout::NOTIFIED).store(0, Ordering::SeqCst);
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
    bench.runner.run(0, |event| {
        let mut bytes = [0; 16];
        // A turn that is over on a busy machine rings as well; here it has just begun.
        let nothing = std::io::Read::read(&mut &bench.control, &mut bytes);
        assert!(nothing.is_err(), "{bytes:?} before event {}", event.index);
        assert!(bench.runner.has_read(event));
        bench.runner.turn();
        Served::Number(1)
    });
    let from = (bench.lane as u32) << flag::LANE_AT;
    assert_eq!(bench.answers(), [0, 1, 2].map(|index| (index, flag::RESPONSE | from)));
}

#[test]
fn an_event_that_was_taken_back_before_it_was_read_is_given_up() {
    let bench = Bench::new(3);
    let mut served = Vec::new();
    bench.run(|event| {
        served.push((event.lane, event.index));
        if event.index == 1 {
            let state = bench.lanes.memory().word(Shared::entry(event.lane, event.index));
            state.store(Shared::MASTER | Shared::READ, Ordering::SeqCst);
        }
        if bench.runner.has_read(event) { Served::Number(1) } else { Served::Lost }
    });
    assert_eq!(served, [0, 1, 2].map(|index| (bench.lane, index)));
    let from = (bench.lane as u32) << flag::LANE_AT;
    // Nobody waits for a word about the one that was lost.
    assert_eq!(bench.answers(), [0, 2].map(|index| (index, flag::RESPONSE | from)));
}

#[test]
fn an_answer_names_the_lane_of_its_event() {
    let mut bench = Bench::new(1);
    let other = bench.lanes.assign(1.0).expect("memory");
    let shared = Arc::clone(bench.lanes.memory());
    let end = writer::Writer::new(shared, bench.lanes.front(other), 1, false);
    let writer = Writer::of(end, Arc::new(Words::new()));
    assert!(writer.write(0, "7") && writer.write(0, "8"));
    bench.run(|event| {
        assert!(bench.runner.has_read(event));
        Served::Number(1)
    });
    let lane_of = |flags: u32| (flags >> flag::LANE_AT & flag::LANE_MASK) as usize;
    let answers = bench.answers();
    let mut lanes: Vec<_> = answers.iter().map(|&(index, flags)| (lane_of(flags), index)).collect();
    lanes.sort_unstable();
    assert_eq!(lanes, [(bench.lane, 0), (other, 0), (other, 1)]);
}

#[test]
fn a_worker_that_runs_nothing_notifies_once_that_it_has_seen_that_it_leaves() {
    let mut bench = Bench::new(0);
    bench.memory.word(Layout::WITHHELD).store(Layout::LEAVES, Ordering::SeqCst);
    for _ in 0..2 {
        bench.run(|_| unreachable!("it claims nothing"));
        bench.memory.word(Layout::NOTIFIED).store(0, Ordering::SeqCst);
    }
    assert_eq!(bench.memory.word(Layout::SETTLED).load(Ordering::SeqCst), 1);
    let frame = bench.heard.next().expect("a notice in time");
    assert_eq!(Message::decode(&frame), Ok(Message::Notify));
    bench.control.set_nonblocking(true).expect("a socket");
    assert!(std::io::Read::read(&mut &bench.control, &mut [0; 16]).is_err(), "and no other");
}
