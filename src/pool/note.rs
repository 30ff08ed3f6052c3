//! What an event adds to its run beside its answer: further events, and counts. Its worker writes them before the answer,
//! and they hold with it: of an attempt that fails, or whose worker ends, nothing is left.

use std::collections::BTreeMap;

use super::Pool;
use super::state::State;
use crate::core::task_id::{TaskId, run_of};
use crate::os::clock::clock;
use crate::queue::tasks::Task;
use crate::shm::store::Bytes;
use crate::wire::header::{Header, Kind, chain, flag};

/// What the event adds that a worker answers next.
#[derive(Debug, Default)]
pub(super) struct Noted {
    emitted: Vec<Task>,
    counts: BTreeMap<String, f64>,
}

/// What a worker says of an event that it emits. Everything else is the master's to say.
const EMITTED: u32 = flag::HOLE | flag::WHOLE | flag::FORMAT;

/// What an event fails with that emits others where each event has one answer, or entries have an order.
const REFUSED: &str = r#"{"name":"Error","message":"task.emit: no further events are possible here: the results of this run are read in the order of their events","code":"ERR_SONIC_EMIT"}"#;

/// The same where answers are written down: an event is known there by its number among those that the program hands over.
const UNWRITTEN: &str = r#"{"name":"Error","message":"task.emit: no further events are possible here: the run has a checkpoint, where each event is known by its number among those that the program hands over","code":"ERR_SONIC_EMIT"}"#;

impl State {
    /// A worker writes what its next answer adds.
    pub(super) fn note(&mut self, slot: usize, header: &Header, payload: Bytes) {
        let Some(connection) = self.slots[slot].connection.as_mut() else { return };
        match header.kind {
            Kind::Emit => connection.noted.emitted.push(Task::new(payload, header.flags & EMITTED)),
            Kind::Count => match serde_json::from_slice(&payload) {
                Ok(counts) => connection.noted.counts = counts,
                Err(error) => self.reject(slot, format!("its counts make no sense: {error}")),
            },
            _ => self.reject(slot, "its answers make no sense: a frame of the master's".into()),
        }
    }

    /// What the answer adds that a worker has just given.
    pub(super) fn noted(&mut self, slot: usize) -> Noted {
        let connection = self.slots[slot].connection.as_mut();
        connection.map(|connection| std::mem::take(&mut connection.noted)).unwrap_or_default()
    }

    /// An event has ended well: what it adds is the run's. The error that it fails with, if that cannot be.
    pub(super) fn commit(
        &mut self,
        pool: &Pool,
        task: TaskId,
        noted: Noted,
    ) -> Option<&'static str> {
        let Noted { emitted, counts } = noted;
        let run = self.run_mut(task).filter(|run| run.state.is_open())?;
        if !emitted.is_empty() && run.is_in_order() {
            return Some(REFUSED);
        }
        if !emitted.is_empty() && run.checkpoint.is_some() {
            return Some(UNWRITTEN);
        }
        run.record.count_up(counts);
        let flow = self.run_mut(task).and_then(|run| run.flow.take());
        if let Some(mut flow) = flow {
            let entry = flow.plan.entry;
            for event in emitted {
                self.enter_node(run_of(task), &mut flow, entry, event);
            }
            if let Some(run) = self.run_mut(task) {
                run.flow = Some(flow);
            }
            return None;
        }
        for mut event in emitted {
            let Some(run) = self.run_mut(task) else { break };
            if run.options.chains.len() > 1 {
                event.flags |= chain(1);
            }
            let next = run.next_direct();
            run.record.direct(next, if run.record.has_times() { clock() } else { 0.0 });
            self.submit_emitted(pool, task, next, event);
        }
        None
    }
}
