//! How far a run has come and what its workers do, at one moment: the pool counts, `progress` shows.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Counts,
    /// Also what each worker does.
    Workers,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) handed_over: u64,
    /// With a response or without one.
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// The nodes of a flow at which events wait or run, in the flow's order.
    pub(crate) nodes: Vec<Busy>,
    /// In the order of their ids; empty unless asked for.
    pub(crate) workers: Vec<Activity>,
}

impl Tally {
    pub(crate) fn ended(&self) -> u64 {
        self.answered + self.failed
    }

    /// How many events wait or run.
    pub(crate) fn in_flight(&self) -> u64 {
        self.handed_over.saturating_sub(self.ended())
    }
}

/// A node of a flow that has something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Busy {
    pub(crate) name: String,
    pub(crate) waiting: u64,
    pub(crate) running: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activity {
    pub(crate) worker: u32,
    /// Its machine, if that is another.
    pub(crate) host: Option<String>,
    /// How many events it has finished.
    pub(crate) tasks: u64,
    pub(crate) doing: Doing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Its process has not reached the program's call.
    Starting,
    Waiting,
    Running {
        event: i64,
        milliseconds: u32,
        text: String,
    },
    /// It runs something of which nothing more is known: it may have ended by now, or is of another run.
    Busy,
    /// It was released, or could not be started, and is not replaced.
    Gone,
}
