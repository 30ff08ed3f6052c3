//! Promised: a worker that has claimed an event and does not read it holds nobody up for long. The master takes
//! the event back, by a compare-and-swap like the worker's own: one of the two has it, and each knows who.

use super::*;
use crate::tests::player::until_some;

#[test]
fn what_is_claimed_and_not_read_is_taken_back_with_its_text_and_its_worker_finds_out() {
    let mut bench = Bench::starting_at(u64::from(u32::MAX) - 2, 0);
    let [mut stopped, mut quick] = [bench.claimer(0), bench.claimer(1)];
    assert!(bench.publish("\"the text\""));
    let number = stopped.claim().expect("an event");
    bench.fill("1");
    while let Some(number) = quick.claim() {
        quick.read(number);
        bench.claims();
        bench.answer(number);
    }
    let at = bench.lane.at(number).expect("it was put in");
    assert!(bench.lane.unread().is_none() && !bench.publish("1"));
    assert_eq!(bench.lane.unread(), Some(at), "its place was wanted");
    let task = bench.task(at);
    assert_eq!(bench.lane.take_unread(at, &mut bench.tasks), Some(task));
    assert_eq!((bench.lane.unread(), bench.lane.first), (None, at + PLACES as u64));
    // All places and bytes are used again.
    assert_eq!(bench.fill("2222"), PLACES);
    assert_eq!(stopped.try_read(number), None);
    assert_eq!(bench.end(at), b"\"the text\"");
    assert_eq!(stopped.claim(), Some(number.wrapping_add(PLACES as u32)), "it goes on");
}

#[test]
fn what_was_read_is_not_taken_back() {
    let mut bench = Bench::new();
    let mut claimer = bench.claimer(0);
    assert!(bench.publish("1"));
    let number = claimer.claim().expect("an event");
    bench.claims();
    claimer.read(number);
    assert_eq!(bench.lane.take_unread(number.into(), &mut bench.tasks), None);
    assert!(!bench.has(number.into()));
}

#[test]
fn a_long_text_has_nothing_to_read_here_and_holds_nobody_up() {
    let mut bench = Bench::new();
    let mut stopped = bench.claimer(0);
    assert!(bench.publish(&"x".repeat(Shared::LONGEST + 1)));
    assert_eq!(stopped.claim(), Some(0));
    bench.claims();
    assert_eq!(bench.fill("1"), PLACES, "its place is free at once");
    assert_eq!(bench.lane.unread(), None);
    assert_eq!(stopped.try_read(0).map(|(flags, _)| flags & flag::LONG), Some(flag::LONG));
}

#[test]
fn an_event_is_read_by_its_worker_or_taken_back_and_never_both() {
    const ROUNDS: usize = 40;
    let mut bench = Bench::starting_at(u64::from(u32::MAX) - 50_000, 0);
    let mut claimers: Vec<Claimer> = (0..2).map(|slot| bench.claimer(slot)).collect();
    let mut counts = [0; 2];
    for _ in 0..ROUNDS {
        assert_eq!(bench.fill("17"), PLACES);
        let first = bench.lane.first;
        let (go, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let (read, taken) = std::thread::scope(|scope| {
            let _ends = Ends(&over);
            let threads: Vec<_> = claimers
                .iter_mut()
                .map(|claimer| {
                    let (go, over) = (&go, &over);
                    scope.spawn(move || {
                        until("the start", || {
                            go.load(Ordering::SeqCst) || over.load(Ordering::SeqCst)
                        });
                        let mut read = Vec::new();
                        while let Some(number) = claimer.claim() {
                            if let Some((_, text)) = claimer.try_read(number) {
                                assert_eq!(text, b"17");
                                read.push(number);
                            }
                        }
                        read
                    })
                })
                .collect();
            go.store(true, Ordering::SeqCst);
            // The oldest that has begun, again and again.
            let mut taken = Vec::new();
            until_some("the last claim", || {
                bench.claims();
                while bench.lane.first < bench.lane.claimed {
                    let at = bench.lane.first;
                    if bench.lane.take_unread(at, &mut bench.tasks).is_some() {
                        taken.push(low(at));
                    } else {
                        bench.lane.end(at);
                    }
                }
                (bench.lane.unclaimed() == 0).then_some(())
            });
            let read: Vec<u32> =
                threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
            (read, taken)
        });
        for (count, list) in counts.iter_mut().zip([&read, &taken]) {
            *count += list.len();
        }
        let mut all: Vec<u32> =
            read.iter().chain(&taken).map(|number| number.wrapping_sub(low(first))).collect();
        all.sort_unstable();
        assert!(all == (0..PLACES as u32).collect::<Vec<_>>(), "one has none, or two");
        for number in taken {
            let at = bench.lane.at(number).expect("it was put in");
            assert_eq!(
                bench.tasks.remove(bench.task(at)).map(|task| task.text.to_vec()),
                Some(b"17".to_vec())
            );
        }
    }
    assert!(counts.iter().all(|&count| count > 0), "there was no race: {counts:?}");
}
