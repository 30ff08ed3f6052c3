//! Promised: runs that always have something to do get time as their weights say, however long their events are; one that comes,
//! or comes back, has neither more nor less than the others from then on; long events do not take all workers at once.

use super::*;

/// A run in a model: how long its events are, and when there are some.
struct Model {
    share: Share,
    long: f64,
    busy: std::ops::Range<f64>,
    time: f64,
}

impl Model {
    fn new(weight: f64, long: f64) -> Self {
        Self { share: Share::new(weight), long, busy: 0.0..f64::INFINITY, time: 0.0 }
    }
}

/// So many workers run events for so long. Each takes the next one of the run that has had least, as a worker does.
fn simulate(runs: &mut [Model], workers: usize, end: f64) {
    let mut served = Served::default();
    let mut free: Vec<(f64, Option<usize>)> = vec![(0.0, None); workers];
    loop {
        let worker = (0..workers).min_by(|&a, &b| free[a].0.total_cmp(&free[b].0)).expect("one");
        let (now, ran) = free[worker];
        if now >= end {
            return;
        }
        if let Some(run) = ran {
            runs[run].share.ran(runs[run].long);
            runs[run].time += runs[run].long;
        }
        free[worker].1 = None;
        for (at, run) in runs.iter_mut().enumerate() {
            let running = free.iter().filter(|(_, ran)| *ran == Some(at)).count();
            run.share.runs(running);
            if running == 0 && !run.busy.contains(&now) {
                run.share.rest();
            }
        }
        let busy = (0..runs.len()).filter(|&at| runs[at].busy.contains(&now));
        let at = |run: &usize| runs[*run].share.at(served);
        match busy.min_by(|a, b| at(a).total_cmp(&at(b))) {
            Some(run) => {
                runs[run].share.claimed(&mut served);
                free[worker] = (now + runs[run].long, Some(run));
            }
            None => free[worker].0 = now + 1.0,
        }
    }
}

/// The word of a lane with these runs.
fn told(runs: &[Share], served: Served) -> u32 {
    runs.iter().fold(Told::of_none(served), |told, run| told.with(run, served)).word()
}

/// The part of the time that each has had, in percent.
fn parts(runs: &[Model]) -> Vec<i32> {
    let all: f64 = runs.iter().map(|run| run.time).sum();
    runs.iter().map(|run| (100.0 * run.time / all).round() as i32).collect()
}

#[test]
fn runs_get_time_by_their_weights_however_long_their_events_are() {
    for (workers, events) in [(2, [5.0, 5.0]), (2, [5.0, 0.1]), (8, [0.1, 50.0]), (1, [1.0, 7.0])] {
        for (weights, expected) in
            [([1.0, 1.0], [50, 50]), ([3.0, 1.0], [75, 25]), ([0.25, 1.0], [20, 80])]
        {
            let mut runs = [0, 1].map(|at| Model::new(weights[at], events[at]));
            simulate(&mut runs, workers, 20_000.0);
            let parts = parts(&runs);
            assert!(
                (parts[0] - expected[0]).abs() <= 1,
                "{workers} {events:?} {weights:?}: {parts:?}"
            );
        }
    }
}

#[test]
fn one_that_comes_later_or_had_nothing_to_do_starts_where_the_others_are() {
    for busy in [10_000.0..f64::INFINITY, 0.0..100.0] {
        let mut runs = [Model::new(1.0, 5.0), Model::new(1.0, 5.0)];
        runs[1].busy = busy.clone();
        simulate(&mut runs, 2, 10_000.0);
        let before = [runs[0].time, runs[1].time];
        // From here on both have something to do; the account goes on.
        let mut served = Served::default();
        runs[0].share.claimed(&mut served);
        runs[1].share.rest();
        let (ahead, behind) = (runs[0].share.at(served), runs[1].share.at(served));
        assert!(ahead - behind <= 5.0 && behind <= ahead, "{busy:?}: {ahead} {behind} {before:?}");
    }
}

#[test]
fn long_events_do_not_take_all_workers_before_the_first_has_ended() {
    let mut served = Served::default();
    let [mut long, mut short] = [Share::new(1.0), Share::new(1.0)];
    for (share, time) in [(&mut long, 1000.0), (&mut short, 1.0)] {
        share.claimed(&mut served);
        share.ran(time);
        share.runs(0);
    }
    // The short ones have caught up.
    (0..2000).for_each(|_| short.ran(1.0));
    assert!(long.at(served) < short.at(served));
    let mut claims = 0;
    while long.at(served) < short.at(served) {
        long.claimed(&mut served);
        claims += 1;
    }
    assert!(claims < 10, "{claims}");
}

#[test]
fn a_lane_says_what_the_run_has_had_that_had_least_and_an_idle_one_says_nothing() {
    let mut served = Served::default();
    let mut runs = [1.0, 1.0, 1.0].map(Share::new);
    for (run, time) in runs.iter_mut().zip([30.0, 20.0, 10.0]) {
        run.claimed(&mut served);
        run.ran(time);
        run.runs(0);
    }
    assert_eq!(told(&runs, served), 160);
    runs[2].rest();
    assert_eq!(told(&runs, served), 320);
    runs[0].claimed(&mut served);
    for run in &mut runs {
        run.rest();
    }
    let all = told(&runs, served);
    assert_eq!(all, told(&[], served), "where the others would be");
}

#[test]
fn what_a_worker_says_of_its_time_is_a_time() {
    let mut share = Share::new(1.0);
    for time in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -5.0] {
        share.ran(time);
    }
    let word = |share: &Share| told(std::slice::from_ref(share), Served::default());
    share.claimed(&mut Served::default());
    assert_eq!(word(&share), 0);
    share.ran(1.0);
    share.runs(0);
    assert_eq!(word(&share), 16);
}
