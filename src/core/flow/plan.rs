//! A plan that is known to make sense, with what follows from it.

use std::collections::BTreeSet;

use crate::core::retry::Policy;
use crate::wire::flow::{self, Batch, Hold, MOST_EXITS, Target};
use crate::wire::header::flag;

/// The bits of an entry that name its sink have no more.
const MOST_SINKS: usize = 127;

/// So many events wait for a node before those are held up that lead to it, if the program does not say otherwise.
const MOST_WAITING: usize = 1024;

/// See the module's text. Nodes have numbers from 1 on.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) entry: usize,
    nodes: Vec<Node>,
    exits: Vec<Vec<Target>>,
    /// All nodes, those first that come last in the flow.
    pub(crate) last_first: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) hold: Option<Hold>,
    pub(crate) tags: Vec<String>,
    pub(crate) retries: Option<Policy>,
    /// Milliseconds.
    pub(crate) timeout: Option<u32>,
    pub(crate) most_waiting: usize,
    pub(crate) batch: Batch,
    /// The numbers of the nodes before it; 0 is the source.
    pub(crate) inputs: Vec<usize>,
    /// The exit of its failures.
    pub(crate) errors: Option<usize>,
    /// The exit of one plain answer.
    pub(crate) plain: Option<usize>,
    /// The nodes whose events an event of this one makes, but for those that wait for all that comes.
    pub(crate) feeds: Vec<usize>,
    /// Whether an event of this one may end at a sink.
    pub(crate) has_sink: bool,
    makes: Makes,
}

/// What the answer to an event that enters at a node may tell of: sets of numbers.
#[derive(Debug, Clone, Copy, Default)]
struct Makes {
    /// The nodes that run in the event, and those that things are written down for.
    nodes: u64,
    spills: u64,
    exits: u128,
}

impl Node {
    /// Whether items of an event that enters here may leave this exit.
    pub(crate) fn may_put_out(&self, exit: usize) -> bool {
        exit < MOST_EXITS && self.makes.exits >> exit & 1 == 1
    }

    /// Whether items of an event that enters here may fail at this node.
    pub(crate) fn may_fail_at(&self, node: usize) -> bool {
        is_in(self.makes.nodes, node)
    }

    /// Whether something may be written down for this node by an event that enters here.
    pub(crate) fn may_spill_for(&self, node: usize) -> bool {
        is_in(self.makes.spills, node)
    }
}

fn is_in(set: u64, number: usize) -> bool {
    number <= flag::MOST_CHAINS as usize && set >> number & 1 == 1
}

impl Plan {
    /// None if it makes no sense.
    pub(crate) fn new(told: flow::Plan) -> Option<Self> {
        let flow::Plan { entry, nodes, exits } = told;
        let count = nodes.len();
        let is_node = |number: usize| (1..=count).contains(&number);
        let is_exit =
            |number: i32| number == -1 || usize::try_from(number).is_ok_and(|it| it < exits.len());
        let is_target = |target: &Target| match *target {
            Target::Node { node } => is_node(node),
            Target::Sink { sink } => sink <= MOST_SINKS,
        };
        let makes_sense = count <= flag::MOST_CHAINS as usize
            && exits.len() <= MOST_EXITS
            && is_node(entry)
            && exits.iter().flat_map(|exit| &exit.to).all(is_target)
            && nodes.iter().all(|node| {
                node.inputs.iter().all(|&input| input == 0 || is_node(input))
                    && node
                        .ports
                        .iter()
                        .all(|port| is_exit(port.exit) && (port.next == 0 || is_node(port.next)))
                    && is_exit(node.errors)
                    && is_exit(node.plain)
            });
        if !makes_sense {
            return None;
        }
        let last_first = last_first(&nodes)?;
        let reached: Vec<(Makes, Vec<Target>)> =
            (1..=count).map(|number| reached(number, &nodes, &exits)).collect();
        // Nothing leaves those before all has come: they must never be full.
        let takes_all: Vec<bool> =
            nodes.iter().map(|node| node.hold.is_some_and(|hold| hold != Hold::Batch)).collect();
        let made = nodes.into_iter().zip(reached).map(|(node, (makes, reached))| {
            let exit = |number: i32| usize::try_from(number).ok();
            let feeds = reached.iter().filter_map(|target| match *target {
                Target::Node { node } if !takes_all[node - 1] => Some(node),
                _ => None,
            });
            let feeds: BTreeSet<usize> = feeds.collect();
            Node {
                makes,
                feeds: feeds.into_iter().collect(),
                has_sink: reached.iter().any(|target| matches!(target, Target::Sink { .. })),
                name: node.name,
                hold: node.hold,
                tags: node.tags,
                retries: node.retries.map(policy),
                timeout: node.task_timeout,
                most_waiting: node.max_waiting.unwrap_or(MOST_WAITING),
                batch: node.batch.unwrap_or_default(),
                inputs: node.inputs,
                errors: exit(node.errors),
                plain: exit(node.plain),
            }
        });
        let nodes = made.collect();
        let exits = exits.into_iter().map(|exit| exit.to).collect();
        Some(Self { entry, nodes, exits, last_first })
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn numbers(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.nodes.len()
    }

    pub(crate) fn node(&self, number: usize) -> &Node {
        &self.nodes[number - 1]
    }

    pub(crate) fn has(&self, number: usize) -> bool {
        self.numbers().contains(&number)
    }

    /// Where what leaves this exit goes; none if there is no such exit.
    pub(crate) fn targets(&self, exit: usize) -> Option<&[Target]> {
        self.exits.get(exit).map(Vec::as_slice)
    }

    /// The sink that all goes to which leaves this exit; none if any goes elsewhere.
    pub(crate) fn only_sink(&self, exit: usize) -> Option<usize> {
        match *self.targets(exit)? {
            [Target::Sink { sink }] => Some(sink),
            _ => None,
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().map(|node| node.name.clone())
    }

    /// How many exits there are.
    pub(crate) fn exits(&self) -> usize {
        self.exits.len()
    }

    /// The tags of each node that has events.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &[String]> {
        self.nodes.iter().filter(|node| node.hold != Some(Hold::Master)).map(|node| &*node.tags)
    }

    /// Whether some node has what comes to it written down.
    pub(crate) fn is_spilling(&self) -> bool {
        self.nodes.iter().any(|node| node.hold == Some(Hold::Spill))
    }

    /// The shortest time that an event of any node may take.
    pub(crate) fn shortest_timeout(&self) -> Option<u32> {
        self.nodes.iter().filter_map(|node| node.timeout).min()
    }
}

/// What an event may make that enters at a node, there and at those that run in the same event; and where that goes, and its
/// failures.
fn reached(from: usize, nodes: &[flow::Node], exits: &[flow::Exit]) -> (Makes, Vec<Target>) {
    let mut makes = Makes::default();
    let mut targets = Vec::new();
    let mut leaves = |exit: i32| {
        let exit = usize::try_from(exit).ok();
        targets.extend(exit.into_iter().flat_map(|exit| &exits[exit].to));
        exit.map_or(0, |exit| 1 << exit)
    };
    if nodes[from - 1].hold == Some(Hold::Spill) {
        // What was to be written down is tried again there, and what was is merged.
        makes.spills |= 1 << from;
    }
    let mut numbers = vec![from];
    // No more than there are: a circle would be found elsewhere.
    for at in 0..nodes.len() {
        let Some(&number) = numbers.get(at) else { break };
        makes.nodes |= 1 << number;
        for port in &nodes[number - 1].ports {
            if port.next != 0 && !numbers.contains(&port.next) {
                numbers.push(port.next);
            }
            makes.exits |= leaves(port.exit);
        }
    }
    // Whatever leads to such a node is written down for it.
    for (number, node) in (1..).zip(nodes) {
        let is_behind = |input: &usize| *input > 0 && is_in(makes.nodes, *input);
        if node.hold == Some(Hold::Spill) && node.inputs.iter().any(is_behind) {
            makes.spills |= 1 << number;
        }
    }
    makes.nodes |= makes.spills;
    for number in 1..=nodes.len() {
        if is_in(makes.nodes, number) {
            leaves(nodes[number - 1].errors);
        }
    }
    (makes, targets)
}

/// All nodes, each before those that lead to it. None if there is a circle.
fn last_first(nodes: &[flow::Node]) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < nodes.len() {
        let is_next = |&number: &usize| {
            !order.contains(&number)
                && nodes[number - 1].inputs.iter().all(|input| *input == 0 || order.contains(input))
        };
        let next = (1..=nodes.len()).find(is_next)?;
        order.push(next);
    }
    order.reverse();
    Some(order)
}

fn policy(told: flow::Retries) -> Policy {
    let flow::Retries { limit, backoff, factor, max_delay, on } = told;
    let max_delay = max_delay.unwrap_or(f64::MAX);
    Policy::new(limit, (backoff, factor, max_delay), &on)
}
