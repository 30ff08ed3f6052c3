//! JavaScript's thread waits for workers itself, where that is cheaper than to be called.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::Pool;
use crate::core::task_id::RunId;
use crate::os::clock::clock;
use crate::os::futex;
use crate::run::words::Words;
use crate::wire::layout::Shared;

/// Where events run longer than this on average, in milliseconds, JavaScript's thread does not listen for their ends.
const LONGEST_LISTENED: f64 = 5.0;

/// What came of listening for credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listened {
    /// There is none, and it does not pay to listen: JavaScript is called when there is some.
    InVain = 0,
    Credit = 1,
    /// The event loop is to turn first.
    Late = 2,
}

/// How long JavaScript polls for credit itself before it waits to be called.
const POLL: Duration = Duration::from_micros(100);

impl Pool {
    /// Waits for credit for the run's event of this number: polls for a while if events are short, because a pause that is
    /// shorter than a wake-up is better spent so. True if there is credit; otherwise JavaScript is called when there is.
    pub(crate) fn wait_for_credit(&self, run: RunId, words: &Words, number: u64) -> bool {
        if self.poll_for_credit(words, number) {
            return true;
        }
        words.wait_for(Some(number));
        self.pressed(run, true);
        self.flush();
        let has_credit = words.has_credit(number);
        if has_credit {
            self.stop_waiting(run, words);
        }
        has_credit
    }

    /// Waits for credit for the run's event of this number, for which JavaScript is to be called, until `deadline` by the
    /// clock: workers wake this thread themselves then, which saves the I/O thread and a turn of the event loop for each
    /// event. Only where events are so short that credit comes soon.
    pub(crate) fn listen_for_credit(&self, words: &Words, number: u64, deadline: f64) -> Listened {
        if !self.is_worth_listening() {
            return Listened::InVain;
        }
        // It need not be called meanwhile.
        words.wait_for(None);
        self.listen(deadline, Duration::ZERO, || words.has_credit(number));
        words.wait_for(Some(number));
        // What was answered before that notified nobody else.
        self.flush();
        if words.has_credit(number) { Listened::Credit } else { Listened::Late }
    }

    /// Waits for entries of numbered runs, for which JavaScript is to be called, until `deadline` by the clock: as above.
    /// False if there are none.
    pub(crate) fn listen_for_entries(&self, deadline: f64) -> bool {
        if !self.is_worth_listening() {
            return false;
        }
        self.lock().listens = true;
        self.listen(deadline, POLL, || self.lock().has_numbered());
        // What was answered before that notified nobody. JavaScript takes all entries after this.
        self.flush();
        let mut state = self.lock();
        state.listens = false;
        state.has_numbered()
    }

    /// Whether events are so short that an answer comes soon.
    fn is_worth_listening(&self) -> bool {
        let mean = self.lock().scheduler.mean_run();
        futex::IS_THERE && mean > 0.0 && mean <= LONGEST_LISTENED
    }

    /// Takes in what workers answer, which wake this thread for that, until it `is_done` or the `deadline` by the clock:
    /// polls first, for so long, and sleeps then.
    fn listen(&self, deadline: f64, polls: Duration, is_done: impl Fn() -> bool) {
        let lanes = {
            let state = self.lock();
            state.lanes.set_listening(Shared::WAITS);
            Arc::clone(state.lanes.memory())
        };
        let answered = lanes.word(Shared::ANSWERED);
        let polls_until = Instant::now() + polls;
        loop {
            let before = answered.load(Ordering::SeqCst);
            self.flush();
            let left = deadline - clock();
            if is_done() || left <= 0.0 {
                break;
            }
            if Instant::now() < polls_until {
                thread::yield_now();
            } else {
                futex::wait(answered, before, Duration::from_secs_f64(left / 1e3));
            }
        }
        self.lock().lanes.set_listening(0);
    }

    fn poll_for_credit(&self, words: &Words, number: u64) -> bool {
        let are_short = self.enter(|state| {
            let are_short = state.scheduler.capacity() > state.scheduler.places();
            state.lanes.set_listening(if are_short { Shared::POLLS } else { 0 });
            are_short
        });
        if !are_short {
            return words.has_credit(number);
        }
        let end = Instant::now() + POLL;
        loop {
            self.enter(|_| ());
            let found = words.has_credit(number);
            if found || Instant::now() > end {
                break;
            }
            // Other threads that want the processor get it.
            thread::yield_now();
        }
        self.lock().lanes.set_listening(0);
        // What was answered before that notified nobody.
        self.enter(|_| ());
        words.has_credit(number)
    }
}
