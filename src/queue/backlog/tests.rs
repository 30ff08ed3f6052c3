//! Promised: each event that is put in is claimed once, in order, with its text intact, however many
//! workers claim at the same time and whoever puts it in; by a worker or by the master, never by both.
//! A place, and its text's bytes, are used again as soon as they can be: an event that runs for long
//! holds nothing up, and one whose text is still to be read keeps it. Whatever workers write into this
//! memory, the master reads nothing outside of it and goes on.

mod unread;

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use super::*;
use crate::tests::player::{Claimer, DEADLINE, Ends, Writer, shared_backlog, until};

impl Backlog {
    /// Begins with this number, and this position of the first text.
    pub(crate) fn start_at(&mut self, number: TaskId, position: u32) {
        (self.first, self.claimed) = (number, number);
        for (at, value) in [
            (Board::PUBLISHED, low(number)),
            (Board::FIRST, low(number)),
            (Board::ALLOWED, low(number)),
            (Board::TAIL, position),
            (Board::HEAD, position),
        ] {
            self.board.word(at).store(value, Ordering::SeqCst);
        }
        for at in [Common::PUBLISHED, Common::CLAIMED] {
            self.memory.word(at).store(low(number), Ordering::SeqCst);
        }
    }
}

const PLACES: usize = Common::PLACES as usize;

/// The master's ends: JavaScript's and the core's.
struct Bench {
    backlog: Backlog,
    tasks: Tasks,
    writer: Writer,
}

impl Bench {
    fn new() -> Self {
        let board = Arc::new(Memory::anonymous(Board::LEN).expect("memory"));
        let memory = shared_backlog();
        let writer = Writer::new(Arc::clone(&memory), Arc::clone(&board), 100);
        Self { backlog: Backlog::new(memory, board), tasks: Tasks::default(), writer }
    }

    fn starting_at(number: TaskId, position: u32) -> Self {
        let mut bench = Self::new();
        bench.backlog.start_at(number, position);
        bench
    }

    fn claimer(&self, place: usize) -> Claimer {
        Claimer::new(Arc::clone(&self.backlog.memory), place)
    }

    fn publish(&mut self, text: &str) -> bool {
        let task = Task::new(text.as_bytes().into(), 0);
        self.backlog.publish(task, &mut self.tasks).is_ok()
    }

    /// Publishes what there is room for; how many that is.
    fn fill(&mut self, text: &str) -> usize {
        let mut count = 0;
        while self.publish(text) {
            count += 1;
        }
        count
    }

    fn claims(&mut self) -> Vec<(TaskId, Owner)> {
        std::iter::from_fn(|| self.backlog.next_claim()).collect()
    }

    /// Ends an event: its text, wherever that is.
    fn end(&mut self, id: TaskId) -> Vec<u8> {
        let mut text = Bytes::default();
        match self.tasks.remove(id) {
            Some(task) => text = task.text,
            None => _ = self.backlog.read(id, &mut text),
        }
        self.backlog.end(id);
        text.to_vec()
    }

    /// Ends the event of this number.
    fn answer(&mut self, number: u32) -> Vec<u8> {
        let id = self.backlog.id_of(number).expect("it was put in");
        self.end(id)
    }

    fn board(&self, at: usize) -> u32 {
        self.backlog.board.word(at).load(Ordering::SeqCst)
    }
}

/// A text of a length that depends on the number, and differs all over by it.
fn text_of(number: u32, longest: usize) -> String {
    let mut random = fastrand::Rng::with_seed(number.into());
    let len = random.usize(..=longest);
    let first = random.u8(b'a'..=b'z');
    let letter = |at: usize| char::from(b'a' + (usize::from(first - b'a') + at * 7) as u8 % 26);
    (0..len).map(letter).collect()
}

#[test]
fn events_are_claimed_in_order_by_whoever_comes_and_the_master_sees_who() {
    let mut bench = Bench::new();
    let [mut a, mut b] = [bench.claimer(0), bench.claimer(41)];
    assert_eq!(a.claim(), None);
    for text in ["zero", "one", "two"] {
        assert!(bench.publish(text));
    }
    assert_eq!(bench.backlog.unclaimed(), 3);
    assert_eq!(bench.claims(), []);
    assert_eq!((b.claim(), a.claim()), (Some(0), Some(1)));
    assert_eq!(bench.claims(), [(0, Owner::Worker(41)), (1, Owner::Worker(0))]);
    assert_eq!(a.read(1), (flag::ASCII, b"one".to_vec()));
    assert_eq!((b.claim(), a.claim(), b.claim()), (Some(2), None, None));
    assert_eq!(bench.claims(), [(2, Owner::Worker(41))]);
    assert_eq!((bench.backlog.unclaimed(), bench.backlog.published()), (0, 3));
    let texts = [2, 0, 1].map(|id| bench.end(id));
    assert_eq!(texts, [b"two".to_vec(), b"zero".to_vec(), b"one".to_vec()]);
    assert_eq!((bench.backlog.bytes(), bench.board(Board::FIRST)), (0, 3));
}

#[test]
fn the_core_and_javascript_put_an_event_in_alike() {
    let texts = ["", "1", "\"é\"", "\"😀\"", "12345678", "123456789"];
    let mut random = fastrand::Rng::with_seed(1);
    // Only at the end of the bytes they may differ: JavaScript does not know how many it needs.
    let [mut core, javascript] = [(); 2].map(|()| Bench::starting_at(u64::from(u32::MAX) - 3, 0));
    for _ in 0..2000 {
        let text = texts[random.usize(..texts.len())].repeat(random.usize(..200));
        let flags = [0, flag::HOLE, flag::WHOLE][random.usize(..3)];
        let task = Task::new(text.as_bytes().into(), flags);
        assert!(core.backlog.publish(task, &mut core.tasks).is_ok());
        assert!(javascript.writer.write(flags, &text));
    }
    let words = |bench: &Bench| -> Vec<u32> {
        let memory = &bench.backlog.memory;
        (0..Common::LEN / 4).map(|at| memory.word(at).load(Ordering::SeqCst)).collect()
    };
    assert!(words(&core) == words(&javascript));
    for at in [Board::PUBLISHED, Board::TAIL] {
        assert_eq!(core.board(at), javascript.board(at));
    }
}

/// What the threads of [`race`] share: the master's core, under the pool's lock as it were.
type Core = Mutex<Bench>;

/// Has `workers` threads claim what one thread puts in, and the core take in who claimed what and what
/// was answered; returns what each worker claimed, in order.
fn race(bench: Bench, workers: usize, events: usize, longest: usize) -> (Bench, Vec<Vec<u32>>) {
    let first = bench.board(Board::PUBLISHED);
    let writer =
        Writer::new(Arc::clone(&bench.backlog.memory), Arc::clone(&bench.backlog.board), workers);
    let claimers: Vec<Claimer> = (0..workers).map(|place| bench.claimer(place)).collect();
    let core: Core = Mutex::new(bench);
    let (count, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let broken = AtomicBool::new(false);
    let over = || count.load(Ordering::SeqCst) == events || broken.load(Ordering::SeqCst);
    let (answer, answers) = mpsc::channel();
    let claimed = std::thread::scope(|scope| {
        let _ends = Ends(&broken);
        let run = |mut claimer: Claimer| {
            let (answer, count, begun, over) = (answer.clone(), &count, &begun, &over);
            move || {
                let mut claimed = Vec::new();
                let mut held = None;
                let mut random = fastrand::Rng::with_seed(4);
                while !over() {
                    let Some(number) = claimer.claim() else { continue };
                    count.fetch_add(1, Ordering::SeqCst);
                    let (flags, text) = claimer.read(number);
                    if flags & flag::LONG == 0 {
                        let expected = text_of(number, longest).into_bytes();
                        assert!(text == expected, "event {number} came out garbled");
                    }
                    claimed.push(number);
                    if claimed.len() == 1 {
                        // Nobody has it all, however the threads are scheduled.
                        begun.fetch_add(1, Ordering::SeqCst);
                        until("the others", || begun.load(Ordering::SeqCst) == workers);
                    }
                    // Now and then one runs for as long as hundreds of others.
                    let ended =
                        if random.u16(..500) == 0 { held.replace(number) } else { Some(number) };
                    if let Some(number) = ended {
                        answer.send(number).expect("open");
                    }
                }
                if let Some(number) = held {
                    answer.send(number).expect("open");
                }
                claimed
            }
        };
        let threads: Vec<_> =
            claimers.into_iter().map(|claimer| scope.spawn(run(claimer))).collect();
        drop(answer);
        scope.spawn(|| {
            for at in 0..events {
                let text = text_of(first.wrapping_add(at as u32), longest);
                let put = || writer.write(0, &text) || core.lock().expect("sound").publish(&text);
                until("room", put);
            }
        });
        while let Ok(number) = answers.recv_timeout(DEADLINE) {
            let mut bench = core.lock().expect("sound");
            bench.claims();
            let text = bench.answer(number);
            assert!(text == text_of(number, longest).into_bytes(), "event {number} was garbled");
        }
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut bench = core.into_inner().expect("sound");
    bench.claims();
    (bench, claimed)
}

#[test]
fn each_event_is_claimed_once_and_in_order_however_many_claim_and_however_often_all_wraps_around() {
    let near = |below: u32| u32::MAX - below;
    for (workers, events, longest, number, position) in [
        (3, 60_000, 64, 0, 0),
        (2, 30_000, 3000, 0, 0),
        (4, 40_000, 600, u64::from(near(20_000)), near(5_000_000)),
        (2, 40_000, 0, (7 << 32) + u64::from(near(9)), near(0) & !7),
    ] {
        let bench = Bench::starting_at(number, position);
        let (bench, claimed) = race(bench, workers, events, longest);
        let offset = |number_of: &u32| number_of.wrapping_sub(low(number));
        for of_worker in &claimed {
            let offsets: Vec<u32> = of_worker.iter().map(offset).collect();
            assert!(offsets.is_sorted(), "a worker claimed out of order");
        }
        let mut all: Vec<u32> = claimed.iter().flatten().map(offset).collect();
        all.sort_unstable();
        assert!(all == (0..events as u32).collect::<Vec<_>>(), "an event is lost or there twice");
        let backlog = &bench.backlog;
        assert_eq!((backlog.unclaimed(), backlog.bytes(), bench.tasks.bytes()), (0, 0, 0));
        assert_eq!(backlog.first, number + events as TaskId);
    }
}

#[test]
fn a_worker_that_joins_after_billions_of_events_claims_the_next_one() {
    for number in [0, 1 << 31, (1 << 31) + 5, 3 << 30, (1 << 32) - 1, 1 << 40] {
        let mut bench = Bench::starting_at(number, 0);
        assert!(bench.publish("1"));
        assert_eq!(bench.claimer(3).claim(), Some(low(number)), "after {number}");
        assert_eq!(bench.claims(), [(number, Owner::Worker(3))]);
    }
}

#[test]
fn there_are_as_many_places_as_there_are_and_one_is_free_when_its_event_has_ended_and_those_before()
{
    let mut bench = Bench::new();
    assert_eq!(bench.fill("1"), PLACES);
    assert!(!bench.writer.write(0, "1"));
    let mut claimer = bench.claimer(0);
    claimer.claim();
    claimer.claim();
    assert!(bench.claims().len() == 2 && !bench.publish("1"));
    bench.end(1);
    assert!(!bench.writer.write(0, "1"));
    bench.end(0);
    assert!(bench.writer.write(0, "1") && bench.publish("1") && !bench.publish("1"));
}

#[test]
fn a_text_lies_in_one_piece_and_its_bytes_are_free_when_its_event_has_ended() {
    for len in [1, 8, 1000, 300_000, Common::LONGEST - 1, Common::LONGEST] {
        let mut bench = Bench::starting_at(5, u32::MAX - 2_000_000);
        let mut claimer = bench.claimer(0);
        let mut random = fastrand::Rng::with_seed(len as u64);
        let mut waiting = VecDeque::new();
        for at in 0..300_u32 {
            let text = char::from(b'a' + (at % 26) as u8).to_string().repeat(random.usize(..=len));
            while !bench.publish(&text) {
                let number = claimer.claim().expect("something is in the way");
                let (_, read) = claimer.read(number);
                assert!(waiting.pop_front() == Some(read), "a text of {len} bytes is garbled");
                bench.claims();
                bench.answer(number);
            }
            waiting.push_back(text.into_bytes());
            assert!(bench.backlog.bytes() <= Common::SIZE as usize);
        }
    }
}

#[test]
fn an_event_that_runs_for_long_gives_its_place_up_when_its_text_has_been_read_and_not_before() {
    // Until there is no place left, or no byte.
    for text in ["1".to_owned(), "1".repeat(500_000)] {
        let mut bench = Bench::new();
        let [mut slow, mut quick] = [bench.claimer(0), bench.claimer(1)];
        assert!(bench.publish("slow"));
        let long = slow.claim().expect("an event");
        let room = bench.fill(&text);
        let mut run_rest = |bench: &mut Bench| {
            while let Some(number) = quick.claim() {
                quick.read(number);
                bench.claims();
                bench.answer(number);
            }
        };
        run_rest(&mut bench);
        assert!(!bench.publish(&text), "its worker may be about to read the text");
        assert!(!bench.tasks.has(0));
        assert_eq!(slow.read(long).1, b"slow");
        for _ in 0..5 {
            assert!(bench.fill(&text) >= room);
            run_rest(&mut bench);
        }
        assert!(bench.tasks.has(0), "it is kept where nobody else can write");
        assert_eq!(bench.end(0), b"slow");
        run_rest(&mut bench);
        assert_eq!((bench.tasks.bytes(), bench.backlog.bytes()), (0, 0));
    }
}

#[test]
fn an_event_that_nobody_has_claimed_keeps_its_place() {
    let mut bench = Bench::new();
    bench.fill("1");
    let mut claimer = bench.claimer(0);
    for number in 0..3 {
        assert_eq!(claimer.claim(), Some(number));
        claimer.read(number);
    }
    bench.claims();
    // Three have been read, and give theirs up; no more.
    assert_eq!(bench.fill("1"), 3);
    assert!([0, 1, 2].iter().all(|&id| bench.tasks.has(id)) && !bench.tasks.has(3));
    assert_eq!(claimer.claim(), Some(3));
    assert_eq!(claimer.read(3).1, b"1");
}

#[test]
fn a_long_text_is_kept_by_the_master_and_takes_no_bytes_here() {
    let mut bench = Bench::new();
    let texts = [Common::LONGEST, Common::LONGEST + 1, 10_000_000].map(|len| "x".repeat(len));
    for text in &texts {
        assert!(!bench.writer.write(0, text), "JavaScript leaves it to the core");
        assert!(bench.publish(text));
    }
    assert_eq!(bench.backlog.bytes(), Common::LONGEST);
    assert_eq!([0, 1, 2].map(|id| bench.tasks.has(id)), [false, true, true]);
    let mut claimer = bench.claimer(0);
    let flags = [(); 3].map(|()| {
        let number = claimer.claim().expect("an event");
        claimer.read(number).0 & flag::LONG
    });
    assert_eq!(flags, [0, flag::LONG, flag::LONG]);
    // Its place is another's while it runs; the text is not.
    bench.claims();
    bench.fill("1");
    for (id, text) in (0..).zip(&texts) {
        assert!(bench.end(id) == text.as_bytes());
    }
}

#[test]
fn what_is_taken_back_is_the_master_s_and_nobody_claims_it() {
    let mut bench = Bench::starting_at(u64::from(u32::MAX) - 2, 0);
    let mut claimer = bench.claimer(0);
    for number in 0..5 {
        assert!(bench.publish(&number.to_string()));
    }
    let first = claimer.claim().expect("an event");
    bench.backlog.take_back();
    assert_eq!(claimer.claim(), None);
    assert!(!claimer.has_more());
    let id = TaskId::from(first);
    let mut expected = vec![(id, Owner::Worker(0))];
    expected.extend((1..5).map(|at| (id + at, Owner::Master)));
    assert_eq!(bench.claims(), expected);
    // Their places are as good as free: the texts go along.
    for (id, _) in &expected[1..] {
        bench.backlog.keep(*id, &mut bench.tasks);
    }
    claimer.read(first);
    assert_eq!(bench.fill("1"), PLACES);
    let texts = [1, 2, 3, 4].map(|at| bench.end(id + at));
    assert_eq!(texts, [b"1", b"2", b"3", b"4"]);
}

#[test]
fn an_event_is_claimed_by_a_worker_or_taken_back_and_never_both() {
    const ROUNDS: usize = 40;
    let mut bench = Bench::starting_at(u64::from(u32::MAX) - 50_000, 0);
    let mut claimers: Vec<Claimer> = (0..3).map(|place| bench.claimer(place)).collect();
    let mut taken = [0; 2];
    for _ in 0..ROUNDS {
        bench.fill("1");
        let go = AtomicBool::new(false);
        let backlog = &bench.backlog;
        let mut owners: Vec<(TaskId, Owner)> = std::thread::scope(|scope| {
            let threads: Vec<_> = claimers
                .iter_mut()
                .enumerate()
                .map(|(place, claimer)| {
                    let go = &go;
                    scope.spawn(move || {
                        until("the start", || go.load(Ordering::SeqCst));
                        let numbers = std::iter::from_fn(|| claimer.claim());
                        let id = |number| backlog.id_of(number).expect("it was put in");
                        let own = |number| (id(number), Owner::Worker(place));
                        numbers.map(own).collect::<Vec<_>>()
                    })
                })
                .collect();
            go.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_micros(50));
            backlog.take_back();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        owners.sort_unstable_by_key(|&(id, _)| id);
        let claims = bench.claims();
        assert_eq!(claims.len(), PLACES, "all have an owner");
        let of_workers: Vec<_> =
            claims.iter().copied().filter(|&(_, owner)| owner != Owner::Master).collect();
        assert!(of_workers == owners, "the master sees what the workers see");
        taken[0] += owners.len();
        taken[1] += PLACES - owners.len();
        for (id, _) in claims {
            bench.end(id);
        }
    }
    assert!(taken.iter().all(|&count| count > 0), "there was no race: {taken:?}");
}

/// The master decides whether to wait for a bell, and the worker whether to ring, at the same time.
#[test]
fn a_ring_that_was_asked_for_comes_or_the_master_sees_that_there_is_more_to_look_at() {
    const ROUNDS: usize = 20_000;
    let mut bench = Bench::starting_at(u64::from(u32::MAX) - 5000, 0);
    let mut claimer = bench.claimer(0);
    let (taken, rung) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let over = AtomicBool::new(false);
    let mut published = 0;
    let mut asked = [0; 2];
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let Some(number) = claimer.claim() else { continue };
                taken.fetch_add(1, Ordering::SeqCst);
                claimer.read(number);
                if claimer.is_to_ring(number) {
                    rung.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let mut random = fastrand::Rng::with_seed(3);
        for round in 0..ROUNDS {
            let events = random.usize(1..6);
            for _ in 0..events {
                assert!(bench.publish("1"));
            }
            published += events;
            for _ in 0..random.usize(..100) {
                std::hint::spin_loop();
            }
            // On a busy machine the two seldom run at the same time: now and then all is claimed behind the
            // master's back.
            let mut claims = Vec::new();
            if round % 100 == 99 {
                until("the claims", || taken.load(Ordering::SeqCst) == published);
            } else {
                claims = bench.claims();
            }
            let before = rung.load(Ordering::SeqCst);
            let has_more = bench.backlog.unclaimed() > 0;
            let waits = bench.backlog.ask_for_ring();
            assert!(
                waits
                    || !has_more
                    || bench.backlog.next_claim().inspect(|&c| claims.push(c)).is_some()
            );
            if waits && has_more {
                let in_vain = format!("the ring of round {round}");
                until(&in_vain, || rung.load(Ordering::SeqCst) > before);
            }
            asked[usize::from(waits)] += 1;
            while claims.len() < events {
                claims.extend(bench.claims());
            }
            for (id, _) in claims {
                bench.end(id);
            }
        }
    });
    assert!(asked.iter().all(|&count| count > 0), "both come about: {asked:?}");
}

#[test]
fn the_middle_one_of_the_events_that_wait_is_asked_for() {
    for (waiting, middle) in [(1, 0), (2, 1), (3, 1), (10, 5)] {
        let mut bench = Bench::starting_at(u64::from(u32::MAX), 0);
        for _ in 0..=waiting {
            bench.publish("1");
        }
        let mut claimer = bench.claimer(0);
        let first = claimer.claim().expect("an event");
        bench.claims();
        assert!(bench.backlog.ask_for_ring());
        assert!(claimer.is_to_ring(first.wrapping_add(1 + middle)), "of {waiting}");
    }
    assert!(Bench::new().backlog.ask_for_ring(), "there is nothing to wait for");
}

#[test]
fn if_no_event_waits_whoever_has_the_oldest_is_to_ring_once_it_has_read_it() {
    let mut bench = Bench::starting_at(u64::from(u32::MAX), 0);
    for _ in 0..3 {
        bench.publish("1");
    }
    let mut claimer = bench.claimer(0);
    let numbers = [(); 3].map(|()| claimer.claim().expect("an event"));
    claimer.read(numbers[2]);
    bench.claims();
    assert!(bench.backlog.ask_for_ring());
    assert_eq!(numbers.map(|number| claimer.is_to_ring(number)), [true, false, false]);
    claimer.read(numbers[0]);
    assert!(bench.backlog.ask_for_ring(), "its place can be used again: that was seen before");
}

#[test]
fn what_a_worker_that_ended_had_claimed_out_of_turn_is_taken_back() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.publish("1");
    }
    bench.backlog.memory.word(entry(1)).store(free(1) | 2, Ordering::SeqCst);
    let mut claimer = bench.claimer(0);
    bench.backlog.disown(0);
    bench.backlog.disown(1);
    assert_eq!([claimer.claim(), claimer.claim(), claimer.claim()], [Some(0), Some(2), None]);
    let owners: Vec<Owner> = bench.claims().into_iter().map(|(_, owner)| owner).collect();
    assert_eq!(owners, [Owner::Worker(0), Owner::Master, Owner::Worker(0)]);
}

#[test]
fn the_texts_of_events_that_have_ended_do_not_count_though_one_before_them_runs_on() {
    let mut bench = Bench::new();
    let mut claimer = bench.claimer(0);
    for _ in 0..3 {
        bench.publish(&"x".repeat(1000));
        claimer.claim();
    }
    bench.claims();
    assert_eq!(bench.backlog.bytes(), 3000);
    bench.end(2);
    bench.end(1);
    bench.end(1);
    assert_eq!(bench.backlog.bytes(), 1000);
    bench.end(0);
    assert_eq!(bench.backlog.bytes(), 0);
}

#[test]
fn each_worker_sleeps_for_itself() {
    let bench = Bench::new();
    let places = [0, 1, 31, 32, 63, 64, 99];
    let claimers = places.map(|place| bench.claimer(place));
    assert!(!bench.writer.has_sleepers());
    for (place, claimer) in places.into_iter().zip(&claimers) {
        claimer.sleep();
        assert!(bench.writer.has_sleepers(), "in place {place}");
        let asleep: Vec<usize> = (0..100).filter(|&at| bench.backlog.is_asleep(at)).collect();
        assert_eq!(asleep, [place]);
        assert!(bench.backlog.wake(place) && !bench.backlog.wake(place), "it is rung once");
        claimer.sleep();
        claimer.wake();
        assert!(!bench.backlog.is_asleep(place));
    }
}

#[test]
fn an_answer_s_number_is_that_of_an_event_that_was_put_in() {
    for number in [3, (1 << 32) - 2, 1 << 32, (5 << 32) + 1] {
        let mut bench = Bench::starting_at(number, 0);
        for _ in 0..4 {
            assert!(bench.publish("1"));
        }
        for id in number..number + 4 {
            assert_eq!(bench.backlog.id_of(low(id)), Some(id));
        }
        // What comes next is no event; whatever else it says was long ago, if ever.
        assert_eq!(bench.backlog.id_of(low(number + 4)), Some(number + 4));
        assert!(bench.backlog.id_of(low(number + 5)) < Some(number));
    }
}

#[test]
fn garbage_in_the_shared_words_is_survived_and_the_backlog_goes_on() {
    for seed in 0..100 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bench = Bench::starting_at([0, u64::from(u32::MAX) - 40][seed as usize % 2], 0);
        let mut claimers = [bench.claimer(0), bench.claimer(1)];
        let mut open: Vec<TaskId> = Vec::new();
        for _ in 0..200 {
            match random.u8(..10) {
                0..4 => {
                    let text = "x".repeat([1, 100, 400_000, 2_000_000][random.usize(..4)]);
                    if !bench.writer.write(0, &text) {
                        bench.publish(&text);
                    }
                }
                4..6 => {
                    let claimer = &mut claimers[random.usize(..2)];
                    if let Some(number) = claimer.claim() {
                        claimer.read(number);
                    }
                }
                6 => bench.backlog.take_back(),
                7 if !open.is_empty() => {
                    let id = open.swap_remove(random.usize(..open.len()));
                    bench.end(id);
                }
                8 => _ = bench.backlog.ask_for_ring(),
                _ => {
                    // Near the events that there are, or in any place.
                    let number = bench.backlog.published().saturating_sub(random.u64(..20));
                    let words = [
                        entry(number) + random.usize(..4),
                        random.usize(Common::TABLE..Common::BYTES / 4),
                    ];
                    let values = [random.u32(..), u32::MAX, random.u32(..=0x1fff), free(number)];
                    let word = bench.backlog.memory.word(words[random.usize(..2)]);
                    word.store(values[random.usize(..4)], Ordering::SeqCst);
                }
            }
            for (id, owner) in bench.claims() {
                if owner == Owner::Master {
                    bench.backlog.keep(id, &mut bench.tasks);
                }
                open.push(id);
            }
        }
        // Whatever became of them, they end; then there is room for as much as ever.
        bench.backlog.take_back();
        open.extend(bench.claims().into_iter().map(|(id, _)| id));
        for id in open {
            bench.end(id);
        }
        assert_eq!(bench.backlog.unclaimed(), 0, "seed {seed}");
        assert_eq!(bench.tasks.bytes(), 0, "seed {seed}");
        // One more would fit if none of the bytes were left over at the end.
        for _ in 0..3 {
            assert!(bench.publish(&"y".repeat(Common::LONGEST)), "seed {seed}");
        }
    }
}
