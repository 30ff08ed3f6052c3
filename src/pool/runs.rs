//! The runs of a pool: how one begins, stops, fails and is closed.

use std::io;
use std::sync::Arc;

use super::Pool;
use super::order::Order;
use super::state::{State, failed, json_of};
use crate::core::error::Error;
use crate::core::event::Event;
use crate::core::flow::Plan;
use crate::core::lifecycle::Leave;
use crate::core::task_id::{RunId, TaskId, run_of};
use crate::observe::record::{Level, Record};
use crate::os::clock::clock;
use crate::run::flow::Flow;
use crate::run::{Run, RunOptions};
use crate::wire::layout::Shared;

/// The most runs that are open at the same time: fewer than there are numbers for them.
const MOST_RUNS: usize = 1 << 15;

/// A flow of which nothing has happened yet, from its plan.
fn flow_of(plan: &str) -> io::Result<Flow> {
    let plan = serde_json::from_str(plan).ok().and_then(Plan::new);
    plan.map(Flow::new).ok_or_else(|| io::Error::other("the flow's plan makes no sense"))
}

impl State {
    /// Begins a run.
    pub(super) fn open(&mut self, mut options: RunOptions) -> io::Result<&mut Run> {
        if self.runs.len() >= MOST_RUNS {
            return Err(io::Error::other("too many runs of the pool are open"));
        }
        let flow = options.flow.as_deref().map(flow_of).transpose()?;
        if let Some(flow) = &flow {
            options.task_timeout = flow.plan.shortest_timeout();
        }
        let (outlets, ways) = self.outlets_for(&options, flow.as_ref().map(|flow| &flow.plan))?;
        while self.runs.contains_key(&self.next_run) {
            self.next_run = self.next_run.wrapping_add(1);
        }
        let id = self.next_run;
        self.next_run = id.wrapping_add(1);
        let workers: Vec<u32> = self.slots.iter().map(|slot| slot.worker).collect();
        let mut record = Record::new(options.record, &workers, clock(), options.epoch);
        for (slot, connection) in self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(at, slot)| Some((at, slot.connection.as_ref()?)))
        {
            record.started(slot, connection.child.pid(), clock());
            if connection.is_registered() {
                record.ready(slot, clock());
            }
        }
        if options.record == Level::Trace {
            self.keep_spans(id);
        }
        if options.is_watched {
            record.watch();
        }
        if let Some(flow) = &flow {
            record.has_nodes(flow.plan.names());
        }
        let mut run = Run::new(id, outlets, options, record);
        run.ways = ways;
        if let Some(flow) = flow {
            run.follow(flow);
        }
        if let Some(error) = &self.error {
            run.state.fail(&json_of(error));
            self.notes.push(failed(Some(id), error));
        }
        if let Some(about) = &run.options.about {
            self.tell_workers(id, Some(about));
        }
        Ok(self.runs.entry(id).or_insert(run))
    }

    /// Nobody asks for this run any more: its queues go with it.
    pub(super) fn close(&mut self, id: RunId) {
        let Some(mut run) = self.runs.remove(&id) else { return };
        self.keep_no_spans(id);
        run.state.end();
        if !run.options.is_uncounted {
            self.total.closed(&run.record, run.words.handed_over());
        }
        self.lanes.take_back(|_, task| run_of(task) == id);
        let withdrawn = self.withdraw(|task| run_of(task) == id);
        let in_flow = run.flow.as_deref_mut().map(Flow::withdraw_all).unwrap_or_default();
        for task in run.take_overflow().into_iter().chain(withdrawn).chain(in_flow) {
            self.forget(task);
        }
        if run.options.about.is_some() {
            self.tell_workers(id, None);
        }
        run.outlets.iter().for_each(|outlet| self.lanes.give_back(outlet.lane));
        self.lanes.close_unused();
    }

    /// Tells the workers that are ready what a run is about, or that it is over.
    fn tell_workers(&mut self, run: RunId, about: Option<&Arc<str>>) {
        let connections = self.slots.iter_mut().filter_map(|slot| slot.connection.as_mut());
        for connection in connections.filter(|connection| connection.is_registered()) {
            connection.tell_of_run(run, about.cloned());
        }
    }

    /// Starts nothing of a run any more. Where it is the pool's only run, its workers leave as soon as they run nothing.
    pub(super) fn stop_run(&mut self, pool: &Pool, id: RunId) -> bool {
        let Some(run) = self.runs.get_mut(&id).filter(|run| run.state.is_open()) else {
            return false;
        };
        run.state.stop();
        // Those that can stop by themselves do so.
        self.abort_run(id);
        let Some(run) = self.runs.get_mut(&id) else { return false };
        // Nobody will see what becomes of them.
        let (overflow, grace) = (run.take_overflow(), run.options.stop_grace);
        run.ended += overflow.len() as u64;
        for task in overflow {
            self.tasks.remove(task);
        }
        if pool.launch.is_for_one_run {
            // Who runs something is known from here on: the others may go.
            self.lanes.take_back(|_, task| run_of(task) == id);
            self.scan();
            self.phase.release();
            for slot in 0..self.slots.len() {
                self.on(Event::Leaves { slot, why: Leave::Stopped });
            }
        }
        pool.order(Order::EndRun { run: id, grace });
        true
    }

    /// The runs cannot go on: what no worker runs fails, now and later.
    pub(super) fn fail(&mut self, error: Error) {
        if self.error.is_some() {
            return;
        }
        let json = json_of(&error);
        for run in self.runs.values_mut() {
            if run.state.fail(&json) {
                self.notes.push(failed(Some(run.id), &error));
            }
        }
        if self.runs.is_empty() {
            self.notes.push(failed(None, &error));
        }
        self.error = Some(error);
    }

    /// Takes back what no worker has of the events of runs that are not open, and all that no worker will run. What becomes
    /// of each, [`State::put_back`] says.
    pub(super) fn reclaim(&mut self, pool: &Pool) {
        let is_open = |run: &Run| run.state.is_open();
        let refused = self.refused();
        if self.runs.values().all(is_open) && refused == 0 {
            return;
        }
        let has_nobody = |lane: usize| refused & (1 << lane) != 0;
        let open: Vec<RunId> =
            self.runs.values().filter(|run| is_open(run)).map(|run| run.id).collect();
        let is_over = |task| !open.contains(&run_of(task));
        self.lanes.take_back(|lane, task| is_over(task) || has_nobody(lane));
        self.scan();
        let mut tasks = self.withdraw(is_over);
        for run in self.runs.values_mut() {
            let is_open = is_open(run);
            for outlet in
                run.outlets.iter_mut().filter(|outlet| !is_open || has_nobody(outlet.lane))
            {
                for task in outlet.overflow.drain(..) {
                    if !outlet.tags.is_empty() {
                        self.router.adopt(task, &outlet.tags);
                    }
                    tasks.push(task);
                }
            }
            if let Some(flow) = run.flow.as_deref_mut().filter(|_| !is_open) {
                tasks.extend(flow.withdraw_all());
                flow.hold_up(0, clock);
            }
        }
        if has_nobody(Shared::FIRST) {
            tasks.extend(self.returned.drain(..));
        }
        for task in tasks {
            self.put_back(pool, task);
        }
    }

    /// Nobody asks what becomes of an event that no worker has.
    pub(super) fn forget(&mut self, task: TaskId) {
        self.tasks.remove(task);
        self.origin(task);
        self.router.ended(task);
    }

    /// Takes out those that no worker runs, and no lane has, of the events that are `meant`; a run's overflow is not
    /// looked at.
    fn withdraw(&mut self, meant: impl Fn(TaskId) -> bool) -> Vec<TaskId> {
        let mut tasks = self.scheduler.withdraw(&meant);
        tasks.extend(self.router.withdraw(&meant));
        let returned = std::mem::take(&mut self.returned).into_iter();
        let (returned, others): (Vec<_>, _) = returned.partition(|&task| meant(task));
        self.returned = others.into();
        tasks.extend(returned);
        tasks
    }
}
