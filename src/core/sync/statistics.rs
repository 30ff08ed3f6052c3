//! How long requests for locks waited and how long locks were held, by name, for a bounded number of names.

use std::collections::HashMap;
use std::sync::Arc;

use hdrhistogram::Histogram;

use super::types::LockStatistics;

/// Each needs up to 30 KB. A program has a few hot locks, and maybe a million others.
const MOST_NAMES: usize = 100;

/// Histograms count whole microseconds, up to a year.
const UNITS: f64 = 1000.0;
const LONGEST: f64 = 3e13;

#[derive(Debug)]
struct Use {
    waits: Histogram<u64>,
    waited: u64,
    /// Milliseconds that all requests waited.
    wait: f64,
    held: f64,
}

#[derive(Debug, Default)]
pub(super) struct Statistics {
    names: HashMap<Arc<str>, Use>,
}

impl Statistics {
    /// A request was granted after this time.
    pub(super) fn granted(&mut self, name: &Arc<str>, wait: f64) {
        let Some(known) = self.use_of(name, wait) else { return };
        known.waits += (wait * UNITS).clamp(0.0, LONGEST) as u64;
        known.waited += u64::from(wait > 0.0);
        known.wait += wait;
    }

    /// A holder had it for this time.
    pub(super) fn released(&mut self, name: &str, held: f64) {
        if let Some(known) = self.names.get_mut(name) {
            known.held += held;
        }
    }

    /// A name that is waited for replaces the one that was waited for least, if there are too many.
    fn use_of(&mut self, name: &Arc<str>, wait: f64) -> Option<&mut Use> {
        if !self.names.contains_key(name) {
            if self.names.len() >= MOST_NAMES {
                let least = self.names.iter().min_by(|(_, a), (_, b)| a.wait.total_cmp(&b.wait));
                let least = least.filter(|(_, least)| least.wait < wait)?.0;
                let least = Arc::clone(least);
                self.names.remove(&least);
            }
            let waits = Histogram::new(2).expect("1 to 5 digits");
            let unused = Use { waits, waited: 0, wait: 0.0, held: 0.0 };
            self.names.insert(Arc::clone(name), unused);
        }
        self.names.get_mut(name)
    }

    pub(super) fn list(&self) -> Vec<LockStatistics> {
        let one = |(name, known): (&Arc<str>, &Use)| {
            let quantile = |part| known.waits.value_at_quantile(part) as f64 / UNITS;
            LockStatistics {
                name: Arc::clone(name),
                granted: known.waits.len(),
                waited: known.waited,
                wait_p50: quantile(0.5),
                wait_p99: quantile(0.99),
                wait_max: known.waits.max() as f64 / UNITS,
                held: known.held,
            }
        };
        let mut all: Vec<_> = self.names.iter().map(one).collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(at: usize) -> Arc<str> {
        format!("lock {at}").into()
    }

    #[test]
    fn waits_and_holds_are_summed_for_each_name() {
        let mut statistics = Statistics::default();
        for wait in 0..100 {
            statistics.granted(&name(1), f64::from(wait));
            statistics.released("lock 1", 2.0);
        }
        statistics.granted(&name(0), 0.0);
        statistics.released("never seen", 5.0);
        let [none, some] = &statistics.list()[..] else { panic!("two names") };
        let expected = LockStatistics {
            name: name(0),
            granted: 1,
            waited: 0,
            wait_p50: 0.0,
            wait_p99: 0.0,
            wait_max: 0.0,
            held: 0.0,
        };
        assert_eq!(none, &expected);
        assert_eq!((&some.name, some.granted, some.waited, some.held), (&name(1), 100, 99, 200.0));
        for (value, expected) in
            [(some.wait_p50, 49.0), (some.wait_p99, 98.0), (some.wait_max, 99.0)]
        {
            assert!((value / expected - 1.0).abs() < 0.02, "{value} is not about {expected}");
        }
    }

    #[test]
    fn the_names_that_were_waited_for_longest_are_kept() {
        let mut statistics = Statistics::default();
        for at in 0..1000 {
            statistics.granted(&name(at), 0.0);
        }
        for at in 1000..3000 {
            statistics.granted(&name(at), 1.0 + (at % 1000) as f64);
        }
        statistics.granted(&name(5000), 0.0);
        let kept = statistics.list();
        assert_eq!(kept.len(), MOST_NAMES);
        assert!(kept.iter().all(|kept| kept.wait_max > 900.0), "{kept:?}");
    }
}
