//! What a pool has done since its start, over all its runs: the records of runs that are closed, added up. It costs an event
//! nothing, and does not grow with them.

use serde_json::Value;

use super::recent::Recent;
use super::record::Record;

#[derive(Debug)]
pub(crate) struct Total {
    /// Also of what happens to workers between runs.
    pub(crate) record: Record,
    /// How many events `Map` handed over in the runs that are closed.
    handed_over: u64,
    /// Of runs that a dashboard shows.
    recent: Recent,
}

impl Total {
    pub(crate) fn new(record: Record) -> Self {
        Self { record, handed_over: 0, recent: Recent::default() }
    }

    /// Nobody asks for a run any more that has handed over so many events.
    pub(crate) fn closed(&mut self, run: &Record, handed_over: u64) {
        self.handed_over += handed_over;
        self.record.add(run);
        self.record.abort(run.unfinished(handed_over));
        if let Some(recent) = run.recent() {
            self.recent.add(recent);
        }
    }

    /// How long the events of the last minute waited and ran. `open` are the other runs.
    pub(crate) fn recent<'a>(&self, open: impl Iterator<Item = &'a Record>, now: f64) -> Value {
        let mut sum = self.recent.clone();
        open.filter_map(Record::recent).for_each(|recent| sum.add(recent));
        sum.show(now)
    }

    /// The statistics by now, as `RunStatistics` in index.d.ts. `open` are the other runs.
    pub(crate) fn statistics<'a>(
        &self,
        open: impl Iterator<Item = (&'a Record, u64)>,
        now: f64,
    ) -> Value {
        let mut sum = self.record.counts_alone();
        let mut all = self.handed_over;
        for (run, handed_over) in open {
            sum.add(run);
            all += handed_over;
        }
        sum.statistics(all, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::retry::Cause;
    use crate::core::task_id::first_of;
    use crate::observe::excerpt::Data;
    use crate::observe::record::{Ended, Level, Outcome};

    fn record() -> Record {
        Record::new(Level::Counts, &[1, 2], 0.0, 0.0)
    }

    /// So many answered events of the worker in a slot, each of 2 ms.
    fn answered(record: &mut Record, slot: usize, count: u64) {
        for number in 0..count {
            record.end(Ended {
                task: first_of(0) + number,
                node: 0,
                slot: Some(slot),
                started: Some(1.0),
                finished: 3.0,
                outcome: Outcome::Answered,
                data: Data { bytes: b"0123456789", flags: 0 },
                bytes_out: 1,
                error: None,
                attempts: 1,
            });
        }
    }

    #[test]
    fn runs_count_whether_they_are_closed_or_open_and_what_a_closed_one_left_was_aborted() {
        let mut total = Total::new(record());
        let (mut closed, mut open) = (record(), record());
        answered(&mut closed, 0, 3);
        answered(&mut open, 1, 2);
        open.retried((first_of(0), 0), 1, Cause::Crash, 1, 0.0);
        open.direct(first_of(0), 0.0);
        total.closed(&closed, 5);
        let statistics = total.statistics([(&open, 2)].into_iter(), 10.0);
        assert_eq!(statistics["handedOver"], 8);
        assert_eq!((&statistics["answered"], &statistics["failed"]), (&5.into(), &2.into()));
        assert_eq!(statistics["failures"]["aborted"], 2);
        assert_eq!((&statistics["unfinished"], &statistics["retried"]), (&1.into(), &1.into()));
        assert_eq!(statistics["workers"][0]["tasks"], 3);
        assert_eq!(statistics["workers"][1]["busy"], 4.0);
        assert_eq!((&statistics["bytesIn"], &statistics["bytesOut"]), (&50.into(), &5.into()));
        // To ask changes nothing.
        assert_eq!(total.statistics([(&open, 2)].into_iter(), 10.0), statistics);
    }

    #[test]
    fn what_happens_to_a_worker_counts_once_however_many_runs_are_open() {
        let mut total = Total::new(record());
        let mut runs = [record(), record()];
        for record in runs.iter_mut().chain([&mut total.record]) {
            record.started(0, 10, 0.0);
            record.crashed(0, "exited", 1.0);
            record.exited(0, Some(1), None, 1.0);
            record.started(0, 11, 2.0);
        }
        total.closed(&runs[0], 0);
        let statistics = total.statistics([(&runs[1], 0)].into_iter(), 10.0);
        assert_eq!((&statistics["crashes"], &statistics["restarts"]), (&1.into(), &1.into()));
        assert_eq!(statistics["workers"][0]["pids"], serde_json::json!([10, 11]));
    }

    #[test]
    fn a_worker_that_is_replaced_for_ever_takes_no_more_memory() {
        let mut total = Total::new(record());
        total.record.started(1, 7, 0.0);
        for pid in 0..5000 {
            total.record.started(0, pid, 0.0);
            total.record.exited(0, Some(0), None, 0.0);
        }
        assert!(total.record.lifetimes().len() <= 1000);
        let statistics = total.statistics(std::iter::empty(), 10.0);
        assert_eq!(statistics["restarts"], 4999);
        assert_eq!(statistics["workers"][1]["pids"], serde_json::json!([7]));
        let pids = statistics["workers"][0]["pids"].as_array().expect("a list");
        assert_eq!(pids.last(), Some(&4999.into()));
    }
}
