//! The options of pools and runs as JavaScript gives them, checked and typed there, made into the core's.

use std::sync::Arc;
use std::time::Duration;

use napi_derive::napi;

use crate::core::retry::Policy;
use crate::core::router;
use crate::core::scheduler::MAX_WINDOW;
use crate::observe::record::Level;
use crate::os::child::{Recipe, Stream, resident};
use crate::pool::launch::{Group, Launch, Limits};
use crate::pool::resize::Place;
use crate::run::stream::Order;
use crate::run::{MAX_BYTES, RunOptions, STOP_GRACE};
use crate::wire::layout::Shared;

/// What a pool's workers are made of, and what they are allowed.
#[napi(object)]
pub struct PoolOptions {
    /// The Node to run, and its arguments after those of `nodeArgs`: program and program arguments.
    pub program: String,
    pub args: Vec<String>,
    /// For each worker, what goes before `args`.
    pub node_args: Vec<Vec<String>>,
    /// The whole environment: name, value, name, value, …
    pub env: Vec<String>,
    pub cwd: Option<String>,
    /// For each descriptor from 0 on: -1 inherit, -2 ignore, -3 pipe, or a descriptor's number.
    pub stdio: Vec<i32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// On Windows no console window is to be seen.
    pub windows_hide: Option<bool>,
    /// The workers' ids.
    pub workers: Vec<u32>,
    /// The groups of workers, and the group of each worker.
    pub groups: Vec<GroupOptions>,
    pub group_of: Vec<u32>,
    /// The pool's number in this process.
    pub number: u32,
    /// Which call of the program the workers serve, for their JavaScript, and how texts name it.
    pub call: String,
    pub title: String,
    /// `json` or `advanced`.
    pub serialization: String,
    /// The folder where workers write what is too large for memory, if they may have to.
    pub spill_folder: Option<String>,
    /// Milliseconds from a worker's start to the program's call.
    pub deadline: f64,
    /// The most events there is credit for a worker, running and waiting.
    pub max_events_per_worker: Option<u32>,
    /// How many events a worker runs at once.
    pub concurrency: u32,
    /// Milliseconds that a worker's I/O thread may give no sign of life.
    pub heartbeat_timeout: Option<u32>,
    /// Milliseconds that a released worker may take to exit.
    pub shutdown_grace: Option<u32>,
    /// Milliseconds that an event which was aborted, or ran too long, may hold its worker while others run there.
    pub abort_grace: Option<f64>,
    /// How many events a worker runs before it is replaced.
    pub max_tasks_per_worker: Option<u32>,
    /// Bytes that a worker may have in memory before it is replaced.
    pub max_worker_memory: Option<f64>,
    /// Milliseconds after which a start is slow; none if the program is told nothing.
    pub hint_after: Option<u32>,
    /// Whether workers note when each event starts, because some run wants to know.
    pub notes_times: bool,
    /// Whether the pool serves any number of runs.
    pub stays: Option<bool>,
}

/// Workers that are alike.
#[napi(object)]
pub struct GroupOptions {
    pub tags: Vec<String>,
    /// Whether they run nothing that does not name them.
    pub exclusive: bool,
    /// Variables of their environment beside those of all: name, value, …
    pub env: Vec<String>,
    /// How many events each runs at once, if not as many as those of other groups.
    pub concurrency: Option<u32>,
    /// Their limits in the place of the pool's.
    pub max_tasks_per_worker: Option<u32>,
    pub max_worker_memory: Option<f64>,
}

/// What a program wants of one run.
#[napi(object)]
pub struct RunSettings {
    /// Bytes of events that wait or run, beyond which there is credit for one event a worker.
    pub max_bytes_waiting: Option<f64>,
    /// `completion` or `submission`: the order in which entries are read while the run goes on.
    pub stream: Option<String>,
    /// Which events that failed are tried again, and how.
    pub retries: Option<RetryOptions>,
    /// Whether the first event that fails stops the run.
    pub stop_on_failure: bool,
    /// Milliseconds from the stop of a run until its workers are killed.
    pub stop_grace: Option<f64>,
    /// Whole milliseconds that an event may run.
    pub task_timeout: Option<u32>,
    /// Whole milliseconds after which the program is told of an event that still runs.
    pub hint_after: Option<u32>,
    /// What is kept of the run for people to look at: by default what costs nothing; `times` also how long events waited
    /// and ran, `events` also each of them, `trace` also what each waited for and held.
    #[napi(ts_type = "'times' | 'events' | 'trace'")]
    pub record: Option<String>,
    /// Milliseconds of the epoch when the run begins.
    pub epoch: f64,
    /// What workers of a pool that stays are told of the run.
    pub about: Option<String>,
    /// Whether each event has an entry, which has the event's number in the place of the worker's id, and where it failed
    /// that id in the place of the data. JavaScript is called for each.
    pub is_numbered: Option<bool>,
    /// Whether its events are none in the pool's statistics.
    pub is_uncounted: Option<bool>,
    /// Whether a dashboard shows it.
    pub is_watched: Option<bool>,
    /// The tags that all its events name which name no others, if their tags are all that says where they may run.
    pub tags: Option<Vec<String>>,
    /// The tags of each chain of functions that its events go through one after the other, if there are several.
    pub chains: Option<Vec<Vec<String>>>,
    /// The plan of the flow that its events go through, if they go through one: JSON.
    pub flow: Option<String>,
    /// How large its share of the workers is, beside other runs: by default 1.
    pub weight: Option<f64>,
}

/// Which events that failed are tried again, and how. Times are in milliseconds.
#[napi(object)]
pub struct RetryOptions {
    /// How many attempts follow the first.
    pub limit: u32,
    /// Milliseconds before the second attempt; `factor` times as many before each later one, up to `maxDelay`.
    pub backoff: f64,
    pub factor: f64,
    pub max_delay: f64,
    /// What is tried again.
    #[napi(ts_type = "('crash' | 'timeout' | 'error')[]")]
    pub on: Vec<String>,
}

fn policy(options: RetryOptions) -> Policy {
    let RetryOptions { limit, backoff, factor, max_delay, on } = options;
    Policy::new(limit, (backoff, factor, max_delay), &on)
}

/// So many milliseconds; none if that is no number of them.
fn duration(milliseconds: f64) -> Duration {
    /// Longer than anybody waits.
    const MOST: f64 = 1e9;
    Duration::try_from_secs_f64((milliseconds / 1e3).min(MOST)).unwrap_or_default()
}

impl PoolOptions {
    /// What the core makes of them; what is wrong with them if nothing.
    pub(super) fn launch(self) -> Result<Launch, &'static str> {
        let group_of: Vec<usize> = self.group_of.iter().map(|&group| group as usize).collect();
        if self.node_args.len() != self.workers.len()
            || group_of.len() != self.workers.len()
            || group_of.iter().any(|&group| group >= self.groups.len())
            || self.groups.len() > Shared::MAX_GROUPS
            || self.workers.len() > Shared::MAX_WORKERS as usize
        {
            return Err("its workers are not what they are said to be");
        }
        let of_groups = self.groups.iter().map(|group| group.max_worker_memory);
        let is_limited = of_groups.chain([self.max_worker_memory]).any(|most| most.is_some());
        if is_limited && resident(std::process::id()).is_none() {
            return Err(
                "options.maxWorkerMemory: this system does not tell how much memory a process has (on Linux: /proc is not \
                 mounted, or hidden); mount it, or leave the option out",
            );
        }
        let milliseconds = |count: u32| Duration::from_millis(count.into());
        let stdio = self.stdio.iter().map(|&number| match number {
            -1 => Stream::Inherit,
            -2 => Stream::Ignore,
            -3 => Stream::Pipe,
            fd => Stream::Fd(fd),
        });
        let recipe = Recipe {
            program: self.program,
            args: self.args,
            env: pairs(&self.env),
            cwd: self.cwd,
            stdio: stdio.collect(),
            uid: self.uid,
            gid: self.gid,
            hides_window: self.windows_hide.unwrap_or_default(),
        };
        Ok(Launch {
            recipe,
            places: self
                .workers
                .into_iter()
                .zip(self.node_args)
                .map(|(worker, node_args)| Place { worker, node_args })
                .collect(),
            groups: self.groups.into_iter().map(Group::from).collect(),
            group_of,
            number: self.number,
            call: self.call,
            title: self.title,
            serialization: self.serialization,
            spill_folder: self.spill_folder,
            deadline: duration(self.deadline),
            max_window: self.max_events_per_worker.map_or(MAX_WINDOW, |count| count as usize),
            concurrency: self.concurrency as usize,
            spin_limit: super::processors(),
            limits: Limits {
                heartbeat: self.heartbeat_timeout.map(milliseconds),
                grace: self.shutdown_grace.map(milliseconds),
                abort_grace: self.abort_grace.map_or(STOP_GRACE, duration),
                max_tasks: self.max_tasks_per_worker,
                max_memory: self.max_worker_memory.map(|bytes| bytes as u64),
                hint: self.hint_after,
            },
            notes_times: self.notes_times,
            is_for_one_run: !self.stays.unwrap_or_default(),
        })
    }
}

/// Names and values, one after the other.
fn pairs(list: &[String]) -> Vec<(String, String)> {
    let (pairs, _) = list.as_chunks::<2>();
    pairs.iter().map(|[name, value]| (name.clone(), value.clone())).collect()
}

impl From<GroupOptions> for Group {
    fn from(options: GroupOptions) -> Self {
        let GroupOptions {
            tags,
            exclusive,
            env,
            concurrency,
            max_tasks_per_worker,
            max_worker_memory,
        } = options;
        Self {
            route: router::Group { tags, is_exclusive: exclusive },
            env: pairs(&env),
            concurrency: concurrency.map(|count| count as usize),
            max_tasks: max_tasks_per_worker,
            max_memory: max_worker_memory.map(|bytes| bytes as u64),
        }
    }
}

impl From<RunSettings> for RunOptions {
    fn from(settings: RunSettings) -> Self {
        Self {
            max_bytes: settings.max_bytes_waiting.map_or(MAX_BYTES, |bytes| bytes as usize),
            stream: settings.stream.map(|order| match &*order {
                "submission" => Order::Submission,
                _ => Order::Completion,
            }),
            retries: settings.retries.map(policy),
            stop_on_failure: settings.stop_on_failure,
            stop_grace: settings.stop_grace.map_or(STOP_GRACE, duration),
            task_timeout: settings.task_timeout,
            hint: settings.hint_after,
            record: match settings.record.as_deref() {
                None => Level::Counts,
                Some("times") => Level::Times,
                Some("trace") => Level::Trace,
                Some(_) => Level::Events,
            },
            epoch: settings.epoch,
            about: settings.about.map(Arc::from),
            is_numbered: settings.is_numbered.unwrap_or_default(),
            is_uncounted: settings.is_uncounted.unwrap_or_default(),
            is_watched: settings.is_watched.unwrap_or_default(),
            tags: settings.tags.unwrap_or_default(),
            chains: settings.chains.unwrap_or_default(),
            flow: settings.flow.map(Arc::from),
            weight: settings.weight.unwrap_or(1.0),
        }
    }
}
