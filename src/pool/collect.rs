//! What comes from the workers: claims in the lanes, and frames in the answer rings, each turned into what it means.

use super::Pool;
use super::checkpoint::write_down;
use super::connection::Connection;
use super::entry::{Said, entry_of_answer, failed};
use super::flow::GARBAGE;
use super::order::Order;
use super::state::State;
use super::wake::WakeUp;
use crate::core::event::{Event, Held};
use crate::core::retry::{Attempt, Cause};
use crate::core::scheduler::SHORT;
use crate::core::sync as shared;
use crate::core::task_id::{Position, TaskId, run_of};
use crate::observe::excerpt::Data;
use crate::observe::record::{Ended, Outcome};
use crate::queue::lane::{Claim, Owner};
use crate::queue::tasks::Origin;
use crate::run::results::{Entry, entry};
use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::header::{Header, Kind, flag, format_of};
use crate::wire::layout::Shared;

/// A frame from a worker, waiting for its turn among those of the others.
struct Arrival {
    slot: usize,
    header: Header,
    payload: Bytes,
}

/// What an answer is about.
enum Answered {
    /// An event that its worker has, and where it was claimed.
    Held(TaskId, Option<Position>),
    /// One that has ended, whatever its worker makes of it.
    Abandoned(Held),
}

impl State {
    /// Learns who claimed what.
    pub(super) fn scan(&mut self) {
        while let Some((lane, Claim { task, at, owner, is_long, queued })) = self.lanes.next_claim()
        {
            let from = Position { lane, at };
            if let Some(run) = self.runs.get_mut(&run_of(task)) {
                run.record.claimed(task, queued);
                run.share.claimed(&mut self.served);
            }
            let may_claim = |slot| match lane {
                Shared::ADDRESSED => self.router.may_claim(slot, task),
                _ => self.lanes.may_claim(lane, slot),
            };
            match owner {
                Owner::Worker(slot)
                    if self.slots.get(slot).is_some_and(|s| s.connection.is_some())
                        && may_claim(slot) =>
                {
                    self.router.claimed(task);
                    self.slots[slot].wake_up = WakeUp::None;
                    if is_long {
                        // The text is the master's, and comes through the task ring.
                        self.leave(task, lane);
                        self.lanes.end(from);
                    }
                    self.on(Event::Claimed { slot, task, from, is_long });
                }
                _ => {
                    self.leave(task, lane);
                    self.lanes.keep(from, &mut self.tasks);
                    self.lanes.end(from);
                    self.on(Event::TakenBack { task });
                }
            }
        }
    }

    /// Takes in what was claimed and what was answered by now, in the order in which it was finished.
    pub(super) fn collect(&mut self, pool: &Pool) {
        self.connections().for_each(Connection::hear);
        self.scan();
        let mut arrivals: Vec<Arrival> = Vec::new();
        let mut text = std::mem::take(&mut self.scratch);
        let mut sources = 0;
        for slot in 0..self.slots.len() {
            let before = arrivals.len();
            if let Some(broken) = self.read_frames(slot, &mut text, &mut arrivals) {
                self.reject(slot, broken);
            }
            sources += usize::from(arrivals.len() > before);
        }
        self.scratch = text;
        if sources > 1 {
            arrivals.sort_by(|a, b| a.header.finished.total_cmp(&b.header.finished));
        }
        for arrival in arrivals {
            self.accept(pool, arrival);
        }
        self.flush_checkpoints();
        self.follow_workers(pool);
    }

    /// Reads what the worker of `slot` has published; what is wrong with it if it is garbage.
    fn read_frames(
        &mut self,
        slot: usize,
        text: &mut Bytes,
        arrivals: &mut Vec<Arrival>,
    ) -> Option<String> {
        let connection = self.slots[slot].connection.as_mut()?;
        let end = connection.published_end();
        let mut broken = None;
        let mut is_short = false;
        loop {
            match connection.pop_before(end, text) {
                Ok(Some(header)) => {
                    is_short |=
                        header.kind == Kind::Answer && header.finished - header.started < SHORT;
                    // Short answers are copied, long ones moved.
                    let payload =
                        if text.len() <= 32 { Bytes::from(&**text) } else { std::mem::take(text) };
                    arrivals.push(Arrival { slot, header, payload });
                }
                Ok(None) => break,
                Err(error) => {
                    broken = Some(format!("its answers make no sense: {error}"));
                    break;
                }
            }
        }
        if is_short {
            connection.has_answered_short();
        }
        connection.unblock();
        broken
    }

    /// Polls for the workers that run short events, and notes which of those that leave claim nothing more.
    fn follow_workers(&mut self, pool: &Pool) {
        let mut begins = false;
        for slot in 0..self.slots.len() {
            let is_busy = self.scheduler.held(slot).len() > 0;
            if !is_busy {
                self.end_overdue(slot);
            }
            let Some(connection) = self.slots[slot].connection.as_mut() else { continue };
            if is_busy {
                begins |= connection.poll();
            }
            if self.scheduler.awaits_settling(slot) && connection.is_settled() {
                // It claims nothing more: what it has claimed by now is all that it runs.
                self.scan();
                self.on(Event::Settled { slot });
            }
        }
        if begins && !self.is_polling {
            self.is_polling = true;
            pool.order(Order::Poll);
        }
    }

    fn accept(&mut self, pool: &Pool, arrival: Arrival) {
        let Arrival { slot, mut header, mut payload } = arrival;
        match header.kind {
            Kind::Answer => {}
            Kind::Message => return self.accept_message(pool, slot, &header, &mut payload),
            Kind::Sync => return self.accept_question(slot, &header, &payload),
            _ => return self.note(slot, &header, payload),
        }
        // Of an event that was abandoned nothing is left: what it adds is not the next one's.
        let noted = self.noted(slot);
        let (id, position) = match self.answered_event(slot, &header) {
            Some(Answered::Held(id, position)) => (id, position),
            Some(Answered::Abandoned(held)) => return self.let_go(pool, slot, held),
            None => {
                return self.reject(slot, format!("it answered event {} unasked", header.index));
            }
        };
        let run = header.finished - header.started;
        if let Some(state) = self.run_mut(id) {
            state.share.ran(run);
        }
        let node = self.node_of(id, position);
        let split = (header.split as usize).min(payload.len());
        let is_made = node > 0 && !header.has(flag::FAILED);
        let made = is_made.then(|| self.made(id, node, &header, &payload[..split])).flatten();
        let error = match header.has(flag::FAILED) {
            true => None,
            // Nothing of it counts.
            false if is_made && made.is_none() => Some(GARBAGE),
            false => self.commit(pool, id, noted),
        };
        if let Some(made) = made.filter(|_| error.is_none()) {
            self.on(Event::Answered { slot, task: id, run });
            self.has_answered(pool, slot);
            let answer = (made, payload.len());
            return self.has_made(pool, slot, (id, position, node), &header, answer);
        }
        if let Some(error) = error {
            (header, payload) = failed(header, error);
        }
        let is_failed = header.has(flag::FAILED);
        let is_chosen = is_failed && self.scheduler.is_chosen(slot, id);
        let is_in_turn = header.has(flag::DIRECT)
            && self.tasks.get(id).is_some_and(|task| task.flags & flag::TURN != 0);
        self.on(Event::Answered { slot, task: id, run });
        let split = (header.split as usize).min(payload.len());
        if is_in_turn {
            self.has_ended_in_turn(slot, id, is_failed.then_some(&payload[..split]));
        } else {
            self.has_answered(pool, slot);
        }
        if is_failed {
            let attempt = Attempt {
                worker: self.slots[slot].worker,
                pid: self.pid(slot),
                cause: Cause::Error,
                is_shared: false,
                duration: Some(run),
                error: &payload[..split],
            };
            if self.try_again(pool, slot, (id, position), is_chosen, attempt) {
                return;
            }
        } else if self.goes_on(id) {
            return self.go_on(pool, slot, (id, position), &header, (payload, split));
        }
        let ended = if is_failed { shared::Ended::Failed } else { shared::Ended::Answered };
        self.attempt_ended(id, ended);
        self.deliver_answer(pool, slot, (id, position, node), &header, (payload, split));
    }

    /// The event that an answer is about; none if the worker does not have it.
    fn answered_event(&mut self, slot: usize, header: &Header) -> Option<Answered> {
        let abandoned = |state: &Self, which: &dyn Fn(Held) -> bool| {
            state.scheduler.abandoned(slot, which).map(Answered::Abandoned)
        };
        if header.has(flag::DIRECT) {
            let id = self.slots[slot].connection.as_mut()?.answered(header.index)?;
            return match self.scheduler.origin(slot, id) {
                Some(_) => Some(Answered::Held(id, None)),
                None => abandoned(self, &|held| held.task == id),
            };
        }
        let lane = (header.flags >> flag::LANE_AT) as usize & flag::LANE_MASK as usize;
        let position = self.lanes.position(lane, header.index)?;
        // It may have been claimed a moment ago.
        self.scan();
        match self.scheduler.claimed_at(slot, position) {
            Some(id) => Some(Answered::Held(id, Some(position))),
            None => abandoned(self, &|held| held.origin.position() == Some(position)),
        }
    }

    fn deliver_answer(
        &mut self,
        pool: &Pool,
        slot: usize,
        (id, position, node): (TaskId, Option<Position>, usize),
        header: &Header,
        (mut payload, split): (Bytes, usize),
    ) {
        let mut text = std::mem::take(&mut self.text);
        let flags = self.end(id, position, &mut text);
        let taken = if self.scheduler.is_taken(slot, &mut self.effects) { entry::TAKEN } else { 0 };
        let (worker, is_manual) = (self.slots[slot].worker, self.scheduler.is_manual());
        let Some(run) = self.run_mut(id) else {
            self.text = text;
            return;
        };
        let is_failed = header.has(flag::FAILED);
        let attempts = run.attempts(id).max(1);
        let report = run.retries.as_mut().and_then(|retries| {
            if is_failed {
                return retries.conclude(id, None);
            }
            retries.forget(id);
            None
        });
        run.ended += 1;
        run.record.end(Ended {
            task: id,
            node,
            slot: Some(slot),
            started: Some(header.started),
            finished: header.finished,
            outcome: match header.has(flag::RESPONSE) {
                _ if is_failed => Outcome::Error,
                true => Outcome::Answered,
                false => Outcome::Nothing,
            },
            data: Data { bytes: &text, flags },
            bytes_out: payload.len(),
            error: is_failed.then(|| report.as_deref().unwrap_or(&payload[..split])),
            attempts,
        });
        if !is_failed && let Some(checkpoint) = &mut run.checkpoint {
            write_down(checkpoint, (id, &text, flags), (worker, header), (&payload, split));
        }
        let failed = if is_failed { entry::FAILED } else { 0 };
        let mut rest = Bytes::default();
        let said = Said { flags: header.flags, payload: &mut payload, split, rest: &mut rest };
        let kind = (failed | taken, worker);
        let entry = entry_of_answer(kind, said, (&mut text, flags), report.as_deref());
        let stops = if node > 0 {
            self.has_failed_in_flow(pool, (id, node), flags, &entry)
        } else {
            run.deliver(id, entry, is_manual)
        };
        self.text = text;
        if stops {
            self.stop_for_failure(pool, id);
        }
    }

    fn accept_message(&mut self, pool: &Pool, slot: usize, header: &Header, text: &mut Bytes) {
        // Only a program with one run at a time reads messages among its results.
        let worker = self.slots[slot].worker;
        let Some((&id, run)) = self.runs.iter_mut().next() else { return };
        let failed = if header.has(flag::FAILED) { entry::FAILED } else { 0 };
        let counts = header.has(flag::FAILED | flag::RESPONSE);
        if !run.is_observing && !counts {
            return;
        }
        let response = if counts { entry::RESPONSE } else { 0 };
        let kind = failed | response | entry::MESSAGE;
        let response = Some(Value::out_of(text, format_of(header.flags)));
        if run.hear(Entry { kind, worker, data: None, response }) {
            self.stop_for_failure(pool, crate::core::task_id::first_of(id));
        }
    }

    /// Takes back the events whose place is wanted and was so at the last watch, and whose workers have not read them.
    /// True while there are any such.
    pub(super) fn take_unread(&mut self) -> bool {
        let unread = self.lanes.unread();
        let before = std::mem::replace(&mut self.watch.unread, unread);
        for position in before {
            if !self.watch.unread.contains(&position) {
                continue;
            }
            if let Some(task) = self.lanes.take_unread(position, &mut self.tasks) {
                tracing::debug!(task, "event that was not read is taken back");
                self.leave(task, position.lane);
                self.on(Event::Unclaimed { task });
            }
            self.watch.unread.retain(|other| *other != position);
        }
        !self.watch.unread.is_empty()
    }

    /// An event has ended: puts the text that it came with into `text`, and returns its flags.
    pub(super) fn end(&mut self, id: TaskId, position: Option<Position>, text: &mut Bytes) -> u32 {
        let own = self.tasks.remove(id);
        let flags = if let Some(Origin { text: came, flags, .. }) = self.origin(id) {
            *text = came;
            flags
        } else {
            match (own, position) {
                (Some(task), _) => {
                    *text = task.text;
                    task.flags
                }
                (None, Some(position)) => self.lanes.read(position, text),
                (None, None) => unreachable!("an event that is in no lane is kept until it ends"),
            }
        };
        self.router.ended(id);
        if let Some(position) = position {
            self.lanes.end(position);
        }
        flags
    }

    pub(super) fn pid(&self, slot: usize) -> u32 {
        self.slots[slot].connection.as_ref().map_or(0, |connection| connection.child.pid())
    }
}
