//! How far each node of a flow has come, by counts: how many events of it have not ended, and whether more may come.

use super::Plan;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Progress {
    /// By node.
    nodes: Vec<State>,
    /// How many events have entered, in all.
    entered: usize,
    is_dirty: bool,
    is_source_over: bool,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// How many events of it have not ended, but for those of the source.
    events: usize,
    /// How many have entered in all.
    entered: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// Something may come; what comes is held, if it is a node that holds.
    #[default]
    Open,
    /// It holds nothing more, and what follows from that has not ended.
    Opened,
    /// Nothing comes of it any more.
    Closed,
}

impl Progress {
    pub(crate) fn new(plan: &Plan) -> Self {
        let nodes = vec![State::default(); plan.len()];
        Self { nodes, entered: 0, is_dirty: true, is_source_over: false }
    }

    /// One more event of a node.
    pub(crate) fn entered(&mut self, node: usize) {
        let state = &mut self.nodes[node - 1];
        state.events += 1;
        state.entered += 1;
        self.entered += 1;
    }

    /// An event of a node has ended, and all that it made has entered.
    pub(crate) fn ended(&mut self, node: usize) {
        let state = &mut self.nodes[node - 1];
        state.events -= 1;
        self.is_dirty |= state.events == 0;
    }

    /// Nothing comes from the source any more, and what came has ended.
    pub(crate) fn source_is_over(&mut self) {
        self.is_dirty |= !self.is_source_over;
        self.is_source_over = true;
    }

    /// The node that was the [next](Self::next) is not to be opened yet: what has entered it is to end before.
    pub(crate) fn postpone(&mut self, node: usize) {
        self.nodes[node - 1].stage = Stage::Open;
    }

    /// Whether all nodes are closed.
    pub(crate) fn is_done(&self) -> bool {
        self.nodes.iter().all(|state| state.stage == Stage::Closed)
    }

    /// The next node that holds something and is to give it away, because nothing more comes. None if there is none now.
    pub(crate) fn next(&mut self, plan: &Plan) -> Option<usize> {
        if !self.is_dirty {
            return None;
        }
        // From the source on.
        for &number in plan.last_first.iter().rev() {
            let State { events, stage, .. } = self.nodes[number - 1];
            let is_over = |&input: &usize| match input {
                0 => self.is_source_over,
                input => self.nodes[input - 1].stage == Stage::Closed,
            };
            let node = plan.node(number);
            if stage == Stage::Closed || events > 0 || !node.inputs.iter().all(is_over) {
                continue;
            }
            if stage == Stage::Open && node.hold.is_some() {
                self.nodes[number - 1].stage = Stage::Opened;
                return Some(number);
            }
            self.nodes[number - 1].stage = Stage::Closed;
        }
        self.is_dirty = false;
        None
    }

    /// How many events have entered, in all.
    pub(crate) fn total(&self) -> usize {
        self.entered
    }

    /// How many events have entered a node in all, but for those of the source.
    pub(crate) fn entered_in_all(&self, node: usize) -> u64 {
        self.nodes[node - 1].entered
    }

    /// How far a node has come, for people: more may come, or it works on what it held, or nothing comes of it any more.
    pub(crate) fn stage(&self, node: usize) -> &'static str {
        match self.nodes[node - 1].stage {
            Stage::Open => "open",
            Stage::Opened => "draining",
            Stage::Closed => "closed",
        }
    }

    /// How many events of a node have not ended, but for those of the source.
    pub(crate) fn events(&self, node: usize) -> usize {
        self.nodes[node - 1].events
    }
}
