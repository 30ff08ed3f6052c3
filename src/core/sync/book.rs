//! Who waits for what and who holds what: the one table of both, by process, in the order of the questions. What a wait is for
//! decides when it ends; that is not known here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::spans::Spans;
use super::types::{EventName, Out, Party, Who, Words};
use crate::wire::sync::{Mode, Reply, Told};

/// Waits are numbered in the order in which they begin.
pub(super) type Seq = u64;

/// The kinds of things that processes wait for or hold. Names of one kind say nothing of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lock(Mode),
    Barrier,
    Latch,
    Once,
    Limiter,
}

pub(super) fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Lock(_) => "lock",
        Kind::Barrier => "barrier",
        Kind::Latch => "latch",
        Kind::Once => "once",
        Kind::Limiter => "limiter",
    }
}

/// Who takes part in something: an event, or a process outside of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Member {
    Event(EventName),
    Process(u16),
}

impl Party {
    pub(super) fn member(self) -> Member {
        self.event.map_or(Member::Process(self.owner), Member::Event)
    }
}

/// A question that is to be answered.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) party: Party,
    pub(super) id: u32,
    /// The tokens of the callbacks that it stands in.
    pub(super) inside: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Wait {
    pub(super) asker: Asker,
    pub(super) since: f64,
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Grant {
    pub(super) party: Party,
    /// The question that it answered; 0 for what was taken without asking.
    pub(super) question: u32,
    pub(super) since: f64,
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
}

/// What a process's question has come to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stand {
    Waits(Seq),
    Holds(u64),
}

#[derive(Debug)]
struct Owner {
    who: Who,
    /// By the process's own numbers.
    questions: BTreeMap<u32, Stand>,
    held: BTreeSet<u64>,
}

/// What a process waited for and held that is gone, in the order in which that began.
#[derive(Debug, Default)]
pub(super) struct Closed {
    pub(super) waits: Vec<(Seq, Wait)>,
    pub(super) grants: Vec<(u64, Grant)>,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    owners: HashMap<u16, Owner>,
    waits: BTreeMap<Seq, Wait>,
    grants: HashMap<u64, Grant>,
    /// Waits that a cycle may begin with: they stand in a callback.
    attributed: BTreeSet<Seq>,
    last: Seq,
    pub(super) spans: Spans,
}

impl Book {
    pub(super) fn open(&mut self, owner: u16, who: Who) {
        let held = BTreeSet::new();
        self.owners.insert(owner, Owner { who, questions: BTreeMap::new(), held });
    }

    /// Ends all waits and grants of a process.
    pub(super) fn close(&mut self, owner: u16) -> Closed {
        let Some(Owner { who, questions, held }) = self.owners.remove(&owner) else {
            return Closed::default();
        };
        let waits = questions.into_values().filter_map(|stand| {
            let Stand::Waits(seq) = stand else { return None };
            self.attributed.remove(&seq);
            Some((seq, self.waits.remove(&seq)?))
        });
        let mut waits: Vec<_> = waits.collect();
        waits.sort_unstable_by_key(|&(seq, _)| seq);
        let held = held.into_iter().filter_map(|token| Some((token, self.grants.remove(&token)?)));
        let grants: Vec<_> = held.collect();
        for (_, wait) in &waits {
            self.spans.waited(who, wait);
        }
        for (_, grant) in &grants {
            self.spans.held(who, grant);
        }
        Closed { waits, grants }
    }

    pub(super) fn has(&self, owner: u16) -> bool {
        self.owners.contains_key(&owner)
    }

    pub(super) fn who(&self, owner: u16) -> Option<Who> {
        self.owners.get(&owner).map(|owner| owner.who)
    }

    pub(super) fn question(&self, owner: u16, id: u32) -> Option<Stand> {
        self.owners.get(&owner)?.questions.get(&id).copied()
    }

    pub(super) fn wait(&self, seq: Seq) -> Option<&Wait> {
        self.waits.get(&seq)
    }

    pub(super) fn grant(&self, token: u64) -> Option<&Grant> {
        self.grants.get(&token)
    }

    pub(super) fn waits(&self) -> impl Iterator<Item = (Seq, &Wait)> {
        self.waits.iter().map(|(&seq, wait)| (seq, wait))
    }

    /// The waits after one that a cycle may begin with.
    pub(super) fn attributed(&self, after: Seq) -> impl Iterator<Item = (Seq, &Wait)> {
        let all = self.attributed.range(after + 1..);
        all.filter_map(|&seq| Some((seq, self.waits.get(&seq)?)))
    }

    pub(super) fn begin_wait(&mut self, wait: Wait) -> Seq {
        self.last += 1;
        let seq = self.last;
        let Asker { party, id, inside } = &wait.asker;
        if let Some(owner) = self.owners.get_mut(&party.owner) {
            owner.questions.insert(*id, Stand::Waits(seq));
        }
        if !matches!(wait.kind, Kind::Latch | Kind::Limiter) && !inside.is_empty() {
            self.attributed.insert(seq);
        }
        self.waits.insert(seq, wait);
        seq
    }

    pub(super) fn end_wait(&mut self, seq: Seq) -> Option<Wait> {
        let wait = self.waits.remove(&seq)?;
        self.attributed.remove(&seq);
        if let Some(owner) = self.owners.get_mut(&wait.asker.party.owner) {
            owner.questions.remove(&wait.asker.id);
            self.spans.waited(owner.who, &wait);
        }
        Some(wait)
    }

    pub(super) fn begin_grant(&mut self, token: u64, grant: Grant) {
        if let Some(owner) = self.owners.get_mut(&grant.party.owner) {
            owner.held.insert(token);
            if grant.question != 0 {
                owner.questions.insert(grant.question, Stand::Holds(token));
            }
        }
        self.grants.insert(token, grant);
    }

    pub(super) fn end_grant(&mut self, token: u64) -> Option<Grant> {
        let grant = self.grants.remove(&token)?;
        if let Some(owner) = self.owners.get_mut(&grant.party.owner) {
            owner.held.remove(&token);
            let stand = owner.questions.get(&grant.question);
            // The process may have used the number for another question since.
            if matches!(stand, Some(Stand::Holds(held)) if *held == token) {
                owner.questions.remove(&grant.question);
            }
            self.spans.held(owner.who, &grant);
        }
        Some(grant)
    }

    /// How many entries all tables have, processes not counted.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let owned = |owner: &Owner| owner.questions.len() + owner.held.len();
        let owned: usize = self.owners.values().map(owned).sum();
        owned + self.waits.len() + self.grants.len() + self.attributed.len()
    }
}

/// Everything that the parts need beside their own state.
pub(super) struct Desk<'a> {
    pub(super) now: f64,
    pub(super) book: &'a mut Book,
    pub(super) words: &'a mut dyn Words,
    pub(super) out: &'a mut Vec<Out>,
}

/// Why a question fails: the error's class, its code and its text.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) name: &'static str,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn error(code: &'static str, message: String) -> Self {
        Self { name: "Error", code, message }
    }

    pub(super) fn range(code: &'static str, message: String) -> Self {
        Self { name: "RangeError", code, message }
    }
}

impl Desk<'_> {
    pub(super) fn tell(&mut self, owner: u16, id: u32, reply: Reply) {
        self.out.push(Out { owner, told: Told { id, reply }, value: None });
    }

    pub(super) fn reply(&mut self, asker: &Asker, reply: Reply) {
        self.tell(asker.party.owner, asker.id, reply);
    }

    pub(super) fn reply_value(&mut self, asker: &Asker, version: u64, value: &Arc<[u8]>) {
        let told = Told { id: asker.id, reply: Reply::Value { version } };
        let value = Some(Arc::clone(value));
        self.out.push(Out { owner: asker.party.owner, told, value });
    }

    pub(super) fn fail(&mut self, asker: &Asker, failure: Failure) {
        let Failure { name, code, message } = failure;
        self.reply(asker, Reply::Failed { name: name.into(), code: code.into(), message });
    }

    /// The question waits from now on.
    pub(super) fn wait(&mut self, asker: Asker, kind: Kind, name: &Arc<str>) -> Seq {
        let name = Arc::clone(name);
        self.book.begin_wait(Wait { asker, since: self.now, kind, name })
    }

    /// The wait is over, with this reply.
    pub(super) fn end_wait(&mut self, seq: Seq, reply: Reply) {
        if let Some(wait) = self.book.end_wait(seq) {
            self.reply(&wait.asker, reply);
        }
    }

    /// The question is granted something under a new token, which is returned.
    pub(super) fn grant(&mut self, asker: &Asker, kind: Kind, name: &Arc<str>) -> u64 {
        let token = self.words.next_token();
        let Asker { party, id, .. } = *asker;
        let grant = Grant { party, question: id, since: self.now, kind, name: Arc::clone(name) };
        self.book.begin_grant(token, grant);
        token
    }
}

/// The event's number, as programs see it.
pub(super) fn number_of(event: EventName) -> u32 {
    crate::core::task_id::number_of(event.task) as u32
}
