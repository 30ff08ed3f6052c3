"use strict";
// What statistics and the report say of a flow's nodes: the core counts by their numbers, the plan knows the rest.

const { Set } = require("../shared/primordials");

/** @typedef {import("../shared/flow/plan").Plan} Plan */
/** @typedef {import("../shared/flow/plan").PlanNode} PlanNode */
/** @typedef {import("../../index").NodeStatistics} NodeStatistics */
/** What the core counts. @typedef {Omit<NodeStatistics, "name" | "kind" | "tags" | "partOf">} Counts */
/** `port`: the branch, or `errors`. @typedef {{ from: number, to: number | { sink: number }, port?: string, isFused?: true, count?: number }} Edge */
/** Nodes are named by their index. @typedef {{ entry: number, heads: number[], edges: Edge[], sinks: (string | null)[] }} Drawn */

/** The first node of those that run in the same event, for each by its index. @param {Plan} plan */
function headsOf({ nodes }) {
  const heads = nodes.map((_, at) => at);
  // A node comes behind those that it has items from.
  for (const [at, { ports }] of nodes.entries()) {
    for (const { next } of ports) if (next !== 0) heads[next - 1] = heads[at];
  }
  return heads;
}

/** @param {Plan} plan @param {Counts[]} counts @returns {NodeStatistics[]} */
function nodeStatistics(plan, counts) {
  const heads = headsOf(plan);
  return plan.nodes.map(({ name, kind, tags }, at) => {
    const head = heads[at];
    const partOf = head === at ? {} : { partOf: plan.nodes[head].name };
    return { name, kind, tags: [...tags], ...partOf, ...counts[at] };
  });
}

/**
 * The graph for the report.
 * @param {Plan} plan
 * @param {Counts[]} counts
 * @param {number[]} exits how many items have left each
 * @returns {Drawn}
 */
function drawn(plan, counts, exits) {
  /** @type {Edge[]} */
  const edges = [];
  for (const [from, node] of plan.nodes.entries()) {
    for (const [at, { exit, next, spills }] of node.ports.entries()) {
      const port = node.branches && { port: node.branches[at] };
      if (next !== 0) edges.push({ from, to: next - 1, ...port, isFused: true });
      for (const to of new Set(spills.map((spill) => spill.node - 1)))
        edges.push({ from, to, ...port });
      edges.push(...leaving(plan, from, exit, exits, port));
    }
    edges.push(...leaving(plan, from, node.errors, exits, { port: "errors" }));
  }
  // Workers tell for whom they write, and not which of several nodes had the items.
  for (const edge of edges) {
    const spilled = typeof edge.to === "number" && counts[edge.to].spilled;
    const others = edges.filter(({ to }) => to === edge.to);
    if (spilled && others.length === 1) edge.count = spilled.records;
  }
  return { entry: plan.entry - 1, heads: headsOf(plan), edges, sinks: plan.sinks };
}

/**
 * @param {Plan} plan
 * @param {number} from
 * @param {number} exit or -1
 * @param {number[]} exits
 * @param {{ port: string } | undefined} port
 * @returns {Edge[]}
 */
function leaving(plan, from, exit, exits, port) {
  if (exit === -1) return [];
  return plan.exits[exit].to.map((target) => ({
    from,
    to: "sink" in target ? { sink: target.sink } : target.node - 1,
    ...port,
    count: exits[exit],
  }));
}

/**
 * Makes statistics of the core's what the program is given.
 * @param {any} told
 * @param {Plan | undefined} plan of the flow, if there is one
 * @returns {{ statistics: any, graph?: Drawn }}
 */
function statisticsOf({ nodes, exits, ...rest }, plan) {
  if (plan === undefined || nodes === undefined) return { statistics: rest };
  return {
    statistics: { ...rest, nodes: nodeStatistics(plan, nodes) },
    graph: drawn(plan, nodes, exits),
  };
}

module.exports = { statisticsOf };
