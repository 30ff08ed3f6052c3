//! What the scheduler promises, as tables of what happened and what is to be done, and as a random walk.

mod walk;

use super::*;
use crate::core::task_id::Position;
use crate::core::task_id::{DIRECT, first_of};

impl Scheduler {
    /// Every event that waits here for a worker.
    pub(crate) fn waiting(&self) -> Vec<TaskId> {
        let of_slots = self.slots.iter().flat_map(|slot| {
            slot.pinned.iter().copied().chain(slot.backing_off.iter().map(|&(task, _)| task))
        });
        of_slots
            .chain(self.waiting.iter().copied())
            .chain(self.backing_off.iter().copied())
            .collect()
    }
}

const SLOW: f64 = 50.0;
const TINY: f64 = 0.002;

/// What follows from the end of an event: what is to be done, and whether its worker is taken.
type End = (bool, Vec<Effect>);

fn chosen(slot: usize, task: TaskId) -> Effect {
    Effect::Give { slot, task, how: How::Chosen }
}

fn text_for(slot: usize, task: TaskId) -> Effect {
    Effect::Give { slot, task, how: How::Text }
}

fn put_back(task: TaskId) -> Effect {
    Effect::PutBack { task }
}

/// It was claimed with its text, where the [`Bench`] has it claim.
fn fail(slot: usize, task: TaskId) -> Effect {
    Effect::Fail { slot, task, from: Some(position(task)) }
}

/// The same, but no lane has its text.
fn fail_kept(slot: usize, task: TaskId) -> Effect {
    Effect::Fail { slot, task, from: None }
}

/// Where the [`Bench`] has an event claimed.
fn position(task: TaskId) -> Position {
    Position { lane: 1 + (task % 3) as usize, at: task }
}

/// A scheduler with its effects, as a test speaks to it.
struct Bench {
    scheduler: Scheduler,
    effects: Vec<Effect>,
}

impl Bench {
    fn new(slots: usize) -> Self {
        Self {
            scheduler: Scheduler::new(std::iter::repeat_n(1, slots), MAX_WINDOW),
            effects: Vec::new(),
        }
    }

    fn ready(slots: usize) -> Self {
        let mut bench = Self::new(slots);
        for slot in 0..slots {
            assert_eq!(bench.start(slot), []);
        }
        bench
    }

    /// What is to be done since the last look.
    fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn on(&mut self, event: Event) -> Vec<Effect> {
        self.scheduler.on(event, &mut self.effects);
        self.effects()
    }

    fn claim(&mut self, slot: usize, task: TaskId) -> Vec<Effect> {
        self.on(Event::Claimed { slot, task, from: position(task), is_long: false })
    }

    fn claim_long(&mut self, slot: usize, task: TaskId) -> Vec<Effect> {
        self.on(Event::Claimed { slot, task, from: position(task), is_long: true })
    }

    fn take_back(&mut self, tasks: impl IntoIterator<Item = TaskId>) -> Vec<Effect> {
        tasks.into_iter().flat_map(|task| self.on(Event::TakenBack { task })).collect()
    }

    fn choose(&mut self, slot: usize, task: TaskId) -> Vec<Effect> {
        self.on(Event::Chosen { slot, task })
    }

    fn answer(&mut self, slot: usize, task: TaskId, run: f64) -> Vec<Effect> {
        assert!(self.scheduler.origin(slot, task).is_some(), "{task} is not on {slot}");
        self.on(Event::Answered { slot, task, run })
    }

    /// The same, and the program asks whether the worker is its own.
    fn end(&mut self, slot: usize, task: TaskId) -> End {
        assert_eq!(self.answer(slot, task, SLOW), []);
        let is_taken = self.scheduler.is_taken(slot, &mut self.effects);
        (is_taken, self.effects())
    }

    fn retry(
        &mut self,
        slot: usize,
        task: TaskId,
        is_chosen: bool,
        backs_off: bool,
    ) -> Vec<Effect> {
        self.on(Event::Retried { slot, task, is_chosen, backs_off })
    }

    fn backed_off(&mut self, task: TaskId) -> Vec<Effect> {
        self.on(Event::BackedOff { task })
    }

    fn be_manual(&mut self, waiting: impl IntoIterator<Item = TaskId>) -> Vec<Effect> {
        self.on(Event::Manual { waiting: waiting.into_iter().collect() })
    }

    fn leave(&mut self, slot: usize, why: Leave) -> Vec<Effect> {
        self.on(Event::Leaves { slot, why })
    }

    fn recalled(&mut self, slot: usize, unstarted: usize) -> Vec<Effect> {
        self.on(Event::Recalled { slot, unstarted })
    }

    fn exit(&mut self, slot: usize, unstarted: usize) -> Vec<Effect> {
        self.on(Event::Exited { slot, unstarted })
    }

    /// A process starts and reaches the call.
    fn start(&mut self, slot: usize) -> Vec<Effect> {
        assert_eq!(self.on(Event::Started { slot }), []);
        self.on(Event::Registered { slot })
    }

    /// Runs `count` events of `run` milliseconds on the worker of `slot`.
    fn run(&mut self, slot: usize, count: TaskId, run: f64) {
        for task in 0..count {
            self.claim(slot, task);
            self.answer(slot, task, run);
        }
    }

    fn holds(&self, slot: usize) -> Vec<TaskId> {
        self.scheduler.held(slot).map(|held| held.task).collect()
    }

    fn waiting(&self) -> Vec<TaskId> {
        self.scheduler.waiting.iter().copied().collect()
    }
}

// ---- events ----

#[test]
fn what_a_worker_claimed_it_runs_and_nothing_is_to_be_done_for_it() {
    let mut bench = Bench::ready(2);
    assert_eq!(bench.claim(0, 0), []);
    assert!(!bench.scheduler.has_room(0) && bench.scheduler.has_room(1));
    assert_eq!(bench.scheduler.claimed_at(0, position(0)), Some(0));
    assert_eq!(bench.scheduler.claimed_at(1, position(0)), None);
    assert_eq!((bench.holds(0), bench.holds(1)), (vec![0], vec![]));
    assert_eq!(bench.answer(0, 0, SLOW), []);
    assert!(bench.scheduler.has_room(0) && bench.holds(0).is_empty());
}

#[test]
fn a_worker_that_claimed_a_long_event_is_sent_its_text() {
    let mut bench = Bench::ready(2);
    assert_eq!(bench.claim_long(1, 0), [text_for(1, 0)]);
    assert_eq!(bench.scheduler.claimed_at(1, position(0)), None, "it has no text to run it with");
    assert_eq!(bench.scheduler.origin(1, 0), Some(Origin::Text));
    assert_eq!(bench.answer(1, 0, SLOW), []);
}

#[test]
fn a_long_event_that_a_worker_claims_while_it_leaves_runs_elsewhere() {
    let mut bench = Bench::ready(2);
    bench.choose(0, 7);
    // Nobody has carried this out yet.
    assert!(bench.leave(0, Leave::Recycled).contains(&Effect::Recall { slot: 0 }));
    assert_eq!(bench.claim_long(0, 1), [text_for(0, 1), Effect::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 1), [Effect::PutBack { task: 1 }]);
    bench.recalled(0, 1);
    assert!(bench.holds(0).is_empty(), "the other waits for its successor");
}

#[test]
fn there_is_credit_for_one_event_a_worker_until_its_events_are_measured_short() {
    let mut bench = Bench::ready(3);
    assert_eq!(bench.scheduler.capacity(), 3);
    bench.run(0, 20, SLOW);
    assert_eq!(bench.scheduler.capacity(), 3);
    for (count, expected) in [(1, 4), (1, 6), (1, 10), (30, MAX_WINDOW + 2)] {
        bench.run(1, count, TINY / 2.0);
        assert_eq!(bench.scheduler.capacity(), expected);
    }
}

#[test]
fn one_long_event_closes_the_window_at_once() {
    let mut bench = Bench::ready(1);
    bench.run(0, 20, TINY);
    assert!(bench.scheduler.capacity() >= 64);
    bench.run(0, 1, SHORT);
    assert_eq!(bench.scheduler.capacity(), 1);
}

#[test]
fn the_window_is_as_wide_as_the_events_are_short_and_never_wider_than_its_limit() {
    for (run, expected) in [(0.0001, MAX_WINDOW), (0.1, 10), (0.4, 2), (0.9, 1)] {
        let mut bench = Bench::ready(1);
        bench.run(0, 40, run);
        assert_eq!(bench.scheduler.capacity(), expected, "events of {run} ms");
    }
}

#[test]
fn there_is_credit_for_workers_that_are_ready_and_a_new_one_is_not_known_to_be_quick() {
    let mut bench = Bench::ready(2);
    bench.run(0, 20, TINY);
    bench.exit(0, 0);
    assert_eq!((bench.scheduler.capacity(), bench.scheduler.places()), (1, 1));
    bench.start(0);
    assert_eq!((bench.scheduler.capacity(), bench.scheduler.places()), (2, 2));
    bench.leave(1, Leave::Disconnected);
    assert_eq!((bench.scheduler.capacity(), bench.scheduler.places()), (1, 1));
    assert!(!bench.scheduler.is_ready(1) && !bench.scheduler.has_room(1));
}

#[test]
fn what_is_taken_back_goes_into_the_first_lane_and_stays_nowhere_else() {
    let first = first_of(2);
    let mut bench = Bench::ready(2);
    bench.claim(1, 0);
    let tasks = [first + 3, 1, first + 2];
    assert_eq!(bench.take_back(tasks), tasks.map(put_back));
    assert_eq!((bench.waiting(), bench.holds(0), bench.holds(1)), (vec![], vec![], vec![0]));
    assert!(bench.scheduler.withdraw(|_| true).is_empty());
}

#[test]
fn what_was_claimed_and_not_read_is_its_worker_s_no_more() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim(1, 1);
    assert_eq!(bench.on(Event::Unclaimed { task: 1 }), [put_back(1)]);
    assert_eq!((bench.holds(0), bench.holds(1)), (vec![0], vec![]));
    assert_eq!(bench.on(Event::Unclaimed { task: 1 }), [], "nobody has it");
    assert_eq!(bench.claim(0, 1), []);
    assert_eq!(bench.exit(1, 0), [], "it costs nothing");
}

#[test]
fn a_lost_worker_costs_what_it_had_claimed() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim(1, 1);
    bench.claim(0, 2);
    assert_eq!(bench.exit(0, 0), [fail(0, 0), fail(0, 2)]);
    assert_eq!(bench.holds(1), [1], "the other's is not touched");
}

#[test]
fn what_a_lost_worker_was_given_and_had_not_started_runs_elsewhere() {
    // Started, and behind it one for this worker alone that is not.
    let mut bench = Bench::ready(2);
    bench.claim_long(0, 1);
    bench.choose(0, 9);
    assert_eq!(bench.exit(0, 1), [fail_kept(0, 1)]);
    assert_eq!(bench.start(0), [chosen(0, 9)]);
    // A long text that had not been read.
    let mut bench = Bench::ready(2);
    bench.claim_long(0, 1);
    assert_eq!(bench.exit(0, 1), [put_back(1)]);
    assert_eq!(bench.start(0), []);
}

#[test]
fn what_is_taken_back_from_a_worker_is_never_what_it_claimed_with_its_text() {
    for unstarted in 0..5 {
        let mut bench = Bench::ready(2);
        bench.claim(1, 9);
        bench.claim(0, 0);
        bench.claim_long(0, 1);
        bench.claim(0, 2);
        let effects = bench.exit(0, unstarted);
        let expected = if unstarted == 0 {
            vec![fail(0, 0), fail_kept(0, 1), fail(0, 2)]
        } else {
            vec![put_back(1), fail(0, 0), fail(0, 2)]
        };
        assert_eq!(effects, expected, "{unstarted} unstarted, as the worker's memory says");
    }
}

#[test]
fn a_worker_that_was_idle_costs_nothing() {
    let mut bench = Bench::ready(1);
    assert_eq!(bench.exit(0, 0), []);
    assert_eq!(bench.take_back([0]), [put_back(0)]);
    assert_eq!(bench.start(0), []);
}

#[test]
fn an_event_for_one_worker_goes_there_at_once_whatever_else_it_does() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    assert_eq!(bench.choose(0, 1), [chosen(0, 1)]);
    assert_eq!(bench.choose(0, 2), [chosen(0, 2)]);
    assert!(bench.scheduler.is_chosen(0, 1) && !bench.scheduler.is_chosen(0, 0));
    assert!(!bench.scheduler.is_chosen(1, 1) && bench.scheduler.has_room(1));
}

#[test]
fn an_event_for_one_worker_waits_for_its_replacement_and_fails_if_there_will_be_none() {
    let mut bench = Bench::ready(2);
    bench.exit(0, 0);
    assert_eq!(bench.choose(0, 0), []);
    assert!(!bench.scheduler.is_free(0));
    assert_eq!(bench.start(0), [chosen(0, 0)]);
    assert_eq!(bench.choose(0, 1), [chosen(0, 1)]);
    assert_eq!(bench.exit(0, 2), [], "they are for no other worker");
    assert_eq!(bench.on(Event::Closed { slot: 0 }), [fail_kept(0, 0), fail_kept(0, 1)]);
    assert_eq!(bench.choose(0, 2), [fail_kept(0, 2)], "and so does what comes later");
}

#[test]
fn an_answer_that_was_not_asked_for_changes_nothing() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    // It is on another worker; nobody has claimed it.
    for (slot, task) in [(1, 0), (0, 1)] {
        assert_eq!(bench.on(Event::Answered { slot, task, run: TINY }), []);
        assert_eq!((bench.holds(0), bench.scheduler.capacity()), (vec![0], 2));
    }
    bench.answer(0, 0, TINY);
    assert_eq!(bench.scheduler.capacity(), 3);
    assert_eq!(bench.on(Event::Answered { slot: 0, task: 0, run: TINY }), []);
    assert_eq!(bench.scheduler.capacity(), 3, "it was answered");
}

// ---- retries ----

#[test]
fn what_is_tried_again_goes_to_anybody_unless_the_program_chose_its_worker() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.choose(1, 9);
    bench.answer(0, 0, SLOW);
    assert_eq!(bench.retry(0, 0, false, false), [put_back(0)]);
    bench.answer(1, 9, SLOW);
    assert_eq!(bench.retry(1, 9, true, false), [chosen(1, 9)]);
    assert_eq!((bench.holds(0), bench.holds(1)), (vec![], vec![9]));
}

#[test]
fn what_backs_off_keeps_no_worker_but_one_that_was_chosen() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.choose(1, 9);
    for (slot, task, is_chosen) in [(0, 0, false), (1, 9, true)] {
        bench.answer(slot, task, SLOW);
        assert_eq!(bench.retry(slot, task, is_chosen, true), []);
    }
    assert_eq!(bench.scheduler.backing_off(), 2);
    assert!(bench.scheduler.is_free(0) && !bench.scheduler.is_free(1));
    assert!(bench.scheduler.has_room(0) && bench.scheduler.has_room(1));
    for (task, given) in [(9, chosen(1, 9)), (0, put_back(0))] {
        assert_eq!(bench.backed_off(task), [given]);
        assert_eq!(bench.backed_off(task), [], "it does not back off any more");
    }
    assert_eq!(bench.scheduler.backing_off(), 0);
}

#[test]
fn what_is_tried_again_and_has_no_worker_is_withdrawn_in_order_and_fails_with_its_slot() {
    let mut bench = Bench::ready(2);
    bench.claim(1, 1);
    bench.exit(0, 0);
    bench.retry(0, 8, true, false);
    bench.choose(0, 9);
    bench.retry(0, 7, true, true);
    bench.retry(1, 2, false, true);
    assert_eq!(bench.scheduler.withdraw(|task| task != 9), [2, 7, 8]);
    assert!(bench.scheduler.withdraw(|task| task != 9).is_empty());
    assert_eq!((bench.backed_off(2), bench.backed_off(7)), (vec![], vec![]));
    bench.retry(0, 7, true, true);
    assert_eq!(bench.on(Event::Closed { slot: 0 }), [fail_kept(0, 9), fail_kept(0, 7)]);
    assert_eq!(bench.holds(1), [1], "that runs on");
}

#[test]
fn what_one_run_takes_out_is_none_of_the_others() {
    let tasks = [1, 2, 3].map(first_of);
    let mut bench = Bench::ready(1);
    bench.exit(0, 0);
    for first in tasks {
        bench.choose(0, first + DIRECT);
        bench.retry(0, first, false, true);
        bench.retry(0, first + DIRECT + 1, true, true);
    }
    let is_second = |task| crate::core::task_id::run_of(task) == 2;
    let [_, second, _] = tasks;
    let expected = [second, second + DIRECT, second + DIRECT + 1];
    assert_eq!(bench.scheduler.withdraw(is_second), expected);
    assert_eq!(bench.scheduler.withdraw(|_| true).len(), 6);
}

// ---- manual dispatch ----

#[test]
fn under_manual_dispatch_what_waits_goes_to_whoever_is_free_and_then_to_whoever_ends_one() {
    let mut bench = Bench::ready(3);
    bench.claim(0, 0);
    bench.exit(2, 0);
    assert_eq!(bench.be_manual([2, 1, 5, 4, 3]), [chosen(1, 1)], "in order of submission");
    assert!(bench.scheduler.is_manual());
    assert!(!bench.scheduler.is_free(2), "one waits for its replacement");
    assert_eq!(bench.end(1, 1), (true, vec![chosen(1, 3)]));
    assert_eq!(bench.start(2), [chosen(2, 2)]);
    assert_eq!(bench.end(2, 2), (true, vec![chosen(2, 4)]));
    assert_eq!(bench.exit(1, 1), [], "it had not started it");
    assert_eq!(bench.end(0, 0), (true, vec![chosen(0, 5)]));
    assert_eq!(bench.start(1), [chosen(1, 3)], "its replacement has it, and nobody else");
    assert_eq!(bench.end(1, 3), (false, vec![]));
    assert!(bench.scheduler.is_free(1));
}

/// It has answered one event and claimed the next before anybody could see to it that it does not.
#[test]
fn a_worker_that_has_claimed_another_event_is_not_free_and_gets_no_third() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim(0, 1);
    bench.claim(1, 3);
    assert_eq!(bench.be_manual([2]), []);
    assert_eq!(bench.end(0, 0), (true, vec![]));
    assert_eq!(bench.end(0, 1), (true, vec![chosen(0, 2)]));
    assert_eq!(bench.end(0, 2), (false, vec![]));
    assert_eq!(bench.end(1, 3), (false, vec![]));
}

#[test]
fn before_manual_dispatch_every_worker_is_the_pool_s_and_none_is_taken() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    bench.claim(0, 1);
    assert_eq!(bench.end(0, 0), (false, vec![]));
}

#[test]
fn under_manual_dispatch_what_is_taken_back_waits_in_order_for_the_next_that_ends_an_event() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    assert_eq!(bench.be_manual([]), []);
    assert_eq!(bench.take_back([5, 4]), []);
    assert_eq!(bench.waiting(), [4, 5]);
    assert_eq!(bench.end(0, 0), (true, vec![chosen(0, 4)]));
}

/// The program is told that a worker is free when its event ends: if another ran it, nobody would tell.
#[test]
fn under_manual_dispatch_what_was_not_read_stays_its_worker_s() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    assert_eq!(bench.be_manual([]), []);
    assert_eq!(bench.on(Event::Unclaimed { task: 0 }), [chosen(0, 0)]);
    assert!(!bench.scheduler.is_free(0));
    assert_eq!(bench.end(0, 0), (false, vec![]));
}

#[test]
fn under_manual_dispatch_what_is_tried_again_is_its_worker_s() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    bench.answer(0, 0, SLOW);
    bench.retry(0, 0, false, true);
    assert_eq!(bench.be_manual([]), [chosen(0, 0)], "what backs off for nobody waits no longer");
    // From here on it keeps its worker.
    bench.answer(0, 0, SLOW);
    assert_eq!(bench.retry(0, 0, false, true), []);
    assert!(!bench.scheduler.is_free(0));
    assert_eq!(bench.backed_off(0), [chosen(0, 0)]);
    // While it backs off, its worker gets what waits.
    bench.answer(0, 0, SLOW);
    bench.take_back([7]);
    assert_eq!(bench.retry(0, 0, false, true), [chosen(0, 7)]);
    assert_eq!(bench.end(0, 7), (true, vec![]), "it is not free before the other has ended");
    assert_eq!(bench.backed_off(0), [chosen(0, 0)]);
    assert_eq!(bench.end(0, 0), (false, vec![]));
}

#[test]
fn under_manual_dispatch_the_worker_of_an_event_that_backs_off_and_was_chosen_gets_nothing_else() {
    let mut bench = Bench::ready(1);
    bench.choose(0, 9);
    bench.be_manual([]);
    bench.answer(0, 9, SLOW);
    bench.take_back([1]);
    assert_eq!(bench.retry(0, 9, true, true), []);
    assert_eq!(bench.waiting(), [1], "its end would say that the worker is free");
    assert_eq!(bench.backed_off(9), [chosen(0, 9)]);
    assert_eq!(bench.end(0, 9), (true, vec![chosen(0, 1)]));
}

#[test]
fn under_manual_dispatch_a_slot_where_nothing_is_started_any_more_is_not_free() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.be_manual([]);
    bench.exit(0, 0);
    bench.on(Event::Closed { slot: 0 });
    assert!(!bench.scheduler.is_free(0) && bench.scheduler.is_free(1));
    let is_taken = bench.scheduler.is_taken(0, &mut bench.effects);
    assert!(is_taken && bench.effects().is_empty());
}

// ---- workers that go ----

#[test]
fn a_worker_that_leaves_gets_nothing_more_and_may_still_answer() {
    for why in [Leave::Disconnected, Leave::Recycled] {
        let mut bench = Bench::ready(1);
        bench.claim(0, 0);
        assert_eq!(bench.leave(0, why), [Effect::Withhold { slot: 0 }]);
        assert_eq!(bench.choose(0, 2), [], "for its replacement");
        assert_eq!(bench.answer(0, 0, TINY), []);
        assert_eq!(bench.exit(0, 0), []);
        assert_eq!(bench.start(0), [chosen(0, 2)]);
    }
}

#[test]
fn what_a_leaving_worker_was_given_and_has_not_started_is_taken_back() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim_long(0, 1);
    bench.choose(0, 2);
    let expected = [Effect::Withhold { slot: 0 }, Effect::Recall { slot: 0 }];
    assert_eq!(bench.leave(0, Leave::Disconnected), expected);
    // The one goes to the other worker, the other waits for this one's replacement.
    assert_eq!(bench.recalled(0, 2), [put_back(1)]);
    assert_eq!(bench.exit(0, 0), [fail(0, 0)]);
    assert_eq!(bench.start(0), [chosen(0, 2)]);
}

#[test]
fn what_is_recalled_from_a_worker_that_stays_goes_back_there_if_the_program_chose_it() {
    let mut bench = Bench::ready(1);
    bench.claim_long(0, 1);
    bench.choose(0, 2);
    bench.choose(0, 3);
    assert_eq!(bench.recalled(0, 3), [put_back(1), chosen(0, 2), chosen(0, 3)]);
}

#[test]
fn a_worker_is_released_once_and_told_so_when_it_claims_nothing_more() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    let expected = [Effect::Withhold { slot: 0 }, Effect::Release { slot: 0 }];
    assert_eq!(bench.on(Event::Released { slot: 0 }), expected);
    assert_eq!(bench.on(Event::Released { slot: 0 }), []);
    // One that leaves already was told not to claim.
    assert_eq!(bench.leave(1, Leave::Disconnected), [Effect::Withhold { slot: 1 }]);
    assert_eq!(bench.on(Event::Released { slot: 1 }), [Effect::Release { slot: 1 }]);
    bench.exit(1, 0);
    assert_eq!(bench.on(Event::Released { slot: 1 }), [], "there is nobody");
}

#[test]
fn a_worker_that_is_recycled_is_released_when_it_runs_nothing_and_has_seen_that_it_leaves() {
    let release = [Effect::Release { slot: 0 }];
    // What it runs ends first, or it settles first.
    for settles_first in [false, true] {
        let mut bench = Bench::ready(1);
        bench.claim(0, 0);
        bench.leave(0, Leave::Recycled);
        assert!(bench.scheduler.awaits_settling(0) && bench.scheduler.is_recycling());
        if settles_first {
            assert_eq!(bench.on(Event::Settled { slot: 0 }), []);
            assert!(!bench.scheduler.awaits_settling(0));
            assert_eq!(bench.answer(0, 0, TINY), release);
        } else {
            assert_eq!(bench.answer(0, 0, TINY), []);
            assert_eq!(bench.on(Event::Settled { slot: 0 }), release);
        }
        assert!(!bench.scheduler.is_recycling());
        // Its replacement has seen nothing yet.
        bench.exit(0, 0);
        bench.start(0);
        assert_eq!(bench.leave(0, Leave::Recycled), [Effect::Withhold { slot: 0 }]);
        assert!(bench.scheduler.awaits_settling(0));
    }
}

#[test]
fn a_worker_whose_run_was_stopped_is_released_when_it_runs_nothing() {
    let mut bench = Bench::ready(3);
    bench.claim(0, 0);
    bench.claim_long(2, 1);
    assert_eq!(bench.leave(0, Leave::Stopped), [Effect::Withhold { slot: 0 }]);
    let at_once = [Effect::Withhold { slot: 1 }, Effect::Release { slot: 1 }];
    assert_eq!(bench.leave(1, Leave::Stopped), at_once);
    assert_eq!(bench.answer(0, 0, SLOW), [Effect::Release { slot: 0 }]);
    // What it had not started does not hold it up.
    let expected = [Effect::Withhold { slot: 2 }, Effect::Recall { slot: 2 }];
    assert_eq!(bench.leave(2, Leave::Stopped), expected);
    assert_eq!(bench.recalled(2, 1), [put_back(1), Effect::Release { slot: 2 }]);
}

#[test]
fn a_worker_whose_claim_was_taken_back_is_released_if_that_was_all() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    bench.leave(0, Leave::Stopped);
    let expected = [put_back(0), Effect::Release { slot: 0 }];
    assert_eq!(bench.on(Event::Unclaimed { task: 0 }), expected);
}

#[test]
fn a_worker_that_boots_while_its_run_is_stopped_is_released_when_it_is_there() {
    let mut bench = Bench::new(1);
    bench.on(Event::Started { slot: 0 });
    assert_eq!(bench.leave(0, Leave::Stopped), [Effect::Withhold { slot: 0 }]);
    assert_eq!(bench.on(Event::Registered { slot: 0 }), [Effect::Release { slot: 0 }]);
    assert!(!bench.scheduler.is_ready(0));
}

#[test]
fn a_worker_is_killed_once_and_gets_nothing_more() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    bench.choose(0, 1);
    let late = Kill::Late { task: 0, limit: 5 };
    let expected =
        [Effect::Withhold { slot: 0 }, Effect::Recall { slot: 0 }, Effect::Kill { slot: 0 }];
    assert_eq!(bench.on(Event::Killed { slot: 0, why: late.clone() }), expected);
    assert_eq!(bench.recalled(0, 1), []);
    assert_eq!(bench.on(Event::Killed { slot: 0, why: Kill::Other }), []);
    assert_eq!(bench.scheduler.worker(0).kill(), Some(&late));
    assert_eq!(bench.exit(0, 0), [fail(0, 0)]);
    assert_eq!(bench.on(Event::Killed { slot: 0, why: Kill::Other }), [], "there is nobody");
    assert_eq!(bench.start(0), [chosen(0, 1)]);
}
