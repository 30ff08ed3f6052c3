//! Everything that can happen to a pool, and everything that can follow from it: the one closed list of each.

use crate::core::lifecycle::{Kill, Leave};
use crate::core::task_id::{Position, TaskId};

/// Everything that happens to workers and events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A process was started in `slot`.
    Started { slot: usize },
    /// The program reached its call in the worker of `slot`.
    Registered { slot: usize },
    /// The worker of `slot` is to take nothing more.
    Leaves { slot: usize, why: Leave },
    /// The worker of `slot` is to be released now.
    Released { slot: usize },
    /// The worker of `slot` has seen that it leaves, and claims nothing more.
    Settled { slot: usize },
    /// The worker of `slot` is to be killed.
    Killed { slot: usize, why: Kill },
    /// The process in `slot` exited. It had not started the last `unstarted` of what it was given.
    Exited { slot: usize, unstarted: usize },
    /// Nothing will be started in `slot` any more.
    Closed { slot: usize },

    /// The worker of `slot` claimed an event. It has started it, unless that is long: then it waits for the text.
    Claimed { slot: usize, task: TaskId, from: Position, is_long: bool },
    /// The master took an event back that the worker of `slot` had claimed and not read.
    Unclaimed { task: TaskId },
    /// The master took an event out of a lane.
    TakenBack { task: TaskId },
    /// The program chose the worker of `slot` for this event.
    Chosen { slot: usize, task: TaskId },
    /// What the worker of `slot` was given last and had not started, so many events, was taken back.
    Recalled { slot: usize, unstarted: usize },
    /// The worker of `slot` is done with an event, after so many milliseconds.
    Answered { slot: usize, task: TaskId, run: f64 },
    /// An event has ended, or runs elsewhere, whatever the worker of `slot` makes of it.
    Abandoned { slot: usize, task: TaskId },
    /// The worker of `slot` is done with an event that was abandoned.
    LetGo { slot: usize, held: Held },
    /// An event that `slot`'s worker does not hold any more is to be tried again.
    Retried { slot: usize, task: TaskId, is_chosen: bool, backs_off: bool },
    /// An event has backed off for long enough.
    BackedOff { task: TaskId },
    /// From now on the program dispatches events itself. These are in no lane any more, and wait.
    Manual { waiting: Vec<TaskId> },
}

/// What is to be done, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Send `task` to the worker of `slot`, through its task ring.
    Give { slot: usize, task: TaskId, how: How },
    /// Take back what the worker of `slot` was given and has not started; [`Event::Recalled`] follows, before the
    /// effects that follow this one.
    Recall { slot: usize },
    /// Put `task` into the first lane.
    PutBack { task: TaskId },
    /// `task` was running when the worker of `slot` exited, or can run nowhere: it failed. `from`: where it was claimed.
    Fail { slot: usize, task: TaskId, from: Option<Position> },
    /// Have the worker of `slot` claim nothing more.
    Withhold { slot: usize },
    /// Send the worker of `slot` the release.
    Release { slot: usize },
    /// Kill the process in `slot`.
    Kill { slot: usize },
}

/// How an event is sent to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// To be started at once: the program chose the worker.
    Chosen,
    /// The worker claimed it, and waits for its text.
    Text,
}

/// An event on a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) task: TaskId,
    pub(crate) origin: Origin,
}

/// How a worker came by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It claimed it there, and had its text.
    Claimed(Position),
    /// It claimed it, and is sent its text.
    Text,
    /// The program chose this worker.
    Chosen,
}

impl Origin {
    /// Where it was claimed, if its text may still be there.
    pub(crate) fn position(self) -> Option<Position> {
        if let Self::Claimed(position) = self { Some(position) } else { None }
    }
}
