//! Promised: of all that take a lock by its word one has it; a grant that is not whole is nobody's; the master has the
//! last word whenever it comes; and what a process that is gone has held is free.

use std::sync::atomic::AtomicU32;

use super::*;
use crate::shm::common::tests::{anonymous, two_mappings};

const SPOT: Spot = Spot { place: 3, generation: 0 };

fn anybody(_owner: u16) -> bool {
    true
}

#[test]
fn one_process_has_it_and_the_next_when_that_is_done() {
    let (ours, theirs) = two_mappings();
    let token = ours.acquire(SPOT, 1, 77, 1000).expect("free");
    assert_eq!(theirs.acquire(SPOT, 2, NO_EVENT, 1001), None);
    assert_eq!(ours.acquire(SPOT, 1, NO_EVENT, 1001), None, "it is not reentrant");
    assert_eq!(theirs.holder(SPOT.place), Some(Grant { owner: 1, token, event: 77, since: 1000 }));
    assert!(!theirs.release(SPOT, 2, token, 0), "it is another's");
    assert!(!ours.release(SPOT, 1, token + 1, 0), "that is another grant");
    assert!(ours.release(SPOT, 1, token, 1500));
    assert!(!ours.release(SPOT, 1, token, 1500), "it is over");
    assert_eq!(ours.holder(SPOT.place), None);
    let next = theirs.acquire(SPOT, 2, NO_EVENT, 2000).expect("free");
    assert!(next > token, "tokens rise");
    assert_eq!(ours.sums(SPOT.place), Sums { grants: 2, held: 500 });
    let other = Spot { place: 4, ..SPOT };
    assert!(ours.acquire(other, 1, NO_EVENT, 0).is_some_and(|token| token > next));
}

#[test]
fn a_place_that_is_none_is_no_lock() {
    let common = anonymous();
    for place in [Common::PLACES, u32::MAX] {
        let spot = Spot { place, generation: 0 };
        assert_eq!(common.acquire(spot, 1, NO_EVENT, 0), None);
        assert!(!common.release(spot, 1, 1, 0));
    }
}

#[test]
fn many_that_want_it_have_it_one_after_the_other() {
    let (ours, theirs) = two_mappings();
    let (inside, done) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for (owner, common) in (1..).zip([&ours, &theirs, &ours, &theirs]) {
            let (inside, done) = (&inside, &done);
            scope.spawn(move || {
                let mut before = 0;
                for _ in 0..500 {
                    let token = loop {
                        match common.acquire(SPOT, owner, NO_EVENT, 0) {
                            Some(token) => break token,
                            None => std::thread::yield_now(),
                        }
                    };
                    assert!(token > before);
                    before = token;
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    done.fetch_add(1, Ordering::SeqCst);
                    assert!(common.release(SPOT, owner, token, 0));
                }
            });
        }
    });
    assert_eq!((done.into_inner(), ours.sums(SPOT.place).grants), (2000, 2000));
}

#[test]
fn a_lock_that_the_master_manages_is_ended_by_the_master() {
    let (master, worker) = two_mappings();
    let token = worker.acquire(SPOT, 5, 8, 9).expect("free");
    let adopted = Grant { owner: 5, token, event: 8, since: 9 };
    assert_eq!(master.manage(SPOT.place, anybody), Some(adopted));
    assert_eq!(master.manage(SPOT.place, anybody), None, "it is the master's already");
    assert!(!worker.release(SPOT, 5, token, 0));
    assert_eq!(worker.acquire(SPOT, 5, NO_EVENT, 0), None);
    let next = Grant { owner: 6, token: master.next_token(), event: NO_EVENT, since: 0 };
    master.hold(SPOT, &next);
    assert!(!worker.release(SPOT, 6, next.token, 0));
    assert_eq!(master.holder(SPOT.place), None, "the master knows better");
    assert_eq!(master.manage(SPOT.place, anybody), None);
    master.free(SPOT);
    assert!(worker.acquire(SPOT, 5, NO_EVENT, 0).is_some());
}

/// Either the grant is whole for both, or the process asks the master.
#[test]
fn the_master_may_come_at_any_moment() {
    let (master, worker) = two_mappings();
    for _ in 0..2000 {
        let (adopted, taken) = std::thread::scope(|scope| {
            let taken = scope.spawn(|| {
                let token = worker.acquire(SPOT, 5, 1, 0)?;
                Some((token, worker.release(SPOT, 5, token, 0)))
            });
            let adopted = master.manage(SPOT.place, anybody);
            (adopted, taken.join().expect("no panic"))
        });
        match (adopted, taken) {
            (Some(grant), Some(ended)) => assert_eq!((grant.token, false), ended),
            (None, taken) => assert!(taken.is_none_or(|(_, is_over)| is_over)),
            (Some(grant), None) => panic!("{grant:?} is nobody's"),
        }
        master.free(SPOT);
    }
}

#[test]
fn a_process_that_stood_still_while_it_took_a_lock_leaves_the_next_holder_alone() {
    let (master, worker) = two_mappings();
    let word = master.lock_word(SPOT.place, WORD);
    word.store(free(0) | 5, Ordering::SeqCst);
    assert_eq!(master.manage(SPOT.place, anybody), None);
    master.free(SPOT);
    let token = worker.acquire(SPOT, 6, NO_EVENT, 0).expect("free");
    assert_eq!(worker.make_whole(SPOT, 5, 1, 0), None);
    assert_eq!(master.manage(SPOT.place, anybody).map(|grant| grant.token), Some(token));
    assert!(!worker.release(SPOT, 6, token, 0));
}

/// It was killed when it had written who it is, and no more.
#[test]
fn a_grant_that_is_not_whole_is_taken_back() {
    let (master, worker) = two_mappings();
    let begin = || master.lock_word(SPOT.place, WORD).store(free(0) | 5, Ordering::SeqCst);
    begin();
    assert_eq!(master.holder(SPOT.place), None);
    assert_eq!(worker.acquire(SPOT, 6, NO_EVENT, 0), None, "it may be about to be");
    assert_eq!(master.manage(SPOT.place, anybody), None);
    master.free(SPOT);
    assert!(worker.acquire(SPOT, 6, NO_EVENT, 0).is_some());
    master.free(SPOT);
    begin();
    master.free_all_of(5);
    assert!(worker.acquire(SPOT, 6, NO_EVENT, 0).is_some());
}

#[test]
fn what_a_process_held_that_is_gone_is_free_and_nothing_else() {
    let common = anonymous();
    let at = |place| Spot { place, generation: 0 };
    let tokens = [0, 1, 4095].map(|place| common.acquire(at(place), 5, NO_EVENT, 0).expect("free"));
    let other = common.acquire(at(2), 6, NO_EVENT, 0).expect("free");
    // The master sees to this one itself.
    common.manage(1, anybody);
    common.free_all_of(5);
    assert!(common.holder(0).is_none() && common.holder(4095).is_none());
    assert!(!common.release(at(1), 5, tokens[1], 0));
    assert!(common.acquire(at(1), 6, NO_EVENT, 0).is_none());
    assert!(common.release(at(2), 6, other, 0));
}

#[test]
fn who_is_no_process_holds_nothing() {
    let common = anonymous();
    common.acquire(SPOT, 9, NO_EVENT, 0).expect("free");
    assert_eq!(common.manage(SPOT.place, |owner| owner != 9), None);
    assert_eq!(common.lock_word(SPOT.place, WORD).load(Ordering::SeqCst), free(0) | MANAGED);
}

#[test]
fn a_place_that_is_another_locks_is_not_the_old_ones() {
    let (master, worker) = two_mappings();
    let token = worker.acquire(SPOT, 5, NO_EVENT, 10).expect("free");
    assert_eq!(master.recycle(SPOT), None, "it is held");
    assert!(worker.release(SPOT, 5, token, 30));
    let (spot, sums) = master.recycle(SPOT).expect("free");
    assert_eq!((spot, sums), (Spot { generation: 1, ..SPOT }, Sums { grants: 1, held: 20 }));
    assert_eq!(master.sums(SPOT.place), Sums::default());
    assert_eq!(worker.acquire(SPOT, 5, NO_EVENT, 0), None);
    assert_eq!(worker.acquire(spot, 5, NO_EVENT, 0), None, "it is managed");
    assert_eq!(master.recycle(spot), None, "it is managed");
    master.free(spot);
    let token = worker.acquire(spot, 5, NO_EVENT, 0).expect("free");
    assert!(!worker.release(SPOT, 5, token, 0));
    assert!(worker.release(spot, 5, token, 0));
    assert_eq!(worker.acquire(SPOT, 5, NO_EVENT, 0), None);
    assert!(worker.acquire(spot, 5, NO_EVENT, 0).is_some());
}
