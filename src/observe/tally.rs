//! How far a run has come and what its workers do, at one moment. Told by the pool, drawn by `progress`.

/// What a tally has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Counts,
    /// Also what each worker does.
    Workers,
}

/// How far a run has come. Counts are of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) handed_over: u64,
    /// Answered, with a response or without one.
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// One for each worker, in the order of their ids, where that is asked for.
    pub(crate) workers: Vec<Activity>,
}

impl Tally {
    /// How many have come to their end.
    pub(crate) fn ended(&self) -> u64 {
        self.answered + self.failed
    }

    /// How many wait or run.
    pub(crate) fn in_flight(&self) -> u64 {
        self.handed_over.saturating_sub(self.ended())
    }
}

/// What one worker has done and does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) worker: u32,
    /// How many events it has brought to their end.
    pub(crate) tasks: u64,
    pub(crate) doing: Doing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Its process has not reached the program's call.
    Starting,
    Waiting,
    /// Since so many milliseconds.
    Running {
        event: i64,
        milliseconds: u32,
        text: String,
    },
    /// It was let go, or could not be started, and is not replaced.
    Gone,
}
