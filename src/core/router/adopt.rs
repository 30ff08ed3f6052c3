//! Events that come here out of a lane of their own, and how many events of a run there are beside them.

use super::Router;
use super::types::Routed;
use crate::core::task_id::{RunId, TaskId, run_of};

impl Router {
    /// How many events of a run were handed to it and have not ended.
    pub(crate) fn count(&self, run: RunId) -> usize {
        self.runs.get(&run).map_or(0, |count| count.all - count.adopted)
    }

    /// Whether it has some event of a run.
    pub(crate) fn has_any(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// Takes over an event that was in a lane of its own, and comes back or is about to.
    pub(crate) fn adopt(&mut self, task: TaskId, tags: &[String]) {
        let to = self.address(tags, None).ok();
        let count = self.runs.entry(run_of(task)).or_default();
        count.all += 1;
        count.adopted += 1;
        let event = Routed {
            tags: tags.to_vec(),
            priority: 0,
            key: None,
            to,
            is_offered: false,
            is_blocked: false,
            is_adopted: true,
        };
        if let Some(place) = event.place(task) {
            self.queues.entry(place).or_default().adopt(task, false);
        }
        self.events.insert(task, event);
    }

    pub(super) fn uncount(&mut self, run: RunId, is_adopted: bool) {
        if let Some(count) = self.runs.get_mut(&run) {
            count.all -= 1;
            count.adopted -= usize::from(is_adopted);
            if count.all == 0 {
                self.runs.remove(&run);
            }
        }
    }
}
