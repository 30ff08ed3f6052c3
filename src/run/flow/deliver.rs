//! Where the entries of a flow go: each by itself, or those of an event of the source together, which may be written down.

use super::{Ended, Flow, Lineage, Place, written};
use crate::checkpoint;
use crate::core::task_id::{TaskId, number_of};
use crate::observe::record::Outcome;
use crate::run::Run;
use crate::run::results::{Entry, entry};
use crate::run::value::Value;
use crate::shm::ring::MAX_PAYLOAD;

impl Run {
    /// An item of a flow has come to a sink: it is an entry of this kind, unless it is `undefined`.
    pub(crate) fn has_come(
        &mut self,
        flow: &mut Flow,
        (kind, worker): (u32, u32),
        sink: usize,
        item: Option<Value<'_>>,
    ) {
        if item.is_none() {
            return;
        }
        let kind = kind | entry::RESPONSE | (sink as u32) << entry::PLACE_AT;
        let place = flow.lineage.as_mut().map(Lineage::next_place);
        // Only failures stop a run.
        let _ = self.deliver_of(flow, place, Entry { kind, worker, data: None, response: item });
    }

    /// Puts an entry of a flow where it belongs. True if the run is to be stopped for it.
    #[must_use]
    pub(crate) fn deliver_of(
        &mut self,
        flow: &mut Flow,
        place: Option<Place>,
        entry: Entry<'_>,
    ) -> bool {
        let (Some(lineage), Some(place)) = (&mut flow.lineage, place) else {
            return self.deliver(TaskId::MAX, entry, false);
        };
        let is_shown = self.is_observing && self.stream.is_some();
        self.observed.extend(is_shown.then(|| entry.lent()));
        lineage.hold(place, entry);
        false
    }

    /// An event of a flow's source has ended with all that descends from it. `is_manual`: as above. True if the run is to be stopped
    /// for it.
    #[must_use]
    pub(crate) fn deliver_all(&mut self, ended: Ended, is_manual: bool) -> bool {
        let Ended { root, entries, digest } = ended;
        // Of a run that was stopped, what its events made is lost.
        let digest = digest.filter(|_| self.state.is_open());
        if let (Some(checkpoint), Some(digest)) = (&mut self.checkpoint, digest) {
            let payload = written(&entries);
            let number = number_of(root);
            // A longer one would be nobody's: the event runs again.
            if payload.len() <= MAX_PAYLOAD {
                let payload = &payload;
                let (worker, flags, split) = (0, 0, 0);
                checkpoint.write(&checkpoint::Record {
                    number,
                    digest,
                    worker,
                    flags,
                    split,
                    payload,
                });
            }
        }
        self.deliver_entries(root, entries, is_manual)
    }

    /// Puts all entries of an event of a flow's source where they belong. True if the run is to be stopped for it.
    #[must_use]
    fn deliver_entries(&mut self, id: TaskId, entries: Vec<Entry<'_>>, is_manual: bool) -> bool {
        let all = is_manual.then(|| self.words.handed_over());
        if let Some(stream) = &mut self.stream {
            stream.ended(id, entries, all, &mut self.results);
            return false;
        }
        let mut stops = false;
        for entry in entries {
            stops |= self.enqueue(entry);
        }
        stops
    }

    /// An event of a flow's source has ended whose entries were written down before.
    pub(crate) fn resume_in_flow(
        &mut self,
        id: TaskId,
        entries: Vec<Entry<'static>>,
        bytes: usize,
        is_manual: bool,
    ) {
        self.ended += 1;
        self.record.resumed(Outcome::Answered, bytes);
        if let Some(flow) = &mut self.flow {
            flow.resumed();
        }
        if self.is_observing && self.stream.is_some() {
            self.observed.extend(entries.iter().map(Entry::lent));
        }
        // No run is stopped for an event that has not failed.
        let _ = self.deliver_entries(id, entries, is_manual);
    }
}
