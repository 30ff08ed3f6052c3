//! The states that a worker, a pool and a run can be in, and all transitions between them. Whoever wants to know whether
//! a worker takes events, or why it is going away, asks here; no flag says it a second time.

use crate::core::task_id::TaskId;

/// One slot of a pool, and the worker in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Worker {
    /// No process is there; one is to be started.
    #[default]
    Empty,
    /// A process was started; the program has not reached its call there. If it `leaves`, it is released then.
    Booting { leaves: bool },
    /// It takes events.
    Ready,
    /// It takes nothing more, and ends what it runs. `told`: it was sent the release, and its grace has begun.
    Leaving { why: Leave, told: bool },
    /// The master kills it.
    Dying { why: Kill, told: bool },
    /// Nothing is started here any more.
    Closed,
}

/// Why a worker leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The pool is over, or the program disconnected it.
    Released,
    /// It closed its own channel.
    Disconnected,
    /// It ran as many events as it may, or has grown too large; it is released once it runs nothing.
    Recycled,
    /// Its only run was stopped; it is released once it runs nothing.
    Stopped,
}

/// Why the master kills a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kill {
    /// This event ran longer than events may, in milliseconds.
    Late { task: TaskId, limit: u32 },
    /// Its I/O thread gave no sign of life for so long, in milliseconds.
    Stalled { limit: u128 },
    /// It was released, and did not exit within so many milliseconds.
    Lingering { limit: u128 },
    /// It broke the protocol, did not start in time, or the grace of its run is over: the exit says enough.
    Other,
}

impl Kill {
    /// What a log says.
    pub(crate) fn text(&self, worker: u32) -> String {
        match self {
            Self::Late { limit, .. } => {
                format!("worker {worker} was killed: its event ran longer than {limit} ms")
            }
            Self::Stalled { limit } => {
                format!("worker {worker} was killed: no sign of life for {limit} ms")
            }
            Self::Lingering { limit } => {
                format!("worker {worker} was killed: it did not exit within {limit} ms")
            }
            Self::Other => format!("worker {worker} was killed"),
        }
    }
}

impl Worker {
    /// Whether it takes events.
    pub(crate) fn is_ready(&self) -> bool {
        *self == Self::Ready
    }

    pub(crate) fn has_process(&self) -> bool {
        !matches!(self, Self::Empty | Self::Closed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self == Self::Closed
    }

    /// Whether it was sent the release by the master's will: its exit is no failure.
    pub(crate) fn was_released(&self) -> bool {
        match self {
            Self::Leaving { why, told } => *told && *why != Leave::Disconnected,
            Self::Dying { told, .. } => *told,
            _ => false,
        }
    }

    /// Why the master kills it, if it does so for a reason of its own.
    pub(crate) fn kill(&self) -> Option<&Kill> {
        match self {
            Self::Dying { why, .. } if *why != Kill::Other => Some(why),
            _ => None,
        }
    }

    /// A process was started here.
    pub(crate) fn started(&mut self) {
        debug_assert_eq!(*self, Self::Empty, "one process a slot");
        *self = Self::Booting { leaves: false };
    }

    /// The program reached its call. True if the worker takes events from now on.
    pub(crate) fn registered(&mut self) -> bool {
        match self {
            Self::Booting { leaves: false } => *self = Self::Ready,
            Self::Booting { leaves: true } => {
                *self = Self::Leaving { why: Leave::Stopped, told: false };
            }
            _ => {}
        }
        self.is_ready()
    }

    /// It is to take nothing more. A worker that leaves or dies already goes on doing so; but one that closes its channel
    /// before it was told to go has gone by itself.
    pub(crate) fn leaves(&mut self, why: Leave) {
        match self {
            Self::Leaving { why: before, told: false } if why == Leave::Disconnected => {
                *before = why;
            }
            Self::Booting { leaves } if why == Leave::Stopped => *leaves = true,
            Self::Booting { .. } | Self::Ready => *self = Self::Leaving { why, told: false },
            _ => {}
        }
    }

    /// The release is sent. False if there is nobody to send it to, or it was sent before.
    #[must_use]
    pub(crate) fn tell(&mut self) -> bool {
        self.leaves(Leave::Released);
        if let Self::Leaving { told, .. } = self { !std::mem::replace(told, true) } else { false }
    }

    /// The master kills it. False if there is no process, or it is being killed already.
    #[must_use]
    pub(crate) fn killed(&mut self, why: Kill) -> bool {
        if !self.has_process() || matches!(self, Self::Dying { .. }) {
            return false;
        }
        let told = self.was_released();
        *self = Self::Dying { why, told };
        true
    }

    /// Its process exited; what it was then.
    pub(crate) fn exited(&mut self) -> Self {
        if self.is_closed() { Self::Closed } else { std::mem::take(self) }
    }

    /// Nothing is started here any more.
    pub(crate) fn closed(&mut self) {
        *self = Self::Closed;
    }
}

/// How far a pool has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pool {
    /// A worker that cannot be started ends the pool, unless the machine only has none to spare now.
    Starting,
    /// Every worker was ready once: a start that fails costs a worker and not the pool.
    Running,
    /// The workers are released; none is replaced.
    Releasing,
    /// No worker is left, and JavaScript was told.
    Closed,
}

impl Pool {
    /// Every worker that there will be is ready. True if that is new.
    pub(crate) fn complete(&mut self) -> bool {
        let is_new = *self == Self::Starting;
        if is_new {
            *self = Self::Running;
        }
        is_new
    }

    pub(crate) fn release(&mut self) {
        *self = (*self).max(Self::Releasing);
    }

    /// True if that is new.
    pub(crate) fn close(&mut self) -> bool {
        std::mem::replace(self, Self::Closed) != Self::Closed
    }

    pub(crate) fn is_released(self) -> bool {
        self >= Self::Releasing
    }
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Run {
    /// Its events are run.
    Open,
    /// It was stopped: nothing of it starts; what runs may end within its grace.
    Stopped,
    /// It cannot go on. What no worker runs fails with this error (JSON), now and later.
    Failed(Box<str>),
    /// It is over, and was neither stopped nor did it fail: nobody asks what becomes of its events.
    Ended,
}

impl Run {
    pub(crate) fn is_open(&self) -> bool {
        *self == Self::Open
    }

    pub(crate) fn error(&self) -> Option<&str> {
        if let Self::Failed(error) = self { Some(error) } else { None }
    }

    /// True if that is new.
    pub(crate) fn stop(&mut self) -> bool {
        let is_open = self.is_open();
        if is_open {
            *self = Self::Stopped;
        }
        is_open
    }

    /// True if that is new.
    pub(crate) fn fail(&mut self, error: &str) -> bool {
        let goes_on = matches!(self, Self::Open | Self::Stopped);
        if goes_on {
            *self = Self::Failed(error.into());
        }
        goes_on
    }

    /// A run that failed stays so: its events are told of that. So does one that was stopped, whose workers go on.
    pub(crate) fn end(&mut self) {
        if self.is_open() {
            *self = Self::Ended;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOTING: Worker = Worker::Booting { leaves: false };
    const LATE: Kill = Kill::Late { task: 1, limit: 5 };

    fn leaving(why: Leave, told: bool) -> Worker {
        Worker::Leaving { why, told }
    }

    /// One of every state.
    fn states() -> Vec<Worker> {
        let leaving = [Leave::Released, Leave::Disconnected, Leave::Recycled, Leave::Stopped]
            .into_iter()
            .flat_map(|why| [false, true].map(|told| leaving(why, told)));
        let dying = [false, true].map(|told| Worker::Dying { why: LATE, told });
        let others = [
            Worker::Empty,
            BOOTING,
            Worker::Booting { leaves: true },
            Worker::Ready,
            Worker::Closed,
        ];
        others.into_iter().chain(leaving).chain(dying).collect()
    }

    /// What a transition makes of every state; those that are not named stay.
    fn check(transition: impl Fn(&mut Worker), expected: &[(Worker, Worker)]) {
        for state in states() {
            let mut after = state.clone();
            transition(&mut after);
            let change = expected.iter().find(|(before, _)| *before == state);
            assert_eq!(
                after,
                change.map_or(state.clone(), |(_, after)| after.clone()),
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_worker_that_registers_takes_events_unless_it_is_to_leave() {
        let released = leaving(Leave::Stopped, false);
        let changes = [(BOOTING, Worker::Ready), (Worker::Booting { leaves: true }, released)];
        check(|worker| _ = worker.registered(), &changes);
        assert!(Worker::Booting { leaves: false }.registered());
        assert!(!Worker::Booting { leaves: true }.registered());
    }

    #[test]
    fn a_worker_leaves_for_the_first_reason_unless_it_goes_by_itself_before_it_is_told() {
        for why in [Leave::Released, Leave::Disconnected, Leave::Recycled] {
            let mut changes = [BOOTING, Worker::Booting { leaves: true }, Worker::Ready]
                .map(|before| (before, leaving(why, false)))
                .to_vec();
            if why == Leave::Disconnected {
                let untold = [Leave::Released, Leave::Recycled, Leave::Stopped];
                changes.extend(untold.map(|before| (leaving(before, false), leaving(why, false))));
            }
            check(|worker| worker.leaves(why), &changes);
        }
        let stopped = leaving(Leave::Stopped, false);
        let changes = [(BOOTING, Worker::Booting { leaves: true }), (Worker::Ready, stopped)];
        check(|worker| worker.leaves(Leave::Stopped), &changes);
    }

    #[test]
    fn the_release_is_sent_once_and_to_whoever_is_there() {
        let mut changes: Vec<(Worker, Worker)> =
            [BOOTING, Worker::Booting { leaves: true }, Worker::Ready]
                .map(|before| (before, leaving(Leave::Released, true)))
                .into();
        for why in [Leave::Released, Leave::Disconnected, Leave::Recycled, Leave::Stopped] {
            changes.push((leaving(why, false), leaving(why, true)));
        }
        for state in states() {
            let is_new = changes.iter().any(|(before, _)| *before == state);
            assert_eq!(state.clone().tell(), is_new, "{state:?}");
        }
        check(|worker| _ = worker.tell(), &changes);
    }

    #[test]
    fn a_worker_dies_for_the_first_reason_and_remembers_whether_it_was_released() {
        for state in states() {
            let mut after = state.clone();
            let is_new = state.has_process() && !matches!(state, Worker::Dying { .. });
            assert_eq!(after.killed(Kill::Other), is_new, "{state:?}");
            if is_new {
                assert_eq!(after, Worker::Dying { why: Kill::Other, told: state.was_released() });
                assert_eq!(after.kill(), None);
            } else {
                assert_eq!(after, state);
            }
        }
        assert_eq!(Worker::Dying { why: LATE, told: false }.kill(), Some(&LATE));
    }

    #[test]
    fn only_what_the_master_released_was_released() {
        for state in states() {
            let expected = match state {
                Worker::Leaving { why, told } => told && why != Leave::Disconnected,
                Worker::Dying { told, .. } => told,
                _ => false,
            };
            assert_eq!(state.was_released(), expected, "{state:?}");
        }
    }

    #[test]
    fn a_slot_is_empty_after_an_exit_unless_it_is_closed() {
        for state in states() {
            let mut after = state.clone();
            assert_eq!(after.exited(), state);
            let expected = if state.is_closed() { Worker::Closed } else { Worker::Empty };
            assert_eq!(after, expected);
            after.closed();
            assert!(after.is_closed() && !after.has_process() && !after.is_ready());
        }
        let mut empty = Worker::Empty;
        empty.started();
        assert_eq!(empty, BOOTING);
    }

    #[test]
    fn a_pool_only_goes_on() {
        let mut pool = Pool::Starting;
        assert!(pool.complete() && !pool.complete() && !pool.is_released());
        pool.release();
        assert!(pool.is_released() && !pool.complete());
        assert!(pool.close() && !pool.close() && pool.is_released());
        pool.release();
        assert_eq!(pool, Pool::Closed);
    }

    #[test]
    fn a_run_stops_fails_and_ends_once() {
        let mut run = Run::Open;
        assert!(run.stop() && !run.stop());
        assert!(run.fail("{}") && !run.fail("again") && !run.stop());
        run.end();
        assert_eq!((run.error(), run.is_open()), (Some("{}"), false));
        let mut run = Run::Open;
        run.end();
        assert!(!run.fail("{}") && !run.stop());
        assert_eq!(run, Run::Ended);
    }
}
