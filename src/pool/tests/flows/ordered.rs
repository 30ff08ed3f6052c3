//! Entries in the order in which the events of the source were handed over.

use super::*;
use crate::run::stream::Order;

fn in_order(plan: &Json) -> RunOptions {
    RunOptions { stream: Some(Order::Submission), ..flow(plan) }
}

/// How many entries count as unread.
fn is_unread(bench: &Bench, entries: u32) -> bool {
    let words = bench.pool.lock().runs[&bench.run].words.clone();
    words.is_full(entries, f64::MAX) && !words.is_full(entries + 1, f64::MAX)
}

#[test]
fn entries_come_with_their_event_of_the_source_in_the_order_of_what_made_them() {
    let (bench, [mut one, mut other]) = of_options(in_order(&two(&json!({}), &json!({}))));
    bench.map([1, 2]);
    let first = one.player.start();
    other.does(&bench, ("2", 1), outputs("%20\n%21\n%22"));
    other.does(&bench, ("20", 2), Outcome::response("200"));
    other.does(&bench, ("21", 2), Outcome::failed(r#"{"message":"no"}"#));
    assert!(is_unread(&bench, 2), "what is held counts");
    other.does(&bench, ("22", 2), outputs(""));
    bench.map([3]);
    other.does(&bench, ("3", 1), Outcome::nothing());
    other.does(&bench, ("", 2), outputs(""));
    assert!(bench.sunk().is_empty());
    assert!(is_unread(&bench, 3), "an event without entries is one");
    one.player.answer(&first, outputs("%10\n%11"));
    bench.pool.flush();
    let item = one.player.start();
    assert_eq!(text_of(&item), "10");
    other.does(&bench, ("11", 2), outputs("&110\n&111"));
    assert!(bench.sunk().is_empty());
    one.player.answer(&item, Outcome::response("100"));
    bench.pool.flush();
    let seen = |entry: Entry| match entry.kind & entry::FAILED {
        0 => entry.response,
        _ => json!({ "failed": entry.data }),
    };
    let entries: Vec<Json> = bench.take(Queue::Results).into_iter().map(seen).collect();
    let failed = json!({ "failed": 21 });
    assert_eq!(entries, [json!(100), json!(110), json!(111), json!(200), failed]);
    assert!(bench.is_done() && is_unread(&bench, 0));
}

#[test]
fn what_is_tried_again_keeps_its_place() {
    let again = again(1, 0.0);
    let (bench, [mut one, mut other]) = of_options(in_order(&fused(&again, &again)));
    bench.map([1, 2]);
    let first = one.player.start();
    // The second of three items fails in the middle of its event.
    other.does(&bench, ("2", 1), outputs("%20\n!2\t{}\t\t21\n%22"));
    other.does(&bench, ("21", 2), outputs("%210\n%211"));
    let one = replace(&bench, 0, one);
    drop(first);
    assert!(bench.sunk().is_empty());
    let mut one = one;
    one.does(&bench, ("1", 1), Outcome::response("10"));
    let responses: Vec<Json> = bench.sunk().into_iter().map(|(_, response)| response).collect();
    assert_eq!(responses, [10, 20, 210, 211, 22].map(|it| json!(it)));
    assert!(bench.is_done());
}

#[test]
fn events_that_the_program_hands_to_one_worker_come_in_their_own_order() {
    let (bench, [mut one, mut other]) = of_options(in_order(&two(&json!({}), &json!({}))));
    assert!(bench.submit_to(1, b"1", 0) && bench.submit_to(2, b"2", 0));
    other.does(&bench, ("2", 1), outputs("%20\n%21"));
    for (item, response) in [("20", "200"), ("21", "210")] {
        other.does(&bench, (item, 2), Outcome::response(response));
    }
    assert!(bench.sunk().is_empty());
    one.does(&bench, ("1", 1), Outcome::response("10"));
    other.does(&bench, ("10", 2), Outcome::response("100"));
    let responses: Vec<Json> = bench.sunk().into_iter().map(|(_, response)| response).collect();
    assert_eq!(responses, [100, 200, 210].map(|it| json!(it)));
    assert!(bench.is_done());
}
