//! How many more events a run may hand over, and when JavaScript is called.

use std::collections::BTreeMap;

use super::Pool;
use super::state::State;
use crate::core::router::{MOST_ROOM, ROOM};
use crate::core::share::Told;
use crate::core::task_id::{RunId, run_of};
use crate::run::Run;
use crate::wire::layout::Shared;
use crate::wire::note::Note;

/// Credit for this many events is always worth telling JavaScript of, however many workers there are.
const ENOUGH: usize = 128;

/// In a failed run events end at once: there is credit for as many as the program cares to send.
const UNLIMITED: u64 = 1 << 30;

/// How full a pool is.
#[derive(Clone, Copy)]
pub(super) struct Fill {
    /// How many events its workers run at once.
    places: usize,
    /// The bytes of all events that wait or run.
    bytes: usize,
    /// Some run has as many bytes as are enough: then there is room for one event a worker.
    is_tight: bool,
}

/// How much a pool has to do, for the credit of its runs.
#[derive(Clone, Copy)]
struct Load {
    fill: Fill,
    /// How many events the workers can have, running and waiting.
    capacity: usize,
    has_idle: bool,
    /// How many events need no worker for now; there must be an end to it.
    backing_off: usize,
}

/// So many events a worker may wait for their later chains before no other of their run begins, and so many at least.
const FURTHER: usize = 64;
const LEAST_FURTHER: usize = 1024;

impl Fill {
    /// Whether so many events have gone on from their first chain, and wait, that others are not to begin.
    fn is_crowded(&self, run: &Run) -> bool {
        let most = if self.bytes < run.options.max_bytes {
            (FURTHER * self.places).max(LEAST_FURTHER)
        } else {
            self.places
        };
        run.further > most
    }

    /// For how many events of a run that name their workers there is room, at most, for each of those.
    pub(super) fn room_of(&self, run: &Run) -> usize {
        match self.is_crowded(run) {
            true => 0,
            false if State::room_of_source(run, 1, 1) == Some(0) => 0,
            false if self.is_tight => 1,
            false => MOST_ROOM,
        }
    }
}

impl State {
    pub(super) fn fill(&self) -> Fill {
        let bytes = self.bytes();
        let is_tight = self.runs.values().any(|run| bytes >= run.options.max_bytes);
        Fill { places: self.scheduler.places(), bytes, is_tight }
    }

    /// Tells JavaScript what it reads without asking, and calls it if it waits for any of it. False if there is something
    /// to take in again.
    pub(super) fn publish(&mut self, pool: &Pool) -> bool {
        let fill = self.fill();
        let untagged = self.load_in(pool, Shared::FIRST, fill);
        let tagged = self.runs.values().filter(|run| run.is_tagged()).map(Run::lane);
        let tagged: Vec<(usize, Load)> = tagged
            .map(|lane| {
                let mut load = self.load_in(pool, lane, fill);
                // As for all events with tags: a worker that is busy for long does not stall who hands them over.
                load.capacity = load.capacity.max(ROOM * self.takers(lane));
                (lane, load)
            })
            .collect();
        self.tell_of_room(fill);
        let is_shared = self.tell_shares();
        let mut calls = !self.notes.is_empty();
        let mut is_settled = true;
        for run in self.runs.values_mut() {
            let lane = self.lanes.lane(run.lane());
            let load = tagged.iter().find(|(lane, _)| *lane == run.lane());
            let load = load.map_or(untagged, |&(_, load)| load);
            // Workers that end several of its events in a row must find more of them, or another run has its turn.
            let spare = if is_shared && run.options.about.is_some() { load.fill.places } else { 0 };
            let load = Load { capacity: load.capacity + spare, ..load };
            give_credit(run, &load, lane.mean_bytes(), self.router.count(run.id) + run.apart);
            if run.is_draining && run.is_drained() {
                run.is_draining = false;
                self.notes.push(Note::Drained { run: run.id });
                calls = true;
            }
            let waiting_for = run.words.waiting_for();
            let is_served = waiting_for.is_some_and(|number| run.words.has_credit(number));
            let is_awaited = self.listens && run.options.is_numbered;
            calls |= is_served | (run.show_unread() && !is_awaited) | run.show_observed();
            // JavaScript that is called lets in what has credit, and may wait for more without telling.
            for (at, outlet) in run.outlets.iter().enumerate() {
                let waits = at == 0 && waiting_for.is_some();
                if (waits || !outlet.overflow.is_empty()) && run.state.is_open() {
                    is_settled &= self.lanes.lane(outlet.lane).ask_for_notice();
                }
            }
        }
        if calls {
            pool.call();
        }
        is_settled
    }
}

impl State {
    /// How many workers may claim in a lane, those that start included.
    fn takers(&self, lane: usize) -> usize {
        (0..self.slots.len()).filter(|&slot| self.lanes.may_claim(lane, slot)).count()
    }

    /// How much those workers have to do that may claim in a lane.
    fn load_in(&self, pool: &Pool, lane: usize, fill: Fill) -> Load {
        let (capacity, places) = self.room_in(lane);
        let most_backing_off = pool.launch.max_window * self.slots.len();
        Load {
            fill: Fill { places, ..fill },
            capacity,
            has_idle: self.idle_count(pool, lane) > self.lanes.unclaimed_beside(lane),
            backing_off: self.scheduler.backing_off().min(most_backing_off),
        }
    }

    /// Tells the workers how much time the runs of each lane have had. Returns whether several have something to do.
    fn tell_shares(&mut self) -> bool {
        let mut busy = 0;
        for run in self.runs.values_mut() {
            if run.outstanding() == 0 {
                run.share.rest();
            } else {
                busy += 1;
            }
        }
        if busy < 2 {
            return false;
        }
        let mut running: BTreeMap<RunId, usize> = BTreeMap::new();
        for held in (0..self.slots.len()).flat_map(|slot| self.scheduler.held(slot)) {
            *running.entry(run_of(held.task)).or_default() += 1;
        }
        let mut told = [Told::of_none(self.served); Shared::LANES];
        for run in self.runs.values_mut() {
            run.share.runs(running.get(&run.id).copied().unwrap_or(0));
            let mut add = |lane: usize| told[lane] = told[lane].with(&run.share, self.served);
            run.outlets.iter().for_each(|outlet| add(outlet.lane));
            if self.router.has_any(run.id) {
                add(Shared::ADDRESSED);
            }
        }
        for (lane, told) in told.into_iter().enumerate() {
            self.lanes.set_share(lane, told.word());
        }
        true
    }
}

/// The `routed` ones wait for workers of theirs, and take no credit from the others.
fn give_credit(run: &mut Run, load: &Load, mean_bytes: usize, routed: usize) {
    let handed_over = run.words.handed_over();
    if run.state.error().is_some() {
        run.words.allow(handed_over + UNLIMITED);
        return;
    }
    // In a flow.
    let room = State::room_of_source(run, load.capacity, load.fill.places);
    if load.fill.is_crowded(run) || room == Some(0) {
        // A `Map` that waits has handed its event over: it goes on waiting.
        run.words.allow(run.words.allowed().min(handed_over));
        return;
    }
    let all = run.flow.as_ref().map_or_else(
        || run.outstanding(),
        |flow| usize::try_from(flow.source_left(handed_over)).unwrap_or(usize::MAX),
    );
    let outstanding = all - routed.min(all);
    let fits = run.options.max_bytes.saturating_sub(load.fill.bytes) / mean_bytes;
    let is_heavy = fits == 0 || run.overflows();
    let active =
        if is_heavy { outstanding } else { outstanding - load.backing_off.min(outstanding) };
    let capacity = if is_heavy {
        load.fill.places
    } else {
        load.capacity.min(active + fits).max(load.fill.places)
    };
    let capacity = room.map_or(capacity, |room| room.min(capacity));
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
