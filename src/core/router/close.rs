//! Events that leave the router unrun: withdrawn with their run, or without a worker since theirs was given up.

use super::types::Place;
use super::{Router, To};
use crate::core::task_id::TaskId;

impl Router {
    /// Takes out those that wait here of the events that are `meant`. They have yet to end.
    pub(crate) fn withdraw(&mut self, meant: impl Fn(TaskId) -> bool) -> Vec<TaskId> {
        let mut tasks = Vec::new();
        let queues = self.queues.values_mut().map(|queue| &mut queue.waiting);
        for list in queues.chain(self.keys.values_mut().map(|key| &mut key.waiting)) {
            tasks.extend(list.iter().copied().filter(|&task| meant(task)));
            list.retain(|&task| !meant(task));
        }
        tasks.sort_unstable();
        tasks
    }

    /// Nothing is started in `slot` any more: what was for its worker alone is for others. Returns those that wait here and
    /// that no worker will ever run. They have yet to end.
    pub(crate) fn close(&mut self, slot: usize) -> Vec<TaskId> {
        self.workers[slot].is_closed = true;
        self.refuses_others = self.refusal().is_some();
        let nobody = |to: To| self.is_to(slot, to) && self.reach(to).next().is_none();
        let all = self.queues.keys().copied();
        let empty: Vec<Place> = all.filter(|place| nobody(place.to)).collect();
        let mut lost = Vec::new();
        for place in empty {
            lost.extend(self.readdress(place));
        }
        let events = &self.events;
        for key in self.keys.values_mut() {
            let is_lost = |task: &TaskId| events.get(task).is_some_and(|event| event.to.is_none());
            lost.extend(key.waiting.iter().filter(|task| is_lost(task)));
            key.waiting.retain(|task| !is_lost(task));
        }
        lost.sort_unstable();
        lost
    }

    /// Nobody is at this address any more. Returns those of its queue that no worker will ever run.
    fn readdress(&mut self, from: Place) -> Vec<TaskId> {
        let Some(queue) = self.queues.remove(&from) else { return Vec::new() };
        let at_it = self.events.iter().filter(|&(&task, event)| event.place(task) == Some(from));
        let mut tasks: Vec<TaskId> = at_it.map(|(&task, _)| task).collect();
        tasks.sort_unstable();
        for &task in &tasks {
            let event = &self.events[&task];
            let to = self.address(&event.tags, event.key.as_deref()).ok();
            let Some(event) = self.events.get_mut(&task) else { continue };
            event.to = to;
            // If it is, the pool takes it back.
            event.is_offered = false;
            match event.place(task) {
                Some(to) => self.queues.entry(to).or_default().adopt(task, event.is_blocked),
                None if std::mem::take(&mut event.is_blocked) => self.admitted.push(task),
                None => {}
            }
        }
        let mut lost = Vec::new();
        for task in queue.waiting {
            match self.events.get(&task).and_then(|event| event.place(task)) {
                Some(to) => self.queues.entry(to).or_default().waiting.push_back(task),
                None => lost.push(task),
            }
        }
        lost
    }
}
