//! Promised: events of a run whose tags are all that says where they may run go into a lane of their own, as those without tags do;
//! the same holds for them as for all that name their workers.

use super::*;

fn tagged(tags: &[&str], options: RunOptions) -> RunOptions {
    RunOptions { tags: tags.iter().map(ToString::to_string).collect(), ..options }
}

fn again(limit: u32) -> RunOptions {
    let on = vec![Cause::Crash, Cause::Error];
    let retries = Some(Policy { limit, backoff: 0.0, factor: 2.0, max_delay: 1e3, on });
    RunOptions { retries, ..plain() }
}

/// What goes into a lane without the router.
fn put(bench: &Bench, numbers: std::ops::Range<u32>) {
    bench.map(numbers);
    assert!(bench.pool.lock().router.is_empty());
}

#[test]
fn workers_with_the_tags_take_them_and_others_do_not() {
    let groups: [(usize, &[&str], bool); 3] =
        [(1, &["gpu"], true), (1, &["cpu", "gpu"], false), (1, &[], false)];
    let (bench, [mut gpu, mut both, mut other]) = pool(&groups, tagged(&["gpu"], plain())).run();
    put(&bench, 0..4);
    let (_, _, rest) = bench.open(plain());
    assert!(rest.write(0, "9"));
    assert_eq!(look(&mut gpu).as_deref(), Some("0"));
    assert_eq!(next(&mut other), "9");
    assert_eq!(look(&mut other), None);
    assert_eq!(look(&mut both).as_deref(), Some("1"));
}

#[test]
fn those_are_woken_for_them_that_may_claim_them_and_no_others() {
    let groups: [(usize, &[&str], bool); 3] =
        [(1, &["gpu"], true), (1, &["cpu"], false), (1, &[], false)];
    let (bench, [gpu, cpu, other]) = pool(&groups, tagged(&["gpu"], plain())).run();
    let (_, _, rest) = bench.open(plain());
    let claimers = [&gpu, &cpu, &other].map(|seat| &seat.player.claimer);
    let is_parked = |slot: usize| bench.pool.lock().lanes.is_parked(slot);
    claimers[0].unpark();
    claimers[1].park();
    claimers[2].park();
    assert!(!bench.writer.has_parked() && rest.has_parked());
    put(&bench, 0..3);
    bench.pool.flush();
    assert_eq!([1, 2].map(is_parked), [true; 2]);
    claimers[0].park();
    assert!(bench.writer.has_parked());
    bench.pool.flush();
    assert_eq!([0, 1, 2].map(is_parked), [false, true, true]);
    claimers[0].park();
    assert!(rest.write(0, "9"));
    bench.pool.flush();
    assert!([1, 2].map(is_parked) != [true; 2], "one comes for what has no tags");
}

#[test]
fn each_is_woken_for_events_of_its_own_though_another_is_on_its_way() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &["a", "b"], false), (1, &["b"], false)];
    let (bench, [one, other]) = pool(&groups, tagged(&["a"], plain())).run();
    let (_, _, second) = bench.open(tagged(&["b"], plain()));
    one.player.claimer.park();
    other.player.claimer.park();
    assert!(bench.writer.write(0, "1") && second.write(0, "2"));
    bench.pool.flush();
    let is_parked = |slot: usize| bench.pool.lock().lanes.is_parked(slot);
    assert_eq!([0, 1].map(is_parked), [false; 2]);
}

#[test]
fn they_keep_their_tags_when_they_come_back() {
    let groups: [(usize, &[&str], bool); 2] = [(2, &["gpu"], false), (1, &[], false)];
    let (bench, [mut first, mut second, mut other]) =
        pool(&groups, tagged(&["gpu"], again(3))).run();
    put(&bench, 0..3);
    let item = first.player.start();
    first.player.answer(&item, Outcome::failed("{}"));
    bench.pool.flush();
    assert_eq!(look(&mut other), None, "tried again");
    assert_eq!(next(&mut first), "0");
    kill(&bench, 0, first);
    assert_eq!(look(&mut other), None, "its worker died");
    bench.take_back();
    assert_eq!(look(&mut other), None, "taken back");
    let mut ran = Vec::new();
    for _ in 0..3 {
        let item = second.player.start();
        ran.push(String::from_utf8_lossy(&item.text).into_owned());
        second.player.answer(&item, Outcome::response(&item.text));
        bench.pool.flush();
    }
    ran.sort_unstable();
    assert_eq!(ran, ["0", "1", "2"]);
    assert!(bench.is_clean() && bench.pool.drained(bench.run));
    assert!(bench.pool.lock().router.is_empty());
}

#[test]
fn with_the_last_of_their_workers_they_fail_at_once() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &["gpu"], false), (1, &[], false)];
    let (bench, [gpu, mut other]) = pool(&groups, tagged(&["gpu"], plain())).run();
    bench.map(0..3);
    give_up(&bench, 0, gpu);
    let failures = bench.take(Queue::Failures);
    assert_eq!(failures.len(), 3);
    assert_eq!(failures[0].response["code"], "ERR_SONIC_NO_WORKER");
    assert!(failures[0].response["message"].to_string().contains("gpu"), "{failures:?}");
    assert!(!bench.has_place(), "JavaScript asks first");
    assert!(bench.pool.refusal(bench.run).is_some());
    // What comes nevertheless ends too.
    bench.submit([4]);
    assert_eq!(bench.numbers(Queue::Failures), [4]);
    assert_eq!(look(&mut other), None);
    assert!(bench.has_forgotten_all());
}

#[test]
fn there_is_credit_for_what_their_workers_run_and_not_for_what_others_could() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &["gpu"], false), (7, &[], false)];
    let (bench, _seats) = pool(&groups, tagged(&["gpu"], plain())).run::<8>();
    // As many as wait for each worker with the tags, whatever it does.
    assert_eq!(bench.credit(), 64);
}

#[test]
fn there_are_few_such_lanes_and_what_has_none_goes_through_the_router() {
    let groups: [(usize, &[&str], bool); 1] = [(1, &["a"], false)];
    let (bench, [mut worker]) = pool(&groups, plain()).run();
    let opened = || bench.pool.open(tagged(&["a"], plain())).expect("memory");
    let mut runs: Vec<_> = (0..6).map(|_| opened()).collect();
    let are_tagged: Vec<bool> = runs.iter().map(|run| run.is_tagged).collect();
    assert_eq!(are_tagged, [true, true, true, true, false, false]);
    // Those without tags have lanes whatever happens.
    let (_, _, rest) = bench.open(plain());
    assert!(rest.write(0, "1"));
    assert_eq!(next(&mut worker), "1");
    bench.pool.close(runs.remove(0).id);
    assert!(opened().is_tagged, "there is one again");
    assert!(!bench.pool.open(tagged(&["none"], plain())).expect("memory").is_tagged);
}

#[test]
fn a_lane_that_had_tags_is_for_others_later() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &["a"], true), (1, &[], false)];
    let (bench, [mut a, mut other]) = pool(&groups, plain()).run();
    for _ in 0..20 {
        let mut writers = Vec::new();
        for tags in [&["a"][..], &["a"], &["a"], &["a"]] {
            writers.push(bench.open(tagged(tags, plain())));
        }
        assert!(writers[0].2.write(0, "2") && writers[1].2.write(0, "3"));
        assert_eq!(look(&mut other), None);
        for (id, ..) in writers {
            bench.pool.close(id);
        }
        // What nobody had claimed is gone, and the lanes are everybody's.
        let plain: Vec<_> = (0..6).map(|_| bench.open(plain())).collect();
        for (_, _, writer) in &plain {
            assert!(writer.write(0, "1"));
        }
        assert_eq!(look(&mut a), None);
        for _ in &plain {
            let item = other.player.start();
            other.player.answer(&item, Outcome::response("1"));
        }
        bench.pool.flush();
        for (id, ..) in plain {
            bench.pool.close(id);
        }
    }
}

#[test]
fn what_an_event_emits_has_its_tags_whichever_way_it_came() {
    let groups: [(usize, &[&str], bool); 3] =
        [(1, &["a"], true), (1, &["b"], false), (1, &[], false)];
    let (bench, [mut a, mut b, mut other]) = pool(&groups, tagged(&["a"], plain())).run();
    put(&bench, 0..1);
    bench.tag([1], "b");
    let emit = |seat: &mut Seat, text: &str| {
        let item = seat.player.start();
        assert_eq!(item.text, text);
        seat.player.worker.write(&Header::new(Kind::Emit, 0), b"7");
        seat.player.answer(&item, Outcome::response("8"));
        bench.pool.flush();
    };
    emit(&mut a, "0");
    assert_eq!((look(&mut other), next(&mut a)), (None, "7".into()));
    emit(&mut b, "1");
    assert_eq!((look(&mut other), next(&mut b)), (None, "7".into()));
    // Of one that names no tags though its run does.
    bench.route(2, &[], None).expect("it runs");
    emit(&mut other, "2");
    assert_eq!(next(&mut other), "7");
}
