//! Answers that are written down, so that a run which is begun again need not have them again: a run's [`Checkpoint`] gets
//! each, before anybody hears of it, and an event whose answer is there ends as if a worker had just given it.

use super::Pool;
use super::entry::{Said, entry_of_answer};
use super::state::State;
use crate::checkpoint::{Answer, Checkpoint, Error, Record, digest};
use crate::core::task_id::{RunId, TaskId, is_direct, number_of};
use crate::observe::record::Outcome;
use crate::run::Run;
use crate::run::flow::read;
use crate::run::results::entry;
use crate::shm::store::Bytes;
use crate::wire::header::{Header, flag};

/// What of an event's flags says how its data is encoded. (Whether it is ASCII depends on the way that it takes.)
const ENCODING: u32 = flag::FORMAT | flag::HOLE | flag::WHOLE;

/// What of an answer's flags its entry needs.
const SAID: u32 = flag::RESPONSE
    | flag::DATA
    | flag::DATA_HOLE
    | flag::FORMAT
    | flag::FORMAT << (flag::DATA_FORMAT_AT - flag::FORMAT_AT);

/// So many events that are answered from the file have the pool look at its workers once.
const TOGETHER: u64 = 64;

/// What is known of the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It was answered before: it has ended.
    Answered,
    /// A worker is to run it.
    Not,
    /// The same, and nothing is known of those behind it.
    NoMore,
}

impl Pool {
    /// From now on a run's answers are written down.
    pub(crate) fn write_down(&self, run: RunId, checkpoint: Checkpoint) {
        if let Some(run) = self.lock().runs.get_mut(&run) {
            run.write_down(checkpoint);
        }
    }

    /// Ends the next event of a run, which has this data, if its answer is in the file. Fails if that is one to other data.
    pub(crate) fn resume(&self, run: RunId, text: Bytes, flags: u32) -> Result<Known, Error> {
        let mut state = self.lock();
        let is_manual = state.scheduler.is_manual();
        let Some(run) = state.runs.get_mut(&run) else { return Ok(Known::NoMore) };
        let number = run.words.handed_over();
        let is_open = run.state.is_open();
        let Some(checkpoint) =
            run.checkpoint.as_mut().filter(|file| is_open && file.has_from(number))
        else {
            return Ok(Known::NoMore);
        };
        let Some(answer) = checkpoint.answer(number, digest(&text, flags & ENCODING))? else {
            return Ok(Known::Not);
        };
        if run.flow.is_some() {
            let entries = read(&answer.payload).ok_or_else(|| checkpoint.is_damaged())?;
            run.words.hand_over();
            run.resume_in_flow(run.task(number), entries, text.len(), is_manual);
        } else {
            run.words.hand_over();
            run.was_answered(number, (text, flags), answer, is_manual);
        }
        if number.is_multiple_of(TOGETHER) || !run.words.has_credit(number + 1) {
            state.settle(self);
        } else if run.show_unread() | run.show_observed() {
            self.call();
        }
        Ok(Known::Answered)
    }

    /// A run's answers are written down no more: others may open the file.
    pub(crate) fn close_checkpoint(&self, run: RunId) -> Result<(), Error> {
        let checkpoint = self.lock().runs.get_mut(&run).and_then(|run| run.checkpoint.take());
        checkpoint.map_or(Ok(()), Checkpoint::close)
    }
}

impl Run {
    /// An event ends by what is written of it.
    fn was_answered(
        &mut self,
        number: u64,
        (mut text, flags): (Bytes, u32),
        answer: Answer,
        is_manual: bool,
    ) {
        let Answer { worker, flags: of_answer, split, mut payload } = answer;
        let has_response = of_answer & flag::RESPONSE != 0;
        self.ended += 1;
        let outcome = if has_response { Outcome::Answered } else { Outcome::Nothing };
        self.record.resumed(outcome, text.len());
        let mut rest = Bytes::default();
        let said = Said { flags: of_answer, payload: &mut payload, split, rest: &mut rest };
        // To who watches, no worker has answered now, and none is free by that.
        let kind = if self.is_observing { entry::CRASH | entry::TAKEN } else { 0 };
        let entry = entry_of_answer((kind, worker), said, (&mut text, flags), None);
        // No run is stopped for an event that has not failed.
        let _ = self.deliver(self.task(number), entry, is_manual);
    }
}

impl State {
    /// What was written down is in the files from now on. A run whose answers cannot be kept cannot go on.
    pub(super) fn flush_checkpoints(&mut self) {
        let mut failed: Vec<(RunId, Error)> = Vec::new();
        for run in self.runs.values_mut() {
            if let Some(Err(error)) = run.checkpoint.as_mut().map(Checkpoint::flush) {
                failed.push((run.id, error));
            }
        }
        for (run, error) in failed {
            let (code, message) = (error.code(), error.to_string());
            let json = serde_json::json!({"name": "Error", "message": message, "code": code});
            self.fail_run(run, json.to_string().as_bytes());
        }
    }
}

/// The digest of the data of an event, with these flags, whose answer is to be written down.
pub(super) fn digest_of(run: &Run, task: TaskId, (text, flags): (&Bytes, u32)) -> Option<u64> {
    let is_kept = run.checkpoint.is_some() && !is_direct(task);
    is_kept.then(|| digest(text, flags & ENCODING))
}

/// Writes down what an event was answered. One that the program has handed to a worker itself has no place among the others.
pub(super) fn write_down(
    checkpoint: &mut Checkpoint,
    (task, text, flags): (TaskId, &Bytes, u32),
    (worker, header): (u32, &Header),
    (payload, split): (&Bytes, usize),
) {
    if is_direct(task) {
        return;
    }
    checkpoint.write(&Record {
        number: number_of(task),
        digest: digest(text, flags & ENCODING),
        worker,
        flags: header.flags & SAID,
        split: split as u32,
        payload,
    });
}
