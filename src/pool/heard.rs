//! What the I/O thread tells a pool.

use std::io;
use std::sync::Arc;

use tracing::debug;

use super::Pool;
use super::connection::Connection;
use super::resize::Place;
use super::slot::Slot;
use super::state::State;
use crate::core::error::Error;
use crate::core::event::Event;
use crate::core::lifecycle::{self, Kill, Leave, Worker};
use crate::core::task_id::RunId;
use crate::core::task_id::TaskId;
use crate::core::verdict::Reached;
use crate::os::clock::clock;
use crate::os::socket::Handle;
use crate::run::RunOptions;
use crate::wire::note::Note;

/// A text names so many calls that a worker passed; a program may go on making calls.
const MOST_PASSED: usize = 8;

/// So many notes, or bytes of them, may wait for JavaScript before no more is read for it.
const MOST_NOTES: usize = 1024;
const MOST_NOTE_BYTES: usize = 16 << 20;

impl Pool {
    /// The lanes' memory, for one more worker.
    pub(crate) fn shared_memory(&self) -> io::Result<Handle> {
        match &self.lock().shared {
            Some(memory) => memory.try_clone(),
            None => Err(io::Error::other("the run is over")),
        }
    }

    /// A process was started; `fork` if it replaces one that JavaScript knows of.
    pub(crate) fn started(&self, slot: usize, connection: Connection, fork: Option<Note>) {
        self.look_for_kills();
        self.enter(|state| {
            connection.notify_always(state.is_observed());
            let pid = connection.child.pid();
            state.tell_records(|record| record.started(slot, pid, clock()));
            state.slots[slot].connection = Some(connection);
            state.notes.extend(fork);
            state.on(Event::Started { slot });
            if state.is_stopping() {
                state.on(Event::Leaves { slot, why: Leave::Stopped });
            } else if state.phase.is_released() {
                state.on(Event::Released { slot });
            }
        });
    }

    /// A process could not be started.
    pub(crate) fn not_started(&self, slot: usize, error: Error) {
        self.enter(|state| {
            state.retire(self, slot, error);
            state.carry_out(self);
            state.close_if_done(self);
        });
    }

    /// A start that was ordered is not wanted any more.
    pub(crate) fn not_needed(&self, slot: usize) {
        self.enter(|state| {
            if !state.close_surplus(self, slot) {
                state.on(Event::Closed { slot });
            }
            state.carry_out(self);
            state.close_if_done(self);
        });
    }

    /// What the process in `slot` is made of.
    pub(crate) fn place(&self, slot: usize) -> Place {
        let Slot { worker, node_args, .. } = &self.lock().slots[slot];
        Place { worker: *worker, node_args: node_args.clone() }
    }

    /// The worker of `slot` has loaded this package, and watches for the death of this process itself by now.
    pub(crate) fn joined(&self, slot: usize) {
        self.with(slot, |connection| {
            connection.reached = connection.reached.max(Reached::Package);
            connection.child.watches();
        });
    }

    /// The program reached its call in the worker of `slot`.
    pub(crate) fn registered(&self, slot: usize) {
        self.enter(|state| {
            let worker = state.slots[slot].worker;
            let Some(connection) = state.slots[slot].connection.as_mut() else { return };
            connection.reached = Reached::Call;
            for run in state.runs.values() {
                if let Some(about) = &run.options.about {
                    connection.tell_of_run(run.id, Some(Arc::clone(about)));
                }
            }
            let stays = matches!(state.scheduler.worker(slot), Worker::Booting { leaves: false });
            let kept = if stays { state.prepare(slot) } else { Vec::new() };
            state.on(Event::Registered { slot });
            if state.scheduler.is_ready(slot) {
                if let Some(connection) = &mut state.slots[slot].connection {
                    connection.prepare(kept);
                }
                debug!(worker, "worker ready");
                state.tell_records(|record| record.ready(slot, clock()));
                state.notes.push(Note::Registered { worker });
                state.complete(self);
            }
        });
    }

    /// The worker of `slot` said why it is about to exit.
    pub(crate) fn uncaught(&self, slot: usize, error: String) {
        self.with(slot, |connection| {
            connection.last_error = Some(error);
            connection.exits = None;
        });
    }

    /// The program is about to end the worker of `slot` by a call of its own.
    pub(crate) fn exits(&self, slot: usize, call: String) {
        self.with(slot, |connection| connection.exits = Some(call));
    }

    /// The worker of `slot` reached a call that it does not serve.
    pub(crate) fn passed(&self, slot: usize, call: String) {
        self.with(slot, |connection| {
            if connection.passed.len() < MOST_PASSED {
                connection.passed.push(call);
            }
        });
    }

    /// What the worker of `slot` wrote to its error stream last, where that was copied.
    pub(crate) fn wrote(&self, slot: usize, text: String) {
        self.with(slot, |connection| connection.copied_stderr = Some(text));
    }

    fn with(&self, slot: usize, work: impl FnOnce(&mut Connection)) {
        if let Some(connection) = &mut self.lock().slots[slot].connection {
            work(connection);
        }
    }

    /// Whether what the next worker of `slot` writes to its error stream is to be copied.
    pub(crate) fn is_unheard(&self, slot: usize) -> bool {
        self.lock().slots[slot].is_unheard
    }

    /// A worker turned the call down. No restart would help while the pool starts; later that costs the worker and not the
    /// pool, as any other start that fails.
    pub(crate) fn refused(&self, slot: usize, error: Error) {
        self.enter(|state| {
            if state.phase == lifecycle::Pool::Starting {
                state.fail(error);
            } else if let Some(connection) = &mut state.slots[slot].connection {
                // What it says next is that it ends by this.
                connection.refusal.get_or_insert(error);
                state.on(Event::Killed { slot, why: Kill::Other });
            }
        });
    }

    /// Whether JavaScript has yet to hear so much that no more should be read for it.
    pub(crate) fn has_many_notes(&self) -> bool {
        let state = self.lock();
        let bytes = || state.notes.iter().map(Note::bytes).sum::<usize>();
        state.notes.len() >= MOST_NOTES || bytes() > MOST_NOTE_BYTES
    }

    /// Something for JavaScript.
    pub(crate) fn note(&self, note: Note) {
        self.enter(|state| state.notes.push(note));
    }

    /// Node's channel has closed: the worker is leaving.
    pub(crate) fn disconnected(&self, slot: usize) {
        self.enter(|state| {
            let worker = state.slots[slot].worker;
            state.notes.push(Note::Disconnect { worker });
            state.on(Event::Leaves { slot, why: Leave::Disconnected });
            // A worker that left of its own will is held by nothing else.
            state.on(Event::Released { slot });
        });
    }

    /// The worker broke the protocol, or did not start in time: nothing it says counts any more.
    pub(crate) fn kill(&self, slot: usize) {
        self.enter(|state| state.on(Event::Killed { slot, why: Kill::Other }));
    }

    /// Some time after workers were notified: wakes others in the place of those that have not come. True if that is to be
    /// looked at again.
    pub(crate) fn watched(&self) -> bool {
        self.enter(|state| state.watch(self))
    }

    /// Collects the answers of workers that do not notify. True if that is to be done again.
    pub(crate) fn polled(&self) -> bool {
        self.enter(State::poll);
        self.lock().goes_on_polling()
    }

    /// An event that was to be tried again after so many attempts has backed off.
    pub(crate) fn backed_off(&self, task: TaskId, after: usize) {
        self.enter(|state| state.backed_off(task, after));
    }

    /// Whether no worker need come up any more.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_over()
    }

    /// What a run was opened with; none if it is closed.
    pub(crate) fn options_of(&self, run: RunId) -> Option<RunOptions> {
        self.lock().runs.get(&run).map(|run| run.options.clone())
    }

    /// JavaScript is gone: the workers see their sockets close, and exit.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.phase.close();
        state.shared = None;
        state.sharing.leave();
        for slot in 0..state.slots.len() {
            state.slots[slot].connection = None;
            state.on(Event::Closed { slot });
        }
        state.effects.clear();
    }
}
