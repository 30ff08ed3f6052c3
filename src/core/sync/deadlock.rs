//! Finds a cycle in a graph of things that wait for each other. It knows nothing of locks: a graph in, a cycle out.
//!
//! A node is *free* if what it waits for is free: all of it, or any of it. First all nodes are found that are free, beginning
//! with those that wait for nothing. What is left can never go on; a walk along the edges between those nodes finds a cycle, if
//! there is one. (There is none where all of them wait for something that nobody provides.) This takes time in proportion to
//! the size of the graph.

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

    /// Nodes each of which waits for the next, and the last for the first, and none of which can go on.
    pub(super) fn cycle(&self) -> Option<Vec<usize>> {
        let is_free = self.free();
        let mut is_done = is_free.clone();
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

    fn free(&self) -> Vec<bool> {
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        let mut missing = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            node.on.iter().for_each(|&on| waiting[on].push(at));
            missing.push(if node.needs == Needs::All { node.on.len() } else { 1 });
        }
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
            assert_eq!(graph.cycle().as_deref(), expected, "{what}");
        }
    }

    #[test]
    fn a_long_chain_costs_neither_stack_nor_time() {
        const LONG: usize = 1_000_000;
        let mut graph = Graph::default();
        (0..LONG).for_each(|_| graph.add());
        (1..LONG).for_each(|at| graph.set(at - 1, All, vec![at]));
        assert_eq!(graph.cycle(), None);
        graph.set(LONG - 1, All, vec![0]);
        assert_eq!(graph.cycle().map(|cycle| cycle.len()), Some(LONG));
    }
}
