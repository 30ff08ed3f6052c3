//! Who has claimed what of a lane, as the master learns it.

use std::sync::atomic::Ordering;

use super::{Begun, Claim, Lane, Owner, free, taken};
use crate::core::task_id::TaskId;
use crate::queue::front::Waiting;
use crate::queue::padded;
use crate::wire::header::flag;
use crate::wire::layout::Shared;

impl Lane {
    /// The next event that was claimed since the last look, in order of submission.
    pub(crate) fn next_claim(&mut self) -> Option<Claim> {
        let was_claimed = |at: &u64| self.state(*at) != free(*at);
        if let Some(passed) = self.passed.iter().position(was_claimed) {
            let at = self.passed.remove(passed);
            return Some(self.claim_at(at));
        }
        while self.claimed < self.front.count() {
            let at = self.claimed;
            let is_claimed = self.state(at) != free(at);
            if !is_claimed && self.front.index != Shared::ADDRESSED {
                return None;
            }
            self.claimed += 1;
            let bytes = padded(self.front.get(at).len);
            self.begun.push_back(Begun { has_ended: false, bytes });
            self.mean_bytes = self.mean_bytes - self.mean_bytes / 8 + bytes / 8;
            if is_claimed {
                return Some(self.claim_at(at));
            }
            self.passed.push(at);
        }
        None
    }

    fn claim_at(&self, at: u64) -> Claim {
        let Waiting { task, since, flags, .. } = self.front.get(at);
        let is_long = flags & flag::LONG != 0;
        Claim { task, at, owner: self.owner(at), is_long, queued: since }
    }

    fn owner(&self, at: u64) -> Owner {
        let owner = (self.state(at) ^ free(at)) & !Shared::READ;
        if (1..=Shared::MAX_WORKERS).contains(&owner) {
            Owner::Worker(owner as usize - 1)
        } else {
            Owner::Master
        }
    }

    /// Takes back what the worker in `slot`, which has exited, claimed out of turn: no worker of ours does that.
    pub(crate) fn disown(&self, slot: usize) {
        for at in self.waits() {
            if self.owner(at) == Owner::Worker(slot) {
                self.memory.word(self.entry(at)).store(taken(at), Ordering::SeqCst);
            }
        }
    }

    /// Claims for the master what nobody has of the events that are `meant`; [`Self::next_claim`] tells what that was.
    pub(crate) fn take_back(&self, meant: impl Fn(TaskId) -> bool) {
        for at in self.waits() {
            if meant(self.front.get(at).task) {
                self.take(at);
            }
        }
    }

    /// Claims an event for the master. Some worker is faster, or not: either way it is claimed then.
    pub(super) fn take(&self, at: u64) {
        let word = self.memory.word(self.entry(at));
        let _ = word.compare_exchange(free(at), taken(at), Ordering::SeqCst, Ordering::SeqCst);
    }

    /// What nobody had claimed when last looked at.
    pub(super) fn waits(&self) -> impl Iterator<Item = u64> + '_ {
        self.passed.iter().copied().chain(self.claimed..self.front.count())
    }
}
