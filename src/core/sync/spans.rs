//! Waits and holds one by one, for traces: each is noted when it is over. Nothing is kept unless somebody wants to see them.

use std::sync::Arc;

use super::book::{Grant, Kind, Wait, what};
use super::types::{Span, Who};
use crate::wire::sync::Mode;

#[derive(Debug, Default)]
pub(super) struct Spans {
    is_on: bool,
    now: f64,
    /// The process that says something, and when it said so: a moment ago.
    said: Option<(u16, f64)>,
    over: Vec<Span>,
}

impl Spans {
    pub(super) fn keep(&mut self, is_on: bool) {
        self.is_on = is_on;
    }

    /// What ends from now on ends at this time.
    pub(super) fn begin(&mut self, now: f64, said: Option<(u16, f64)>) {
        (self.now, self.said) = (now, said);
    }

    pub(super) fn waited(&mut self, who: Who, wait: &Wait) {
        self.note(|| Span {
            is_hold: false,
            who,
            party: wait.asker.party,
            kind: what(wait.kind),
            mode: mode_of(wait.kind),
            name: Arc::clone(&wait.name),
            from: wait.since,
            until: 0.0,
        });
    }

    pub(super) fn held(&mut self, who: Who, grant: &Grant) {
        self.note(|| Span {
            is_hold: true,
            who,
            party: grant.party,
            kind: what(grant.kind),
            mode: mode_of(grant.kind),
            name: Arc::clone(&grant.name),
            from: grant.since,
            until: 0.0,
        });
    }

    /// Something is over.
    fn note(&mut self, span: impl FnOnce() -> Span) {
        if !self.is_on {
            return;
        }
        let mut span = span();
        span.until = match self.said {
            // A process may say anything.
            Some((owner, at)) if owner == span.party.owner => self.now.min(at),
            _ => self.now,
        };
        if span.until > span.from {
            self.over.push(span);
        }
    }

    pub(super) fn take(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.over)
    }
}

fn mode_of(kind: Kind) -> Option<Mode> {
    if let Kind::Lock(mode) = kind { Some(mode) } else { None }
}
