//! Everything that processes share, by kind: a question goes to its part, and so does the end of a wait or a grant.

use std::collections::HashSet;
use std::sync::Arc;

use super::barrier::Barriers;
use super::book::{Asker, Closed, Desk, Grant, Kind, Seq, Stand, Wait};
use super::latch::{Latches, Step};
use super::limiter::{Limiters, Options};
use super::locks::{Locks, Manner, Request};
use super::once::Onces;
use super::store::{Key, Stores};
use super::types::{Ended, EventName};
use crate::wire::sync::Ask;

#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) locks: Locks,
    pub(super) barriers: Barriers,
    pub(super) latches: Latches,
    pub(super) onces: Onces,
    pub(super) limiters: Limiters,
    pub(super) stores: Stores,
    /// Processes that came to barriers and latches outside of events: they may do so again.
    pub(super) outsiders: HashSet<u16>,
}

impl Parts {
    pub(super) fn ask(&mut self, desk: &mut Desk, asker: Asker, ask: Ask, value: Arc<[u8]>) {
        let owner = asker.party.owner;
        match ask {
            Ask::Lock { name, mode, limit, if_available, steal } => {
                let manner = match (if_available, steal) {
                    (_, true) => Manner::Steal,
                    (true, false) => Manner::IfAvailable,
                    (false, false) => Manner::Wait,
                };
                self.locks.request(desk, asker, Request { name, mode, limit, manner });
            }
            Ask::Unlock { token, .. } => self.locks.unlock(desk, owner, token),
            Ask::Cancel { question } => self.cancel(desk, owner, question),
            Ask::Query => {
                let snapshot = self.locks.snapshot(desk);
                desk.reply(&asker, snapshot);
            }
            Ask::Barrier { name, parties } => {
                self.note_outsider(&asker);
                self.barriers.wait(desk, asker, name, parties);
            }
            Ask::CountDown { name, count, n, ordinal } => {
                self.note_outsider(&asker);
                self.latches.count_down(desk, &asker, name, count, Step { n, ordinal });
            }
            Ask::Latch { name, count } => self.latches.wait(desk, asker, name, count),
            Ask::Once { name } => self.onces.request(desk, asker, name),
            Ask::OnceDone { token, .. } => self.onces.done(desk, owner, token, value),
            Ask::OnceFailed { token, .. } => self.onces.failed(desk, owner, token),
            Ask::Take { name, tokens, per, burst, n } => {
                self.limiters.take(desk, asker, name, Options { tokens, per, burst }, n);
            }
            Ask::Get { name, key } => self.stores.get(desk, &asker, &Key { name, key }),
            Ask::Set { name, key, if_version } => {
                self.stores.set(desk, &asker, Key { name, key }, value, if_version);
            }
            Ask::Delete { name, key } => self.stores.delete(desk, &asker, &Key { name, key }),
        }
    }

    fn note_outsider(&mut self, asker: &Asker) {
        if asker.party.event.is_none() {
            self.outsiders.insert(asker.party.owner);
        }
    }

    /// A question waits no more, or what it was granted is over.
    fn cancel(&mut self, desk: &mut Desk, owner: u16, question: u32) {
        match desk.book.question(owner, question) {
            Some(Stand::Waits(seq)) => {
                if let Some(wait) = desk.book.end_wait(seq) {
                    self.withdraw(desk, seq, &wait);
                    self.settle(desk, wait.kind, &wait.name);
                }
            }
            Some(Stand::Holds(token)) => {
                if let Some(grant) = desk.book.end_grant(token) {
                    self.release(desk, token, &grant);
                    self.settle(desk, grant.kind, &grant.name);
                }
            }
            None => {}
        }
    }

    /// A process is gone, with these waits and grants.
    pub(super) fn owner_gone(&mut self, desk: &mut Desk, owner: u16, closed: &Closed) {
        let Closed { waits, grants } = closed;
        self.outsiders.remove(&owner);
        for (seq, wait) in waits {
            self.withdraw(desk, *seq, wait);
        }
        for (token, grant) in grants {
            self.release(desk, *token, grant);
        }
        for (_, Grant { kind, name, .. }) in grants {
            self.settle(desk, *kind, name);
        }
        for (_, Wait { kind, name, .. }) in waits {
            self.settle(desk, *kind, name);
        }
        self.barriers.owner_gone(desk, owner);
    }

    pub(super) fn event_ended(&mut self, desk: &mut Desk, event: EventName, ended: Ended) {
        self.barriers.event_ended(desk, event, ended);
        self.latches.event_ended(event, ended);
        self.onces.event_ended(desk, event);
    }

    /// Something waits no more. Others may be [next](Self::settle).
    pub(super) fn withdraw(&mut self, desk: &mut Desk, seq: Seq, wait: &Wait) {
        let name = &wait.name;
        match wait.kind {
            Kind::Lock(_) => self.locks.withdraw(name, seq),
            Kind::Barrier => self.barriers.withdraw(name, wait.asker.party.member(), seq),
            Kind::Latch => self.latches.withdraw(name, seq),
            Kind::Once => self.onces.withdraw(name, seq),
            Kind::Limiter => self.limiters.withdraw(desk, name, seq),
        }
    }

    /// A grant is over. Others may be [next](Self::settle).
    fn release(&mut self, desk: &mut Desk, token: u64, grant: &Grant) {
        match grant.kind {
            Kind::Lock(_) => self.locks.release(desk.now, token, grant),
            _ => self.onces.release(token, grant),
        }
    }

    /// Whoever is next goes on.
    pub(super) fn settle(&mut self, desk: &mut Desk, kind: Kind, name: &Arc<str>) {
        match kind {
            Kind::Lock(_) => self.locks.settle(desk, name),
            Kind::Once => self.onces.settle(desk, name),
            Kind::Barrier | Kind::Latch | Kind::Limiter => {}
        }
    }
}
