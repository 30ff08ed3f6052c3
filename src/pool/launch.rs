//! What a pool's workers are made of, and what they are allowed.

use std::time::Duration;

use crate::os::child::Recipe;

/// What a pool's workers are made of.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) recipe: Recipe,
    /// The ids of the workers, one a slot.
    pub(crate) workers: Vec<u32>,
    /// What goes before the program for each slot's Node: inspector ports differ.
    pub(crate) node_args: Vec<Vec<String>>,
    /// The pool's number in this process, for logs.
    pub(crate) number: u32,
    /// Which call of the program the workers serve, for their JavaScript.
    pub(crate) call: String,
    /// How texts name that call.
    pub(crate) title: String,
    /// How values are encoded; the core only passes it on.
    pub(crate) serialization: String,
    /// How long a worker may take from its start to the program's call.
    pub(crate) deadline: Duration,
    /// The most events there is credit for a worker: by default [`MAX_WINDOW`](crate::core::scheduler::MAX_WINDOW).
    pub(crate) max_window: usize,
    /// How many workers may spin at the same time: as many as there are processors.
    pub(crate) spin_limit: usize,
    pub(crate) limits: Limits,
    /// Workers note when each event starts, because some run wants to know.
    pub(crate) notes_times: bool,
    /// There is one run, and its end is the pool's: a run that is stopped lets its workers go.
    pub(crate) is_for_one_run: bool,
}

/// What a program allows its workers. Plain numbers: `lib` checks them, the pool enforces them. None: no limit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    /// How long the I/O thread of a worker may give no sign of life.
    pub(crate) heartbeat: Option<Duration>,
    /// How long a worker that was released may take to exit.
    pub(crate) grace: Option<Duration>,
    /// After so many events a worker is replaced.
    pub(crate) max_tasks: Option<u32>,
    /// When it has more bytes than this in memory a worker is replaced.
    pub(crate) max_memory: Option<u64>,
    /// A start that takes longer than this is told to the program, if it is told anything; in milliseconds.
    pub(crate) hint: Option<u32>,
}
