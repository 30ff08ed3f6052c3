//! What the scheduler promises, as tables of events and expected actions, and as a random walk.

mod walk;

use super::*;

const SLOW: f64 = 50.0;
const TINY: f64 = 0.002;

fn give(slot: usize, task: TaskId) -> Action {
    Action::Give { slot, task, how: How::InTurn }
}

fn direct(slot: usize, task: TaskId) -> Action {
    Action::Give { slot, task, how: How::Direct }
}

/// A scheduler with its actions, as a test speaks to it.
struct Bench {
    scheduler: Scheduler,
    actions: Vec<Action>,
}

impl Bench {
    fn ready(slots: usize) -> Self {
        let mut bench = Self { scheduler: Scheduler::new(slots), actions: Vec::new() };
        for slot in 0..slots {
            bench.scheduler.ready(slot, &mut bench.actions);
        }
        bench
    }

    fn submit(&mut self, tasks: impl IntoIterator<Item = TaskId>) -> Vec<Action> {
        for task in tasks {
            self.scheduler.submit(task, 10);
        }
        self.dispatch()
    }

    fn submit_to(&mut self, slot: usize, task: TaskId) -> Vec<Action> {
        self.scheduler.submit_to(slot, task, 10, &mut self.actions);
        std::mem::take(&mut self.actions)
    }

    fn answer(&mut self, slot: usize, task: TaskId, run: f64) -> Vec<Action> {
        assert!(self.scheduler.answered(slot, task, run), "{task} is not on {slot}");
        self.dispatch()
    }

    fn recalled(&mut self, slot: usize, unstarted: usize) -> Vec<Action> {
        self.scheduler.recalled(slot, unstarted, &mut self.actions);
        std::mem::take(&mut self.actions)
    }

    fn lost(&mut self, slot: usize, unstarted: usize) -> Vec<Action> {
        self.scheduler.lost(slot, unstarted, &mut self.actions);
        std::mem::take(&mut self.actions)
    }

    fn dispatch(&mut self) -> Vec<Action> {
        self.scheduler.dispatch(&mut self.actions);
        std::mem::take(&mut self.actions)
    }

    /// Runs tiny events until the worker of `slot` may hold `window`.
    fn widen(&mut self, slot: usize, window: usize, mut task: TaskId) -> TaskId {
        while self.scheduler.slots[slot].window < window {
            self.submit([task]);
            let holder = (0..self.scheduler.slots.len())
                .find(|&at| self.scheduler.held(at) > 0)
                .expect("someone holds it");
            self.answer(holder, task, TINY);
            task += 1;
        }
        task
    }
}

#[test]
fn a_worker_holds_one_event_until_its_events_are_measured_short() {
    let mut bench = Bench::ready(2);
    assert_eq!(bench.submit(0..5), [give(0, 0), give(1, 1)]);
    assert_eq!(bench.answer(0, 0, SLOW), [give(0, 2)]);
    assert_eq!(bench.answer(1, 1, TINY), [give(1, 3), give(1, 4)]);
    assert_eq!(bench.scheduler.capacity(), 3);
}

#[test]
fn one_long_event_closes_the_window_at_once() {
    let mut bench = Bench::ready(1);
    let next = bench.widen(0, 64, 0);
    assert!(bench.scheduler.capacity() >= 64);
    bench.submit([next]);
    bench.answer(0, next, SHORT);
    assert_eq!(bench.scheduler.capacity(), 1);
}

#[test]
fn the_window_is_as_wide_as_the_events_are_short_and_never_wider_than_its_limit() {
    for (run, expected) in [(0.0001, MAX_WINDOW), (0.1, 10), (0.4, 2), (0.9, 1)] {
        let mut bench = Bench::ready(1);
        for task in 0..40 {
            bench.submit([task]);
            bench.answer(0, task, run);
        }
        assert_eq!(bench.scheduler.capacity(), expected, "events of {run} ms");
    }
}

#[test]
fn bytes_close_the_window_too() {
    let mut bench = Bench::ready(1);
    let next = bench.widen(0, 64, 0);
    for task in next..next + 10 {
        bench.scheduler.submit(task, MAX_WINDOW_BYTES / 2);
    }
    assert_eq!(bench.dispatch(), [give(0, next), give(0, next + 1)]);
}

#[test]
fn what_waits_behind_a_busy_worker_is_recalled_for_an_idle_one() {
    let mut bench = Bench::ready(2);
    let next = bench.widen(0, 8, 0);
    let next = bench.widen(1, 8, next);
    bench.submit(next..next + 4);
    // Two each; the second worker finishes, the first is stuck in its first event.
    let on = |bench: &Bench, slot: usize| -> Vec<TaskId> {
        bench.scheduler.slots[slot].held.iter().map(|held| held.task).collect()
    };
    let (stuck, other) = (on(&bench, 0), on(&bench, 1));
    assert_eq!((stuck.len(), other.len()), (2, 2));
    assert_eq!(bench.answer(1, other[0], TINY), []);
    assert_eq!(bench.answer(1, other[1], TINY), [Action::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 1), [give(1, stuck[1])]);
    assert_eq!(on(&bench, 0), stuck[..1]);
}

#[test]
fn a_recall_that_comes_too_late_changes_nothing_and_ends() {
    let mut bench = Bench::ready(2);
    let next = bench.widen(0, 8, 0);
    bench.scheduler.ready(1, &mut bench.actions);
    bench.scheduler.slots[1].ready = false;
    bench.submit([next, next + 1]);
    bench.scheduler.slots[1].ready = true;
    assert_eq!(bench.dispatch(), [Action::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 0), []);
    assert_eq!(bench.scheduler.held(0), 2);
}

#[test]
fn a_lost_worker_costs_what_it_ran_and_the_rest_goes_to_others_first() {
    let mut bench = Bench::ready(2);
    let next = bench.widen(0, 8, 0);
    bench.scheduler.slots[1].ready = false;
    bench.submit(next..next + 3);
    bench.scheduler.submit(next + 3, 10);
    bench.scheduler.slots[1].ready = true;
    bench.scheduler.slots[1].window = 4;
    let expected = [
        Action::Fail { slot: 0, task: next },
        give(1, next + 1),
        give(1, next + 2),
        give(1, next + 3),
    ];
    assert_eq!(bench.lost(0, 2), expected);
}

#[test]
fn a_worker_that_was_idle_costs_nothing() {
    let mut bench = Bench::ready(1);
    assert_eq!(bench.lost(0, 0), []);
    assert_eq!(bench.submit([0]), []);
    bench.scheduler.ready(0, &mut bench.actions);
    assert_eq!(std::mem::take(&mut bench.actions), [give(0, 0)]);
}

#[test]
fn a_direct_event_goes_to_its_worker_at_once_and_before_what_waits_there() {
    let mut bench = Bench::ready(2);
    bench.submit([0]);
    assert_eq!(bench.submit_to(0, 1), [Action::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 0), [direct(0, 1)]);
    bench.answer(0, 1, TINY);
    bench.answer(0, 0, TINY);
    let next = bench.widen(0, 8, 2);
    bench.scheduler.slots[1].ready = false;
    bench.submit(next..next + 2);
    assert_eq!(bench.submit_to(0, next + 2), [Action::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 1), [direct(0, next + 2), give(0, next + 1)]);
}

#[test]
fn a_direct_event_does_not_overtake_the_one_that_its_worker_was_about_to_start() {
    let mut bench = Bench::ready(2);
    bench.submit([0]);
    assert_eq!(bench.submit_to(0, 1), [Action::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 1), [direct(0, 0), direct(0, 1)]);
    // Nothing has to come back for the next one.
    assert_eq!(bench.submit_to(0, 2), [direct(0, 2)]);
    // What had not started when the worker ended runs where it may.
    assert_eq!(bench.lost(0, 3), [give(1, 0)]);
}

#[test]
fn a_direct_event_waits_for_its_worker_s_replacement_and_fails_if_there_will_be_none() {
    let mut bench = Bench::ready(2);
    bench.lost(0, 0);
    assert_eq!(bench.submit_to(0, 0), []);
    bench.scheduler.ready(0, &mut bench.actions);
    assert_eq!(std::mem::take(&mut bench.actions), [direct(0, 0)]);
    bench.lost(0, 1);
    bench.scheduler.retired(0, &mut bench.actions);
    assert_eq!(std::mem::take(&mut bench.actions), [Action::Fail { slot: 0, task: 0 }]);
}

#[test]
fn without_prefetch_every_worker_holds_one_and_what_waits_in_workers_comes_back() {
    let mut bench = Bench::ready(1);
    let next = bench.widen(0, 8, 0);
    bench.submit(next..next + 3);
    bench.scheduler.stop_prefetch(&mut bench.actions);
    assert_eq!(std::mem::take(&mut bench.actions), [Action::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 2), []);
    assert_eq!(bench.answer(0, next, TINY), [give(0, next + 1)]);
    assert_eq!(bench.scheduler.waiting(), 1);
}

#[test]
fn a_worker_that_leaves_gets_nothing_more_and_may_still_answer() {
    let mut bench = Bench::ready(1);
    bench.submit([0, 1]);
    bench.scheduler.leaving(0, &mut bench.actions);
    assert_eq!(std::mem::take(&mut bench.actions), [Action::Recall { slot: 0 }]);
    assert_eq!(bench.recalled(0, 0), []);
    assert_eq!(bench.answer(0, 0, TINY), []);
    assert_eq!(bench.lost(0, 0), []);
    assert_eq!(bench.scheduler.waiting(), 1);
}

#[test]
fn an_answer_that_was_not_asked_for_is_not_taken() {
    let mut bench = Bench::ready(2);
    bench.submit([0]);
    assert!(!bench.scheduler.answered(1, 0, TINY));
    assert!(bench.scheduler.answered(0, 0, TINY));
    assert!(!bench.scheduler.answered(0, 0, TINY));
}

#[test]
fn abandoning_gives_back_what_no_worker_runs_in_order() {
    let mut bench = Bench::ready(1);
    bench.submit(0..4);
    bench.scheduler.lost(0, 1, &mut bench.actions);
    bench.scheduler.submit_to(0, 9, 1, &mut bench.actions);
    assert_eq!(bench.scheduler.abandon(), [0, 1, 2, 3, 9]);
    assert_eq!(bench.scheduler.outstanding(), 0);
}

#[test]
fn when_one_worker_is_stuck_what_waits_in_all_of_them_goes_out_anew_in_order() {
    let mut bench = Bench::ready(2);
    let next = bench.widen(0, 8, 0);
    let next = bench.widen(1, 8, next);
    bench.submit(next..next + 6);
    assert!(bench.scheduler.has_prefetched());
    bench.scheduler.stuck(0, &mut bench.actions);
    let recalls = [Action::Recall { slot: 0 }, Action::Recall { slot: 1 }];
    assert_eq!(std::mem::take(&mut bench.actions), recalls);
    // Nothing goes out before all have come back: the other worker's are in between.
    assert_eq!(bench.recalled(0, 2), []);
    bench.submit([next + 6]);
    let gives = bench.recalled(1, 2);
    assert_eq!(gives, [2, 3, 4, 5, 6].map(|at| give(1, next + at)));
    assert_eq!((bench.scheduler.held(0), bench.scheduler.held(1)), (1, 6));
}

#[test]
fn an_event_that_has_started_and_one_of_its_own_wait_for_nothing() {
    let mut bench = Bench::ready(1);
    let next = bench.widen(0, 8, 0);
    bench.submit([next]);
    for task in next + 1..next + 4 {
        bench.scheduler.submit_to(0, task, 10, &mut bench.actions);
    }
    bench.recalled(0, 0);
    assert!(!bench.scheduler.has_prefetched());
    bench.submit([next + 4]);
    assert!(bench.scheduler.has_waiting(0));
}
