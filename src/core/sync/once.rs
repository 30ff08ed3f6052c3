//! Values that are made once in a program: one process makes it, the others wait for it. If that fails, or the process or
//! the event ends before, the next that waits makes it. A value stays as long as the program.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::book::{Asker, Desk, Grant, Kind, Seq};
use super::types::EventName;
use crate::wire::sync::Reply;

#[derive(Debug)]
enum Once {
    Runs { token: u64, waiting: BTreeSet<Seq> },
    Done(Arc<[u8]>),
}

#[derive(Debug, Default)]
pub(super) struct Onces {
    names: HashMap<Arc<str>, Once>,
    /// What events make, by token.
    events: HashMap<EventName, BTreeSet<u64>>,
}

impl Onces {
    pub(super) fn request(&mut self, desk: &mut Desk, asker: Asker, name: String) {
        let name: Arc<str> = name.into();
        match self.names.get_mut(&name) {
            Some(Once::Done(value)) => desk.reply_value(&asker, 1, value),
            Some(Once::Runs { waiting, .. }) => {
                waiting.insert(desk.wait(asker, Kind::Once, &name));
            }
            None => self.run(desk, &name, &asker, BTreeSet::new()),
        }
    }

    fn run(&mut self, desk: &mut Desk, name: &Arc<str>, asker: &Asker, waiting: BTreeSet<Seq>) {
        let token = desk.grant(asker, Kind::Once, name);
        if let Some(event) = asker.party.event {
            self.events.entry(event).or_default().insert(token);
        }
        self.names.insert(Arc::clone(name), Once::Runs { token, waiting });
        desk.reply(asker, Reply::Run { token });
    }

    /// A process has made a value.
    pub(super) fn done(&mut self, desk: &mut Desk, owner: u16, token: u64, value: Arc<[u8]>) {
        let Some(grant) = self.end(desk, owner, token) else { return };
        let done = self.names.insert(Arc::clone(&grant.name), Once::Done(Arc::clone(&value)));
        let Some(Once::Runs { waiting, .. }) = done else { return };
        for seq in waiting {
            if let Some(wait) = desk.book.end_wait(seq) {
                desk.reply_value(&wait.asker, 1, &value);
            }
        }
    }

    /// A process could not make it.
    pub(super) fn failed(&mut self, desk: &mut Desk, owner: u16, token: u64) {
        if let Some(grant) = self.end(desk, owner, token) {
            self.settle(desk, &grant.name);
        }
    }

    /// Whatever the event was making is made by others.
    pub(super) fn event_ended(&mut self, desk: &mut Desk, event: EventName) {
        for token in self.events.remove(&event).unwrap_or_default() {
            if let Some(grant) = desk.book.end_grant(token) {
                self.settle(desk, &grant.name);
            }
        }
    }

    fn end(&mut self, desk: &mut Desk, owner: u16, token: u64) -> Option<Grant> {
        let grant = desk.book.grant(token)?;
        if grant.party.owner != owner || grant.kind != Kind::Once {
            return None;
        }
        let grant = desk.book.end_grant(token)?;
        self.release(token, &grant);
        Some(grant)
    }

    /// A grant is over; [`Self::settle`] follows.
    pub(super) fn release(&mut self, token: u64, grant: &Grant) {
        let Some(event) = grant.party.event else { return };
        if let Some(tokens) = self.events.get_mut(&event) {
            tokens.remove(&token);
            if tokens.is_empty() {
                self.events.remove(&event);
            }
        }
    }

    /// If nobody makes it, the first that waits does.
    pub(super) fn settle(&mut self, desk: &mut Desk, name: &Arc<str>) {
        let is_made = |token: u64| desk.book.grant(token).is_some();
        if self.runner(name).is_none_or(is_made) {
            return;
        }
        let Some(Once::Runs { mut waiting, .. }) = self.names.remove(name) else { return };
        while let Some(seq) = waiting.pop_first() {
            if let Some(wait) = desk.book.end_wait(seq) {
                return self.run(desk, name, &wait.asker, waiting);
            }
        }
    }

    pub(super) fn withdraw(&mut self, name: &str, seq: Seq) {
        if let Some(Once::Runs { waiting, .. }) = self.names.get_mut(name) {
            waiting.remove(&seq);
        }
    }

    /// The token of who makes it.
    pub(super) fn runner(&self, name: &str) -> Option<u64> {
        match self.names.get(name)? {
            Once::Runs { token, .. } => Some(*token),
            Once::Done(_) => None,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len() + self.events.len()
    }
}
