//! For which events there is room, of those for which there was none when they came: `Map` waits for that.

use super::queue::Queue;
use super::types::Place;
use super::{MOST_ROOM, ROOM, Router, To, WINDOW};
use crate::core::task_id::{RunId, TaskId, run_of};

impl Router {
    /// For how many events of an address there is room, with `room` at most for so many a worker.
    pub(super) fn room(&self, to: To, room: usize) -> usize {
        let of_worker = |slot: usize| self.workers[slot].window.clamp(ROOM, MOST_ROOM).min(room);
        self.reach(to).map(of_worker).sum()
    }

    /// The same for events that wait for room. Where there is much, a little of it is not worth a turn of JavaScript.
    fn enough(&self, to: To, room: usize) -> usize {
        let most = self.room(to, room);
        if most > self.reach(to).count() * ROOM { most / 4 * 3 } else { most }
    }

    /// Whether there was no room for some event.
    pub(crate) fn has_blocked(&self) -> bool {
        !self.admitted.is_empty()
            || !self.passed.is_empty()
            || self.queues.values().any(Queue::is_blocked)
    }

    /// An event is to go on elsewhere, for which it comes back; here it [ends](Self::ended). If there was no room for it, there
    /// is when its run has some.
    pub(crate) fn goes_on(&mut self, task: TaskId) {
        let Some(event) = self.events.get_mut(&task).filter(|event| event.is_blocked) else {
            return;
        };
        event.is_blocked = false;
        if let Some(queue) = event.place(task).and_then(|place| self.queues.get_mut(&place)) {
            queue.unblock(task);
        }
        self.passed.push(task);
    }

    /// Whether others are on their way to the same workers as this event, who run many in a moment.
    pub(crate) fn is_one_of_many(&self, task: TaskId) -> bool {
        let Some(place) = self.events.get(&task).and_then(|event| event.place(task)) else {
            return false;
        };
        let has_others = self.queues.get(&place).is_some_and(|queue| queue.count > 1);
        has_others && self.reach(place.to).all(|slot| self.workers[slot].window > WINDOW)
    }

    /// For which events there is room now that there was none for, with `room` for so many of a run a worker.
    pub(crate) fn admit(&mut self, room: impl Fn(RunId) -> usize) -> Vec<TaskId> {
        let mut admitted = std::mem::take(&mut self.admitted);
        self.passed.retain(|&task| {
            let has_room = room(run_of(task)) > 0;
            admitted.extend(has_room.then_some(task));
            !has_room
        });
        let blocked = self.queues.iter().filter(|(_, queue)| queue.is_blocked());
        let limits: Vec<(Place, usize)> =
            blocked.map(|(&place, _)| (place, self.enough(place.to, room(place.run)))).collect();
        for (place, limit) in limits {
            while let Some(task) = self.queues.get_mut(&place).and_then(|it| it.admit(limit)) {
                if let Some(event) = self.events.get_mut(&task) {
                    event.is_blocked = false;
                }
                admitted.push(task);
            }
        }
        admitted
    }
}
