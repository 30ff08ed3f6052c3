//! Locks and what else the processes of a program share: barriers, latches, values that are made once, limiters, stores. It
//! decides who waits and who goes on; it has no clock and speaks to nobody.
//!
//! There is one [`Sync`] for a program, in its master. Processes are its *owners*: the master, each worker, each client. An
//! owner [asks](Sync::ask) something under a number of its own; the answer, now or later, is a message to it in `out`.
//!
//! **Locks** ([`locks`]). Each name has a queue. The first request in it is granted as soon as it can be held beside those who
//! hold the lock: shared ones beside each other, a semaphore's as many as its limit says. No request goes before an
//! earlier one, so a writer does not wait for readers that came later. A request that *steals* ends all grants at once. A name
//! that nobody holds or waits for takes no memory.
//!
//! **Locks that nobody else wants** are taken and released in shared memory, without the core ([`Words`]). The first request
//! that reaches the core *adopts* the lock: from then on no process can take or release it in that memory, and the core
//! knows who holds it. When nobody holds it or waits for it, the memory is free again.
//!
//! **Tokens.** Every grant has a token that is greater than all before it, from a counter in the shared memory. It names the
//! grant in what follows; programs use it for fencing.
//!
//! **Death.** When a process has exited, its waits are withdrawn first, then its grants end, then others are granted what is
//! free. So nothing is granted to the dead, and nothing waits for them.
//!
//! **Deadlocks** ([`search`], [`deadlock`]). A wait says in which callbacks it stands (by their tokens). So a request waits for
//! the grants of its lock, or for the requests before it; a grant ends after the waits inside its callback. A wait at a barrier
//! inside a callback waits for any event that runs and could still come; if another event could begin, it waits for nothing.
//! At a barrier outside of callbacks, and at a latch, the master may be the one that is missing: such a wait is in no cycle.
//! Waits that have lasted for a second make a graph; the youngest wait of a cycle in it is rejected. Only waits inside
//! callbacks start a search, a second after they began: a cycle cannot be without them. Two waits in one process do not wait
//! for each other, unless one stands in the callback that the other needs: several events in one worker make no false cycle.
//! What says nothing of its callback is not searched.
//!
//! **Spans** ([`spans`]) are waits and holds one by one, for traces.
//!
//! **The table** ([`book`]) has every wait and every grant, by process: whatever ends, its kind (lock, barrier, …) says which of
//! the [`parts`] has to know.

mod barrier;
mod book;
mod deadlock;
mod latch;
mod limiter;
mod locks;
mod once;
mod parts;
mod search;
mod spans;
mod statistics;
mod store;
mod types;

use self::book::{Asker, Book, Desk, Stand};
use self::parts::Parts;
use self::search::{Schedule, Search};
pub(crate) use self::types::{
    Able, Ended, EventName, Holder, LockStatistics, Out, Party, Said, Span, Who, Words,
};
use crate::wire::sync::Asked;

/// See the module's text. Times are milliseconds and never go back.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    book: Book,
    parts: Parts,
    schedule: Schedule,
}

impl Sync {
    /// A process takes part under this number. What an owner asks that has not come, or is gone, is ignored.
    pub(crate) fn owner_came(&mut self, owner: u16, who: Who) {
        self.book.open(owner, who);
    }

    /// What is known of a process.
    pub(crate) fn who(&self, owner: u16) -> Option<Who> {
        self.book.who(owner)
    }

    /// A process asks, or says that something is over.
    pub(crate) fn ask(&mut self, now: f64, said: Said, words: &mut dyn Words, out: &mut Vec<Out>) {
        let Said { party, at, asked, value } = said;
        let Asked { id, inside, ask, .. } = asked;
        self.book.spans.begin(now, Some((party.owner, at)));
        let desk = &mut Desk { now, book: &mut self.book, words, out };
        let stand = desk.book.question(party.owner, id);
        // No process of ours uses a number again that still waits.
        if !desk.book.has(party.owner) || matches!(stand, Some(Stand::Waits(_))) {
            return;
        }
        self.parts.ask(desk, Asker { party, id, inside }, ask, value.unwrap_or_default());
    }

    /// A process has exited: all that it held is free, and it waits for nothing. Answers that it gave must have been told
    /// before ([`Self::event_ended`]). Locks of it that are not managed are not known here: the caller frees those itself.
    pub(crate) fn owner_gone(
        &mut self,
        now: f64,
        owner: u16,
        words: &mut dyn Words,
        out: &mut Vec<Out>,
    ) {
        self.book.spans.begin(now, None);
        let closed = self.book.close(owner);
        let desk = &mut Desk { now, book: &mut self.book, words, out };
        self.parts.owner_gone(desk, owner, &closed);
    }

    /// An attempt of an event ended that may have used something here.
    pub(crate) fn event_ended(
        &mut self,
        now: f64,
        event: EventName,
        ended: Ended,
        words: &mut dyn Words,
        out: &mut Vec<Out>,
    ) {
        self.book.spans.begin(now, None);
        let desk = &mut Desk { now, book: &mut self.book, words, out };
        self.parts.event_ended(desk, event, ended);
    }

    /// Whether an event came past a barrier with others: then it is not retried.
    pub(crate) fn has_passed_barrier(&self, event: EventName) -> bool {
        self.parts.barriers.has_passed(event)
    }

    /// What an event waits for, in words; none if it waits for nothing here.
    pub(crate) fn why_waits(&self, event: EventName) -> Option<String> {
        Search::new(0.0, &self.book, &self.parts).why_waits(event)
    }

    /// Whether there are barriers: others may have to come to them.
    pub(crate) fn has_barriers(&self) -> bool {
        !self.parts.barriers.is_empty()
    }

    /// Does what is due: limiters fill, and cycles of waits are looked for. `able` is called only if something waits at a
    /// barrier.
    pub(crate) fn tick(
        &mut self,
        now: f64,
        able: &dyn Fn() -> Able,
        words: &mut dyn Words,
        out: &mut Vec<Out>,
    ) {
        self.book.spans.begin(now, None);
        let desk = &mut Desk { now, book: &mut self.book, words, out };
        self.parts.limiters.tick(desk);
        if self.schedule.due(desk.book).is_none_or(|due| due > now) {
            return;
        }
        self.schedule.searched(now, desk.book);
        while let Some((seq, failure)) = Search::new(now, desk.book, &self.parts).find(able) {
            let Some(wait) = desk.book.end_wait(seq) else { return };
            desk.fail(&wait.asker, failure);
            self.parts.withdraw(desk, seq, &wait);
            self.parts.settle(desk, wait.kind, &wait.name);
        }
    }

    /// When [`Self::tick`] is to be called next, if it is. It may be earlier after each call of anything here.
    pub(crate) fn next_due(&self) -> Option<f64> {
        let all = [self.parts.limiters.next_due(), self.schedule.due(&self.book)];
        all.into_iter().flatten().reduce(f64::min)
    }

    /// Of the locks that were waited for longest, in the order of their names.
    pub(crate) fn statistics(&self) -> Vec<LockStatistics> {
        self.parts.locks.statistics()
    }

    /// Whether waits and holds are noted from now on, each when it is over.
    pub(crate) fn keep_spans(&mut self, is_on: bool) {
        self.book.spans.keep(is_on);
    }

    /// Those that are over since the last call.
    pub(crate) fn take_spans(&mut self) -> Vec<Span> {
        self.book.spans.take()
    }
}

#[cfg(test)]
mod tests;
