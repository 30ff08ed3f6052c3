//! Work that every worker runs: `each`. Where it is kept, each worker that comes later runs it before it claims anything; one in
//! which it fails is as good as one that cannot be started.

use super::Pool;
use super::state::State;
use crate::core::error::Error;
use crate::core::event::Event;
use crate::core::lifecycle::Kill;
use crate::core::retry::parsed_error;
use crate::core::task_id::{RunId, TaskId, run_of};
use crate::os::clock::clock;
use crate::queue::tasks::Task;
use crate::run::Run;
use crate::run::kept::Kept;
use crate::shm::store::Bytes;
use crate::wire::header::flag;

/// An event for every worker.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) text: Bytes,
    pub(crate) flags: u32,
    /// Only workers with all of these run it.
    pub(crate) tags: Vec<String>,
    /// If it is to be kept: how texts name it.
    pub(crate) title: Option<String>,
}

impl Pool {
    /// Hands an event of a run to every worker, those to come included: each runs it when it runs nothing else. The ids of the
    /// workers, in the order of the events' numbers. Fails if none has the tags.
    pub(crate) fn each(&self, run: RunId, event: Each) -> Result<Vec<u32>, Error> {
        let Each { text, flags, tags, title } = event;
        self.enter(|state| {
            if !tags.is_empty() {
                state.router.check(&tags)?;
            }
            let stays = |&slot: &usize| {
                !state.scheduler.worker(slot).is_closed()
                    && !state.is_surplus(slot)
                    && state.router.has_tags(slot, &tags)
            };
            let slots: Vec<usize> = (0..state.slots.len()).filter(stays).collect();
            for &slot in &slots {
                state.give_in_turn(run, slot, Bytes::from(&*text), flags);
            }
            if let Some((run, title)) = state.runs.get_mut(&run).zip(title) {
                run.kept = Some(Kept { title, text, flags, tags, given: slots.len() as u64 });
            }
            Ok(slots.into_iter().map(|slot| state.slots[slot].worker).collect())
        })
    }
}

impl State {
    fn give_in_turn(&mut self, run: RunId, slot: usize, text: Bytes, flags: u32) -> Option<TaskId> {
        let run = self.runs.get_mut(&run)?;
        let task = run.next_direct();
        run.record.direct(task, if run.record.has_times() { clock() } else { 0.0 });
        self.tasks.keep(task, Task::new(text, flags | flag::TURN));
        self.on(Event::Chosen { slot, task });
        Some(task)
    }

    /// The worker of `slot` is about to be ready: the events of what is kept, which come before all others for it.
    pub(super) fn prepare(&mut self, slot: usize) -> Vec<TaskId> {
        let keeps = |run: &&Run| run.state.is_open() && run.kept.is_some();
        let kept: Vec<RunId> = self.runs.values().filter(keeps).map(|run| run.id).collect();
        let mut tasks = Vec::new();
        for id in kept {
            let kept = self.runs.get(&id).and_then(|run| run.kept.as_ref());
            let kept = kept.filter(|kept| self.router.has_tags(slot, &kept.tags));
            let Some(kept) = kept else { continue };
            let (text, flags) = (Bytes::from(&*kept.text), kept.flags);
            // What the program handed over for this worker comes first, and is the same.
            let waiting = self.scheduler.pinned(slot).find(|&task| run_of(task) == id);
            tasks.extend(waiting.or_else(|| self.give_in_turn(id, slot, text, flags)));
        }
        self.scheduler.pin_first(slot, &tasks);
        tasks
    }

    /// The worker of `slot` has ended an event of `each`; `error` is the JSON of what failed in it.
    pub(super) fn has_ended_in_turn(&mut self, slot: usize, task: TaskId, error: Option<&[u8]>) {
        let kept = self.kept_of(task).filter(|kept| kept.is_own(task));
        let what = error.filter(|_| kept.is_some()).map(|error| {
            let error = parsed_error(error);
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("name"), text("message"))
        });
        let Some(connection) = &mut self.slots[slot].connection else { return };
        if what.is_some() {
            connection.failed_work = what;
            self.on(Event::Killed { slot, why: Kill::Other });
        } else {
            connection.has_run(task);
        }
    }

    /// What is kept by the run of this event, while it is open.
    pub(super) fn kept_of(&self, task: TaskId) -> Option<&Kept> {
        let run = self.runs.get(&run_of(task))?;
        run.kept.as_ref().filter(|_| run.state.is_open())
    }
}
