//! Promised: a worker that writes anything into the memory it shares with the master alone costs nobody else
//! an event, however it is mixed with what it should do: it is found out or not, and when it has ended every event
//! has ended once. Where it also writes into the memory that all workers share, events may be lost to it, as
//! they are to one that loops; the master neither panics nor goes on for ever, and asks for no more memory
//! than it was sent.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::tests::player::Claimer;

/// What the worker of the first place does, or somebody else meanwhile.
#[derive(Debug, Clone)]
enum Step {
    /// The master hands over so many events.
    Map(u32),
    /// The master has something for this worker alone: an event, or a message of so many bytes.
    Chosen(bool, usize),
    /// It claims an event as it should.
    Claim,
    /// It answers the event of this number, counted from the first or from the last it has claimed.
    Answer { index: u32, is_own: bool, flags: u32, split: u32, payload: Vec<u8> },
    /// It writes a word that steers.
    Word(usize, u32),
    /// It writes into its answers, and says that so many bytes are there.
    Garbage(u32, Vec<u8>, u32),
    /// It writes a word of the memory that all share.
    Shared(usize, u32),
    /// It rings.
    Ring,
    /// The other worker runs an event, if there is one.
    Honest,
}

const WORDS: [usize; 10] = [16, 32, 48, 64, 80, 96, 112, 113, 128, 144];

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0..20_u32, any::<u32>(), (u32::MAX - 20)..]
}

/// What it does with what is its own.
fn step() -> impl Strategy<Value = Step> {
    let answer = (number(), any::<bool>(), any::<u32>(), number(), vec(any::<u8>(), 0..300));
    let answer = answer.prop_map(|(index, is_own, flags, split, payload)| Step::Answer {
        index,
        is_own,
        flags,
        split,
        payload,
    });
    prop_oneof![
        3 => (1..20_u32).prop_map(Step::Map),
        1 => (any::<bool>(), 0..600_000_usize).prop_map(|(event, len)| Step::Chosen(event, len)),
        3 => Just(Step::Claim),
        4 => answer,
        2 => (proptest::sample::select(&WORDS), number()).prop_map(|(at, value)| Step::Word(at, value)),
        1 => (number(), vec(any::<u8>(), 0..300), number())
            .prop_map(|(at, bytes, tail)| Step::Garbage(at, bytes, tail)),
        4 => Just(Step::Ring),
        4 => Just(Step::Honest),
    ]
}

/// The same, and with what all share: mostly the words of events and those that steer.
fn any_step() -> impl Strategy<Value = Step> {
    let word = {
        let of_lane = |lane: usize| {
            let (header, entry) = (Shared::header(lane, 0), Shared::entry(lane, 0));
            prop_oneof![header..header + 48, entry..entry + 100]
        };
        prop_oneof![0..200_usize, of_lane(0), of_lane(LANE), 0..Shared::LEN / 4]
    };
    prop_oneof![3 => step(), 1 => (word, number()).prop_map(|(at, value)| Step::Shared(at, value))]
}

/// The two workers and what became of them.
struct Stage {
    bench: Bench,
    hostile: Seat,
    honest: Seat,
    claimer: Claimer,
    /// What it has claimed last, and in which lane.
    claimed: (u32, usize),
    events: u32,
    entries: usize,
    has_ended: bool,
}

impl Stage {
    fn new() -> Self {
        let (bench, [hostile, honest]) = Bench::running();
        let claimer = Claimer::new(Arc::clone(&bench.lanes), 0);
        Self {
            bench,
            hostile,
            honest,
            claimer,
            claimed: (0, LANE),
            events: 0,
            entries: 0,
            has_ended: false,
        }
    }

    fn map(&mut self, count: u32) {
        self.bench.map(self.events..self.events + count);
        self.events += count;
    }

    fn take(&mut self, step: &Step) {
        let memory = &self.hostile.memory;
        match step {
            Step::Map(count) => self.map(*count),
            Step::Chosen(true, len) => {
                let text = " ".repeat(*len);
                // Whatever becomes of it, it is not lost.
                self.events += u32::from(self.bench.submit_to(1, text.as_bytes(), 0));
            }
            Step::Chosen(false, len) => _ = self.bench.pool.message(1, vec![b' '; *len], 0),
            Step::Claim => {
                let claimed = self.claimer.claim();
                self.claimed = claimed.map_or(self.claimed, |at| (at, self.claimer.lane(at)));
            }
            Step::Answer { index, is_own, flags, split, payload } => {
                let mut flags = flags & !0xff;
                let mut index = *index;
                if *is_own {
                    let (at, lane) = self.claimed;
                    flags &= !(flag::LANE_MASK << flag::LANE_AT);
                    flags |= (lane as u32) << flag::LANE_AT;
                    index = at;
                }
                let header = Header { index, split: *split, ..Header::new(Kind::Answer, flags) };
                let answers = Producer::new(Arc::clone(memory), Layout::ANSWERS);
                answers.push(&header, payload, &mut 0);
            }
            Step::Word(at, value) => memory.word(*at).store(*value, Ordering::SeqCst),
            Step::Garbage(at, bytes, tail) => {
                let place = Layout::ANSWERS;
                memory.write(place.bytes + (*at % (place.size / 2)) as usize, bytes);
                memory.word(place.tail).fetch_add(*tail, Ordering::SeqCst);
            }
            Step::Shared(at, value) => self.bench.lanes.word(*at).store(*value, Ordering::SeqCst),
            Step::Ring => self.bench.pool.flush(),
            Step::Honest => self.run_honestly(),
        }
        if self.hostile.process.was_killed() && !self.has_ended {
            self.end();
        }
    }

    fn run_honestly(&mut self) {
        if let Some(item) = self.honest.player.look()
            && self.honest.player.claim(&item)
        {
            self.honest.player.answer(&item, Outcome::response("\"honest\""));
        }
        self.bench.pool.flush();
    }

    fn end(&mut self) {
        self.has_ended = true;
        self.bench.pool.exited(0, Exit::Signal(9), false);
        self.bench.orders();
    }

    /// How many entries there are by now, those that were taken included.
    fn count(&mut self) -> usize {
        for queue in [Queue::Results, Queue::Failures] {
            self.entries += self.bench.pool.count(self.bench.run, queue);
            while self.bench.pool.take(self.bench.run, queue).is_some() {}
        }
        self.entries
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_event_is_lost_to_a_worker_that_writes_anything_into_its_own_memory(steps in vec(step(), 0..60)) {
        let mut stage = Stage::new();
        for step in &steps {
            stage.take(step);
        }
        if !stage.has_ended {
            stage.end();
        }
        // What was for it alone waits for the one that comes in its place.
        stage.bench.pool.not_needed(0);
        let mut turns = 0;
        while !stage.bench.pool.drained(stage.bench.run) {
            turns += 1;
            prop_assert!(turns < 10_000, "{} events are outstanding", stage.bench.outstanding());
            stage.run_honestly();
        }
        prop_assert!(!stage.honest.process.was_killed());
        prop_assert!(stage.count() <= stage.events as usize, "more has ended than there was");
    }

    #[test]
    fn the_master_survives_a_worker_that_writes_anything_anywhere(steps in vec(any_step(), 0..60)) {
        let mut stage = Stage::new();
        for step in &steps {
            stage.take(step);
        }
        stage.bench.pool.flush();
        if !stage.has_ended {
            stage.end();
        }
        stage.bench.pool.disconnect(2);
        stage.bench.pool.exited(1, Exit::Code(0), false);
        stage.bench.pool.release();
        stage.count();
    }
}

#[test]
fn a_worker_that_sends_as_fast_as_it_is_heard_keeps_nobody() {
    let (bench, [seat, mut other]) = Bench::running();
    let producer = Producer::new(Arc::clone(&seat.memory), Layout::ANSWERS);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                producer.push(&Header::new(Kind::Message, 0), b"", &mut 0);
            }
        });
        until("its messages", || !producer.is_drained());
        for event in 0..20 {
            bench.map([event]);
            other.run(&bench, 1);
        }
    });
    assert_eq!(bench.numbers(Queue::Results), (0..20).collect::<Vec<_>>());
}
