//! What JavaScript asks of a pool and of its runs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{debug, trace};

use super::Pool;
use super::flow::is_full;
use crate::core::event::Event;
use crate::core::task_id::RunId;
use crate::observe::record::Record;
use crate::os::clock::clock;
use crate::pool::order::Order;
use crate::queue::tasks::Task;
use crate::queue::writer::Writer;
use crate::run::results::Piece;
use crate::run::words::Words;
use crate::run::{Queue, RunOptions};
use crate::shm::store::Bytes;
use crate::wire::format::Format;
use crate::wire::header::{chain, flag, format_of};
use crate::wire::note::Note;

/// What a program that dispatches events itself sees at its first look.
#[derive(Debug)]
pub(crate) struct Manual {
    /// The ids of the workers with nothing to do, those included that are being replaced.
    pub(crate) free: Vec<u32>,
    /// What was observed before, which those ids take into account already.
    pub(crate) observed: Vec<Piece>,
}

/// A run, for JavaScript's thread.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) id: RunId,
    pub(crate) words: Arc<Words>,
    pub(crate) writer: Writer,
    /// It puts in what all events of the run name; other events go through the router.
    pub(crate) is_tagged: bool,
}

impl Pool {
    /// Begins a run.
    pub(crate) fn open(&self, options: RunOptions) -> io::Result<Opened> {
        self.enter(|state| {
            let run = state.open(options)?;
            let (id, words, notes_times) = (run.id, Arc::clone(&run.words), run.record.has_times());
            let (lane, is_tagged) = (run.lane(), run.is_tagged());
            self.order(Order::Monitor { run: id });
            let (memory, front) = (Arc::clone(state.lanes.memory()), state.lanes.front(lane));
            let writer = Writer::new(memory, front, id, notes_times);
            Ok(Opened { id, words, writer, is_tagged })
        })
    }

    /// Nobody asks for a run any more.
    pub(crate) fn close(&self, run: RunId) {
        self.enter(|state| state.close(run));
    }

    // ---- events in ----

    /// Takes in what JavaScript has put into lanes and what workers have answered.
    pub(crate) fn flush(&self) {
        self.enter(|_| ());
    }

    /// Takes in an event that JavaScript cannot put into its run's lane itself.
    pub(crate) fn submit(&self, run: RunId, text: impl Into<Bytes>, flags: u32) {
        let event = Task::new(text.into(), flags);
        self.enter(|state| {
            if let Some(run) = state.runs.get(&run) {
                let task = run.task(run.words.hand_over());
                state.submit(task, event);
            }
        });
    }

    /// Hands an event to one worker, to be started at once. False if there is no such worker.
    pub(crate) fn submit_to(
        &self,
        run: RunId,
        worker: u32,
        text: impl Into<Bytes>,
        flags: u32,
    ) -> bool {
        let mut event = Task::new(text.into(), flags);
        self.enter(|state| {
            let Some(slot) = state.slot_of(worker) else { return false };
            let Some(run) = state.runs.get_mut(&run) else { return false };
            let task = run.next_direct();
            run.record.direct(task, if run.record.has_times() { clock() } else { 0.0 });
            if let Some(flow) = run.flow.as_deref_mut() {
                event.flags = event.flags & !flag::CHAIN | chain(flow.plan.entry);
                flow.progress.entered(flow.plan.entry);
                if let Some(lineage) = &mut flow.lineage {
                    lineage.chosen(task);
                }
            }
            state.tasks.keep(task, event);
            state.on(Event::Chosen { slot, task });
            true
        })
    }

    /// No `Map` of the run waits for credit any more.
    pub(crate) fn stop_waiting(&self, run: RunId, words: &Words) {
        words.wait_for(None);
        self.pressed(run, false);
    }

    /// Whether `Map` waits for credit.
    pub(super) fn pressed(&self, run: RunId, waits: bool) {
        trace!(waits, "Map waits for credit");
        if let Some(run) = self.lock().runs.get_mut(&run) {
            run.record.pressed(waits, clock());
        }
    }

    // ---- entries out ----

    /// Takes the oldest piece of a queue.
    pub(crate) fn take(&self, run: RunId, queue: Queue) -> Option<Piece> {
        self.enter(|_| ());
        let mut state = self.lock();
        let run = state.runs.get_mut(&run)?;
        let was_full = run.flow.is_some() && is_full(run);
        let piece = run.queue(queue).take();
        // The reader of a stream makes room by that.
        run.show_unread();
        run.show_observed();
        if was_full && !is_full(run) {
            state.settle(self);
        }
        piece
    }

    /// How many entries a queue has, everything answered by now included.
    pub(crate) fn count(&self, run: RunId, queue: Queue) -> usize {
        self.enter(|_| ());
        self.lock().runs.get_mut(&run).map_or(0, |run| run.queue(queue).len())
    }

    /// From now on, whether each answer goes to [`Queue::Observed`], and JavaScript is called.
    pub(crate) fn observe(&self, run: RunId, is_observing: bool) {
        self.enter(|state| {
            state.collect(self);
            if let Some(run) = state.runs.get_mut(&run) {
                run.is_observing = is_observing;
            }
            let always = state.is_observed();
            state.connections().for_each(|connection| connection.notify_always(always));
        });
    }

    /// Leaves it to the program which worker gets an event, and shows every answer. What was handed over before takes the
    /// first workers that become free.
    pub(crate) fn be_manual(&self, run: RunId) -> Manual {
        self.observe(run, true);
        self.enter(|state| state.be_manual(self));
        let mut state = self.lock();
        let free = state.free();
        let mut observed = Vec::new();
        if let Some(run) = state.runs.get_mut(&run) {
            observed.extend(std::iter::from_fn(|| run.observed.take()));
            run.show_observed();
        }
        Manual { free, observed }
    }

    /// True if every event of a run is answered; otherwise [`Note::Drained`] says when.
    pub(crate) fn drained(&self, run: RunId) -> bool {
        self.enter(|state| {
            if let Some(run) = state.runs.get_mut(&run) {
                run.is_draining = true;
            }
        });
        let mut state = self.lock();
        // JavaScript has yet to hear that the run failed: its events are answered because of that.
        let fails = |note: &Note| matches!(note, Note::Failed { .. } | Note::Stopped { .. });
        let is_it = matches!(state.notes.last(), Some(Note::Drained { run: it }) if *it == run);
        let at_once = is_it && !state.notes.iter().any(fails);
        if at_once {
            state.notes.pop();
        }
        at_once
    }

    /// Looks at what is kept of a run, and how many events it has handed over; none if it is closed.
    pub(crate) fn recorded<T>(
        &self,
        run: RunId,
        look: impl FnOnce(&Record, u64) -> T,
    ) -> Option<T> {
        let mut state = self.lock();
        state.record_spans(run);
        state.runs.get(&run).map(|run| look(&run.record, run.words.handed_over()))
    }

    /// The statistics of all runs by now, as the JSON of an object.
    pub(crate) fn statistics(&self) -> String {
        self.enter(|_| ());
        let state = self.lock();
        let open = state.runs.values().filter(|run| !run.options.is_uncounted);
        let open = open.map(|run| (&run.record, run.words.handed_over()));
        state.total.statistics(open, clock()).to_string()
    }

    /// How long events of the last minute waited and ran: of one run, or of all. None if a dashboard shows none of them.
    pub(crate) fn recent(&self, run: Option<RunId>) -> Option<String> {
        self.enter(|_| ());
        let state = self.lock();
        let shown = if let Some(run) = run {
            state.runs.get(&run)?.record.recent()?.show(clock())
        } else {
            let open = state.runs.values().filter(|run| !run.options.is_uncounted);
            state.total.recent(open.map(|run| &run.record), clock())
        };
        Some(shown.to_string())
    }

    /// Starts nothing of a run any more. What runs may end until the run's grace is over; then its worker is killed.
    /// Should this process die before, so do the workers that run something.
    pub(crate) fn stop(&self, run: RunId) {
        self.enter(|state| {
            // A worker that has claimed an event is not idle.
            state.collect(self);
            if state.stop_run(self, run) {
                debug!("run is stopped");
                if let Some(run) = state.runs.get_mut(&run) {
                    run.record.mark("abort", None, clock(), || "the run was stopped".into());
                }
            }
        });
        self.enter(|state| state.close_if_done(self));
    }

    // ---- workers ----

    /// What happened since the last look. JavaScript, which was called, has come: what happens from now on calls it again.
    pub(crate) fn notes(&self) -> Vec<Note> {
        self.is_called.store(false, Ordering::SeqCst);
        std::mem::take(&mut self.lock().notes)
    }

    /// Sends a message of the user's to one worker. False if it is gone.
    pub(crate) fn message(&self, worker: u32, bytes: impl Into<Bytes>, flags: u32) -> bool {
        let (bytes, flags) = (bytes.into(), flags & flag::FORMAT);
        self.enter(|state| {
            let Some(connection) = state.connection_of(worker) else { return false };
            // Node's own channel, which works before the program's call, takes JSON alone.
            if connection.is_registered() || format_of(flags) != Format::Json {
                connection.message(bytes, flags);
                return true;
            }
            let message = format!("{}\n", String::from_utf8_lossy(&bytes));
            connection.send_line(&message)
        })
    }

    /// The ids of the workers with nothing to do, those included that are being replaced.
    pub(crate) fn free(&self) -> Vec<u32> {
        self.enter(|_| ());
        self.lock().free()
    }

    /// The workers that are ready: id, pid, and how many events each runs.
    pub(crate) fn ready_workers(&self) -> Vec<(u32, u32, u32)> {
        self.enter(|_| ());
        let state = self.lock();
        let ready = (0..state.slots.len()).filter(|&slot| state.scheduler.is_ready(slot));
        let running = |slot| u32::try_from(state.scheduler.held(slot).len()).unwrap_or(u32::MAX);
        ready.map(|slot| (state.slots[slot].worker, state.pid(slot), running(slot))).collect()
    }

    /// Whether a worker has nothing to do.
    pub(crate) fn is_free(&self, worker: u32) -> bool {
        let state = self.lock();
        state.slot_of(worker).is_some_and(|slot| state.scheduler.is_free(slot))
    }

    /// Releases every worker: nothing more is started, what runs may end, then the worker exits. All runs are over.
    pub(crate) fn release(&self) {
        self.enter(|state| {
            debug!("workers are released");
            let is_stopping = state.is_stopping();
            state.phase.release();
            state.total.record.over(clock());
            for run in state.runs.values_mut() {
                run.record.over(clock());
                run.state.end();
            }
            for slot in 0..state.slots.len() {
                // Those of a stopped run go when they have ended what they run.
                if !is_stopping {
                    state.on(Event::Released { slot });
                }
            }
            state.carry_out(self);
            state.close_if_done(self);
        });
    }

    /// Releases one worker; it is replaced unless the pool is over. False if it is gone.
    pub(crate) fn disconnect(&self, worker: u32) -> bool {
        self.enter(|state| {
            let Some(slot) = state.slot_of(worker) else { return false };
            state.on(Event::Released { slot });
            state.slots[slot].connection.is_some()
        })
    }

    /// Sends a signal to one worker. False if it is gone.
    pub(crate) fn signal(&self, worker: u32, number: i32) -> bool {
        let mut state = self.lock();
        let connection = state.connection_of(worker);
        connection.is_some_and(|connection| connection.child.signal(number).is_ok())
    }
}
