//! Runs whose traces show what their events wait for and hold. While there is none, nothing of that is kept.

use std::sync::Arc;

use super::{Hub, Member, State};
use crate::core::sync::Span;
use crate::core::task_id::{RunId, run_of};

/// What is left for one run.
pub(super) struct Watched {
    /// The pool, and the run there.
    member: u32,
    run: RunId,
    /// How many more are kept.
    room: usize,
    spans: Vec<Span>,
}

/// As long as it lives, waits and holds of a run are kept for it.
#[derive(Debug)]
pub(crate) struct Watch {
    hub: Arc<Hub>,
    number: u32,
}

impl Member {
    /// Keeps what is waited for and held in a run of this member, by its workers outside of events, and by the master: the first
    /// `most` that are over.
    pub(crate) fn watch(&self, run: RunId, most: usize) -> Watch {
        let mut state = self.hub.lock();
        state.last_watch += 1;
        let number = state.last_watch;
        let watched = Watched { member: self.number, run, room: most, spans: Vec::new() };
        state.watches.insert(number, watched);
        state.core.keep_spans(true);
        drop(state);
        Watch { hub: Arc::clone(&self.hub), number }
    }
}

impl Watch {
    /// What is over since the last call.
    pub(crate) fn take(&self) -> Vec<Span> {
        let mut state = self.hub.lock();
        let watched = state.watches.get_mut(&self.number);
        watched.map(|watched| std::mem::take(&mut watched.spans)).unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.watches.remove(&self.number);
        let is_watched = !state.watches.is_empty();
        state.core.keep_spans(is_watched);
    }
}

impl Watched {
    fn is_its(&self, span: &Span, member: Option<u32>) -> bool {
        match span.party.event {
            Some(event) => event.pool == self.member && run_of(event.task) == self.run,
            None => span.who.worker.is_none() || member == Some(self.member),
        }
    }
}

impl State {
    /// Leaves what is over with those who watch.
    pub(super) fn show_spans(&mut self) {
        for span in self.core.take_spans() {
            let member = self.owners.get(&span.party.owner).copied();
            for watched in self.watches.values_mut() {
                if watched.room > 0 && watched.is_its(&span, member) {
                    watched.room -= 1;
                    watched.spans.push(span.clone());
                }
            }
        }
    }
}
