//! Locks and what else the processes of a program share: barriers, latches, values that are made once, limiters, stores. It
//! decides who waits and who goes on; it has no clock and speaks to nobody.

mod types;

use std::sync::Arc;

pub(crate) use self::types::{
    Able, Ended, EventName, Holder, LockStatistics, Out, Party, Who, Words,
};
use crate::wire::sync::Asked;

/// See the module's text. Times are milliseconds and never go back.
#[derive(Debug, Default)]
pub(crate) struct Sync {}

#[expect(clippy::unused_self, reason = "the parts follow")]
impl Sync {
    /// A process takes part under this number. What an owner asks that has not come, or is gone, is ignored.
    pub(crate) fn owner_came(&mut self, owner: u16, who: Who) {
        let _ = (owner, who);
    }

    /// A process asks, or says that something is over. `value`: the bytes behind the message, if it has any.
    pub(crate) fn ask(
        &mut self,
        now: f64,
        party: Party,
        asked: Asked,
        value: Option<Arc<[u8]>>,
        words: &mut dyn Words,
        out: &mut Vec<Out>,
    ) {
        let _ = (now, party, asked, value, words, out);
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
        let _ = (now, owner, words, out);
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
        let _ = (now, event, ended, words, out);
    }

    /// Whether an event came past a barrier with others: then it is not retried.
    pub(crate) fn has_passed_barrier(&self, event: EventName) -> bool {
        let _ = event;
        false
    }

    /// Does what is due: limiters fill, and cycles of waits are looked for. `able` is called only if something waits at a
    /// barrier or a latch.
    pub(crate) fn tick(
        &mut self,
        now: f64,
        able: &dyn Fn() -> Able,
        words: &mut dyn Words,
        out: &mut Vec<Out>,
    ) {
        let _ = (now, able, words, out);
    }

    /// When [`Self::tick`] is to be called next, if it is. It may be earlier after each call of anything here.
    pub(crate) fn next_due(&self) -> Option<f64> {
        None
    }

    /// Of the locks that were waited for longest, in the order of their names.
    pub(crate) fn statistics(&self) -> Vec<LockStatistics> {
        Vec::new()
    }
}
