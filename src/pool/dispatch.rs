//! What goes to the workers: effects carried out, events put into lanes and task rings.

use super::Pool;
use super::connection::Connection;
use super::order::Order;
use super::state::State;
use crate::core::event::{Effect, Event};
use crate::core::lifecycle::{Leave, Worker};
use crate::core::task_id::{TaskId, run_of};
use crate::os::clock::clock;
use crate::queue::tasks::Task;
use crate::run::Run;
use crate::wire::channel;
use crate::wire::layout::Shared;
use crate::wire::note::Note;
use crate::wire::protocol::Message;

impl State {
    /// Does what the scheduler wants done, to the end.
    pub(super) fn carry_out(&mut self, pool: &Pool) {
        let mut at = 0;
        while let Some(&effect) = self.effects.get(at) {
            at += 1;
            match effect {
                Effect::Recall { slot } => {
                    let connection = self.slots[slot].connection.as_mut();
                    let unstarted = connection.map_or(0, Connection::recall);
                    // What follows from it comes before the rest, which may be about the same worker.
                    let mut more = Vec::new();
                    self.scheduler.on(Event::Recalled { slot, unstarted }, &mut more);
                    self.effects.splice(at..at, more);
                }
                Effect::Give { slot, task, how } => {
                    if let Some(connection) = self.slots[slot].connection.as_mut() {
                        connection.give(task, how);
                    }
                    if let Some(run) = self.run_mut(task).filter(|run| run.record.has_times()) {
                        run.record.sent(task, clock());
                    }
                }
                Effect::PutBack { task } => self.put_back(pool, task),
                Effect::Fail { slot, task, from } => self.fail_for_slot(pool, slot, task, from),
                Effect::Withhold { slot } => {
                    self.lanes.wake(slot);
                    if let Some(connection) = &self.slots[slot].connection {
                        connection.withhold();
                        // It may be parked, and must see that it leaves.
                        connection.notify();
                    }
                }
                Effect::Release { slot } => self.release(pool, slot),
                Effect::Kill { slot } => self.kill(slot),
            }
        }
        self.effects.clear();
    }

    fn release(&mut self, pool: &Pool, slot: usize) {
        let worker = self.slots[slot].worker;
        let &Worker::Leaving { why, .. } = self.scheduler.worker(slot) else { return };
        let Some(connection) = &self.slots[slot].connection else { return };
        if why == Leave::Recycled {
            self.notes.push(Note::Recycled { worker });
        }
        // A worker that does not take either is gone or going; its exit will say so.
        let _ = connection.send(&Message::Release);
        if why != Leave::Disconnected {
            let _ = connection.send_line(channel::DISCONNECT);
        }
        if let Some(grace) = pool.launch.limits.grace {
            pool.order(Order::EndLingering { slot, pid: connection.child.pid(), grace });
        }
    }

    fn kill(&mut self, slot: usize) {
        let worker = self.slots[slot].worker;
        if let Some(why) = self.scheduler.worker(slot).kill() {
            let text = why.text(worker);
            tracing::debug!(worker, "{text}");
            self.tell_records(|record| record.mark("kill", Some(worker), clock(), || text.clone()));
        }
        if let Some(connection) = &self.slots[slot].connection {
            connection.kill();
        }
    }

    // ---- lanes ----

    /// Takes in an event of `run` that JavaScript cannot put into its lane itself.
    pub(super) fn submit(&mut self, task: TaskId, mut event: Task) {
        let Some(run) = self.runs.get_mut(&run_of(task)) else { return };
        event.queued = if run.record.has_times() { clock() } else { 0.0 };
        self.tasks.keep(task, event);
        run.outlets[0].overflow.push_back(task);
    }

    /// Moves what has no place into the lanes, as far as there is room now.
    pub(super) fn refill(&mut self, pool: &Pool) {
        while let Some(task) = self.returned.pop_front() {
            let Some(event) = self.tasks.remove(task) else { continue };
            let is_in = self.lanes.put_back(task, &event, &mut self.tasks);
            // What came back is kept here until it ends: nothing depends on what workers make of it.
            self.tasks.keep(task, event);
            if !is_in {
                self.returned.push_front(task);
                break;
            }
        }
        self.watch.is_held_off = false;
        let outlets = self.runs.values_mut().flat_map(|run| &mut run.outlets);
        for outlet in outlets.filter(|outlet| !outlet.overflow.is_empty()) {
            if !self.lanes.lane(outlet.lane).take_over() {
                self.watch.is_held_off = true;
                continue;
            }
            while let Some(task) = outlet.overflow.pop_front() {
                let Some(event) = self.tasks.remove(task) else { continue };
                let lane = self.lanes.lane_mut(outlet.lane);
                let is_in = lane.publish(task, &event, &mut self.tasks);
                if !is_in || event.text.len() > Shared::LONGEST {
                    self.tasks.keep(task, event);
                }
                if !is_in {
                    outlet.overflow.push_front(task);
                    break;
                }
            }
        }
        let refused = self.refused();
        // Of a run that is not open every event must be told of at once.
        for lane in 0..Shared::LANES {
            let runs = self.runs.values();
            let all = runs.flat_map(|run| run.outlets.iter().map(move |outlet| (run, outlet)));
            let mut all = all.filter(|(_, outlet)| outlet.lane == lane).peekable();
            if all.peek().is_some() {
                let overflows =
                    all.any(|(run, outlet)| !outlet.overflow.is_empty() || !run.state.is_open());
                let has_nobody = refused & (1 << lane) != 0;
                let lane = self.lanes.lane(lane);
                if !has_nobody {
                    lane.set_overflows(overflows);
                } else if !lane.take_over() || lane.unclaimed() > 0 {
                    // What JavaScript has put in meanwhile is taken back at the next look.
                    self.watch.is_held_off = true;
                }
            }
        }
        if self.watch.is_held_off || !self.lanes.unread().is_empty() {
            self.have_watched(pool);
        }
    }

    /// Moves what is for one worker into its task ring, as far as there is room.
    pub(super) fn pump(&mut self) {
        for slot in &mut self.slots {
            if let Some(connection) = &mut slot.connection {
                connection.pump(&self.tasks);
            }
        }
    }

    // ---- polling ----

    /// A poll for answers, which are taken in after it: from then on those workers notify again that have given none to a
    /// short event since the last.
    pub(super) fn poll(&mut self) {
        for connection in self.slots.iter_mut().filter_map(|slot| slot.connection.as_mut()) {
            connection.stop_poll();
        }
    }

    /// Whether there is to be another poll.
    pub(super) fn goes_on_polling(&mut self) -> bool {
        let is_any = self.connections().any(Connection::is_polled);
        self.is_polling = is_any;
        is_any
    }

    /// Takes back all that no worker has claimed: the program dispatches events itself from now on.
    pub(super) fn be_manual(&mut self, pool: &Pool) {
        self.lanes.take_back(|_, _| true);
        self.scan();
        self.carry_out(pool);
        let overflow = self.runs.values_mut().flat_map(Run::take_overflow);
        let waiting = self.returned.drain(..).chain(overflow).collect();
        self.on(Event::Manual { waiting });
    }
}
