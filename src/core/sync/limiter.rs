//! Limiters: buckets that fill with tokens at a steady rate, up to their size. Who takes more than there are waits, first
//! come first served.
//!
//! A wait ends at the moment when its tokens are there, whenever that is noticed: what follows is counted from that moment,
//! so the rate is exact however seldom [`Limiters::tick`] is called.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::book::{Asker, Desk, Failure, Kind, Seq};
use crate::wire::sync::Reply;

/// Full buckets are forgotten when there are more limiters than this, and then at every doubling.
const MANY: usize = 1024;

/// What rounding may have lost of a token.
const ROUNDING: f64 = 1e-9;

/// `tokens` in `per` milliseconds, at most `burst` at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Options {
    pub(super) tokens: f64,
    pub(super) per: f64,
    pub(super) burst: f64,
}

#[derive(Debug)]
struct Limiter {
    options: Options,
    /// So many tokens there were at this time.
    level: f64,
    at: f64,
    /// How many each one takes.
    waiting: BTreeMap<Seq, f64>,
}

impl Limiter {
    fn rate(&self) -> f64 {
        self.options.tokens / self.options.per
    }

    /// Nobody waits: it fills.
    fn fill(&mut self, now: f64) {
        let filled = self.level + (now - self.at) * self.rate();
        self.level = filled.min(self.options.burst);
        self.at = now;
    }

    /// When there are so many tokens.
    fn due(&self, n: f64) -> f64 {
        self.at + (n - self.level - ROUNDING).max(0.0) / self.rate()
    }

    /// The tokens are taken at the moment when they are there.
    fn take(&mut self, n: f64) {
        let due = self.due(n);
        self.level = (self.level + (due - self.at) * self.rate() - n).max(0.0);
        self.at = due;
    }
}

/// When something is due, as a number in the same order: times are not negative.
type Time = u64;

#[derive(Debug)]
pub(super) struct Limiters {
    names: HashMap<Arc<str>, Limiter>,
    /// When the first of each limiter's waits ends.
    due: BTreeSet<(Time, Arc<str>)>,
    /// With so many, full ones are forgotten.
    many: usize,
}

impl Default for Limiters {
    fn default() -> Self {
        Self { names: HashMap::new(), due: BTreeSet::new(), many: MANY }
    }
}

impl Limiters {
    pub(super) fn take(
        &mut self,
        desk: &mut Desk,
        asker: Asker,
        name: String,
        options: Options,
        n: f64,
    ) {
        let name: Arc<str> = name.into();
        let known = self.names.get(&name).map(|limiter| limiter.options);
        if let Err(failure) = check(&name, options, known, n) {
            return desk.fail(&asker, failure);
        }
        if known.is_none() {
            self.make_room(desk.now);
            let (level, at, waiting) = (options.burst, desk.now, BTreeMap::new());
            self.names.insert(Arc::clone(&name), Limiter { options, level, at, waiting });
        }
        let Some(limiter) = self.names.get_mut(&name) else { return };
        if limiter.waiting.is_empty() {
            limiter.fill(desk.now);
            if limiter.due(n) <= desk.now {
                limiter.take(n);
                return desk.reply(&asker, Reply::Done);
            }
            self.due.insert((limiter.due(n).to_bits(), Arc::clone(&name)));
        }
        limiter.waiting.insert(desk.wait(asker, Kind::Limiter, &name), n);
    }

    fn make_room(&mut self, now: f64) {
        if self.names.len() < self.many {
            return;
        }
        self.names.retain(|_, limiter| {
            let is_waited_for = !limiter.waiting.is_empty();
            is_waited_for || limiter.due(limiter.options.burst) > now
        });
        self.many = MANY.max(2 * self.names.len());
    }

    /// Somebody does not wait any more.
    pub(super) fn withdraw(&mut self, desk: &mut Desk, name: &Arc<str>, seq: Seq) {
        let Some(limiter) = self.names.get_mut(name) else { return };
        if let Some((_, n)) = limiter.waiting.first_key_value() {
            self.due.remove(&(limiter.due(*n).to_bits(), Arc::clone(name)));
        }
        limiter.waiting.remove(&seq);
        self.settle(desk, name);
    }

    /// Ends all waits that are due.
    pub(super) fn tick(&mut self, desk: &mut Desk) {
        while let Some((due, name)) = self.due.pop_first() {
            if f64::from_bits(due) > desk.now {
                self.due.insert((due, name));
                return;
            }
            self.settle(desk, &name);
        }
    }

    /// Ends the waits of one limiter that are due, and notes when the next is. (It is not noted now.)
    fn settle(&mut self, desk: &mut Desk, name: &Arc<str>) {
        let Some(limiter) = self.names.get_mut(name) else { return };
        while let Some((&seq, &n)) = limiter.waiting.first_key_value() {
            // Of a process that is gone.
            if desk.book.wait(seq).is_none() {
                limiter.waiting.pop_first();
                continue;
            }
            let due = limiter.due(n);
            if due > desk.now {
                self.due.insert((due.to_bits(), Arc::clone(name)));
                return;
            }
            limiter.take(n);
            limiter.waiting.pop_first();
            desk.end_wait(seq, Reply::Done);
        }
    }

    pub(super) fn next_due(&self) -> Option<f64> {
        self.due.first().map(|&(due, _)| f64::from_bits(due))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

fn check(name: &str, options: Options, known: Option<Options>, n: f64) -> Result<(), Failure> {
    const CODE: &str = "ERR_SONIC_LIMITER_OPTIONS";
    let Options { tokens, per, burst } = options;
    let is_sane = |value: f64| value.is_finite() && value > 0.0;
    if ![tokens, per, burst, n, tokens / per, burst / (tokens / per)].into_iter().all(is_sane) {
        let message =
            format!("limiter {name:?}: tokens, per, burst and what is taken are numbers above 0");
        return Err(Failure::range(CODE, message));
    }
    if let Some(known) = known.filter(|&known| known != options) {
        let Options { tokens, per, burst } = known;
        let message = format!(
            "limiter {name:?} is in use with other options: {tokens} tokens per {per} ms, burst {burst}; use the same everywhere"
        );
        return Err(Failure::error(CODE, message));
    }
    if n > burst {
        let message = format!(
            "limiter {name:?} never has {n} tokens at once: take at most {burst}, or raise burst"
        );
        return Err(Failure::range(CODE, message));
    }
    Ok(())
}
