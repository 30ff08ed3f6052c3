//! What the scheduler promises, as tables of what happened and expected actions, and as a random walk.

mod walk;

use super::*;

const SLOW: f64 = 50.0;
const TINY: f64 = 0.002;

fn direct(slot: usize, task: TaskId) -> Action {
    Action::Give { slot, task, how: How::Direct }
}

fn in_turn(slot: usize, task: TaskId) -> Action {
    Action::Give { slot, task, how: How::InTurn }
}

fn text_for(slot: usize, task: TaskId) -> Action {
    Action::Give { slot, task, how: How::Claimed }
}

fn fail(slot: usize, task: TaskId) -> Action {
    Action::Fail { slot, task }
}

/// A scheduler with its actions, as a test speaks to it.
struct Bench {
    scheduler: Scheduler,
    actions: Vec<Action>,
}

impl Bench {
    fn ready(slots: usize) -> Self {
        let mut bench = Self { scheduler: Scheduler::new(slots, MAX_WINDOW), actions: Vec::new() };
        for slot in 0..slots {
            bench.scheduler.ready(slot, &mut bench.actions);
        }
        bench
    }

    /// What is to be done since the last look.
    fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    fn claim(&mut self, slot: usize, task: TaskId) -> Vec<Action> {
        self.scheduler.claimed(slot, task, false, &mut self.actions);
        self.actions()
    }

    fn claim_long(&mut self, slot: usize, task: TaskId) -> Vec<Action> {
        self.scheduler.claimed(slot, task, true, &mut self.actions);
        self.actions()
    }

    fn take_back(&mut self, tasks: impl IntoIterator<Item = TaskId>) -> Vec<Action> {
        for task in tasks {
            self.scheduler.taken_back(task);
        }
        self.dispatch()
    }

    fn submit_to(&mut self, slot: usize, task: TaskId) -> Vec<Action> {
        self.scheduler.submit_to(slot, task, &mut self.actions);
        self.actions()
    }

    fn answer(&mut self, slot: usize, task: TaskId, run: f64) -> Vec<Action> {
        assert!(self.scheduler.answered(slot, task, run), "{task} is not on {slot}");
        self.dispatch()
    }

    fn leave(&mut self, slot: usize) -> Vec<Action> {
        self.scheduler.leaving(slot, &mut self.actions);
        self.actions()
    }

    fn recalled(&mut self, slot: usize, unstarted: usize) -> Vec<Action> {
        self.scheduler.recalled(slot, unstarted, &mut self.actions);
        self.actions()
    }

    fn lose(&mut self, slot: usize, unstarted: usize) -> Vec<Action> {
        self.scheduler.lost(slot, unstarted, &mut self.actions);
        self.actions()
    }

    fn revive(&mut self, slot: usize) -> Vec<Action> {
        self.scheduler.ready(slot, &mut self.actions);
        self.actions()
    }

    fn dispatch(&mut self) -> Vec<Action> {
        self.scheduler.dispatch(&mut self.actions);
        self.actions()
    }

    /// Runs `count` events of `run` milliseconds on the worker of `slot`.
    fn run(&mut self, slot: usize, count: TaskId, run: f64) {
        for task in 0..count {
            self.claim(slot, task);
            self.answer(slot, task, run);
        }
    }
}

#[test]
fn what_a_worker_claimed_it_runs_and_nothing_is_to_be_done_for_it() {
    let mut bench = Bench::ready(2);
    assert_eq!(bench.claim(0, 0), []);
    assert!(!bench.scheduler.is_idle(0) && bench.scheduler.is_idle(1));
    assert!(bench.scheduler.has_claimed(0, 0) && !bench.scheduler.has_claimed(1, 0));
    assert_eq!((bench.scheduler.held(0), bench.scheduler.outstanding()), (1, 1));
    assert_eq!(bench.answer(0, 0, SLOW), []);
    assert!(bench.scheduler.is_idle(0));
    assert_eq!(bench.scheduler.outstanding(), 0);
}

#[test]
fn a_worker_that_claimed_a_long_event_is_sent_its_text() {
    let mut bench = Bench::ready(2);
    assert_eq!(bench.claim_long(1, 0), [text_for(1, 0)]);
    assert!(!bench.scheduler.has_claimed(1, 0), "it has no text to run it with");
    assert_eq!(bench.answer(1, 0, SLOW), []);
}

#[test]
fn there_is_room_for_one_event_a_worker_until_its_events_are_measured_short() {
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
fn only_workers_that_are_ready_have_room_and_a_new_one_is_not_known_to_be_quick() {
    let mut bench = Bench::ready(2);
    bench.run(0, 20, TINY);
    bench.lose(0, 0);
    assert_eq!((bench.scheduler.capacity(), bench.scheduler.ready_count()), (1, 1));
    bench.revive(0);
    assert_eq!((bench.scheduler.capacity(), bench.scheduler.ready_count()), (2, 2));
    bench.leave(1);
    assert_eq!((bench.scheduler.capacity(), bench.scheduler.ready_count()), (1, 1));
    assert!(!bench.scheduler.is_ready(1) && !bench.scheduler.is_idle(1));
}

#[test]
fn what_was_taken_back_goes_to_idle_workers_in_order_one_each() {
    let mut bench = Bench::ready(3);
    bench.claim(1, 0);
    assert_eq!(bench.take_back(1..6), [in_turn(0, 1), in_turn(2, 2)]);
    assert_eq!(bench.answer(1, 0, TINY), [in_turn(1, 3)]);
    assert_eq!(bench.answer(2, 2, TINY), [in_turn(2, 4)]);
    assert_eq!(bench.answer(0, 1, TINY), [in_turn(0, 5)]);
}

#[test]
fn idle_workers_take_turns() {
    let mut bench = Bench::ready(3);
    let mut slots = Vec::new();
    for task in 0..6 {
        let actions = bench.take_back([task]);
        let [Action::Give { slot, .. }] = actions[..] else { panic!("{actions:?}") };
        bench.answer(slot, task, SLOW);
        slots.push(slot);
    }
    assert_eq!(slots, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn what_was_given_to_a_worker_that_had_just_claimed_another_goes_to_the_next_idle_one() {
    let mut bench = Bench::ready(3);
    bench.claim(1, 8);
    assert_eq!(bench.take_back([1]), [in_turn(0, 1)]);
    bench.claim(0, 9);
    assert!(!bench.scheduler.returned(1, 1) && !bench.scheduler.returned(0, 9));
    assert!(bench.scheduler.returned(0, 1));
    assert_eq!(bench.dispatch(), [in_turn(2, 1)]);
    assert_eq!(bench.submit_to(2, 2), [direct(2, 2)]);
    assert!(!bench.scheduler.returned(2, 2), "the program chose this worker");
}

#[test]
fn once_the_program_hands_out_events_what_waits_goes_to_whoever_is_free_and_then_to_whoever_ends_one()
 {
    let mut bench = Bench::ready(3);
    bench.claim(0, 0);
    bench.lose(2, 0);
    for task in 1..6 {
        bench.scheduler.taken_back(task);
    }
    bench.scheduler.be_exact(&mut bench.actions);
    assert_eq!(bench.actions(), [direct(1, 1)]);
    assert!(!bench.scheduler.is_free(2), "one waits for its replacement");
    let ends = |bench: &mut Bench, slot, task| {
        assert_eq!(bench.answer(slot, task, SLOW), []);
        let is_taken = bench.scheduler.is_taken(slot, &mut bench.actions);
        (is_taken, bench.actions())
    };
    assert_eq!(ends(&mut bench, 1, 1), (true, vec![direct(1, 3)]));
    assert_eq!(bench.revive(2), [direct(2, 2)]);
    assert_eq!(ends(&mut bench, 2, 2), (true, vec![direct(2, 4)]));
    assert_eq!(bench.lose(1, 1), [], "it had not started it");
    assert_eq!(ends(&mut bench, 0, 0), (true, vec![direct(0, 5)]));
    assert_eq!(bench.revive(1), [direct(1, 3)], "its replacement has it, and nobody else");
    assert_eq!(ends(&mut bench, 1, 3), (false, vec![]));
    assert!(bench.scheduler.is_free(1));
}

/// It has answered one event and claimed the next before anybody could see to it that it does not.
#[test]
fn a_worker_that_has_claimed_another_event_is_not_free_and_gets_no_third() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim(0, 1);
    bench.scheduler.taken_back(2);
    bench.claim(1, 3);
    bench.scheduler.be_exact(&mut bench.actions);
    let ends = |bench: &mut Bench, slot, task| {
        assert_eq!(bench.answer(slot, task, SLOW), []);
        let is_taken = bench.scheduler.is_taken(slot, &mut bench.actions);
        (is_taken, bench.actions())
    };
    assert_eq!(ends(&mut bench, 0, 0), (true, vec![]));
    assert_eq!(ends(&mut bench, 0, 1), (true, vec![direct(0, 2)]));
    assert_eq!(ends(&mut bench, 0, 2), (false, vec![]));
    assert_eq!(ends(&mut bench, 1, 3), (false, vec![]));
}

#[test]
fn a_lost_worker_costs_what_it_had_claimed() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim(1, 1);
    bench.claim(0, 2);
    assert_eq!(bench.lose(0, 0), [fail(0, 0), fail(0, 2)]);
    assert_eq!(bench.scheduler.outstanding(), 1, "the other's is not touched");
}

#[test]
fn what_a_lost_worker_was_given_and_had_not_started_runs_elsewhere_in_order() {
    let mut bench = Bench::ready(2);
    bench.claim(1, 0);
    bench.claim_long(0, 1);
    // Started, and behind it one for this worker alone that is not.
    bench.submit_to(0, 9);
    assert_eq!(bench.take_back([2, 3]), []);
    assert_eq!(bench.lose(0, 1), [fail(0, 1)]);
    assert_eq!(bench.answer(1, 0, SLOW), [in_turn(1, 2)]);
    // A long text that had not been read goes where it stands in the order.
    assert_eq!(bench.revive(0), [direct(0, 9)]);
    bench.answer(0, 9, SLOW);
    bench.answer(1, 2, SLOW);
    let mut bench = Bench::ready(2);
    bench.claim(1, 0);
    bench.claim_long(0, 1);
    bench.take_back([2]);
    assert_eq!(bench.lose(0, 1), []);
    assert_eq!(bench.answer(1, 0, SLOW), [in_turn(1, 1)]);
    assert_eq!(bench.answer(1, 1, SLOW), [in_turn(1, 2)]);
}

#[test]
fn what_is_taken_back_from_a_worker_is_never_what_it_claimed_with_its_text() {
    for unstarted in 0..5 {
        let mut bench = Bench::ready(2);
        bench.claim(1, 9);
        bench.claim(0, 0);
        bench.claim_long(0, 1);
        bench.claim(0, 2);
        let mut failed = bench.lose(0, unstarted);
        let expected: &[TaskId] = if unstarted == 0 { &[0, 1, 2] } else { &[0, 2] };
        let expected: Vec<Action> = expected.iter().map(|&task| fail(0, task)).collect();
        failed.sort_by_key(|action| format!("{action:?}"));
        assert_eq!(failed, expected, "{unstarted} unstarted, as the worker's memory says");
    }
}

#[test]
fn a_worker_that_was_idle_costs_nothing() {
    let mut bench = Bench::ready(1);
    assert_eq!(bench.lose(0, 0), []);
    assert_eq!(bench.take_back([0]), []);
    assert_eq!(bench.revive(0), [in_turn(0, 0)]);
}

#[test]
fn an_event_for_one_worker_goes_there_at_once_whatever_else_it_does() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    assert_eq!(bench.submit_to(0, 1), [direct(0, 1)]);
    assert_eq!(bench.submit_to(0, 2), [direct(0, 2)]);
    assert!(bench.scheduler.is_idle(1));
}

#[test]
fn an_event_for_one_worker_waits_for_its_replacement_and_fails_if_there_will_be_none() {
    let mut bench = Bench::ready(2);
    bench.lose(0, 0);
    assert_eq!(bench.submit_to(0, 0), []);
    assert_eq!(bench.revive(0), [direct(0, 0)]);
    assert_eq!(bench.submit_to(0, 1), [direct(0, 1)]);
    assert_eq!(bench.lose(0, 2), []);
    assert_eq!(bench.dispatch(), [], "it is for no other worker");
    bench.scheduler.retired(0, &mut bench.actions);
    assert_eq!(bench.actions(), [fail(0, 0), fail(0, 1)]);
    assert_eq!(bench.scheduler.outstanding(), 0);
}

#[test]
fn a_worker_that_leaves_gets_nothing_more_and_may_still_answer() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    assert_eq!(bench.leave(0), [], "what it has claimed cannot be taken back");
    assert_eq!(bench.take_back([1]), []);
    assert_eq!(bench.submit_to(0, 2), []);
    assert_eq!(bench.answer(0, 0, TINY), []);
    assert_eq!(bench.lose(0, 0), []);
    assert_eq!(bench.scheduler.outstanding(), 2);
}

#[test]
fn what_a_leaving_worker_was_given_and_has_not_started_is_taken_back() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim_long(0, 1);
    bench.submit_to(0, 2);
    assert_eq!(bench.leave(0), [Action::Recall { slot: 0 }]);
    // The one goes to the other worker, the other waits for this one's replacement.
    assert_eq!(bench.recalled(0, 2), [in_turn(1, 1)]);
    assert_eq!(bench.lose(0, 0), [fail(0, 0)]);
    assert_eq!(bench.revive(0), [direct(0, 2)]);
}

#[test]
fn an_answer_that_was_not_asked_for_is_not_taken() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    assert!(!bench.scheduler.answered(1, 0, TINY), "it is on another worker");
    assert!(!bench.scheduler.answered(0, 1, TINY), "nobody has claimed it");
    assert!(bench.scheduler.answered(0, 0, TINY));
    assert!(!bench.scheduler.answered(0, 0, TINY), "it was answered");
}

#[test]
fn abandoning_gives_back_what_no_worker_runs_in_order() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    bench.claim_long(0, 1);
    bench.submit_to(0, 9);
    bench.take_back(2..4);
    bench.lose(0, 2);
    assert_eq!(bench.scheduler.abandon(), [1, 2, 3, 9]);
    assert_eq!(bench.scheduler.outstanding(), 0);
}

#[test]
fn what_is_tried_again_comes_before_what_was_never_tried_and_goes_to_anybody() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.claim(1, 1);
    bench.take_back([2, 3]);
    assert!(bench.scheduler.answered(0, 0, SLOW));
    bench.scheduler.again(0, 0, false, &mut bench.actions);
    assert_eq!(bench.dispatch(), [in_turn(0, 0)]);
    assert_eq!(bench.answer(1, 1, SLOW), [in_turn(1, 2)]);
    assert_eq!(bench.scheduler.outstanding(), 3);
}

#[test]
fn what_rests_is_outstanding_and_keeps_no_worker_but_one_that_was_chosen() {
    let mut bench = Bench::ready(2);
    bench.claim(0, 0);
    bench.submit_to(1, 9);
    assert_eq!(bench.scheduler.chosen(1).collect::<Vec<_>>(), [9]);
    assert_eq!(bench.scheduler.chosen(0).next(), None);
    for (slot, task, is_chosen) in [(0, 0, false), (1, 9, true)] {
        assert!(bench.scheduler.answered(slot, task, SLOW));
        bench.scheduler.rest(slot, task, is_chosen, &mut bench.actions);
    }
    assert_eq!((bench.scheduler.outstanding(), bench.scheduler.resting()), (2, 2));
    assert!(bench.scheduler.is_free(0) && !bench.scheduler.is_free(1));
    assert!(bench.scheduler.is_idle(0) && bench.scheduler.is_idle(1));
    assert_eq!(bench.dispatch(), []);
    for (task, given) in [(9, direct(1, 9)), (0, in_turn(0, 0))] {
        assert!(bench.scheduler.rested(task, &mut bench.actions));
        assert!(!bench.scheduler.rested(task, &mut bench.actions));
        assert_eq!(bench.dispatch(), [given]);
    }
    assert_eq!(bench.scheduler.resting(), 0);
}

#[test]
fn what_rests_for_nobody_waits_no_longer_once_the_program_hands_out_events() {
    let mut bench = Bench::ready(1);
    bench.claim(0, 0);
    assert!(bench.scheduler.answered(0, 0, SLOW));
    bench.scheduler.rest(0, 0, false, &mut bench.actions);
    bench.scheduler.be_exact(&mut bench.actions);
    assert_eq!(bench.actions(), [direct(0, 0)]);
    // From here on it keeps its worker.
    assert!(bench.scheduler.answered(0, 0, SLOW));
    bench.scheduler.rest(0, 0, false, &mut bench.actions);
    assert!(!bench.scheduler.is_free(0));
    assert!(bench.scheduler.rested(0, &mut bench.actions));
    assert_eq!(bench.actions(), [direct(0, 0)]);
}

#[test]
fn what_is_tried_again_and_has_no_worker_is_withdrawn_in_order_and_fails_with_its_place() {
    let mut bench = Bench::ready(2);
    bench.submit_to(0, 8);
    bench.claim(1, 1);
    bench.lose(0, 0);
    bench.scheduler.again(0, 8, true, &mut bench.actions);
    bench.scheduler.submit_to(0, 9, &mut bench.actions);
    bench.scheduler.rest(0, 7, true, &mut bench.actions);
    bench.scheduler.rest(1, 2, false, &mut bench.actions);
    bench.scheduler.taken_back(3);
    assert_eq!(bench.scheduler.withdraw(|task| task != 9 && task != 3), [2, 7, 8]);
    bench.scheduler.rest(0, 7, true, &mut bench.actions);
    bench.scheduler.retired(0, &mut bench.actions);
    assert_eq!(bench.actions(), [fail(0, 9), fail(0, 7)]);
    assert_eq!(bench.scheduler.outstanding(), 2);
}
