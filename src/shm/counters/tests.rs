//! Promised: a counter is one number for all processes, whatever its name and whoever makes it first; it keeps to whole
//! numbers that JavaScript has; and a process that is killed while it makes one costs nobody else anything.

use std::sync::Arc;

use super::*;
use crate::shm::common::tests::{anonymous, two_mappings};

#[test]
fn a_name_has_one_counter_in_every_process_and_another_name_another() {
    let (ours, theirs) = two_mappings();
    let names = ["", "a", "b", "ä", "a/b", "-"];
    let indices = names.map(|name| ours.counter(name.as_bytes()).expect("room"));
    for (name, index) in names.into_iter().zip(indices) {
        assert_eq!(theirs.counter(name.as_bytes()), Ok(index), "{name}");
        assert_eq!(indices.iter().filter(|&&other| other == index).count(), 1, "{name}");
        assert_eq!(theirs.load(index), Ok(0));
    }
    assert_eq!(ours.add(indices[1], 5), Ok(0));
    assert_eq!(theirs.add(indices[1], -7), Ok(5));
    assert_eq!(ours.exchange(indices[1], 9), Ok(-2));
    assert_eq!(ours.compare_exchange(indices[1], 8, 1), Ok(9));
    assert_eq!(theirs.compare_exchange(indices[1], 9, 1), Ok(9));
    assert_eq!((ours.load(indices[1]), ours.load(indices[2])), (Ok(1), Ok(0)));
    assert_eq!(ours.store(indices[2], -LIMIT), Ok(()));
    assert_eq!(theirs.load(indices[2]), Ok(-LIMIT));
}

#[test]
fn nothing_is_lost_where_many_count_at_once() {
    let (ours, theirs) = two_mappings();
    std::thread::scope(|scope| {
        for common in [&ours, &theirs, &ours, &theirs] {
            scope.spawn(|| {
                for round in 0..64 {
                    let index = common.counter(format!("{round}").as_bytes()).expect("room");
                    for _ in 0..100 {
                        common.add(index, 1).expect("few");
                    }
                }
            });
        }
    });
    for round in 0..64 {
        let index = ours.counter(format!("{round}").as_bytes()).expect("room");
        assert_eq!(ours.load(index), Ok(400));
    }
    assert_eq!(ours.word(Common::NAMES).load(Ordering::SeqCst), 64);
}

#[test]
fn it_keeps_to_whole_numbers_that_javascript_has() {
    let common = anonymous();
    let index = common.counter(b"n").expect("room");
    for beyond in [LIMIT + 1, -LIMIT - 1, i64::MAX, i64::MIN] {
        assert_eq!(common.store(index, beyond), Err(Refused::Limit));
        assert_eq!(common.add(index, beyond), Err(Refused::Limit));
        assert_eq!(common.exchange(index, beyond), Err(Refused::Limit));
        assert_eq!(common.compare_exchange(index, 0, beyond), Err(Refused::Limit));
    }
    assert_eq!(common.add(index, LIMIT), Ok(0));
    assert_eq!(common.add(index, 1), Err(Refused::Limit));
    assert_eq!(common.add(index, -LIMIT), Ok(LIMIT));
    assert_eq!(common.add(index, -LIMIT), Ok(0));
    assert_eq!(common.add(index, -1), Err(Refused::Limit));
    assert_eq!(common.load(index), Ok(-LIMIT));
    // Another process can write anything there.
    common.counter_word(index, VALUE).store(i64::MIN.cast_unsigned(), Ordering::SeqCst);
    assert_eq!(
        (common.load(index), common.add(index, 0)),
        (Err(Refused::Limit), Err(Refused::Limit))
    );
    for unknown in [Common::ENTRIES, u32::MAX] {
        assert_eq!(common.load(unknown), Err(Refused::Unknown));
        assert_eq!(common.add(unknown, 1), Err(Refused::Unknown));
    }
}

/// Two names whose hashes begin alike, and one whose process was killed before it had written the rest.
#[test]
fn an_entry_that_was_begun_is_completed_by_the_next() {
    let common = anonymous();
    let hash = |high: u128| high << 64 | 7;
    assert_eq!(common.take_entry(7, 7), Ok(7));
    let (one, other) = (common.counter_of(hash(1)), common.counter_of(hash(2)));
    assert_eq!((one, other), (Ok(7), Ok(8)));
    assert_eq!((common.counter_of(hash(1)), common.counter_of(hash(2))), (one, other));
    // Somebody else was faster.
    assert_eq!(common.take_entry(7, 9), Ok(7));
    assert_eq!(common.word(Common::NAMES).load(Ordering::SeqCst), 2);
    // The halves of a hash are not what says that there is none.
    let index = common.counter_of(0).expect("room");
    assert_eq!((common.counter_of(0), index), (Ok(index), 1));
}

#[test]
fn there_are_so_many_names_and_no_more() {
    let common = Arc::new(anonymous());
    for name in 0..MAX_NAMES {
        common.counter(&name.to_le_bytes()).expect("room");
    }
    assert_eq!(common.counter(b"one more"), Err(Refused::Full));
    let first = common.counter(&0_u64.to_le_bytes());
    assert!(first.is_ok(), "those that are there stay");
    // A table that another process has filled.
    for index in 0..Common::ENTRIES {
        common.counter_word(index, LOW).store(1, Ordering::SeqCst);
        common.counter_word(index, HIGH).store(1, Ordering::SeqCst);
    }
    assert_eq!(common.counter(b"one more"), Err(Refused::Full));
}
