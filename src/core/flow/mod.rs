//! A flow: which node's events may begin, and when a node that waits for all before it opens. Pure: it knows numbers of nodes
//! and counts of events, and no event, worker or value.

mod plan;
mod progress;

pub(crate) use plan::{Node, Plan};
pub(crate) use progress::Progress;

#[cfg(test)]
mod tests;
