//! Promised: what is kept of an event counts in bytes until it ends, and what it came with until then, however often it goes on.

use super::*;
use crate::wire::header::chain;

fn text(len: usize) -> Bytes {
    Bytes::from(&*vec![b'7'; len])
}

fn origin(len: usize, chain: usize) -> Origin {
    Origin { text: text(len), flags: flag::WHOLE, chain, is_apart: false }
}

#[test]
fn an_event_that_goes_on_is_in_a_later_chain_until_it_ends() {
    let mut tasks = Tasks::default();
    assert_eq!((tasks.chain(1), tasks.take_origin(1).is_none()), (1, true));
    tasks.keep(1, Task::new(text(10), chain(2)));
    tasks.go_on(1, origin(100, 2));
    assert_eq!((tasks.chain(1), tasks.chain(2), tasks.bytes()), (2, 1, 110));
    assert_eq!(tasks.remove(1).map(|task| task.flags), Some(chain(2)));
    assert_eq!((tasks.chain(1), tasks.gone_on(), tasks.bytes()), (2, 1, 100));
    let came = tasks.take_origin(1).expect("it has gone on");
    assert_eq!((came.text.len(), came.flags), (100, flag::WHOLE));
    assert_eq!((tasks.chain(1), tasks.gone_on(), tasks.len(), tasks.bytes()), (1, 0, 0, 0));
}

#[test]
fn an_event_keeps_its_chain_among_its_flags() {
    let kept = Task::new(text(1), chain(63) | flag::HOLE | flag::LANE | flag::ASCII).flags;
    assert_eq!(kept, chain(63) | flag::HOLE);
    assert_eq!([kept >> flag::CHAIN_AT, flag::CHAIN.count_ones()], [63, 6]);
}
