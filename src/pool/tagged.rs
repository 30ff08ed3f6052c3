//! Lanes of their own for events whose tags are all that says where they may run: those of a run, of a chain or of a flow's node.
//! They wait and are claimed as those without tags are. One that comes back (a retry, or what was taken from a worker) is the
//! [`router`](crate::core::router)'s from then on. So are all of a run for which there is no such lane: a pool has few.

use std::io;

use super::Pool;
use super::state::State;
use crate::core::error::Error;
use crate::core::flow::Plan;
use crate::core::router::To;
use crate::core::task_id::{RunId, TaskId};
use crate::run::RunOptions;
use crate::run::outlet::Outlet;
use crate::wire::flow::Hold;
use crate::wire::layout::Shared;

impl Pool {
    /// Why no worker runs what JavaScript puts into the lane of a run, or will; none if some do.
    pub(crate) fn refusal(&self, run: RunId) -> Option<Error> {
        let state = self.lock();
        let run = state.runs.get(&run)?;
        state.refusal_in(run.lane())
    }
}

impl State {
    /// The lanes of a new run, and which of them those events go into that enter each chain or each node of its flow.
    pub(super) fn outlets_for(
        &mut self,
        options: &RunOptions,
        plan: Option<&Plan>,
    ) -> io::Result<(Vec<Outlet>, Vec<Option<usize>>)> {
        let own = match self.outlet_for(&options.tags)? {
            Some(own) => own,
            None => Outlet::new(self.lanes.assign(options.weight)?, &[]),
        };
        let mut outlets = vec![own];
        let mut ways = Vec::new();
        // JavaScript hands over what enters the first chain; later ones without tags go through the first lane.
        let chains = options.chains.iter().enumerate();
        let of_chains = chains.map(|(at, tags)| (at > 0 && !tags.is_empty()).then_some(&**tags));
        let nodes = plan.into_iter().flat_map(|plan| plan.numbers().map(|it| plan.node(it)));
        let of_nodes = nodes.map(|it| (it.hold != Some(Hold::Master)).then_some(&*it.tags));
        for tags in of_chains.chain(of_nodes) {
            let Some(tags) = tags else {
                ways.push(None);
                continue;
            };
            if !outlets.iter().any(|outlet| outlet.tags == tags) {
                let further = match tags {
                    [] => Some(Outlet::new(self.lanes.assign(options.weight)?, &[])),
                    _ => self.outlet_for(tags)?,
                };
                outlets.extend(further);
            }
            ways.push(outlets.iter().position(|outlet| outlet.tags == tags));
        }
        Ok((outlets, ways))
    }

    fn outlet_for(&mut self, tags: &[String]) -> io::Result<Option<Outlet>> {
        if tags.is_empty() || self.router.check(tags).is_err() {
            return Ok(None);
        }
        let lane = self.lanes.assign_tagged(tags, self.router.groups_for(tags))?;
        Ok(lane.map(|lane| Outlet::new(lane, tags)))
    }

    /// Whether no worker claims in a lane, or will.
    pub(super) fn is_refused(&self, lane: usize) -> bool {
        self.router.reach(To::Groups(self.lanes.groups(lane))).next().is_none()
    }

    /// The lanes of which that is so, a bit each.
    pub(super) fn refused(&self) -> u32 {
        let used = (0..Shared::ADDRESSED).filter(|&lane| self.lanes.is_used(lane));
        let lanes = used.filter(|&lane| self.is_refused(lane));
        lanes.fold(0, |lanes, lane| lanes | 1 << lane)
    }

    /// Why that is so.
    pub(super) fn refusal_in(&self, lane: usize) -> Option<Error> {
        self.is_refused(lane).then(|| self.router.check(self.lanes.tags(lane)).err()).flatten()
    }

    /// An event leaves a lane unended: it keeps its tags.
    pub(super) fn leave(&mut self, task: TaskId, lane: usize) {
        let tags = self.lanes.tags(lane);
        if !tags.is_empty() && !self.router.has(task) {
            self.router.adopt(task, tags);
        }
    }

    /// An event that is kept goes into the lane of its chain or node, if that has one.
    pub(super) fn put_in_lane(&mut self, run: RunId, task: TaskId, number: usize) {
        let Some(run) = self.runs.get_mut(&run) else { return };
        if let Some(outlet) = run.ways.get(number - 1).copied().flatten() {
            run.outlets[outlet].overflow.push_back(task);
        }
    }

    /// Which lane that is.
    pub(super) fn lane_of(&self, run: RunId, number: usize) -> Option<usize> {
        let run = self.runs.get(&run)?;
        let outlet = run.ways.get(number - 1).copied().flatten()?;
        Some(run.outlets[outlet].lane)
    }

    /// How many events the workers can have that may claim in a lane, and how many of those they run at once.
    pub(super) fn room_in(&self, lane: usize) -> (usize, usize) {
        self.scheduler.room_in(|slot| self.lanes.may_claim(lane, slot))
    }
}
