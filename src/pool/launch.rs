//! What a pool's workers are made of, and what they are allowed.

use std::time::Duration;

use super::resize::Place;
use crate::core::router;
use crate::os::child::Recipe;
use crate::wire::protocol::Spill;

/// Into so many parts, for each event that runs at once, keys are divided: one that is larger than others holds nobody up for long.
const PARTITIONS: usize = 4;
const LEAST_PARTITIONS: usize = 8;
const MOST_PARTITIONS: usize = 64;

/// What a pool's workers are made of.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) recipe: Recipe,
    /// The slots that the pool begins with.
    pub(crate) places: Vec<Place>,
    /// The groups of workers, and the group of each of these slots. Those that come later are in the first.
    pub(crate) groups: Vec<Group>,
    pub(crate) group_of: Vec<usize>,
    /// The pool's number in this process, for logs.
    pub(crate) number: u32,
    /// Which call of the program the workers serve, for their JavaScript.
    pub(crate) call: String,
    /// How texts name that call.
    pub(crate) title: String,
    /// How values are encoded; the core only passes it on.
    pub(crate) serialization: String,
    /// Where workers write what is too large for memory, if they may have to.
    pub(crate) spill_folder: Option<String>,
    /// How long a worker may take from its start to the program's call.
    pub(crate) deadline: Duration,
    /// The most events there is credit for a worker: by default [`MAX_WINDOW`](crate::core::scheduler::MAX_WINDOW).
    pub(crate) max_window: usize,
    /// How many events a worker runs at once.
    pub(crate) concurrency: usize,
    /// How many workers may spin at the same time: as many as there are processors.
    pub(crate) spin_limit: usize,
    pub(crate) limits: Limits,
    /// Workers note when each event starts, because some run wants to know.
    pub(crate) notes_times: bool,
    /// There is one run, and its end is the pool's: a run that is stopped lets its workers go.
    pub(crate) is_for_one_run: bool,
}

impl Launch {
    /// The number of the group of a slot.
    pub(crate) fn group_of(&self, slot: usize) -> usize {
        self.group_of.get(slot).copied().unwrap_or_default()
    }

    pub(crate) fn group(&self, slot: usize) -> &Group {
        &self.groups[self.group_of(slot)]
    }

    /// After so many events the worker of `slot` is replaced.
    pub(crate) fn max_tasks(&self, slot: usize) -> Option<u32> {
        self.group(slot).max_tasks.or(self.limits.max_tasks)
    }

    /// How many events the worker of `slot` runs at once.
    pub(crate) fn concurrency(&self, slot: usize) -> usize {
        self.group(slot).concurrency.unwrap_or(self.concurrency)
    }

    /// When it has more bytes than this in memory the worker of `slot` is replaced.
    pub(crate) fn max_memory(&self, slot: usize) -> Option<u64> {
        self.group(slot).max_memory.or(self.limits.max_memory)
    }

    /// Whether some worker's memory is limited.
    pub(crate) fn limits_memory(&self) -> bool {
        let mut groups = self.groups.iter();
        self.limits.max_memory.is_some() || groups.any(|group| group.max_memory.is_some())
    }

    /// Where workers write what is too large for memory. All of them divide keys alike, those that come later too.
    pub(crate) fn spill(&self) -> Option<Spill> {
        let places: usize = (0..self.places.len()).map(|slot| self.concurrency(slot)).sum();
        let partitions = (places.min(MOST_PARTITIONS) * PARTITIONS).next_power_of_two();
        let partitions = partitions.clamp(LEAST_PARTITIONS, MOST_PARTITIONS) as u32;
        let folder = self.spill_folder.clone()?;
        Some(Spill { folder, partitions })
    }

    /// The ids of the workers that the pool begins with.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.places.iter().map(|place| place.worker).collect()
    }
}

/// Workers that are alike, and different from the others of the pool.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) route: router::Group,
    /// Variables of their environment beside those of all.
    pub(crate) env: Vec<(String, String)>,
    /// Their limits in the place of the pool's.
    pub(crate) concurrency: Option<usize>,
    pub(crate) max_tasks: Option<u32>,
    pub(crate) max_memory: Option<u64>,
}

/// What a program allows its workers. Plain numbers: `lib` checks them, the pool enforces them. None: no limit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    /// How long the I/O thread of a worker may give no sign of life.
    pub(crate) heartbeat: Option<Duration>,
    /// How long a worker that was released may take to exit.
    pub(crate) grace: Option<Duration>,
    /// How long an event that was aborted, or ran too long, may hold its worker while others run there.
    pub(crate) abort_grace: Duration,
    /// After so many events a worker is replaced.
    pub(crate) max_tasks: Option<u32>,
    /// When it has more bytes than this in memory a worker is replaced.
    pub(crate) max_memory: Option<u64>,
    /// A start that takes longer than this is told to the program, if it is told anything; in milliseconds.
    pub(crate) hint: Option<u32>,
}
