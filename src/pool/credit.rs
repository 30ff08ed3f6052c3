//! How many more events a run may hand over, and when JavaScript is called.

use super::Pool;
use super::state::State;
use crate::run::Run;
use crate::wire::note::Note;

/// Credit for this many events is always worth telling JavaScript of, however many workers there are.
const ENOUGH: usize = 128;

/// In a failed run events end at once: there is credit for as many as the program cares to send.
const UNLIMITED: u64 = 1 << 30;

/// How much a pool has to do, for the credit of its runs.
struct Load {
    /// How many events the workers can have, running and waiting.
    capacity: usize,
    ready: usize,
    /// The bytes of all events that wait or run.
    bytes: usize,
    has_idle: bool,
    /// How many events need no worker for now; there must be an end to it.
    backing_off: usize,
}

impl State {
    /// Tells JavaScript what it reads without asking, and calls it if it waits for any of it. False if there is something
    /// to take in again.
    pub(super) fn publish(&mut self, pool: &Pool) -> bool {
        let load = Load {
            capacity: self.scheduler.capacity(),
            ready: self.scheduler.ready_count(),
            bytes: self.lanes.bytes() + self.tasks.bytes(),
            has_idle: self.scheduler.has_idle(),
            backing_off: self
                .scheduler
                .backing_off()
                .min(pool.launch.max_window * self.slots.len()),
        };
        let mut calls = !self.notes.is_empty();
        let mut is_settled = true;
        for run in self.runs.values_mut() {
            let lane = self.lanes.lane(run.lane);
            give_credit(run, &load, lane.mean_bytes());
            if run.is_draining && run.outstanding() == 0 {
                run.is_draining = false;
                self.notes.push(Note::Drained { run: run.id });
                calls = true;
            }
            let waiting_for = run.words.waiting_for();
            let is_served = waiting_for.is_some_and(|number| run.words.has_credit(number));
            calls |= is_served | run.show_unread() | (run.observed.len() > 0);
            // JavaScript that is called lets in what has credit, and may wait for more without telling.
            let wants_notice = waiting_for.is_some() || !run.overflow.is_empty();
            if wants_notice && run.state.is_open() {
                is_settled &= lane.ask_for_notice();
            }
        }
        if calls {
            pool.call();
        }
        is_settled
    }
}

fn give_credit(run: &mut Run, load: &Load, mean_bytes: usize) {
    let handed_over = run.words.handed_over();
    if run.state.error().is_some() {
        run.words.allow(handed_over + UNLIMITED);
        return;
    }
    let outstanding = run.outstanding();
    let fits = run.options.max_bytes.saturating_sub(load.bytes) / mean_bytes;
    let is_heavy = fits == 0 || !run.overflow.is_empty();
    let active =
        if is_heavy { outstanding } else { outstanding - load.backing_off.min(outstanding) };
    let capacity =
        if is_heavy { load.ready } else { load.capacity.min(active + fits).max(load.ready) };
    // What is outstanding beyond the capacity waits; the direct ones are none of `Map`'s.
    let allowed = (handed_over + capacity as u64).saturating_sub(active as u64);
    let before = run.words.allowed();
    // A little credit is not worth a turn of JavaScript where much comes; an idle worker is.
    let enough = ENOUGH.min(capacity / 4).max(1) as u64;
    if allowed >= before + enough
        || (allowed > before && load.has_idle)
        || (allowed < before && is_heavy)
    {
        run.words.allow(allowed);
    }
}
