//! What the pool orders is done, in time. There is no process here: a start always fails.

use std::sync::atomic::Ordering;

use super::*;
use crate::protocol::Board;
use crate::ring::{Header, Kind, Producer};

async fn obeyed(bench: Bench) -> Arc<Pool> {
    let pool = Arc::clone(&bench.pool);
    let obedience = obey(Arc::clone(&pool), bench.commands);
    tokio::time::timeout(DEADLINE, obedience).await.expect("it ends in time");
    pool
}

#[tokio::test]
async fn a_start_that_fails_costs_the_place_and_a_stop_ends_the_thread() {
    let bench = Bench::new(1);
    let delay = Duration::from_millis(20);
    bench.pool.commands.send(Command::Start { slot: 0, delay }).expect("open");
    let begun = Instant::now();
    // The place was the last: the run has failed, and nothing is left to listen to.
    let pool = obeyed(bench).await;
    assert!(begun.elapsed() >= delay);
    let notes = pool.notes();
    let [Note::Failed { code, message, .. }, Note::Closed] = &notes[..] else {
        panic!("{notes:?}")
    };
    assert_eq!(code, "ERR_SONIC_WORKER_START");
    assert!(message.starts_with("worker 1 could not be started from no program"), "{message}");
}

#[tokio::test]
async fn a_start_is_not_done_any_more_when_the_run_is_over() {
    let bench = Bench::new(1);
    bench.pool.release();
    bench.pool.commands.send(Command::Start { slot: 0, delay: Duration::ZERO }).expect("open");
    assert_eq!(obeyed(bench).await.notes(), [Note::Closed]);
}

#[tokio::test]
async fn when_javascript_is_gone_the_thread_ends_and_the_workers_see_it() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    bench.pool.commands.send(Command::Abandon).expect("open");
    let _pool = obeyed(bench).await;
    // The thread's tasks end with it, and their ends of the wires close.
    peer.listening.abort();
    peer.listening.await.expect_err("aborted");
    for stream in [&mut peer.control, &mut peer.channel] {
        assert_eq!(stream.read(&mut [0; 8]).expect("closed"), 0);
    }
    assert_eq!(peer.process.done(), []);
}

#[tokio::test]
async fn stuck_workers_are_looked_for_as_long_as_events_wait_behind_others() {
    let bench = Bench::new(1);
    let peer = Peer::registered(&bench, 0);
    until("it is there", || bench.word(Board::IDLE) == 1).await;
    // Its first event took no time: it may hold two.
    bench.pool.submit(b"0", 0);
    peer.memory.word(Layout::STARTED).store(2, Ordering::SeqCst);
    let answers = Producer::new(Arc::clone(&peer.memory), Layout::ANSWERS);
    assert!(answers.push(&Header::new(Kind::Answer, 0), b"", &mut 0));
    bench.pool.submit(b"1", 0);
    bench.pool.submit(b"2", 0);
    let watching = tokio::spawn(watch(Arc::clone(&bench.pool)));
    // The worker runs the one and does not answer: the other is taken back, and there is nothing left
    // to look for.
    ended(watching).await;
    assert_eq!(peer.memory.word(Layout::STARTED).load(Ordering::SeqCst), 3);
    peer.exit(Exit::Code(1)).await;
    assert_eq!(bench.numbers(Queue::Failures), [1]);
}
