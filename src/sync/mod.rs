//! The hub: where the locks of a program, and what else its processes share, are decided. There is one in the master's process,
//! for all its pools. It is [`core::sync`](crate::core::sync) behind a mutex, with the memory in which a lock that nobody
//! waits for is taken without asking.
//!
//! A *member* is a pool, or a thread of the master's JavaScript: whoever a message for a process can be left with. An *owner*
//! is a process, or a client, by its number; it asks through its member. Both leave when they are dropped.
//!
//! **Who locks what.** A pool calls the hub while it holds its own lock, and so do all other callers whatever they hold: the hub
//! takes no lock while it holds its own. Nothing is delivered under the hub's lock. What a process is to be told is mail, put
//! into the box of its member, in the order of the decisions. Members are notified after the hub's lock was given back, by
//! a call that takes no lock of a pool: a pool sends itself an order. Whoever writes to a process takes its mail while holding
//! the lock under which that is done, so no message overtakes another. A pool that has just asked looks into its box itself.
//!
//! What is due at some time (limiters, the search for deadlocks) is done by a thread of the hub's own, which is there only as
//! long as something is due: so it works in a program without a pool, too.

mod places;
mod relay;
mod stay;
mod ticker;
mod watch;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use self::places::{Places, Table};
pub(crate) use self::places::{Resolve, event_of, event_word};
use self::relay::Relay;
pub(crate) use self::relay::Relayed;
pub(crate) use self::stay::Stay;
pub(crate) use self::watch::Watch;
use self::watch::Watched;
use crate::core::sync::{
    Able, Ended, EventName, LockStatistics, Out, Party, Said, Sync, Who, Words,
};
use crate::core::task_id::TaskId;
use crate::os::clock::clock;
use crate::os::memory::Memory;
use crate::os::socket::{self, Handle};
use crate::shm::common::Common;
use crate::wire::sync::{Ask, Asked};

/// See the module's text.
pub(crate) struct Hub {
    state: Mutex<State>,
    /// Something is due earlier than the ticker thinks.
    is_due: Condvar,
    common: Common,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    core: Sync,
    places: Places,
    /// The member of each owner.
    owners: HashMap<u16, u32>,
    last_owner: u16,
    members: HashMap<u32, Mailbox>,
    last_member: u32,
    /// Those who see waits and holds one by one.
    watches: HashMap<u32, Watched>,
    last_watch: u32,
    /// When the ticker acts next, if there is one.
    ticks_at: Option<f64>,
    /// The common memory, for workers to come; none once this hub was given up.
    memory: Option<Handle>,
    /// How many pools may start workers.
    pools: usize,
    /// Something was asked.
    is_used: bool,
    /// Where questions go that another program's hub decides.
    relay: Option<Relay>,
}

/// What is left for a member.
struct Mailbox {
    mail: Vec<Out>,
    has_mail: Arc<AtomicBool>,
    notify: Arc<dyn Fn() + Send + std::marker::Sync>,
    able: Option<Arc<dyn Fn() -> Able + Send + std::marker::Sync>>,
}

/// Whether a member looks for mail after each question of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looks {
    /// It does: it need not be notified then.
    ByItself,
    WhenNotified,
}

/// A member of the hub.
#[derive(Debug)]
pub(crate) struct Member {
    hub: Arc<Hub>,
    number: u32,
    looks: Looks,
    has_mail: Arc<AtomicBool>,
}

/// The number of a process, as long as that lives.
#[derive(Debug)]
pub(crate) struct Owner {
    hub: Arc<Hub>,
    number: u16,
}

/// A question of a process.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) owner: u16,
    /// The event that it is asked for.
    pub(crate) event: Option<TaskId>,
    /// When it was sent, by the sender's account.
    pub(crate) at: f64,
    pub(crate) asked: Asked,
    /// The bytes behind it.
    pub(crate) value: Option<Arc<[u8]>>,
}

impl Hub {
    pub(crate) fn new() -> io::Result<Arc<Self>> {
        let memory = socket::memory(Common::LEN)?;
        let common = Common::new(Arc::new(Memory::of(&memory)?));
        let common = common.ok_or_else(|| io::Error::other("the shared memory is too small"))?;
        let state = Mutex::new(State { memory: Some(memory), ..State::default() });
        Ok(Arc::new(Self { state, is_due: Condvar::new(), common }))
    }

    pub(crate) fn common(&self) -> &Common {
        &self.common
    }

    /// A member comes. `notify` is called from any thread when there is mail: it must not wait for anything.
    pub(crate) fn enter(
        self: &Arc<Self>,
        looks: Looks,
        notify: impl Fn() + Send + std::marker::Sync + 'static,
    ) -> Member {
        let has_mail = Arc::new(AtomicBool::new(false));
        let mut state = self.lock();
        state.last_member += 1;
        let number = state.last_member;
        let (mail, notify) = (Vec::new(), Arc::new(notify));
        let its = Mailbox { mail, has_mail: Arc::clone(&has_mail), notify, able: None };
        state.members.insert(number, its);
        drop(state);
        Member { hub: Arc::clone(self), number, looks, has_mail }
    }

    /// How locks were used, in the order of their names: those that were asked for, and those that have a place.
    pub(crate) fn statistics(&self) -> Vec<LockStatistics> {
        let state = self.lock();
        let mut locks = state.core.statistics();
        state.places.add_to(&self.common, &mut locks);
        locks.sort_by(|a, b| a.name.cmp(&b.name));
        locks
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // As for a pool: a panic under the lock aborts the process in a release build.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the core decide something, and leaves what follows from it with the members. The one that `looks` need not be
    /// notified.
    fn act(
        self: &Arc<Self>,
        looks: Option<u32>,
        resolve: &dyn Resolve,
        work: impl FnOnce(&mut Sync, f64, &mut dyn Words, &mut Vec<Out>),
    ) {
        let mut state = self.lock();
        let mut out = Vec::new();
        let State { core, places, owners, .. } = &mut *state;
        let is_owner = |owner| owners.contains_key(&owner);
        let mut table = Table { common: &self.common, places, is_owner: &is_owner, resolve };
        work(core, clock(), &mut table, &mut out);
        let notified = state.post(out, looks);
        self.see_to_ticks(&mut state);
        drop(state);
        for notify in notified {
            notify();
        }
    }
}

impl State {
    /// Leaves messages with the members of their owners, and what is over with those who watch. How those are notified that
    /// have had none.
    fn post(
        &mut self,
        out: Vec<Out>,
        looks: Option<u32>,
    ) -> Vec<Arc<dyn Fn() + Send + std::marker::Sync>> {
        self.show_spans();
        let mut notified = Vec::new();
        for message in out {
            let Some(member) = self.owners.get(&message.owner) else { continue };
            let Some(its) = self.members.get_mut(member) else { continue };
            if its.mail.is_empty() {
                its.has_mail.store(true, Ordering::SeqCst);
                if looks != Some(*member) {
                    notified.push(Arc::clone(&its.notify));
                }
            }
            its.mail.push(message);
        }
        notified
    }

    /// A number that no process has, and none has had for as long as there are others.
    fn next_owner(&mut self) -> Option<u16> {
        if self.owners.len() >= usize::from(u16::MAX) {
            return None;
        }
        loop {
            self.last_owner = self.last_owner.checked_add(1).unwrap_or(1);
            if !self.owners.contains_key(&self.last_owner) {
                return Some(self.last_owner);
            }
        }
    }
}

impl Member {
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Its number, by which its events are told from those of others.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// How to find out which of its events run, and whether others could begin. It is called without a lock.
    pub(crate) fn tells(&self, able: impl Fn() -> Able + Send + std::marker::Sync + 'static) {
        if let Some(its) = self.hub.lock().members.get_mut(&self.number) {
            its.able = Some(Arc::new(able));
        }
    }

    /// A number for a process that is about to start. None if there are too many.
    pub(crate) fn owner(&self) -> Option<Owner> {
        let mut state = self.hub.lock();
        let number = state.next_owner()?;
        state.owners.insert(number, self.number);
        drop(state);
        Some(Owner { hub: Arc::clone(&self.hub), number })
    }

    /// Whether there may be mail.
    pub(crate) fn has_mail(&self) -> bool {
        self.has_mail.load(Ordering::SeqCst)
    }

    /// Takes the mail, in order.
    pub(crate) fn take(&self) -> Vec<Out> {
        let mut state = self.hub.lock();
        self.has_mail.store(false, Ordering::SeqCst);
        let its = state.members.get_mut(&self.number);
        its.map(|its| std::mem::take(&mut its.mail)).unwrap_or_default()
    }

    /// A process of this member asks.
    pub(crate) fn ask(&self, question: Question, resolve: &dyn Resolve) {
        let Some(question) = self.hub.relay(question) else { return };
        let Question { owner, event, at, asked, value } = question;
        let party = Party { owner, event: event.map(|task| self.name(task)) };
        if let Ask::Unlock { name, token } = &asked.ask
            && self.has_ended(owner, name, *token)
        {
            return;
        }
        self.hub.keep();
        self.hub.act(self.looks(), resolve, |core, now, words, out| {
            core.ask(now, Said { party, at, asked, value }, words, out);
        });
    }

    /// Ends a grant that the core has never heard of, or not any more.
    fn has_ended(&self, owner: u16, name: &str, token: u64) -> bool {
        let state = self.hub.lock();
        let spot = state.places.of(name);
        spot.is_some_and(|spot| self.hub.common.release(spot, owner, token, microseconds()))
    }

    /// An attempt of an event ended that has asked something.
    pub(crate) fn event_ended(&self, task: TaskId, ended: Ended) {
        let event = self.name(task);
        self.hub.act(self.looks(), &(), |core, now, words, out| {
            core.event_ended(now, event, ended, words, out);
        });
    }

    /// Whether an event is not to be tried again.
    pub(crate) fn has_passed_barrier(&self, task: TaskId) -> bool {
        self.hub.lock().core.has_passed_barrier(self.name(task))
    }

    /// What an event waits for, in words; none if it waits for nothing of the hub's.
    pub(crate) fn why_waits(&self, task: TaskId) -> Option<String> {
        self.hub.lock().core.why_waits(self.name(task))
    }

    pub(crate) fn name(&self, task: TaskId) -> EventName {
        EventName { pool: self.number, task }
    }

    fn looks(&self) -> Option<u32> {
        (self.looks == Looks::ByItself).then_some(self.number)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // What notifies it is not given up under the hub's lock.
        let gone = self.hub.lock().members.remove(&self.number);
        drop(gone);
    }
}

impl Owner {
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// The process is there: who it is.
    pub(crate) fn came(&self, who: Who) {
        self.hub.lock().core.owner_came(self.number, who);
    }
}

/// The process is gone: what it held is free.
impl Drop for Owner {
    fn drop(&mut self) {
        self.hub.common.free_all_of(self.number);
        let number = self.number;
        self.hub.relay_end(number);
        self.hub.act(None, &(), |core, now, words, out| core.owner_gone(now, number, words, out));
        self.hub.lock().owners.remove(&number);
    }
}

/// Microseconds of the monotonic clock.
pub(crate) fn microseconds() -> u64 {
    (clock() * 1e3) as u64
}

#[cfg(test)]
mod tests;
