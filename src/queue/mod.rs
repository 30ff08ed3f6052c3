//! Lanes: the events that wait, in memory that the master and all workers share. Each worker claims the next one itself.
//!
//! A pool has a few [lanes](crate::wire::layout::Shared::LANES). The first one is for events that come back: retries, and
//! what was taken back from a worker. Workers try it before all others. Each run puts its events into one of the others;
//! if there are more runs than lanes, those of the same weight share. A lane may be for events with tags, of one run alone: a
//! word of each says which groups of workers may claim there. A worker tries the lane first whose runs have had least of the
//! workers' time; where that decides nothing it takes turns.
//!
//! The last lane is for all other events that name their workers, or have a priority. Each entry says who may claim it, and
//! how urgent it is; a worker passes the others by. So they are not claimed in order, and the master looks at each that it
//! has not seen claimed: they are few, because the [`router`](crate::core::router) keeps the rest.
//!
//! To claim an event, a worker changes its state from "nobody's" to its own, by compare-and-swap, trying each event in
//! turn. So events of a lane start in the order in which they came, on whichever worker is free first, and no worker
//! holds what it does not run. The same word says who claimed what: that is how the master knows what a killed worker
//! had started.
//!
//! The master's JavaScript thread puts events in ([`writer`]), or whoever holds the pool's lock where the text is long or
//! the lane was full: never both at once, see [`front`]. A place is used again when its event has ended. One that runs
//! for long does not hold the others up, because its text is kept elsewhere then. Nor does a worker that is stopped
//! before it has read the text of what it claimed: the master takes that event back, by compare-and-swap as well.
//!
//! A worker that finds nothing parks, which a bit says; whoever puts an event in wakes it, unless the pool leaves it
//! [resting](resting).
//!
//! Every worker can write the shared memory. So the master reads nothing there but states and texts; what an event is,
//! and where its text lies, stands in private memory.

pub(crate) mod claimer;
pub(crate) mod front;
pub(crate) mod lane;
pub(crate) mod lanes;
pub(crate) mod resting;
pub(crate) mod tasks;
pub(crate) mod writer;

use std::sync::atomic::Ordering;

use crate::core::task_id::{TaskId, run_of};
use crate::os::memory::Memory;
use crate::wire::layout::Shared;
use crate::wire::seq::Seq;

use front::{Front, Waiting};

/// Where a text of `len` bytes lies in one piece behind `tail`; none if it would reach those that begin at `head`.
fn fit(tail: u32, head: u32, len: u32) -> Option<u32> {
    let at = tail & (Shared::SIZE - 1);
    let wraps = at + padded(len) > Shared::SIZE;
    let start = if wraps { tail.wrapping_add(Shared::SIZE - at) } else { tail };
    let end = start.wrapping_add(padded(len));
    (end.wrapping_sub(head) <= Shared::SIZE).then_some(start)
}

/// Hands the event at `at` over, whose text was written at its start.
fn publish(memory: &Memory, front: &Front, at: u64, event: Waiting) {
    front.set(at, event);
    let number = Seq::of(at).0;
    let place = Shared::entry(front.index, number);
    let Waiting { task, start, len, flags, failed, .. } = event;
    let run = about(task, failed);
    for (word, value) in [(1, start), (2, len), (3, flags), (4, run), (0, Shared::free(number))] {
        memory.word(place + word).store(value, Ordering::Release);
    }
    let published = &front.published.0;
    published.tail.store(start.wrapping_add(padded(len)), Ordering::Release);
    // Before it is visible to workers: who sees their answer knows that it was handed over.
    published.count.store(at + 1, Ordering::Release);
    let word = Shared::header(front.index, Shared::PUBLISHED);
    memory.word(word).store(number.wrapping_add(1), Ordering::SeqCst);
}

/// What a worker is told of an event beside its text: the number of its run, and in the upper half how many attempts at it
/// have failed.
pub(crate) fn about(task: TaskId, failed: u16) -> u32 {
    u32::from(run_of(task)) | u32::from(failed) << 16
}

fn padded(len: u32) -> u32 {
    len.wrapping_add(7) & !7
}
