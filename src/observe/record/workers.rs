//! What happens to the workers of a run: each process that starts, and how it ends.

use super::Record;
use super::kept::{Lifetime, Share};
use crate::observe::excerpt::harmless;

/// How many processes are told of where no events are listed: pools live long.
const MOST_LIFETIMES: usize = 1000;

impl Record {
    /// A process started in `slot`.
    pub(crate) fn started(&mut self, slot: usize, pid: u32, now: f64) {
        let worker = self.shares[slot].worker;
        self.forget_lifetime();
        let before = self.shares[slot].lifetime.replace(self.lifetimes.len());
        self.lifetimes.push(Lifetime {
            worker,
            pid,
            started: self.since(now),
            ready: None,
            ended: None,
            code: None,
            signal: None,
        });
        if before.is_some() {
            self.counts.restarts += 1;
            self.mark("restart", Some(worker), now, || {
                format!("worker {worker} is process {pid} now")
            });
        }
    }

    /// There is one more slot, for the workers of this id.
    pub(crate) fn added(&mut self, worker: u32) {
        self.shares.push(Share { worker, tasks: 0, busy: 0.0, lifetime: None });
    }

    /// The workers of this id are on another machine.
    pub(crate) fn is_on(&mut self, worker: u32, host: &str) {
        self.hosts.insert(worker, harmless(host));
    }

    /// The machine of a worker, if that is another.
    pub(crate) fn host_of(&self, worker: u32) -> Option<&str> {
        self.hosts.get(&worker).map(String::as_str)
    }

    /// The next process in `slot` takes the place of none.
    pub(crate) fn reopened(&mut self, slot: usize) {
        self.shares[slot].lifetime = None;
    }

    /// Forgets the oldest process that is gone, if there are too many.
    fn forget_lifetime(&mut self) {
        if self.lifetimes.len() < MOST_LIFETIMES || self.events().is_some() {
            return;
        }
        let is_last = |at: usize| self.shares.iter().any(|share| share.lifetime == Some(at));
        let mut gone = (0..self.lifetimes.len()).filter(|&at| !is_last(at));
        let Some(at) = gone.next() else { return };
        self.lifetimes.remove(at);
        for lifetime in self.shares.iter_mut().filter_map(|share| share.lifetime.as_mut()) {
            *lifetime -= usize::from(*lifetime > at);
        }
    }

    /// The program reached its call in the worker of `slot`.
    pub(crate) fn ready(&mut self, slot: usize, now: f64) {
        let now = self.since(now);
        if let Some(lifetime) = self.lifetime(slot) {
            lifetime.ready = Some(now);
        }
    }

    /// The process in `slot` exited.
    pub(crate) fn exited(
        &mut self,
        slot: usize,
        code: Option<i64>,
        signal: Option<String>,
        now: f64,
    ) {
        let now = self.since(now);
        if let Some(lifetime) = self.lifetime(slot) {
            (lifetime.ended, lifetime.code, lifetime.signal) = (Some(now), code, signal);
        }
    }

    /// The process in `slot` exited before it was released.
    pub(crate) fn crashed(&mut self, slot: usize, how: impl std::fmt::Display, now: f64) {
        self.counts.crashes += 1;
        let worker = self.shares[slot].worker;
        self.mark("crash", Some(worker), now, || format!("worker {worker} {how}"));
    }

    /// One more attempt followed a failed one, as is known of an event that has ended.
    pub(crate) fn retried_before(&mut self) {
        self.counts.retried += 1;
    }

    fn lifetime(&mut self, slot: usize) -> Option<&mut Lifetime> {
        let at = self.shares[slot].lifetime?;
        self.lifetimes.get_mut(at)
    }
}
