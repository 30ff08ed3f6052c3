//! Promised: each event that is put in is claimed once, in order, with its text intact, however many workers claim at the
//! same time and whoever puts it in; by a worker or by the master, never by both. A place, and its text's bytes, are used
//! again as soon as they can be: an event that runs for long holds nothing up, and one whose text is still to be read
//! keeps it. Whatever workers write into this memory, the master reads nothing outside of it and goes on.

mod unread;

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use super::*;
use crate::core::task_id::{RunId, first_of};
use crate::queue::writer;
use crate::run::words::Words;
use crate::tests::player::{Claimer, DEADLINE, Ends, Writer, shared_lanes, until};

const PLACES: usize = Shared::PLACES as usize;

/// The run whose events these are, and the lane.
const RUN: RunId = 3;
const LANE: usize = 2;

/// The lower half of a number: what workers know of it.
fn low(number: u64) -> u32 {
    Seq::of(number).0
}

/// The master's ends: JavaScript's and the core's.
struct Bench {
    lane: Lane,
    tasks: Tasks,
    writer: Writer,
    words: Arc<Words>,
    /// The number of the first event.
    begin: u64,
}

impl Bench {
    fn new() -> Self {
        Self::starting_at(0, 0)
    }

    /// Begins with this number, and this position of the first text.
    fn starting_at(number: u64, position: u32) -> Self {
        let memory = shared_lanes();
        memory.word(Shared::OPEN).store(1 << LANE, Ordering::SeqCst);
        for at in [Shared::PUBLISHED, Shared::CLAIMED] {
            memory.word(Shared::header(LANE, at)).store(low(number), Ordering::SeqCst);
        }
        memory.word(Shared::GROUPS + LANE).store(1, Ordering::SeqCst);
        let front = Arc::new(Front::new(LANE).expect("memory"));
        front.published.0.count.store(number, Ordering::SeqCst);
        front.published.0.tail.store(position, Ordering::SeqCst);
        front.taken.0.first.store(number, Ordering::SeqCst);
        front.taken.0.head.store(position, Ordering::SeqCst);
        let mut lane = Lane::new(memory, front);
        (lane.first, lane.claimed) = (number, number);
        let words = Arc::new(Words::new());
        let writer = writer_of(&lane, &words);
        Self { lane, tasks: Tasks::default(), writer, words, begin: number }
    }

    fn claimer(&self, slot: usize) -> Claimer {
        Claimer::new(Arc::clone(&self.lane.memory), slot)
    }

    fn task(&self, at: u64) -> TaskId {
        first_of(RUN) + at - self.begin
    }

    fn publish(&mut self, text: &str) -> bool {
        self.publish_with(text, 0)
    }

    fn publish_with(&mut self, text: &str, flags: u32) -> bool {
        let id = first_of(RUN) + self.words.handed_over();
        let task = Task::new(text.as_bytes().into(), flags);
        let is_in = self.lane.publish(id, &task, &mut self.tasks);
        if is_in {
            self.words.hand_over();
            if text.len() > Shared::LONGEST {
                self.tasks.keep(id, task);
            }
        }
        is_in
    }

    /// Publishes what there is room for; how many that is.
    fn fill(&mut self, text: &str) -> usize {
        let mut count = 0;
        while self.publish(text) {
            count += 1;
        }
        count
    }

    fn next_claim(&mut self) -> Option<(u64, Owner)> {
        let claim = self.lane.next_claim()?;
        assert_eq!(claim.task, self.task(claim.at));
        Some((claim.at, claim.owner))
    }

    fn claims(&mut self) -> Vec<(u64, Owner)> {
        std::iter::from_fn(|| self.next_claim()).collect()
    }

    fn has(&self, at: u64) -> bool {
        self.tasks.has(self.task(at))
    }

    /// Ends an event: its text, wherever that is.
    fn end(&mut self, at: u64) -> Vec<u8> {
        let mut text = Bytes::default();
        match self.tasks.remove(self.task(at)) {
            Some(task) => text = task.text,
            None => _ = self.lane.read(at, &mut text),
        }
        self.lane.end(at);
        text.to_vec()
    }

    /// Ends the event of this number.
    fn answer(&mut self, number: u32) -> Vec<u8> {
        let at = self.lane.at(number).expect("it was put in");
        self.end(at)
    }
}

fn writer_of(lane: &Lane, words: &Arc<Words>) -> Writer {
    let memory = Arc::clone(&lane.memory);
    let front = (Arc::clone(&lane.front), Arc::default());
    Writer::of(writer::Writer::new(memory, front, RUN, false), Arc::clone(words))
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
    assert_eq!(bench.lane.unclaimed(), 3);
    assert_eq!(bench.claims(), []);
    assert_eq!((b.claim(), a.claim()), (Some(0), Some(1)));
    assert_eq!(bench.claims(), [(0, Owner::Worker(41)), (1, Owner::Worker(0))]);
    assert_eq!(a.read(1), (flag::ASCII, b"one".to_vec()));
    assert_eq!((b.claim(), a.claim(), b.claim()), (Some(2), None, None));
    assert_eq!(bench.claims(), [(2, Owner::Worker(41))]);
    assert_eq!((bench.lane.unclaimed(), bench.lane.front.count()), (0, 3));
    let texts = [2, 0, 1].map(|at| bench.end(at));
    assert_eq!(texts, [b"two".to_vec(), b"zero".to_vec(), b"one".to_vec()]);
    assert_eq!((bench.lane.bytes(), bench.lane.first), (0, 3));
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
        assert!(core.publish_with(&text, flags));
        assert!(javascript.writer.write(flags, &text));
    }
    let words = |bench: &Bench| -> Vec<u32> {
        let memory = &bench.lane.memory;
        (0..Shared::LEN / 4).map(|at| memory.word(at).load(Ordering::SeqCst)).collect()
    };
    assert!(words(&core) == words(&javascript));
    let known = |bench: &Bench| {
        let Lane { front, .. } = &bench.lane;
        let events = (bench.begin..front.count()).map(|at| format!("{:?}", front.get(at)));
        (front.count(), bench.lane.tail(), events.collect::<Vec<_>>())
    };
    assert_eq!(known(&core), known(&javascript));
}

/// What the threads of [`race`] share: the master's core, under the pool's lock as it were.
type Core = Mutex<Bench>;

/// Has `workers` threads claim what one thread puts in, and the core take in who claimed what and what
/// was answered; returns what each worker claimed, in order.
fn race(bench: Bench, workers: usize, events: usize, longest: usize) -> (Bench, Vec<Vec<u32>>) {
    let first = low(bench.lane.front.count());
    let writer = writer_of(&bench.lane, &bench.words);
    let claimers: Vec<Claimer> = (0..workers).map(|slot| bench.claimer(slot)).collect();
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
        let lane = &bench.lane;
        assert_eq!((lane.unclaimed(), lane.bytes(), bench.tasks.bytes()), (0, 0, 0));
        assert_eq!(lane.first, number + events as u64);
    }
}

/// Has one thread put events in as JavaScript's does, and another as the pool does with those of its own, under its lock. The texts
/// that came out, each as often as it did.
fn race_of_two(events: usize, longest: usize) -> Vec<Vec<u8>> {
    let bench = Bench::new();
    let writer = writer_of(&bench.lane, &bench.words);
    let mut claimer = bench.claimer(0);
    let core: Core = Mutex::new(bench);
    let over = AtomicBool::new(false);
    // Numbers by which texts are told apart, of each thread its own.
    let text = |number: u32| format!("{number} {}", text_of(number, longest));
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        let pool_puts = |bench: &mut Bench, text: &str| {
            let task = Task::new(text.as_bytes().into(), 0);
            let is_in = bench.lane.take_over()
                && bench.lane.publish(first_of(RUN), &task, &mut bench.tasks);
            bench.lane.set_overflows(!is_in);
            is_in
        };
        let (core, over, writer) = (&core, &over, &writer);
        let put = move |number: u32, by_itself: bool| {
            let text = text(number);
            until("room", || {
                over.load(Ordering::SeqCst)
                    || (by_itself && writer.write(0, &text))
                    || (!by_itself && pool_puts(&mut core.lock().expect("sound"), &text))
            });
        };
        for by_itself in [true, false] {
            scope.spawn(move || {
                for at in 0..events as u32 {
                    put(2 * at + u32::from(by_itself), by_itself);
                    // What waits behind something of the pool's is let in again when that is done.
                    if !by_itself {
                        core.lock().expect("sound").lane.set_overflows(false);
                    }
                }
            });
        }
        let end = std::time::Instant::now() + DEADLINE;
        let mut texts = Vec::new();
        while texts.len() < 2 * events && std::time::Instant::now() < end {
            let Some(number) = claimer.claim() else { continue };
            let (_, text) = claimer.read(number);
            texts.push(text);
            let mut bench = core.lock().expect("sound");
            while bench.lane.next_claim().is_some() {}
            if let Some(at) = bench.lane.at(number) {
                bench.lane.end(at);
            }
        }
        texts
    })
}

#[test]
fn javascripts_thread_and_the_pool_never_put_an_event_in_at_the_same_time() {
    let (events, longest) = (5_000, 300);
    let mut texts = race_of_two(events, longest);
    texts.sort_unstable();
    let text = |number: u32| format!("{number} {}", text_of(number, longest)).into_bytes();
    let mut expected: Vec<Vec<u8>> = (0..2 * events as u32).map(text).collect();
    expected.sort_unstable();
    assert!(texts == expected, "an event is lost, there twice, or garbled");
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
    for len in [1, 8, 1000, 300_000, Shared::LONGEST - 1, Shared::LONGEST] {
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
            assert!(bench.lane.bytes() <= Shared::SIZE as usize);
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
        assert!(!bench.has(0));
        assert_eq!(slow.read(long).1, b"slow");
        for _ in 0..5 {
            assert!(bench.fill(&text) >= room);
            run_rest(&mut bench);
        }
        assert!(bench.has(0), "it is kept where nobody else can write");
        assert_eq!(bench.end(0), b"slow");
        run_rest(&mut bench);
        assert_eq!((bench.tasks.bytes(), bench.lane.bytes()), (0, 0));
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
    assert!([0, 1, 2].iter().all(|&at| bench.has(at)) && !bench.has(3));
    assert_eq!(claimer.claim(), Some(3));
    assert_eq!(claimer.read(3).1, b"1");
}

#[test]
fn a_long_text_is_kept_by_the_master_and_takes_no_bytes_here() {
    let mut bench = Bench::new();
    let texts = [Shared::LONGEST, Shared::LONGEST + 1, 10_000_000].map(|len| "x".repeat(len));
    for text in &texts {
        assert!(!bench.writer.write(0, text), "JavaScript leaves it to the core");
        assert!(bench.publish(text));
    }
    assert_eq!(bench.lane.bytes(), Shared::LONGEST);
    assert_eq!([0, 1, 2].map(|at| bench.has(at)), [false, true, true]);
    let mut claimer = bench.claimer(0);
    let flags = [(); 3].map(|()| {
        let number = claimer.claim().expect("an event");
        claimer.read(number).0 & flag::LONG
    });
    assert_eq!(flags, [0, flag::LONG, flag::LONG]);
    // Its place is another's while it runs; the text is not.
    bench.claims();
    bench.fill("1");
    for (at, text) in (0..).zip(&texts) {
        assert!(bench.end(at) == text.as_bytes());
    }
}

#[test]
fn an_event_that_leaves_its_place_takes_along_what_was_learned_of_it_when_it_was_tried() {
    let mut bench = Bench::new();
    let id = bench.task(0);
    bench.tasks.keep(id, Task::new(b"1"[..].into(), flag::ASCII));
    bench.tasks.try_again(id, 2, true);
    let task = bench.tasks.remove(id).expect("it was kept");
    assert!(bench.lane.publish(id, &task, &mut bench.tasks));
    bench.lane.keep(0, &mut bench.tasks);
    let task = bench.tasks.get(id).expect("it has left its place");
    assert_eq!((&*task.text, task.failed, task.flags), (&b"1"[..], 2, flag::ALONE));
}

#[test]
fn what_is_taken_back_is_the_master_s_and_nobody_claims_it() {
    let mut bench = Bench::starting_at(u64::from(u32::MAX) - 2, 0);
    let mut claimer = bench.claimer(0);
    for number in 0..5 {
        assert!(bench.publish(&number.to_string()));
    }
    let first = claimer.claim().expect("an event");
    bench.lane.take_back(|_| true);
    assert_eq!(claimer.claim(), None);
    assert!(!claimer.has_more());
    let begin = bench.begin;
    assert_eq!(first, low(begin));
    let mut expected = vec![(begin, Owner::Worker(0))];
    expected.extend((1..5).map(|at| (begin + at, Owner::Master)));
    assert_eq!(bench.claims(), expected);
    // Their places are as good as free: the texts go along.
    for (at, _) in &expected[1..] {
        bench.lane.keep(*at, &mut bench.tasks);
    }
    claimer.read(first);
    assert_eq!(bench.fill("1"), PLACES);
    let texts = [1, 2, 3, 4].map(|at| bench.end(begin + at));
    assert_eq!(texts, [b"1", b"2", b"3", b"4"]);
}

#[test]
fn an_event_is_claimed_by_a_worker_or_taken_back_and_never_both() {
    const ROUNDS: usize = 40;
    let mut bench = Bench::starting_at(u64::from(u32::MAX) - 50_000, 0);
    let mut claimers: Vec<Claimer> = (0..3).map(|slot| bench.claimer(slot)).collect();
    let mut taken = [0; 2];
    for _ in 0..ROUNDS {
        bench.fill("1");
        let go = AtomicBool::new(false);
        let lane = &bench.lane;
        let mut owners: Vec<(u64, Owner)> = std::thread::scope(|scope| {
            let threads: Vec<_> = claimers
                .iter_mut()
                .enumerate()
                .map(|(slot, claimer)| {
                    let go = &go;
                    scope.spawn(move || {
                        until("the start", || go.load(Ordering::SeqCst));
                        let numbers = std::iter::from_fn(|| claimer.claim());
                        let at = |number| lane.at(number).expect("it was put in");
                        let own = |number| (at(number), Owner::Worker(slot));
                        numbers.map(own).collect::<Vec<_>>()
                    })
                })
                .collect();
            go.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_micros(50));
            lane.take_back(|_| true);
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        owners.sort_unstable_by_key(|&(at, _)| at);
        let claims = bench.claims();
        assert_eq!(claims.len(), PLACES, "all have an owner");
        let of_workers: Vec<_> =
            claims.iter().copied().filter(|&(_, owner)| owner != Owner::Master).collect();
        assert!(of_workers == owners, "the master sees what the workers see");
        taken[0] += owners.len();
        taken[1] += PLACES - owners.len();
        for (at, _) in claims {
            bench.end(at);
        }
    }
    assert!(taken.iter().all(|&count| count > 0), "there was no race: {taken:?}");
}

/// The master decides whether to wait to be notified, and the worker whether to notify it, at the same time.
#[test]
fn a_notice_that_was_asked_for_comes_or_the_master_sees_that_there_is_more_to_look_at() {
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
                if claimer.is_to_notify(number) {
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
            let has_more = bench.lane.unclaimed() > 0;
            let waits = bench.lane.ask_for_notice();
            assert!(
                waits || !has_more || bench.next_claim().inspect(|&c| claims.push(c)).is_some()
            );
            if waits && has_more {
                let in_vain = format!("the ring of round {round}");
                until(&in_vain, || rung.load(Ordering::SeqCst) > before);
            }
            asked[usize::from(waits)] += 1;
            while claims.len() < events {
                claims.extend(bench.claims());
            }
            for (at, _) in claims {
                bench.end(at);
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
        assert!(bench.lane.ask_for_notice());
        let notify_at = Shared::header(LANE, Shared::NOTIFY_AT);
        let asked = bench.lane.memory.word(notify_at).load(Ordering::SeqCst);
        assert_eq!(asked, first.wrapping_add(1 + middle), "of {waiting}");
        // And no other.
        let numbers = std::iter::from_fn(|| claimer.claim()).collect::<Vec<_>>();
        let asked = numbers.iter().filter(|&&number| claimer.is_to_notify(number));
        assert_eq!(asked.count(), 1);
    }
    assert!(Bench::new().lane.ask_for_notice(), "there is nothing to wait for");
}

#[test]
fn if_no_event_waits_whoever_has_the_oldest_is_to_notify_once_it_has_read_it() {
    let mut bench = Bench::starting_at(u64::from(u32::MAX), 0);
    for _ in 0..3 {
        bench.publish("1");
    }
    let mut claimer = bench.claimer(0);
    let numbers = [(); 3].map(|()| claimer.claim().expect("an event"));
    claimer.read(numbers[2]);
    bench.claims();
    assert!(bench.lane.ask_for_notice());
    assert_eq!(numbers.map(|number| claimer.is_to_notify(number)), [true, false, false]);
    claimer.read(numbers[0]);
    assert!(bench.lane.ask_for_notice(), "its place can be used again: that was seen before");
}

#[test]
fn what_a_worker_that_ended_had_claimed_out_of_turn_is_taken_back() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.publish("1");
    }
    bench.lane.memory.word(Shared::entry(LANE, 1)).store(free(1) | 2, Ordering::SeqCst);
    let mut claimer = bench.claimer(0);
    bench.lane.disown(0);
    bench.lane.disown(1);
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
    assert_eq!(bench.lane.bytes(), 3000);
    bench.end(2);
    bench.end(1);
    bench.end(1);
    assert_eq!(bench.lane.bytes(), 1000);
    bench.end(0);
    assert_eq!(bench.lane.bytes(), 0);
}

#[test]
fn an_answer_s_number_is_that_of_an_event_that_was_put_in() {
    for number in [3, (1 << 32) - 2, 1 << 32, (5 << 32) + 1] {
        let mut bench = Bench::starting_at(number, 0);
        for _ in 0..4 {
            assert!(bench.publish("1"));
        }
        for at in number..number + 4 {
            assert_eq!(bench.lane.at(low(at)), Some(at));
        }
        // What comes next is no event; whatever else it says was long ago, if ever.
        assert_eq!(bench.lane.at(low(number + 4)), Some(number + 4));
        assert!(bench.lane.at(low(number + 5)) < Some(number));
    }
}

#[test]
fn garbage_in_the_shared_words_is_survived_and_the_lane_goes_on() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bench = Bench::starting_at([0, u64::from(u32::MAX) - 40][seed as usize % 2], 0);
        let mut claimers = [bench.claimer(0), bench.claimer(1)];
        let mut open: Vec<u64> = Vec::new();
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
                6 => bench.lane.take_back(|_| true),
                7 if !open.is_empty() => {
                    let at = open.swap_remove(random.usize(..open.len()));
                    bench.end(at);
                }
                8 => _ = bench.lane.ask_for_notice(),
                _ => {
                    // Near the events that there are, or in any place.
                    let number = bench.lane.front.count().saturating_sub(random.u64(..20));
                    let words = [
                        Shared::entry(LANE, low(number)) + random.usize(..Shared::ENTRY),
                        Shared::entry(LANE, random.u32(..)) + random.usize(..Shared::ENTRY),
                        random.usize(Shared::header(LANE, 0)..Shared::header(LANE + 1, 0)),
                    ];
                    let values = [random.u32(..), u32::MAX, random.u32(..=0x1fff), free(number)];
                    let word = bench.lane.memory.word(words[[0, 0, 0, 1, 1, 2][random.usize(..6)]]);
                    word.store(values[random.usize(..4)], Ordering::SeqCst);
                }
            }
            for (at, owner) in bench.claims() {
                if owner == Owner::Master {
                    bench.lane.keep(at, &mut bench.tasks);
                }
                open.push(at);
            }
        }
        // Whatever became of them, they end; then there is room for as much as ever.
        bench.lane.take_back(|_| true);
        open.extend(bench.claims().into_iter().map(|(at, _)| at));
        for at in open {
            bench.end(at);
        }
        assert_eq!(bench.lane.unclaimed(), 0, "seed {seed}");
        assert_eq!(bench.tasks.bytes(), 0, "seed {seed}");
        // One more would fit if none of the bytes were left over at the end.
        for _ in 0..3 {
            assert!(bench.publish(&"y".repeat(Shared::LONGEST)), "seed {seed}");
        }
    }
}
