//! Locks after the specification of Web Locks: one queue for each name, first come first served, with shared and exclusive
//! holders, limits and stealing. A name that nobody holds or waits for is not known here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::book::{Asker, Desk, Failure, Grant, Kind, Seq, number_of};
use super::statistics::Statistics;
use super::types::{Holder, LockStatistics, Party};
use crate::wire::sync::{Info, Mode, Reply};

/// What is asked for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) limit: Option<u32>,
    pub(super) manner: Manner,
}

/// What is to happen if it is not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Wait,
    IfAvailable,
    Steal,
}

/// A lock that is held or waited for.
#[derive(Debug)]
pub(super) struct Lock {
    /// The mode of all who hold it.
    mode: Mode,
    /// How many may hold it; None if it is no semaphore.
    limit: Option<u32>,
    /// By token, so in the order in which they were granted.
    holders: BTreeSet<u64>,
    queue: BTreeMap<Seq, Mode>,
}

impl Lock {
    /// What the core knows of a lock that it has not known: who had taken it without asking.
    fn adopt(desk: &mut Desk, name: &Arc<str>, limit: Option<u32>) -> Self {
        let (holders, queue) = (BTreeSet::new(), BTreeMap::new());
        let mut lock = Self { mode: Mode::Exclusive, limit, holders, queue };
        let holder = desk.words.adopt(name);
        // A process wrote it: it may be anything.
        let Some(mut holder) = holder.filter(|holder| desk.book.has(holder.owner)) else {
            return lock;
        };
        if desk.book.grant(holder.token).is_some() {
            holder.token = desk.words.next_token();
        }
        let Holder { owner, event, token, since } = holder;
        let (party, name) = (Party { owner, event }, Arc::clone(name));
        let kind = Kind::Lock(Mode::Exclusive);
        desk.book.begin_grant(token, Grant { party, question: 0, since, kind, name });
        lock.limit = None;
        lock.holders.insert(token);
        lock
    }

    /// Whether one more may hold it beside those who do.
    fn has_room(&self, mode: Mode) -> bool {
        match self.limit {
            _ if self.holders.is_empty() => true,
            Some(limit) => self.holders.len() < limit as usize,
            None => self.mode == Mode::Shared && mode == Mode::Shared,
        }
    }

    fn grant(&mut self, desk: &mut Desk, name: &Arc<str>, asker: &Asker, mode: Mode) {
        let token = desk.grant(asker, Kind::Lock(mode), name);
        self.mode = mode;
        self.holders.insert(token);
        let mut place = None;
        if self.limit.is_none() && mode == Mode::Exclusive {
            let Party { owner, event } = asker.party;
            place = desk.words.hold(name, &Holder { owner, event, token, since: desk.now });
        }
        desk.reply(asker, Reply::Granted { token, place });
    }

    pub(super) fn is_semaphore(&self) -> bool {
        self.limit.is_some()
    }

    pub(super) fn holders(&self) -> impl Iterator<Item = u64> {
        self.holders.iter().copied()
    }

    /// Who waits, in their order.
    pub(super) fn queue(&self) -> impl Iterator<Item = (Seq, Mode)> {
        self.queue.iter().map(|(&seq, &mode)| (seq, mode))
    }
}

#[derive(Debug, Default)]
pub(super) struct Locks {
    names: HashMap<Arc<str>, Lock>,
    statistics: Statistics,
}

impl Locks {
    pub(super) fn request(&mut self, desk: &mut Desk, asker: Asker, request: Request) {
        let Request { name, mode, limit, manner } = request;
        let name: Arc<str> = name.into();
        let new = || Lock::adopt(desk, &name, limit);
        let lock = self.names.entry(Arc::clone(&name)).or_insert_with(new);
        if let Err(failure) = check(&name, lock, mode, limit) {
            desk.fail(&asker, failure);
            return self.settle(desk, &name);
        }
        if manner == Manner::Steal {
            for token in std::mem::take(&mut lock.holders) {
                if let Some(Grant { party, since, .. }) = desk.book.end_grant(token) {
                    self.statistics.released(&name, desk.now - since);
                    desk.tell(party.owner, 0, Reply::Stolen { token });
                }
            }
        }
        if manner == Manner::Steal || (lock.queue.is_empty() && lock.has_room(mode)) {
            lock.grant(desk, &name, &asker, mode);
            self.statistics.granted(&name, 0.0);
        } else if manner == Manner::IfAvailable {
            desk.reply(&asker, Reply::Unavailable);
        } else {
            lock.queue.insert(desk.wait(asker, Kind::Lock(mode), &name), mode);
        }
    }

    /// A process says that a grant of its own is over.
    pub(super) fn unlock(&mut self, desk: &mut Desk, owner: u16, token: u64) {
        let is_own =
            |grant: &Grant| grant.party.owner == owner && matches!(grant.kind, Kind::Lock(_));
        if desk.book.grant(token).is_some_and(is_own)
            && let Some(grant) = desk.book.end_grant(token)
        {
            self.release(desk.now, token, &grant);
            self.settle(desk, &grant.name);
        }
    }

    /// A grant is over; what follows is [settled](Self::settle) later.
    pub(super) fn release(&mut self, now: f64, token: u64, grant: &Grant) {
        if let Some(lock) = self.names.get_mut(&grant.name) {
            lock.holders.remove(&token);
        }
        self.statistics.released(&grant.name, now - grant.since);
    }

    /// A request does not wait any more; what follows is [settled](Self::settle) later.
    pub(super) fn withdraw(&mut self, name: &str, seq: Seq) {
        if let Some(lock) = self.names.get_mut(name) {
            lock.queue.remove(&seq);
        }
    }

    /// Grants what can be granted, and forgets the name if nobody needs it.
    pub(super) fn settle(&mut self, desk: &mut Desk, name: &Arc<str>) {
        let Some(lock) = self.names.get_mut(name) else { return };
        while let Some((&seq, &mode)) = lock.queue.first_key_value()
            && lock.has_room(mode)
        {
            lock.queue.pop_first();
            if let Some(wait) = desk.book.end_wait(seq) {
                lock.grant(desk, name, &wait.asker, mode);
                self.statistics.granted(name, desk.now - wait.since);
            }
        }
        if lock.holders.is_empty() {
            self.names.remove(name);
            desk.words.free(name);
        }
    }

    /// All who hold locks and all who wait for them, in the order of the grants and of the requests.
    pub(super) fn snapshot(&self, desk: &Desk) -> Reply {
        let info = |name: &str, mode, Party { owner, event }| {
            let (worker, pid) = desk.book.who(owner).map_or((None, 0), |who| (who.worker, who.pid));
            let client_id = format!("{pid}-{owner}");
            Info {
                name: name.to_owned(),
                mode,
                client_id,
                worker,
                pid,
                event: event.map(number_of),
            }
        };
        let mut held: Vec<(u64, Info)> = Vec::new();
        let mut pending: Vec<(Seq, Info)> = Vec::new();
        for (name, Holder { owner, event, token, .. }) in desk.words.unmanaged() {
            if desk.book.has(owner) {
                held.push((token, info(&name, Mode::Exclusive, Party { owner, event })));
            }
        }
        for (name, lock) in &self.names {
            let grants =
                lock.holders.iter().filter_map(|&token| Some((token, desk.book.grant(token)?)));
            held.extend(grants.map(|(token, grant)| (token, info(name, lock.mode, grant.party))));
            let waits =
                lock.queue().filter_map(|(seq, mode)| Some((seq, mode, desk.book.wait(seq)?)));
            pending
                .extend(waits.map(|(seq, mode, wait)| (seq, info(name, mode, wait.asker.party))));
        }
        held.sort_unstable_by_key(|&(token, _)| token);
        pending.sort_unstable_by_key(|&(seq, _)| seq);
        let all = |list: Vec<(u64, Info)>| list.into_iter().map(|(_, info)| info).collect();
        Reply::Snapshot { held: all(held), pending: all(pending) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Lock> {
        self.names.get(name)
    }

    pub(super) fn statistics(&self) -> Vec<LockStatistics> {
        self.statistics.list()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

/// All that hold a lock or wait for it say the same limit.
fn check(name: &str, lock: &Lock, mode: Mode, limit: Option<u32>) -> Result<(), Failure> {
    const CODE: &str = "ERR_SONIC_LOCK_LIMIT";
    let said = |limit: Option<u32>| limit.map_or("no limit".to_owned(), |it| format!("limit {it}"));
    if limit.is_some_and(|limit| limit == 0 || mode == Mode::Shared) {
        let message = format!("a limit is 1 or more, and for exclusive requests: lock {name:?}");
        return Err(Failure::range(CODE, message));
    }
    if lock.limit != limit {
        let (asked, used) = (said(limit), said(lock.limit));
        let message = format!(
            "lock {name:?} was requested with {asked}, but is in use with {used}: use the same limit in all requests"
        );
        return Err(Failure::range(CODE, message));
    }
    Ok(())
}
