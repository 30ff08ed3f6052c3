//! The entries of a run for a reader who takes them one by one while it goes on: results and failures in
//! one queue, as they come or in the order in which their events were handed over.

use std::collections::BTreeMap;

use crate::core::task_id::{DIRECT, RunId, TaskId, first_of, number_of};
use crate::run::results::{Entry, Results};

/// The order in which a reader finds the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Completion,
    Submission,
}

/// Sees to the order. The entries themselves are in a [`Results`].
#[derive(Debug)]
pub(crate) struct Stream {
    order: Order,
    /// Events that have ended before one that was handed over before them, with their entries: one, none if the event was
    /// answered with nothing, or in a flow any number.
    early: BTreeMap<TaskId, Vec<Entry<'static>>>,
    early_count: usize,
    early_bytes: usize,
    /// The first event of those that `Map` handed over that has not ended, and the first of the direct ones.
    next: TaskId,
    next_direct: TaskId,
}

impl Stream {
    pub(crate) fn new(order: Order, run: RunId) -> Self {
        let next = first_of(run);
        let next_direct = next + DIRECT;
        Self { order, early: BTreeMap::new(), early_count: 0, early_bytes: 0, next, next_direct }
    }

    /// How many entries wait for those before them; an event without any counts as one.
    pub(crate) fn len(&self) -> usize {
        self.early_count
    }

    /// How many bytes their values have.
    pub(crate) fn bytes(&self) -> usize {
        self.early_bytes
    }

    /// An event has ended, with these entries. `all` is how many events `Map` will ever have handed over, if
    /// that is known: the direct ones come behind them then.
    pub(crate) fn ended<'a>(
        &mut self,
        id: TaskId,
        entries: impl IntoIterator<Item = Entry<'a>>,
        all: Option<u64>,
        results: &mut Results,
    ) {
        if self.order == Order::Completion {
            results.extend(entries);
            return;
        }
        if id == self.next {
            self.next += 1;
            results.extend(entries);
        } else {
            let entries: Vec<_> = entries.into_iter().map(Entry::into_owned).collect();
            self.early_count += entries.len().max(1);
            self.early_bytes += bytes_of(&entries);
            self.early.insert(id, entries);
        }
        self.take_next(results, |stream| &mut stream.next);
        if all.is_none_or(|count| count == number_of(self.next)) {
            self.take_next(results, |stream| &mut stream.next_direct);
        }
    }

    fn take_next(&mut self, results: &mut Results, next: impl Fn(&mut Self) -> &mut TaskId) {
        loop {
            let id = *next(self);
            let Some(entries) = self.early.remove(&id) else { return };
            *next(self) += 1;
            self.early_count -= entries.len().max(1);
            self.early_bytes -= bytes_of(&entries);
            results.extend(entries);
        }
    }
}

fn bytes_of(entries: &[Entry<'_>]) -> usize {
    entries.iter().map(Entry::bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::value::Value;

    fn end(stream: &mut Stream, results: &mut Results, id: TaskId, all: Option<u64>) {
        let text = id.to_string();
        let data = Some(Value::json(text.as_bytes()));
        let entry = Entry { kind: 6, worker: 1, data, response: None };
        // Every third is answered with nothing.
        stream.ended(id, (id % 3 != 2).then_some(entry), all, results);
    }

    fn read(results: &mut Results) -> Vec<TaskId> {
        let mut ids = Vec::new();
        while let Some(json) = results.take().and_then(|piece| piece.json()) {
            let values: Vec<serde_json::Value> = serde_json::from_slice(&json).expect("JSON");
            ids.extend(values.chunks(4).map(|entry| entry[2].as_u64().expect("a number")));
        }
        ids
    }

    #[test]
    fn entries_come_as_they_were_handed_over() {
        let (mut stream, mut results) = (Stream::new(Order::Submission, 0), Results::default());
        let mut ids: Vec<TaskId> = (0..1000).collect();
        fastrand::Rng::with_seed(7).shuffle(&mut ids);
        let mut all = Vec::new();
        for id in ids {
            end(&mut stream, &mut results, id, None);
            all.extend(read(&mut results));
        }
        assert_eq!(all, (0..1000).filter(|id| id % 3 != 2).collect::<Vec<_>>());
        assert_eq!((stream.len(), stream.bytes()), (0, 0));
    }

    #[test]
    fn an_event_may_have_any_number_of_entries() {
        let (mut stream, mut results) = (Stream::new(Order::Submission, 0), Results::default());
        let many = |id: TaskId, count: TaskId| {
            let texts: Vec<String> = (0..count).map(|at| (id * 10 + at).to_string()).collect();
            let entry = |text: &String| {
                let data = Some(Value::json(text.as_bytes()));
                Entry { kind: 6, worker: 1, data, response: None }.into_owned()
            };
            texts.iter().map(entry).collect::<Vec<_>>()
        };
        stream.ended(2, many(2, 3), None, &mut results);
        stream.ended(1, many(1, 0), None, &mut results);
        assert_eq!((results.len(), stream.len(), stream.bytes()), (0, 4, 6));
        stream.ended(0, many(0, 2), None, &mut results);
        assert_eq!(read(&mut results), [0, 1, 20, 21, 22]);
        assert_eq!((stream.len(), stream.bytes()), (0, 0));
    }

    #[test]
    fn entries_come_as_they_end() {
        let (mut stream, mut results) = (Stream::new(Order::Completion, 0), Results::default());
        for id in [4, 0, DIRECT + 1, 3] {
            end(&mut stream, &mut results, id, Some(5));
        }
        assert_eq!(results.len(), 4);
        assert_eq!(stream.len(), 0);
    }

    #[test]
    fn what_the_program_hands_out_itself_comes_behind_what_was_in_the_lanes() {
        let (mut stream, mut results) = (Stream::new(Order::Submission, 0), Results::default());
        for id in [DIRECT + 1, 1, DIRECT] {
            end(&mut stream, &mut results, id, Some(2));
        }
        assert_eq!((results.len(), stream.len()), (0, 3));
        assert_eq!(stream.bytes(), DIRECT.to_string().len() + 1);
        end(&mut stream, &mut results, 0, Some(2));
        let all = read(&mut results);
        let expected: Vec<TaskId> =
            [0, 1, DIRECT, DIRECT + 1].into_iter().filter(|id| id % 3 != 2).collect();
        assert_eq!(all, expected);
        assert_eq!((stream.len(), stream.bytes()), (0, 0));
    }
}
