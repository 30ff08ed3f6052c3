//! When what a worker runs has started: words in the memory that it shares with its master alone.
//!
//! The worker writes them before it runs an event, where the program limits how long events may run; the
//! master reads them now and then. What it finds there it believes only as far as nobody but that worker
//! can be hurt by it: an event whose start is not told has started when the master first looked.

use std::sync::atomic::Ordering;

use crate::os::memory::Memory;
use crate::wire::layout::Layout;
use crate::wire::seq::Seq;

/// A clock reading in memory: whole milliseconds, modulo 2^32.
pub(crate) type Tick = u32;

/// A start that seems to be less than this in the future is one: the clock is the same for all processes.
const AHEAD: Tick = 1 << 28;

pub(crate) fn tick(milliseconds: f64) -> Tick {
    milliseconds as u64 as Tick
}

/// How many milliseconds there are from one reading to another.
pub(crate) fn elapsed(since: Tick, now: Tick) -> u32 {
    let elapsed = now.wrapping_sub(since);
    if elapsed > Tick::MAX - AHEAD { 0 } else { elapsed }
}

/// Notes that the claimed event with this number in this lane starts now. After it was claimed: until then the words are
/// about the event before.
pub(crate) fn start(memory: &Memory, lane: usize, number: Seq, now: Tick) {
    // In this order: whoever reads the number finds its time, or a later one.
    let at = claimed(number);
    memory.word(at).store(now, Ordering::SeqCst);
    memory.word(at + 1).store(lane as u32, Ordering::SeqCst);
    memory.word(at + 2).store(number.0, Ordering::SeqCst);
}

/// Notes that the event of the task ring with this index starts now. Before it is claimed.
pub(crate) fn start_given(memory: &Memory, index: u32, now: Tick) {
    let at = given(index);
    memory.word(at).store(now, Ordering::SeqCst);
    memory.word(at + 1).store(index, Ordering::SeqCst);
}

/// When the claimed event with this number in this lane started; none if the worker has not told.
pub(crate) fn started(memory: &Memory, lane: usize, number: Seq) -> Option<Tick> {
    let at = claimed(number);
    let is_lane = memory.word(at + 1).load(Ordering::SeqCst) == lane as u32;
    is_lane.then(|| read(memory, at + 2, at, number.0)).flatten()
}

/// The same for an event of the task ring that was claimed.
pub(crate) fn given_started(memory: &Memory, index: u32) -> Option<Tick> {
    read(memory, given(index) + 1, given(index), index)
}

fn read(memory: &Memory, number: usize, time: usize, index: u32) -> Option<Tick> {
    let word = |at| memory.word(at).load(Ordering::SeqCst);
    let is_told = word(number) == index;
    is_told.then(|| word(time))
}

fn claimed(number: Seq) -> usize {
    Layout::CLAIM_TIMES + 3 * (number.0 % Layout::CLAIM_TIMES_LEN) as usize
}

fn given(index: u32) -> usize {
    Layout::TIMES + 2 * (index % Layout::TIMES_LEN) as usize
}

/// Makes the words say that nothing has started. Before the worker does.
pub(crate) fn reset(memory: &Memory) {
    // The number of an event that comes after four thousand million others.
    for number in 0..Layout::CLAIM_TIMES_LEN {
        memory.word(claimed(Seq(number)) + 2).store(u32::MAX, Ordering::SeqCst);
    }
    for index in 0..Layout::TIMES_LEN {
        memory.word(given(index) + 1).store(u32::MAX, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::player::shared_memory;

    #[test]
    fn what_has_started_is_told_until_another_takes_its_words() {
        let memory = shared_memory();
        reset(&memory);
        assert_eq!((started(&memory, 1, Seq(0)), given_started(&memory, 0)), (None, None));
        start(&memory, 1, Seq(0), 10);
        assert_eq!(started(&memory, 1, Seq(0)), Some(10));
        assert_eq!(started(&memory, 2, Seq(0)), None, "that is another lane's");
        start(&memory, 1, Seq(5), 20);
        assert_eq!(
            (started(&memory, 1, Seq(0)), started(&memory, 1, Seq(5))),
            (Some(10), Some(20))
        );
        start(&memory, 1, Seq(Layout::CLAIM_TIMES_LEN), 30);
        assert_eq!(started(&memory, 1, Seq(0)), None, "another has its words now");
        for index in 0..=Layout::TIMES_LEN {
            start_given(&memory, index, index + 100);
        }
        assert_eq!(given_started(&memory, 0), None, "the last one has its words now");
        assert_eq!(given_started(&memory, 1), Some(101));
        assert_eq!(given_started(&memory, Layout::TIMES_LEN), Some(100 + Layout::TIMES_LEN));
        assert_eq!(started(&memory, 1, Seq(5)), Some(20));
    }

    #[test]
    fn a_clock_that_comes_round_counts_on() {
        assert_eq!(tick(4_294_967_296.0 + 7.9), 7);
        assert_eq!(elapsed(u32::MAX - 4, 5), 10);
        assert_eq!(elapsed(5, 5), 0);
        assert_eq!(elapsed(6, 5), 0, "a start in the future");
        // As long as an event may be allowed to run.
        assert_eq!(elapsed(1, 1 + i32::MAX as u32 + 1), 1 << 31);
    }
}
