//! Promised: where many events wait beyond their first chain no others begin, until fewer do.

use super::*;

/// So many wait before no others begin, with so few workers.
const MOST: usize = 1024;

/// Has `seat` run the first chain of events until this many have gone on.
fn fill(bench: &Bench, seat: &mut Seat, count: usize) {
    for _ in 0..count {
        let item = seat.player.start();
        assert_eq!(number_of(&item), 1);
        seat.player.answer(&item, Outcome::response("7"));
        bench.pool.flush();
    }
}

fn further(bench: &Bench) -> usize {
    bench.pool.lock().runs[&bench.run].further
}

#[test]
fn a_crowded_run_has_no_credit_until_it_is_less_so() {
    let groups: [(usize, &[&str], bool); 2] = [(1, &[], false), (1, &["b"], true)];
    let (bench, [mut first, mut second]) = pool(&groups, of_chains(&[&[], &["b"]])).run();
    while further(&bench) <= MOST {
        assert!(bench.credit() > 0, "{} wait", further(&bench));
        bench.begin([1], &[], None);
        fill(&bench, &mut first, 1);
    }
    assert!(bench.credit() <= 0, "there is none for others");
    // It has handed its event over, and waits.
    let waiting = bench.words.handed_over();
    bench.begin([1], &[], None);
    bench.wait_for(waiting);
    for _ in 0..3 {
        bench.pool.flush();
    }
    assert_eq!((bench.calls(), bench.credit()), (0, -1));
    fill(&bench, &mut first, 1);
    assert_eq!(bench.calls(), 0);
    second.answers(&bench, ("7", 2), Outcome::response("8"));
    second.answers(&bench, ("7", 2), Outcome::response("8"));
    assert!(bench.credit() > 0);
    assert_eq!(bench.calls(), 1, "the map that waits is called");
    for _ in 0..MOST {
        second.answers(&bench, ("7", 2), Outcome::response("8"));
    }
    assert_eq!(further(&bench), 0);
    assert!(bench.has_forgotten_all());
}

#[test]
fn a_crowded_run_has_no_room_for_events_with_tags_until_it_is_less_so() {
    let (bench, [mut a, mut b]) = two(plain());
    let routing = || Routing { tags: vec!["a".into()], ..Routing::default() };
    let hand_over = || bench.take_in(routing(), b"1", chain(1)).expect("it runs");
    let mut count = 0;
    while further(&bench) <= MOST {
        assert_eq!(hand_over(), Room::Is);
        fill(&bench, &mut a, 1);
        count += 1;
    }
    bench.hear();
    assert_eq!(hand_over(), Room::Awaits(count));
    bench.pool.flush();
    assert_eq!(bench.hear(), []);
    // It goes on, and there is no room for others either.
    fill(&bench, &mut a, 1);
    assert_eq!(bench.hear(), []);
    b.answers(&bench, ("7", 2), Outcome::response("8"));
    assert_eq!(bench.hear(), []);
    b.answers(&bench, ("7", 2), Outcome::response("8"));
    assert_eq!(bench.hear(), [Note::Room { run: bench.run, numbers: vec![count] }]);
}

#[test]
fn of_large_events_one_a_worker_waits_beyond_the_first_chain() {
    let (bench, [mut a, _b]) = two(RunOptions { max_bytes: 1000, ..plain() });
    let large = "7".repeat(600);
    let routing = || Routing { tags: vec!["a".into()], ..Routing::default() };
    let mut rooms = Vec::new();
    for _ in 0..4 {
        let room = bench.take_in(routing(), large.as_bytes(), chain(1));
        rooms.push(room.expect("it runs"));
        let item = a.player.start();
        a.player.answer(&item, Outcome::response("7"));
        bench.pool.flush();
    }
    // What an event came with counts as long as it has not ended.
    assert_eq!(rooms[..3], [Room::Is; 3]);
    assert_eq!(rooms[3], Room::Awaits(3));
}
