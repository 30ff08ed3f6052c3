//! Promised: what an event of a flow makes counts when its answer is taken in, all of it or nothing, and reaches each target of its
//! exit once. Nodes that hold open when nothing more comes to them, nothing at all included. What fails is tried again by the rules
//! of its node, or is an item of the node's errors, or an entry. A run is drained when all nodes are, and leaves nothing behind
//! wherever it ends. No node's events pile up, and none wait for ever.

mod ends;
mod failures;
mod garbage;
mod holds;
mod ordered;
mod pressure;
mod spilled;
mod walk;

use serde_json::{Value as Json, json};

use super::late::TIMEOUT;
use super::runs::{Other, lasting};
use super::*;
use crate::core::task_id::run_of;
use crate::shm::stopwatch;
use crate::wire::header::flag::OUTPUTS;

/// A node before which these are (0 is the source), whose outputs leave this exit.
fn node(inputs: &[usize], exit: i32) -> Json {
    json!({
        "name": "n", "inputs": inputs, "errors": -1, "plain": exit,
        "ports": [{ "exit": exit, "next": 0 }],
    })
}

/// The same with other properties.
fn node_with(inputs: &[usize], exit: i32, other: &Json) -> Json {
    let mut node = node(inputs, exit);
    for (name, value) in other.as_object().expect("properties") {
        node[name] = value.clone();
    }
    node
}

fn to(node: usize) -> Json {
    json!({ "node": node })
}

fn sink(sink: usize) -> Json {
    json!({ "sink": sink })
}

/// Its first node is the entry. What leaves each exit goes to all of these.
fn plan(nodes: &[Json], exits: &[&[Json]]) -> Json {
    let exits: Vec<Json> = exits.iter().map(|to| json!({ "to": to })).collect();
    json!({ "entry": 1, "nodes": nodes, "exits": exits })
}

/// A node that leads to another, and that to a sink.
fn two(first: &Json, second: &Json) -> Json {
    plan(&[node_with(&[0], 0, first), node_with(&[1], 1, second)], &[&[to(2)], &[sink(1)]])
}

/// A node in whose events another runs, of which alone something comes out.
fn fused(first: &Json, second: &Json) -> Json {
    let mut nodes = [node_with(&[0], -1, first), node_with(&[1], 0, second)];
    nodes[0]["ports"][0]["next"] = json!(2);
    nodes[0]["plain"] = json!(0);
    plan(&nodes, &[&[sink(1)]])
}

fn flow(plan: &Json) -> RunOptions {
    RunOptions { flow: Some(plan.to_string().into()), ..plain() }
}

fn again(limit: u32, backoff: f64) -> Json {
    let on = ["crash", "timeout", "error"];
    json!({ "retries": { "limit": limit, "backoff": backoff, "factor": 2, "maxDelay": null, "on": on } })
}

/// A pool of so many workers with a run of this flow.
fn of_flow<const N: usize>(plan: &Json) -> (Bench, [Seat; N]) {
    of_options(flow(plan))
}

fn of_options<const N: usize>(options: RunOptions) -> (Bench, [Seat; N]) {
    Bench::with(launch(N as u32, DEADLINE), options).run()
}

/// Several outputs.
fn outputs(text: &(impl AsRef<[u8]> + ?Sized)) -> Outcome<'_> {
    Outcome { flags: flag::RESPONSE | OUTPUTS, ..Outcome::response(text) }
}

/// The same where some are bytes.
fn framed(bytes: &[u8]) -> Outcome<'_> {
    let format = Format::Buffer.number() << flag::FORMAT_AT;
    Outcome { flags: flag::RESPONSE | OUTPUTS | format, ..Outcome::response(bytes) }
}

fn record(what: u8, format: u8, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_le_bytes();
    [&length[..], &[what, format], bytes].concat()
}

fn text_of(item: &Item) -> String {
    String::from_utf8(item.text.to_vec()).expect("UTF-8")
}

fn number_of(item: &Item) -> usize {
    ((item.header.flags & flag::CHAIN) >> flag::CHAIN_AT) as usize
}

/// The node or the sink of an entry.
fn place_of(entry: &Entry) -> u32 {
    entry.kind >> entry::PLACE_AT & 127
}

impl Seat {
    /// The worker runs its next event, which is to have this text and enter this node. (The entry's number is JavaScript's to say.)
    #[track_caller]
    fn does(&mut self, bench: &Bench, expected: (&str, usize), outcome: Outcome<'_>) {
        let item = self.player.start();
        let number = number_of(&item).max(1);
        assert_eq!((&*text_of(&item), number), expected);
        self.player.answer(&item, outcome);
        bench.pool.flush();
    }

    /// What it would run now: the text, and the node.
    fn sees(&mut self) -> Option<(String, usize)> {
        self.player.look().map(|item| (text_of(&item), number_of(&item).max(1)))
    }
}

impl Bench {
    /// What came to sinks, as JSON, and to which.
    fn sunk(&self) -> Vec<(u32, Json)> {
        let entries = self.take(Queue::Results);
        entries.into_iter().map(|entry| (place_of(&entry), entry.response)).collect()
    }

    /// Failures: the node, the data, the message.
    fn failures(&self) -> Vec<(u32, Json, String)> {
        let failure = |entry: Entry| {
            let text = entry.response["message"].as_str().unwrap_or_default().to_owned();
            (place_of(&entry), entry.data, text)
        };
        self.take(Queue::Failures).into_iter().map(failure).collect()
    }

    /// JavaScript hands over nothing more. Whether all has come to its end, and nothing is left.
    fn is_done(&self) -> bool {
        self.pool.drained(self.run) && self.leaves_nothing(self.run)
    }

    fn leaves_nothing(&self, run: RunId) -> bool {
        let state = self.pool.lock();
        let is_done = state.runs.get(&run).is_none_or(|run| {
            let flow = run.flow.as_ref().expect("a flow");
            let retries = run.retries.as_ref();
            let is_over = flow.progress.is_done() || !run.state.is_open();
            run.outstanding() == 0
                && !run.overflows()
                && is_over
                && flow.redone.is_empty()
                && flow.backing_off.is_empty()
                && flow.in_master.is_empty()
                && flow.lineage.as_ref().is_none_or(|lineage| lineage.len() == 0)
                && retries.is_none_or(crate::core::retry::Retries::is_empty)
        });
        let is_ours = |task: &TaskId| run_of(*task) == run;
        let waits = [state.lanes.waiting(), state.scheduler.waiting()].concat();
        is_done
            && !waits.iter().any(is_ours)
            && !state.returned.iter().any(is_ours)
            && state.tasks.count(run) == 0
            && state.router.count(run) == 0
    }
}

#[test]
fn outputs_count_when_their_answer_is_taken_in_and_a_crash_before_leaves_none() {
    let (bench, [seat]) = of_flow(&two(&again(1, 0.0), &json!({})));
    bench.map([7]);
    let mut seat = seat;
    let item = seat.player.start();
    assert_eq!(text_of(&item), "7");
    let mut seat = replace(&bench, 0, seat);
    seat.does(&bench, ("7", 1), outputs("%1\n%2\n%"));
    seat.does(&bench, ("1", 2), Outcome::response("10"));
    seat.does(&bench, ("2", 2), Outcome::response("20"));
    // An answer that was written counts, whatever becomes of its worker.
    let item = seat.player.start();
    assert_eq!((item.header.has(flag::HOLE), number_of(&item)), (true, 2));
    seat.player.answer(&item, outputs("&30"));
    let mut seat = replace(&bench, 0, seat);
    assert_eq!(seat.sees(), None);
    assert_eq!(bench.sunk(), [(1, json!(10)), (1, json!(20)), (1, json!(30))]);
    assert!(bench.is_done() && bench.failures().is_empty());
}

#[test]
fn a_plain_answer_leaves_the_plain_exit_and_undefined_is_no_entry() {
    let plan = fused(&json!({}), &json!({}));
    let (bench, [mut seat]) = of_flow(&plan);
    bench.map([1, 2, 3, 4]);
    seat.does(&bench, ("1", 1), Outcome::response("\"a\""));
    seat.does(&bench, ("2", 1), Outcome::nothing());
    seat.does(&bench, ("3", 1), outputs(""));
    seat.does(&bench, ("4", 1), Outcome::response("null"));
    assert_eq!(bench.sunk(), [(1, json!("a")), (1, Json::Null)]);
    assert!(bench.is_done());
}

#[test]
fn each_item_reaches_every_target_of_its_exit_once() {
    let plan = plan(
        &[node(&[0], 0), node(&[1], 1), node(&[1, 2], 2)],
        &[&[to(2), to(3), sink(1), sink(2)], &[to(3), to(3)], &[sink(3)]],
    );
    let (bench, [mut seat]) = of_flow(&plan);
    bench.map([5]);
    seat.does(&bench, ("5", 1), Outcome::response("6"));
    assert!(!bench.pool.drained(bench.run));
    // What is nearer to the end comes first.
    seat.does(&bench, ("6", 3), Outcome::response("7"));
    seat.does(&bench, ("6", 2), Outcome::response("8"));
    seat.does(&bench, ("8", 3), Outcome::response("9"));
    seat.does(&bench, ("8", 3), Outcome::response("9"));
    let expected = [(1, 6), (2, 6), (3, 7), (3, 9), (3, 9)].map(|(at, it)| (at, json!(it)));
    assert_eq!(bench.sunk(), expected);
    assert!(bench.is_done());
}

#[test]
fn what_an_event_emits_enters_at_the_entry_whatever_its_worker_says() {
    let (bench, [mut seat]) = of_flow(&two(&json!({}), &json!({})));
    bench.map([1]);
    seat.does(&bench, ("1", 1), Outcome::response("2"));
    let item = seat.player.start();
    let flags = flag::CHAIN | flag::TURN | flag::PARTS | flag::FAILURE;
    seat.player.worker.write(&Header::new(Kind::Emit, flags), b"3");
    seat.player.answer(&item, Outcome::response("4"));
    bench.pool.flush();
    assert!(!bench.pool.drained(bench.run));
    let item = seat.player.start();
    assert_eq!((&*text_of(&item), item.header.flags), ("3", crate::wire::header::chain(1)));
    seat.player.answer(&item, outputs(""));
    bench.pool.flush();
    assert!(bench.is_done());
    assert_eq!(bench.sunk(), [(1, json!(4))]);
}

#[test]
fn an_event_for_one_worker_is_the_entrys() {
    let (bench, [mut seat]) = of_flow(&two(&json!({}), &json!({})));
    assert!(bench.submit_to(1, b"1", 0));
    seat.does(&bench, ("1", 1), Outcome::response("2"));
    seat.does(&bench, ("2", 2), Outcome::response("3"));
    assert_eq!(bench.sunk(), [(1, json!(3))]);
    assert!(bench.is_done());
}

#[test]
fn each_node_has_a_time_of_its_own() {
    let plan = two(&json!({}), &json!({ "taskTimeout": TIMEOUT }));
    let (bench, [mut a, mut b]) = of_flow(&plan);
    assert_eq!(bench.pool.lock().runs[&bench.run].options.task_timeout, Some(TIMEOUT));
    for seat in [&a, &b] {
        stopwatch::reset(&seat.memory);
    }
    bench.map([1, 2]);
    let items = [&mut a, &mut b].map(|seat| seat.player.start());
    a.has_run(&items[0], TIMEOUT + 2);
    bench.pool.check_late(bench.run, TIMEOUT);
    assert!(!a.process.was_killed(), "the first may take for ever");
    b.player.answer(&items[1], Outcome::response("3"));
    bench.pool.flush();
    let item = b.player.start();
    assert_eq!(number_of(&item), 2);
    b.has_run(&item, TIMEOUT + 2);
    bench.pool.check_late(bench.run, TIMEOUT);
    assert!(b.process.was_killed() && !a.process.was_killed());
    kill(&bench, 1, b);
    a.player.answer(&items[0], outputs(""));
    bench.pool.flush();
    let failures = bench.take(Queue::Failures);
    assert_eq!(failures.len(), 1);
    assert_eq!((place_of(&failures[0]), &failures[0].data), (2, &json!(3)));
    assert_eq!(failures[0].response["code"], "ERR_SONIC_TASK_TIMEOUT");
    assert!(bench.is_done());
}
