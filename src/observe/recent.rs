//! How long events waited and ran lately: histograms of a few seconds each, of which the last minute's are kept. Only runs
//! that a dashboard shows have it. It has no clock: it is told when events ended.

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::record::percentiles;

/// Milliseconds of one slice, and how many there are: a minute.
const SLICE: f64 = 5000.0;
const SLICES: usize = 12;

/// Two significant digits: a slice has a few kilobytes.
const DIGITS: u8 = 2;

#[derive(Debug, Clone)]
struct Slice {
    /// Which slice of time it is.
    number: u64,
    /// Nanoseconds.
    wait: Histogram<u64>,
    run: Histogram<u64>,
}

impl Slice {
    fn new(number: u64) -> Self {
        let histogram = || Histogram::new(DIGITS).expect("1 to 5 digits");
        Self { number, wait: histogram(), run: histogram() }
    }

    fn add(&mut self, other: &Self) {
        // They grow as needed.
        let _ = self.wait.add(&other.wait);
        let _ = self.run.add(&other.run);
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    /// By their numbers, modulo `SLICES`.
    slices: [Option<Box<Slice>>; SLICES],
}

impl Recent {
    /// An event ended then, after so many milliseconds of each.
    pub(crate) fn note(&mut self, at: f64, wait: f64, run: f64) {
        if let Some(slice) = self.slice((at / SLICE) as u64) {
            let _ = slice.wait.record((wait * 1e6) as u64);
            let _ = slice.run.record((run * 1e6) as u64);
        }
    }

    /// Adds the events of another run.
    pub(crate) fn add(&mut self, other: &Self) {
        for theirs in other.slices.iter().flatten() {
            if let Some(slice) = self.slice(theirs.number) {
                slice.add(theirs);
            }
        }
    }

    /// None if it is of an earlier minute than what is here.
    fn slice(&mut self, number: u64) -> Option<&mut Slice> {
        let place = &mut self.slices[number as usize % SLICES];
        let slice = place.get_or_insert_with(|| Box::new(Slice::new(number)));
        if slice.number > number {
            return None;
        }
        if slice.number < number {
            slice.number = number;
            slice.wait.reset();
            slice.run.reset();
        }
        Some(slice)
    }

    /// Percentiles of the last minute, in milliseconds.
    pub(crate) fn show(&self, now: f64) -> Value {
        let last = (now / SLICE) as u64;
        let mut sum = Slice::new(last);
        for slice in self.slices.iter().flatten() {
            if slice.number + SLICES as u64 > last {
                sum.add(slice);
            }
        }
        json!({ "wait": percentiles(&sum.wait), "run": percentiles(&sum.run) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p50(recent: &Recent, now: f64, what: &str) -> f64 {
        recent.show(now)[what]["p50"].as_f64().expect("a number")
    }

    #[test]
    fn what_is_older_than_a_minute_does_not_count() {
        let mut recent = Recent::default();
        (0..100).for_each(|_| recent.note(1000.0, 40.0, 4.0));
        assert_eq!(recent.show(59_000.0)["run"]["count"], 100);
        recent.note(70_000.0, 800.0, 80.0);
        let shown = recent.show(70_000.0);
        assert_eq!((&shown["run"]["count"], &shown["wait"]["count"]), (&1.into(), &1.into()));
        assert!((p50(&recent, 70_000.0, "run") - 80.0).abs() < 1.0);
        assert!((p50(&recent, 70_000.0, "wait") - 800.0).abs() < 10.0);
        assert_eq!(recent.show(200_000.0)["run"]["count"], 0);
    }

    #[test]
    fn a_late_report_of_an_earlier_minute_takes_nothing_away() {
        let mut recent = Recent::default();
        recent.note(70_000.0, 1.0, 1.0);
        recent.note(10_000.0, 9.0, 9.0);
        assert_eq!(recent.show(70_000.0)["run"]["count"], 1);
    }

    #[test]
    fn runs_add_up_by_their_time() {
        let (mut sum, mut other) = (Recent::default(), Recent::default());
        sum.note(1000.0, 1.0, 1.0);
        other.note(1000.0, 1.0, 1.0);
        other.note(50_000.0, 3.0, 3.0);
        sum.add(&other);
        assert_eq!(sum.show(50_000.0)["run"]["count"], 3);
        assert_eq!(sum.show(65_000.0)["run"]["count"], 1);
    }
}
