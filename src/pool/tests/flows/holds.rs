//! Nodes that hold: batches, and what waits until nothing more comes.

use super::*;

fn holding(hold: &Json) -> Json {
    plan(
        &[node(&[0], 0), node_with(&[1], 1, hold), node(&[2], 2)],
        &[&[to(2)], &[to(3)], &[sink(1)]],
    )
}

#[test]
fn batches_are_full_by_count_and_by_bytes_and_the_rest_comes_at_the_end() {
    let hold = json!({ "hold": "batch", "batch": { "count": 3, "bytes": 10 } });
    let (bench, [mut seat]) = of_flow(&holding(&hold));
    bench.map([1]);
    seat.does(&bench, ("1", 1), outputs("%1\n%2\n%3\n%\"12345678\"\n%5\n%6"));
    seat.does(&bench, ("[1,2,3]", 2), Outcome::response("1"));
    seat.does(&bench, ("1", 3), outputs(""));
    seat.does(&bench, ("[\"12345678\"]", 2), outputs(""));
    assert_eq!(seat.sees(), None, "two are not enough");
    assert!(!bench.pool.drained(bench.run));
    seat.does(&bench, ("[5,6]", 2), Outcome::response("2"));
    seat.does(&bench, ("2", 3), Outcome::response("3"));
    assert_eq!(bench.sunk(), [(1, json!(3))]);
    assert!(bench.is_done());
}

#[test]
fn a_batch_that_has_waited_is_an_event_and_a_later_one_is_not() {
    let hold = json!({ "hold": "batch", "batch": { "count": 2, "ms": 20 } });
    let (mut bench, [mut seat]) = of_flow(&holding(&hold));
    let flushes = |bench: &mut Bench| -> Vec<u64> {
        let orders = bench.orders().into_iter();
        let flushes = orders.filter_map(|order| match order {
            Order::Flush { node: 2, generation, after, .. } => {
                assert_eq!(after, Duration::from_millis(20));
                Some(generation)
            }
            _ => None,
        });
        flushes.collect()
    };
    bench.map([1]);
    seat.does(&bench, ("1", 1), outputs("%1\n%2\n%3"));
    let orders = flushes(&mut bench);
    assert_eq!(orders.len(), 2, "one for each batch that began");
    let flush = |bench: &Bench, generation| bench.pool.flush_batch(bench.run, 2, generation);
    flush(&bench, orders[0]);
    seat.does(&bench, ("[1,2]", 2), outputs(""));
    bench.map([2]);
    let item = seat.player.start();
    assert_eq!(text_of(&item), "2");
    flush(&bench, orders[1]);
    flush(&bench, orders[1]);
    seat.player.answer(&item, outputs("%4"));
    bench.pool.flush();
    seat.does(&bench, ("[3]", 2), outputs(""));
    assert_eq!(seat.sees(), None);
    assert!(!bench.pool.drained(bench.run));
    seat.does(&bench, ("[4]", 2), outputs(""));
    assert!(bench.is_done());
    bench.pool.close(bench.run);
    flush(&bench, 0);
}

#[test]
fn what_waits_for_all_opens_when_all_before_it_has_ended_well_or_not() {
    let (bench, [mut a, mut b]) = of_flow(&holding(&json!({ "hold": "all" })));
    bench.map([1, 2, 3]);
    a.does(&bench, ("1", 1), outputs("%1\n%"));
    assert!(!bench.pool.drained(bench.run));
    let item = a.player.start();
    b.does(&bench, ("3", 1), Outcome::failed("{}"));
    assert_eq!(b.sees(), None, "one has not ended");
    kill(&bench, 0, a);
    drop(item);
    b.does(&bench, ("[1,null]", 2), Outcome::response("5"));
    b.does(&bench, ("5", 3), Outcome::response("6"));
    assert_eq!((bench.sunk(), bench.failures().len()), (vec![(1, json!(6))], 2));
    assert!(bench.is_done());
}

#[test]
fn nothing_at_all_is_all_too() {
    let (bench, [mut seat]) = of_flow(&holding(&json!({ "hold": "all" })));
    assert!(!bench.pool.drained(bench.run));
    seat.does(&bench, ("[]", 2), Outcome::response("0"));
    seat.does(&bench, ("0", 3), Outcome::response("1"));
    assert_eq!(bench.sunk(), [(1, json!(1))]);
    assert!(bench.is_done());
    let batch = json!({ "hold": "batch", "batch": { "count": 2 } });
    let (bench, [mut seat]) = of_flow(&holding(&batch));
    assert!(bench.is_done(), "no batch is empty");
    assert_eq!(seat.sees(), None);
}

/// The number of the event that the master's JavaScript is to reduce.
fn reduce(bench: &Bench) -> u64 {
    let notes = bench.hear();
    let number = notes.iter().find_map(|note| match note {
        Note::Reduce { number, node: 2, .. } => Some(*number),
        _ => None,
    });
    number.unwrap_or_else(|| panic!("{notes:?}"))
}

fn item(text: &[u8]) -> crate::run::flow::Kept {
    crate::run::flow::Kept { bytes: Bytes::from(text), flags: 0 }
}

#[test]
fn the_masters_javascript_reduces_what_it_is_told_of() {
    let (bench, [mut seat]) = of_flow(&holding(&json!({ "hold": "master" })));
    bench.map([1]);
    seat.does(&bench, ("1", 1), outputs("%1\n%2"));
    assert!(!bench.pool.drained(bench.run));
    let number = reduce(&bench);
    let (text, flags) = bench.pool.to_reduce(bench.run, number).expect("it is open");
    assert_eq!((&*text, flags & flag::PARTS), (&b"[1,2]"[..], 0));
    assert_eq!(seat.sees(), None);
    assert!(!bench.pool.drained(bench.run));
    bench.pool.reduced(bench.run, number, Ok(item(b"3")));
    bench.pool.reduced(bench.run, number, Ok(item(b"4")));
    seat.does(&bench, ("3", 3), Outcome::response("5"));
    assert_eq!(bench.sunk(), [(1, json!(5))]);
    assert!(bench.is_done());
    assert_eq!(bench.pool.to_reduce(bench.run, number + 1).map(|_| ()), None);
}

#[test]
fn a_reduce_in_the_master_that_fails_is_a_failure_with_all_items() {
    for errors in [-1, 2] {
        let hold = json!({ "hold": "master", "errors": errors, "name": "sum" });
        let (bench, [mut seat]) = of_flow(&holding(&hold));
        bench.map([1]);
        seat.does(&bench, ("1", 1), outputs("%1\n%2"));
        assert!(!bench.pool.drained(bench.run));
        let number = reduce(&bench);
        bench.pool.to_reduce(bench.run, number).expect("it is open");
        bench.pool.reduced(bench.run, number, Err(br#"{"message":"no"}"#.to_vec()));
        if errors == -1 {
            let entries = bench.take(Queue::Failures);
            assert_eq!((entries.len(), entries[0].kind & entry::DATA), (1, entry::DATA));
        } else {
            let error = json!({ "message": "no" });
            let failed =
                json!({ "id": 0, "failed": true, "node": "sum", "error": error, "data": [1, 2] });
            assert_eq!(bench.sunk(), [(1, failed)]);
        }
        assert!(bench.is_done());
    }
}

#[test]
fn a_run_that_ends_while_the_master_reduces_is_done() {
    for is_asked in [false, true] {
        let (bench, [mut seat]) = of_flow(&holding(&json!({ "hold": "master" })));
        bench.map([1]);
        seat.does(&bench, ("1", 1), outputs("%1"));
        assert!(!bench.pool.drained(bench.run));
        let number = reduce(&bench);
        if is_asked {
            bench.pool.to_reduce(bench.run, number).expect("it is open");
        }
        bench.pool.stop(bench.run);
        assert_eq!(bench.pool.to_reduce(bench.run, number).map(|_| ()), None);
        bench.pool.reduced(bench.run, number, Ok(item(b"3")));
        assert!(bench.is_done() && bench.sunk().is_empty());
    }
}
