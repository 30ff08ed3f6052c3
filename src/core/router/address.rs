//! Which workers an event may run on, by its tags and its key.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Group, Router, To};
use crate::core::error::Error;

impl Router {
    pub(super) fn address(&self, tags: &[String], key: Option<&str>) -> Result<To, Error> {
        let groups = To::Groups(self.groups_for(tags));
        let best = match key {
            None => self.reach(groups).next().map(|_| groups),
            Some(key) => self
                .reach(groups)
                .max_by_key(|&slot| hash(key, self.workers[slot].id))
                .map(To::Slot),
        };
        best.ok_or_else(|| self.no_worker(tags))
    }

    /// Those that may run an event with these tags, a bit each.
    pub(crate) fn groups_for(&self, tags: &[String]) -> u32 {
        let has_all = |group: &Group| {
            let is_for_all = !tags.is_empty() || !group.is_exclusive;
            is_for_all && tags.iter().all(|tag| group.tags.contains(tag))
        };
        let fitting = self.groups.iter().enumerate().filter(|(_, group)| has_all(group));
        fitting.map(|(at, _)| 1 << at).sum()
    }

    /// Why no worker runs events with these tags.
    pub(super) fn no_worker(&self, tags: &[String]) -> Error {
        let are_gone = self.groups_for(tags) != 0;
        let is_unknown = |tag: &&String| !self.groups.iter().any(|group| group.tags.contains(tag));
        let unknown = tags.iter().find(is_unknown);
        let named = |tags: &[String]| {
            let quoted: Vec<String> = tags.iter().map(|tag| format!("{tag:?}")).collect();
            quoted.join(" and ")
        };
        Error::NoWorker(match (tags, unknown) {
            ([], _) if are_gone => "the last worker that is not exclusive was given up".into(),
            ([], _) => "all workers are exclusive: they run only events with tags of theirs".into(),
            (_, Some(unknown)) => {
                let mut known: Vec<String> =
                    self.groups.iter().flat_map(|group| group.tags.clone()).collect();
                known.sort_unstable();
                known.dedup();
                let known = if known.is_empty() { "no tags at all".into() } else { named(&known) };
                format!("no worker has the tag {unknown:?}; the workers have {known}")
            }
            _ if are_gone => format!("the last worker with {} was given up", named(tags)),
            _ => format!("no worker has {} together", named(tags)),
        })
    }
}

/// How well a worker suits a key. It is the same in every run of a program.
fn hash(key: &str, worker: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (key, worker).hash(&mut hasher);
    hasher.finish()
}
