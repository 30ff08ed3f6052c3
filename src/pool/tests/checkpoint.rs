//! Promised: an answer is in the file before anybody hears of it; an event whose answer is there ends in its place, with that
//! entry and without a worker; other data is refused; a run whose answers cannot be written fails, and no other.

use std::path::PathBuf;

use super::*;
use crate::checkpoint::{Checkpoint, Sync};
use crate::pool::checkpoint::Known;
use crate::run::stream::Order as Reading;

/// A file of this test's own, removed with it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let name = format!("sonic-pool-checkpoint-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn keep(&self, bench: &Bench) {
        let opened = Checkpoint::open(&self.0, "{}", Sync::Never).expect("it is opened");
        bench.pool.write_down(bench.run, opened.checkpoint);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A test may have removed it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Hands an event over as JavaScript does: to a worker if it was not answered before.
fn hand_over(bench: &Bench, text: &str) -> Known {
    let known = bench.pool.resume(bench.run, text.as_bytes().into(), 0).expect("it is known");
    if known != Known::Answered {
        bench.hand_over(text, 0);
    }
    known
}

fn bench(order: Option<Reading>) -> (Bench, [Seat; 1]) {
    Bench::with(launch(1, DEADLINE), RunOptions { stream: order, ..plain() }).run()
}

/// A file with the answers to the events from 0 to 2 of four: the last fails.
fn answered(place: &Place) {
    let (bench, [mut seat]) = bench(None);
    place.keep(&bench);
    bench.map(0..4);
    for outcome in [Outcome::response("\"zero\""), Outcome::nothing()] {
        let item = seat.player.start();
        seat.player.answer(&item, outcome);
    }
    let item = seat.player.start();
    let flags = flag::RESPONSE | flag::DATA;
    let changed = Outcome { flags, data: b"{\"changed\":2}", ..Outcome::response("2") };
    seat.player.answer(&item, changed);
    let item = seat.player.start();
    seat.player.answer(&item, Outcome::failed("{}"));
    bench.pool.flush();
    assert_eq!(bench.take(Queue::Failures).len(), 1);
    // The pool goes without a word, as in a crash.
}

#[test]
fn what_is_written_down_ends_without_a_worker_and_the_rest_runs() {
    for order in [None, Some(Reading::Submission), Some(Reading::Completion)] {
        let place = Place::new("again");
        answered(&place);
        let (bench, [mut seat]) = bench(order);
        place.keep(&bench);
        let known = [Known::Answered, Known::Answered, Known::Answered, Known::NoMore];
        for (number, known) in known.into_iter().enumerate() {
            assert_eq!(hand_over(&bench, &number.to_string()), known, "{number}");
        }
        assert_eq!(bench.outstanding(), 1);
        let item = seat.player.start();
        assert_eq!(&*item.text, b"3");
        seat.player.answer(&item, Outcome::response("3"));
        let entries = bench.take(Queue::Results);
        let expected = [
            Entry::new(ANSWERED, 1, 0, "\"zero\""),
            Entry::new(ANSWERED, 1, serde_json::json!({"changed": 2}), "2"),
            Entry::new(ANSWERED, 1, 3, "3"),
        ];
        assert_eq!(entries, expected);
        assert!(bench.pool.drained(bench.run));
        let statistics = bench.pool.recorded(bench.run, |record, all| record.statistics(all, 0.0));
        let statistics = statistics.expect("a run");
        let counts = ["handedOver", "answered", "nothing", "resumed", "unfinished"];
        let counts = counts.map(|name| statistics[name].as_u64().expect("a number"));
        assert_eq!(counts, [4, 3, 1, 3, 0]);
    }
}

#[test]
fn other_data_is_refused_and_nothing_is_handed_over() {
    let place = Place::new("other");
    answered(&place);
    let (bench, _seats) = bench(None);
    place.keep(&bench);
    assert_eq!(hand_over(&bench, "0"), Known::Answered);
    let error = bench.pool.resume(bench.run, b"7".into(), 0).expect_err("it is other data");
    assert!(error.to_string().contains("event 1 has other data"), "{error}");
    // So is the same text in another encoding.
    assert!(bench.pool.resume(bench.run, b"1".into(), flag::WHOLE).is_err());
    assert_eq!(bench.words.handed_over(), 1);
}

#[test]
fn an_answer_that_cannot_be_written_fails_its_run() {
    let (bench, [mut seat]) = bench(None);
    let place = Place::new("full");
    place.keep(&bench);
    let file = bench.pool.lock().runs.get_mut(&bench.run).and_then(|run| run.checkpoint.take());
    let file = file.expect("a file").refusing();
    bench.pool.write_down(bench.run, file);
    bench.map(0..2);
    let item = seat.player.start();
    seat.player.answer(&item, Outcome::response("1"));
    bench.pool.flush();
    let fails = |note: &Note| {
        matches!(note, Note::Failed { run, code, message, .. }
        if *run == Some(bench.run) && code == "ERR_SONIC_CHECKPOINT" && message.contains("could not be written"))
    };
    assert_eq!(bench.hear().iter().filter(|note| fails(note)).count(), 1);
    // What follows says nothing new.
    bench.pool.flush();
    assert!(bench.hear().is_empty());
    assert!(bench.pool.close_checkpoint(bench.run).is_ok());
}
