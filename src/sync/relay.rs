//! A hub that decides nothing: a host of a cluster has its workers' questions taken to the hub of the master, which is another
//! process, and what that tells them brought back.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Hub, Member, Question, State};
use crate::core::sync::{Out, Who};
use crate::wire::sync::Asked;

/// The way of what processes ask.
pub(super) struct Relay {
    /// Who takes it.
    member: u32,
    /// Those that have asked.
    asked: HashSet<u16>,
    all: Vec<Relayed>,
}

/// A question of a process, or its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Relayed {
    pub(crate) owner: u16,
    pub(crate) who: Option<Who>,
    /// The question, and the bytes behind it. None: the process is gone.
    pub(crate) said: Option<(Asked, Option<Arc<[u8]>>)>,
}

impl Member {
    /// From now on this member takes what any other's processes ask.
    pub(crate) fn relays(&self) {
        let relay = Relay { member: self.number, asked: HashSet::new(), all: Vec::new() };
        self.hub.lock().relay = Some(relay);
    }

    /// Takes what was asked, in order.
    pub(crate) fn take_relayed(&self) -> Vec<Relayed> {
        let mut state = self.hub.lock();
        state.relay.as_mut().map(|relay| std::mem::take(&mut relay.all)).unwrap_or_default()
    }

    /// What another hub tells a process of this one.
    pub(crate) fn tell(&self, out: Out) {
        let mut state = self.hub.lock();
        let notified = state.post(vec![out], None);
        drop(state);
        for notify in notified {
            notify();
        }
    }
}

impl Hub {
    /// Gives a question back that this hub is to decide.
    pub(super) fn relay(&self, question: Question) -> Option<Question> {
        let mut state = self.lock();
        let who = state.core.who(question.owner);
        let Some(relay) = &mut state.relay else { return Some(question) };
        relay.asked.insert(question.owner);
        let said = Some((question.asked, question.value));
        let notify = state.keep_relayed(Relayed { owner: question.owner, who, said });
        drop(state);
        if let Some(notify) = notify {
            notify();
        }
        None
    }

    /// A process is gone.
    pub(super) fn relay_end(&self, owner: u16) {
        let mut state = self.lock();
        if !state.relay.as_mut().is_some_and(|relay| relay.asked.remove(&owner)) {
            return;
        }
        let notify = state.keep_relayed(Relayed { owner, who: None, said: None });
        drop(state);
        if let Some(notify) = notify {
            notify();
        }
    }
}

impl State {
    /// How the one is notified who takes it.
    fn keep_relayed(&mut self, relayed: Relayed) -> Option<Arc<dyn Fn() + Send + Sync>> {
        let relay = self.relay.as_mut()?;
        let is_first = relay.all.is_empty();
        relay.all.push(relayed);
        let its = self.members.get(&relay.member)?;
        is_first.then(|| Arc::clone(&its.notify))
    }
}
