//! Finds a cycle in a graph of things that wait for each other. It knows nothing of locks: a graph in, a cycle out.
//!
//! A node is *free* if what it waits for is free: all of it, or any of it. First all nodes are found that are free, beginning
//! with those that wait for nothing. What is left can never go on; a walk along the edges between those nodes finds a cycle, if
//! there is one. (There is none where all of them wait for something that nobody provides.) It may be one of many that are
//! connected: all nodes that can be reached from it, and from which it can be reached, are its *knot*, and each of them is in a
//! cycle. Of those the one with the edge of the highest rank is chosen. This takes time in proportion to the size of the graph.

use std::collections::VecDeque;

/// What a node needs of those that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    All,
    /// Without anything to wait for, it is never free.
    Any,
}

#[derive(Debug)]
struct Node {
    needs: Needs,
    /// The nodes that it waits for.
    on: Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    /// A node that waits for nothing, until something is [set](Self::set). Nodes are numbered from 0.
    pub(super) fn add(&mut self) {
        self.nodes.push(Node { needs: Needs::All, on: Vec::new() });
    }

    pub(super) fn set(&mut self, node: usize, needs: Needs, on: Vec<usize>) {
        self.nodes[node] = Node { needs, on };
    }

    /// Nodes each of which waits for the next, and the last for the first, and none of which can go on. Where cycles are
    /// connected, it is one with the edge that ranks highest.
    pub(super) fn cycle<Rank: Ord>(
        &self,
        rank: impl Fn(usize, usize) -> Option<Rank>,
    ) -> Option<Vec<usize>> {
        let is_free = self.free();
        let found = self.any_cycle(&is_free)?;
        let is_in = self.knot(*found.first()?, &is_free);
        let edges = self.nodes.iter().enumerate().filter(|&(from, _)| is_in[from]);
        let edges = edges.flat_map(|(from, node)| node.on.iter().map(move |&to| (from, to)));
        let ranked = edges.filter(|&(_, to)| is_in[to]);
        let best = ranked.filter_map(|(from, to)| Some((rank(from, to)?, from, to))).max();
        Some(best.map_or(found, |(_, from, to)| self.path(to, from, &is_in)))
    }

    /// The nodes that are in cycles with this one.
    fn knot(&self, node: usize, is_free: &[bool]) -> Vec<bool> {
        let waiting = self.waiting();
        let stuck: Vec<bool> = is_free.iter().map(|is_free| !is_free).collect();
        let ahead = reached(node, &stuck, |node| &self.nodes[node].on);
        reached(node, &ahead, |node| &waiting[node])
    }

    /// The nodes on the shortest way, all of which are in the same knot.
    fn path(&self, from: usize, to: usize, is_in: &[bool]) -> Vec<usize> {
        // Walked from its end, so that each node is found with the one after it.
        let waiting = self.waiting();
        let mut next: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front().filter(|&node| node != from) {
            for &before in waiting[node].iter().filter(|&&before| is_in[before] && before != to) {
                if next[before].is_none() {
                    next[before] = Some(node);
                    queue.push_back(before);
                }
            }
        }
        std::iter::successors(Some(from), |&node| next[node]).collect()
    }

    fn any_cycle(&self, is_free: &[bool]) -> Option<Vec<usize>> {
        let mut is_done = is_free.to_vec();
        let mut depth: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for start in 0..self.nodes.len() {
            if is_done[start] {
                continue;
            }
            // Each step of the path with the next edge to be taken from it.
            let mut path = vec![(start, 0)];
            depth[start] = Some(0);
            while let Some((node, edge)) = path.last_mut() {
                let next = self.nodes[*node].on.get(*edge).copied();
                *edge += 1;
                match next {
                    Some(next) if is_done[next] => {}
                    Some(next) => {
                        if let Some(first) = depth[next] {
                            return Some(path[first..].iter().map(|&(node, _)| node).collect());
                        }
                        depth[next] = Some(path.len());
                        path.push((next, 0));
                    }
                    None => {
                        is_done[*node] = true;
                        depth[*node] = None;
                        path.pop();
                    }
                }
            }
        }
        None
    }

    /// Who waits for each.
    fn waiting(&self) -> Vec<Vec<usize>> {
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            node.on.iter().for_each(|&on| waiting[on].push(at));
        }
        waiting
    }

    fn free(&self) -> Vec<bool> {
        let waiting = self.waiting();
        let count = |node: &Node| if node.needs == Needs::All { node.on.len() } else { 1 };
        let mut missing: Vec<usize> = self.nodes.iter().map(count).collect();
        let mut is_free: Vec<bool> = missing.iter().map(|&missing| missing == 0).collect();
        let mut new: Vec<usize> = (0..is_free.len()).filter(|&at| is_free[at]).collect();
        while let Some(free) = new.pop() {
            for &at in &waiting[free] {
                if !is_free[at] {
                    missing[at] -= 1;
                    is_free[at] = missing[at] == 0;
                    new.extend(is_free[at].then_some(at));
                }
            }
        }
        is_free
    }
}

/// What can be reached from a node along these edges, among some.
fn reached<'a>(node: usize, among: &[bool], edges: impl Fn(usize) -> &'a Vec<usize>) -> Vec<bool> {
    let mut is_reached = vec![false; among.len()];
    is_reached[node] = true;
    let mut new = vec![node];
    while let Some(node) = new.pop() {
        for &next in edges(node) {
            if among[next] && !is_reached[next] {
                is_reached[next] = true;
                new.push(next);
            }
        }
    }
    is_reached
}

#[cfg(test)]
mod tests {
    use super::Needs::{All, Any};
    use super::*;

    #[test]
    fn a_cycle_is_found_exactly_where_nothing_in_it_can_go_on() {
        type Case<'a> = (&'a str, &'a [(Needs, &'a [usize])], Option<&'a [usize]>);
        let cases: [Case; 11] = [
            ("nothing", &[], None),
            ("one that is free", &[(All, &[])], None),
            ("one that waits for itself", &[(All, &[0])], Some(&[0])),
            ("a chain", &[(All, &[1]), (All, &[2]), (All, &[])], None),
            ("a ring of three", &[(All, &[1]), (All, &[2]), (All, &[0])], Some(&[0, 1, 2])),
            ("a ring behind a chain", &[(All, &[1]), (All, &[2]), (All, &[1])], Some(&[1, 2])),
            (
                "a ring, one of it with a free one",
                &[(All, &[2, 1]), (All, &[0]), (All, &[])],
                Some(&[0, 1]),
            ),
            ("any of a ring and a free one", &[(Any, &[1, 2]), (All, &[0]), (All, &[])], None),
            ("any of two rings", &[(Any, &[1, 2]), (All, &[0]), (All, &[0])], Some(&[0, 1])),
            ("waits for what nobody provides", &[(All, &[1]), (Any, &[])], None),
            (
                "a dead end and a ring",
                &[(All, &[1, 2]), (Any, &[]), (All, &[3]), (All, &[0])],
                Some(&[0, 2, 3]),
            ),
        ];
        for (what, nodes, expected) in cases {
            let mut graph = Graph::default();
            for _ in nodes {
                graph.add();
            }
            for (at, &(needs, on)) in nodes.iter().enumerate() {
                graph.set(at, needs, on.to_vec());
            }
            assert_eq!(graph.cycle(|_, _| None::<()>).as_deref(), expected, "{what}");
        }
    }

    #[test]
    fn of_cycles_that_are_connected_it_is_the_one_with_the_edge_that_ranks_highest() {
        type Edge = (usize, usize);
        type Case<'a> = (&'a str, &'a [(Needs, &'a [usize])], &'a [Edge], &'a [usize]);
        let cases: [Case; 7] = [
            ("one", &[(All, &[1]), (All, &[0])], &[(1, 0)], &[0, 1]),
            ("one that waits for itself too", &[(All, &[0, 1]), (All, &[0])], &[(0, 0)], &[0]),
            ("the second of two", &[(All, &[1, 2]), (All, &[0]), (All, &[0])], &[(0, 2)], &[2, 0]),
            (
                "of several edges the highest",
                &[(Any, &[1, 2]), (All, &[0]), (All, &[0])],
                &[(1, 0), (0, 1), (2, 0)],
                &[0, 2],
            ),
            (
                "an edge to a ring that does not lead back is in no cycle",
                &[(All, &[1, 2]), (All, &[0]), (All, &[3]), (All, &[2])],
                &[(1, 0), (0, 2)],
                &[0, 1],
            ),
            (
                "an edge to a free one neither",
                &[(All, &[1, 2]), (All, &[0]), (All, &[])],
                &[(1, 0), (0, 2)],
                &[0, 1],
            ),
            (
                "the shortest way back",
                &[(All, &[1, 2]), (All, &[2]), (All, &[3]), (All, &[0])],
                &[(3, 0)],
                &[0, 2, 3],
            ),
        ];
        for (what, nodes, ranks, expected) in cases {
            let mut graph = Graph::default();
            for _ in nodes {
                graph.add();
            }
            for (at, &(needs, on)) in nodes.iter().enumerate() {
                graph.set(at, needs, on.to_vec());
            }
            let rank = |from, to| ranks.iter().position(|&edge| edge == (from, to));
            assert_eq!(graph.cycle(rank).as_deref(), Some(expected), "{what}");
        }
    }

    #[test]
    fn a_long_chain_costs_neither_stack_nor_time() {
        const LONG: usize = 1_000_000;
        let mut graph = Graph::default();
        (0..LONG).for_each(|_| graph.add());
        (1..LONG).for_each(|at| graph.set(at - 1, All, vec![at]));
        let rank = |from: usize, _| Some(from);
        assert_eq!(graph.cycle(rank), None);
        graph.set(LONG - 1, All, vec![0]);
        assert_eq!(graph.cycle(rank).map(|cycle| cycle.len()), Some(LONG));
    }
}
