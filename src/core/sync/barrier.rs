//! Barriers: as many as are to come wait until all have come; then all go on, and the next may come. Who takes part is an event,
//! or a process outside of events.
//!
//! Who fails while it waits is withdrawn. Who fails after it went on cannot do what the others count on: that breaks the
//! barrier for those who went on with it, and for all who wait, until the events of all of them have ended.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::book::{Asker, Desk, Failure, Kind, Member, Seq, number_of};
use super::types::{Ended, EventName};
use crate::wire::sync::Reply;

const BROKEN: &str = "ERR_SONIC_BARRIER_BROKEN";

#[derive(Debug)]
struct Barrier {
    parties: u32,
    waiting: BTreeSet<Seq>,
    /// How often all have come.
    generation: u64,
    /// Who has passed, and the last time that it did.
    passed: HashMap<Member, u64>,
    /// What broke a generation.
    broken: HashMap<u64, String>,
}

/// What somebody who takes part has to do with barriers.
#[derive(Debug)]
struct Part {
    owner: u16,
    waits: BTreeSet<Seq>,
    passed: HashSet<Arc<str>>,
}

#[derive(Debug, Default)]
pub(super) struct Barriers {
    names: HashMap<Arc<str>, Barrier>,
    members: HashMap<Member, Part>,
}

impl Barriers {
    pub(super) fn wait(&mut self, desk: &mut Desk, asker: Asker, name: String, parties: u32) {
        let name: Arc<str> = name.into();
        let new = || Barrier {
            parties,
            waiting: BTreeSet::new(),
            generation: 0,
            passed: HashMap::new(),
            broken: HashMap::new(),
        };
        if parties == 0 {
            return desk.fail(&asker, mismatch(format!("barrier {name:?} needs 1 party or more")));
        }
        let barrier = self.names.entry(Arc::clone(&name)).or_insert_with(new);
        if barrier.parties != parties {
            let used = barrier.parties;
            let message = format!(
                "barrier {name:?} is in use with {used} parties, not {parties}: use the same number everywhere"
            );
            return desk.fail(&asker, mismatch(message));
        }
        let member = asker.party.member();
        let broken = barrier.passed.get(&member).and_then(|last| barrier.broken.get(last));
        if let Some(why) = broken {
            let failure = Failure::error(BROKEN, broken_text(&name, why));
            return desk.fail(&asker, failure);
        }
        let owner = asker.party.owner;
        let new = || Part { owner, waits: BTreeSet::new(), passed: HashSet::new() };
        let part = self.members.entry(member).or_insert_with(new);
        part.owner = owner;
        let seq = desk.wait(asker, Kind::Barrier, &name);
        part.waits.insert(seq);
        barrier.waiting.insert(seq);
        if barrier.waiting.len() == parties as usize {
            self.pass(desk, &name);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How many have come, of how many.
    pub(super) fn count(&self, name: &str) -> Option<(usize, u32)> {
        let barrier = self.names.get(name)?;
        Some((barrier.waiting.len(), barrier.parties))
    }

    /// All have come.
    fn pass(&mut self, desk: &mut Desk, name: &Arc<str>) {
        let Some(barrier) = self.names.get_mut(name) else { return };
        barrier.generation += 1;
        for (number, seq) in (0..).zip(std::mem::take(&mut barrier.waiting)) {
            let Some(wait) = desk.book.end_wait(seq) else { continue };
            desk.reply(&wait.asker, Reply::Number { number });
            let member = wait.asker.party.member();
            barrier.passed.insert(member, barrier.generation);
            if let Some(part) = self.members.get_mut(&member) {
                part.waits.remove(&seq);
                part.passed.insert(Arc::clone(name));
            }
        }
        barrier.forget_generations();
    }

    /// Somebody does not wait any more.
    pub(super) fn withdraw(&mut self, name: &str, member: Member, seq: Seq) {
        if let Some(part) = self.members.get_mut(&member) {
            part.waits.remove(&seq);
            if part.waits.is_empty() && part.passed.is_empty() {
                self.members.remove(&member);
            }
        }
        if let Some(barrier) = self.names.get_mut(name) {
            barrier.waiting.remove(&seq);
        }
        self.forget(name);
    }

    pub(super) fn event_ended(&mut self, desk: &mut Desk, event: EventName, ended: Ended) {
        let member = Member::Event(event);
        let Some(part) = self.members.get(&member) else { return };
        for seq in part.waits.clone() {
            let Some(wait) = desk.book.end_wait(seq) else { continue };
            self.withdraw(&wait.name, member, seq);
            // It may still run in its process: it must not wait for ever.
            if ended != Ended::Answered {
                let message = format!("the event has ended that waited at barrier {:?}", wait.name);
                desk.fail(&wait.asker, Failure::error(BROKEN, message));
            }
        }
        self.leave(desk, member, ended);
    }

    /// Somebody who passed barriers takes no part any more.
    fn leave(&mut self, desk: &mut Desk, member: Member, ended: Ended) {
        let Some(part) = self.members.remove(&member) else { return };
        for name in part.passed {
            if ended != Ended::Answered {
                self.fail(desk, &name, member);
            }
            if let Some(barrier) = self.names.get_mut(&name) {
                barrier.passed.remove(&member);
                barrier.forget_generations();
            }
            self.forget(&name);
        }
    }

    /// A process is gone whose waits have been withdrawn. Events of it count until it is said how they ended.
    pub(super) fn owner_gone(&mut self, desk: &mut Desk, owner: u16) {
        let of_owner = self.members.iter().filter(|(_, part)| part.owner == owner);
        let mut of_owner: Vec<Member> = of_owner.map(|(&member, _)| member).collect();
        of_owner.sort_unstable();
        for member in of_owner {
            if member == Member::Process(owner) {
                self.leave(desk, member, Ended::Failed);
                continue;
            }
            let names = self.members.get(&member).map(|part| part.passed.clone());
            names.into_iter().flatten().for_each(|name| self.fail(desk, &name, member));
        }
    }

    /// Somebody failed who had passed: that breaks the barrier.
    fn fail(&mut self, desk: &mut Desk, name: &Arc<str>, member: Member) {
        let Some(barrier) = self.names.get_mut(name) else { return };
        let Some(&generation) = barrier.passed.get(&member) else { return };
        let why = match member {
            Member::Event(event) => format!("event {}", number_of(event)),
            Member::Process(_) => "a process".to_owned(),
        };
        let text = broken_text(name, &why);
        if barrier.broken.insert(generation, why).is_some() {
            return;
        }
        for seq in std::mem::take(&mut barrier.waiting) {
            let Some(wait) = desk.book.end_wait(seq) else { continue };
            if let Some(part) = self.members.get_mut(&wait.asker.party.member()) {
                part.waits.remove(&seq);
                if part.waits.is_empty() && part.passed.is_empty() {
                    self.members.remove(&wait.asker.party.member());
                }
            }
            desk.fail(&wait.asker, Failure::error(BROKEN, text.clone()));
        }
    }

    fn forget(&mut self, name: &str) {
        let is_new = |it: &Barrier| it.waiting.is_empty() && it.passed.is_empty();
        if self.names.get(name).is_some_and(is_new) {
            self.names.remove(name);
        }
    }

    pub(super) fn has_passed(&self, event: EventName) -> bool {
        self.members.get(&Member::Event(event)).is_some_and(|part| !part.passed.is_empty())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len() + self.members.len()
    }
}

impl Barrier {
    /// A broken generation is over when all who passed it have ended. (Or passed again: they cannot.)
    fn forget_generations(&mut self) {
        if !self.broken.is_empty() {
            let left: HashSet<u64> = self.passed.values().copied().collect();
            self.broken.retain(|generation, _| left.contains(generation));
        }
    }
}

fn mismatch(message: String) -> Failure {
    Failure::range("ERR_SONIC_BARRIER_PARTIES", message)
}

fn broken_text(name: &str, why: &str) -> String {
    format!(
        "barrier {name:?} is broken: {why} failed after it had passed; it can be used again when the events that passed it together have ended"
    )
}
