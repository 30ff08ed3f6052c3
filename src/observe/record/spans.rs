//! What the events of a run have waited for and held: locks, barriers and the like. The hub tells it, and the trace shows it.

use super::Record;
use crate::core::sync::Span;

impl Record {
    /// Each of these is over. Times are the clock's.
    pub(crate) fn add_spans(&mut self, mut spans: Vec<Span>) {
        for span in &mut spans {
            (span.from, span.until) = (self.since(span.from), self.since(span.until));
        }
        if let Some(events) = self.events_mut() {
            events.spans.append(&mut spans);
        }
    }

    /// Those after the first `from`. Times are milliseconds since the run began.
    pub(crate) fn spans(&self, from: usize) -> &[Span] {
        self.events().and_then(|events| events.spans.get(from..)).unwrap_or_default()
    }
}
