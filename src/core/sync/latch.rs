//! Latches: counted down to 0 by anybody, and waited for. Each call of an event counts once, however often the event is
//! tried. A latch that was counted down stays what it is as long as the program.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::book::{Asker, Desk, Failure, Kind, Seq};
use super::types::{Ended, EventName};
use crate::wire::sync::Reply;

#[derive(Debug)]
struct Latch {
    count: u32,
    left: u32,
    waiting: BTreeSet<Seq>,
}

/// One of an event's calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) n: u32,
    /// The how-many-eth call of its attempt it is.
    pub(super) ordinal: u32,
}

#[derive(Debug, Default)]
pub(super) struct Latches {
    names: HashMap<Arc<str>, Latch>,
    /// The first call of each event that has not counted yet.
    counted: HashMap<EventName, HashMap<Arc<str>, u32>>,
}

impl Latches {
    pub(super) fn count_down(
        &mut self,
        desk: &mut Desk,
        asker: &Asker,
        name: String,
        count: u32,
        step: Step,
    ) {
        let Some((name, latch)) = open(&mut self.names, desk, asker, name, count) else { return };
        let is_new = asker.party.event.is_none_or(|event| {
            let next = self.counted.entry(event).or_default().entry(name).or_default();
            let is_new = step.ordinal >= *next;
            *next = (*next).max(step.ordinal.saturating_add(1));
            is_new
        });
        if is_new {
            latch.left = latch.left.saturating_sub(step.n);
        }
        desk.reply(asker, Reply::Number { number: u64::from(latch.left) });
        if latch.left == 0 {
            for seq in std::mem::take(&mut latch.waiting) {
                desk.end_wait(seq, Reply::Done);
            }
        }
    }

    pub(super) fn wait(&mut self, desk: &mut Desk, asker: Asker, name: String, count: u32) {
        let Some((name, latch)) = open(&mut self.names, desk, &asker, name, count) else { return };
        if latch.left == 0 {
            return desk.reply(&asker, Reply::Done);
        }
        latch.waiting.insert(desk.wait(asker, Kind::Latch, &name));
    }

    /// Somebody does not wait any more.
    pub(super) fn withdraw(&mut self, name: &str, seq: Seq) {
        let Some(latch) = self.names.get_mut(name) else { return };
        latch.waiting.remove(&seq);
        if latch.waiting.is_empty() && latch.left == latch.count {
            self.names.remove(name);
        }
    }

    pub(super) fn event_ended(&mut self, event: EventName, ended: Ended) {
        if ended != Ended::Retried {
            self.counted.remove(&event);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len() + self.counted.len()
    }
}

/// The latch of this name, if its count is this one.
fn open<'a>(
    names: &'a mut HashMap<Arc<str>, Latch>,
    desk: &mut Desk,
    asker: &Asker,
    name: String,
    count: u32,
) -> Option<(Arc<str>, &'a mut Latch)> {
    let name: Arc<str> = name.into();
    let new = || Latch { count, left: count, waiting: BTreeSet::new() };
    let latch = names.entry(Arc::clone(&name)).or_insert_with(new);
    if latch.count == count {
        return Some((name, latch));
    }
    let message = format!(
        "latch {name:?} has the count {}, not {count}: use the same count everywhere",
        latch.count
    );
    desk.fail(asker, Failure::range("ERR_SONIC_LATCH_COUNT", message));
    None
}
