//! What the pool orders is done, in time. There is no process here: a start always fails.

use tokio::sync::mpsc::unbounded_channel;

use super::*;

/// Has the I/O thread do this, and then what the pool orders, until it ends.
async fn obeyed(bench: Bench, order: Order) -> Arc<Pool> {
    let Bench { pool, mut orders, .. } = bench;
    let (inputs, received) = unbounded_channel();
    let io = Io { pool: Arc::clone(&pool), inputs: inputs.clone() };
    inputs.send(Input::Order(order)).expect("open");
    let pass_on = tokio::spawn(async move {
        while let Some(order) = orders.recv().await {
            // The thread may have ended.
            let _ = inputs.send(Input::Order(order));
        }
    });
    tokio::time::timeout(DEADLINE, obey(io, received)).await.expect("it ends in time");
    pass_on.abort();
    pool
}

#[tokio::test]
async fn a_start_that_fails_costs_the_place_and_a_stop_ends_the_thread() {
    let bench = Bench::new(1);
    let delay = Duration::from_millis(20);
    let begun = Instant::now();
    // The place was the last: the run has failed, and nothing is left to listen to.
    let pool = obeyed(bench, Order::Start { slot: 0, delay }).await;
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
    let pool = obeyed(bench, Order::Start { slot: 0, delay: Duration::ZERO }).await;
    assert_eq!(pool.notes(), [Note::Closed]);
}

#[tokio::test]
async fn when_javascript_is_gone_the_thread_ends_and_the_workers_see_it() {
    let bench = Bench::new(1);
    let mut peer = Peer::start(&bench, 0);
    let _pool = obeyed(bench, Order::Abandon).await;
    // The thread's tasks end with it, and their ends of the wires close.
    peer.listening.abort();
    peer.listening.await.expect_err("aborted");
    for stream in [&mut peer.control, &mut peer.channel] {
        assert_eq!(stream.read(&mut [0; 8]).expect("closed"), 0);
    }
    assert_eq!(peer.process.done(), []);
}
