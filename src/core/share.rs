//! How the runs of a pool share its workers: each has had so much time, and the one that has had least is next. A pure account
//! of numbers that the pool tells it.
//!
//! A run's time is counted by its weight: one of weight 2 has had half as much for the same events. What runs by now counts for
//! as long as events of its run take on average, so that a run of long events does not get every worker before the first has
//! ended. A run that begins, or that had nothing to do for a while, starts where the others are (start-time fair queueing: Goyal,
//! Vin, Cheng 1996): it has saved nothing up, and owes nothing.

/// How much newer events count in the mean.
const NEWER: f64 = 0.2;

/// The time that a worker's word counts, in milliseconds.
const UNIT: f64 = 1.0 / 16.0;

/// Where the runs of a pool are: the most that the one had which was served last.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Served(f64);

/// What one run has had.
#[derive(Debug)]
pub(crate) struct Share {
    weight: f64,
    /// Milliseconds that its events ran which have ended, over the weight.
    had: f64,
    /// How long one of them runs.
    mean: f64,
    /// How many run.
    running: usize,
    is_idle: bool,
}

impl Share {
    /// Of a run with this weight.
    pub(crate) fn new(weight: f64) -> Self {
        Self { weight, had: 0.0, mean: 0.0, running: 0, is_idle: true }
    }

    /// A worker has one of its events.
    pub(crate) fn claimed(&mut self, served: &mut Served) {
        if std::mem::take(&mut self.is_idle) {
            self.had = self.had.max(served.0);
        }
        served.0 = served.0.max(self.had());
        self.running += 1;
    }

    /// An event of it has run for so many milliseconds.
    pub(crate) fn ran(&mut self, time: f64) {
        // A worker says it, and may say anything.
        let time = if time.is_finite() { time.max(0.0) } else { 0.0 };
        self.mean += NEWER * (time - self.mean);
        self.had += time / self.weight;
    }

    /// So many of its events run now.
    pub(crate) fn runs(&mut self, running: usize) {
        self.running = running;
    }

    /// All of its events have ended.
    pub(crate) fn rest(&mut self) {
        self.running = 0;
        self.is_idle = true;
    }

    /// How much it has had, beside the others; a run that is idle would begin where they are.
    pub(crate) fn at(&self, served: Served) -> f64 {
        if self.is_idle { self.had.max(served.0) } else { self.had() }
    }

    fn had(&self) -> f64 {
        self.had + self.running as f64 * self.mean / self.weight
    }
}

/// What workers are told of a lane: where the run is that has had least of those with something to do. (One that is idle speaks
/// for its lane only if all are.)
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Told {
    is_idle: bool,
    at: f64,
}

impl Told {
    /// Of a lane without a run.
    pub(crate) fn of_none(served: Served) -> Self {
        Self { is_idle: true, at: served.0 }
    }

    /// Of a lane that has this run too.
    #[must_use]
    pub(crate) fn with(self, share: &Share, served: Served) -> Self {
        let other = Self { is_idle: share.is_idle, at: share.at(served) };
        if other < self { other } else { self }
    }

    /// Modulo 2^32.
    pub(crate) fn word(self) -> u32 {
        (self.at / UNIT) as u64 as u32
    }
}

#[cfg(test)]
mod tests;
