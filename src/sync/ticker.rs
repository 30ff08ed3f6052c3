//! The thread that does what is due at some time. It ends when nothing is, and the next that is due starts another.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::places::Table;
use super::{Hub, State};
use crate::core::sync::Able;
use crate::os::clock::clock;

/// The shortest pause between two looks, in milliseconds: what is due again at once must not keep a processor.
const PAUSE: f64 = 0.1;

impl Hub {
    /// Something may be due, or due earlier.
    pub(super) fn see_to_ticks(self: &Arc<Self>, state: &mut State) {
        let Some(due) = state.core.next_due() else { return };
        match state.ticks_at {
            Some(at) if at <= due => {}
            Some(_) => {
                state.ticks_at = Some(due);
                self.is_due.notify_one();
            }
            None => {
                let hub = Arc::clone(self);
                let ticker = thread::Builder::new().name("sonic-sync".into());
                // Without one the next question tries again.
                if ticker.spawn(move || hub.tick()).is_ok() {
                    state.ticks_at = Some(due);
                }
            }
        }
    }

    /// The thread.
    fn tick(self: &Arc<Self>) {
        let mut pause: f64 = 0.0;
        while self.wait_until_due(pause) {
            pause = PAUSE;
            let able = self.able();
            let mut state = self.lock();
            let mut out = Vec::new();
            let State { core, places, owners, .. } = &mut *state;
            let is_owner = |owner| owners.contains_key(&owner);
            let mut table =
                Table { common: self.common(), places, is_owner: &is_owner, resolve: &() };
            core.tick(clock(), &|| able.clone(), &mut table, &mut out);
            let notified = state.post(out, None);
            drop(state);
            for notify in notified {
                notify();
            }
        }
    }

    /// Waits for so many milliseconds, and until something is due. False if nothing will be: then there is no ticker any more.
    fn wait_until_due(&self, pause: f64) -> bool {
        let mut state = self.lock();
        let begun = clock();
        loop {
            let Some(due) = state.core.next_due() else {
                state.ticks_at = None;
                return false;
            };
            let due = due.max(begun + pause);
            let left = due - clock();
            if left <= 0.0 {
                return true;
            }
            state.ticks_at = Some(due);
            let left = Duration::try_from_secs_f64(left / 1e3).unwrap_or(Duration::MAX);
            let waited = self.is_due.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }

    /// Who could come to a barrier. What members tell of themselves they tell without the hub's lock.
    fn able(&self) -> Able {
        let mut able = Able { is_open: false, running: Vec::new() };
        let state = self.lock();
        if !state.core.has_barriers() {
            // Nobody asks.
            return able;
        }
        let members: Vec<_> = state.members.values().filter_map(|its| its.able.clone()).collect();
        drop(state);
        for tell in members {
            let its = tell();
            able.is_open |= its.is_open;
            able.running.extend(its.running);
        }
        able
    }
}
