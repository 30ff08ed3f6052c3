"use strict";
// Makes of a flow's graph what is executed: which nodes run in one worker event, and where the items go that leave it. Pure: the
// same in the master and in its workers.

const { ERRORS, uniqueName } = require("./node");
const { digest } = require("../digest");
const { invalidRange } = require("../errors");
const { JSON, Map, Set } = require("../primordials");

/** @typedef {import("./node").Graph} Graph */
/** @typedef {import("./node").GraphNode} GraphNode */
/** @typedef {import("./node").Edge} Edge */
/** An input of a node; of a join 0 is left and 1 is right. @typedef {{ node: number, side: number }} Input */
/** @typedef {Input | { sink: number }} Target */
/** @typedef {{ exit: number, next: number, spills: Input[] }} Port */
/** @typedef {Exclude<GraphNode["kind"], "merge"> | "identity"} PlanKind */
/** @typedef {null | "batch" | "all" | "master" | "spill"} Hold */
/**
 * @typedef {object} PlanNode
 * @property {number} number
 * @property {string} name
 * @property {number} graph its index there; -1 for an identity
 * @property {PlanKind} kind
 * @property {Hold} hold whether it gathers its items, and where
 * @property {string[]} tags
 * @property {import("./node").NodeOptions["retries"]} retries
 * @property {number | undefined} taskTimeout
 * @property {number | undefined} concurrency
 * @property {number | undefined} maxWaiting
 * @property {number | undefined} memory
 * @property {GraphNode["batch"]} batch
 * @property {GraphNode["join"]} join
 * @property {string[] | undefined} branches
 * @property {number[]} inputs the numbers of the nodes that it has items from; 0 is the source
 * @property {Port[]} ports
 * @property {number} errors an exit, or -1
 * @property {number} plain the exit of a plain answer, or -1
 */
/** @typedef {{ node: number, port: number, to: Target[] }} Exit */
/** @typedef {{ fingerprint: string, entry: number, nodes: PlanNode[], exits: Exit[], sinks: (string | null)[] }} Plan */

/** An entry has seven bits for its sink, and 0 is the one without a name. */
const MOST_SINKS = 127;

/** Merges of merges double: more edges than this are a mistake. */
const MOST_EDGES = 4096;

/** The port of an exit for failures. */
const FAILED = -1;

/** Kinds that may run in the event of the node before them. */
const STEPS = ["map", "flatMap", "filter", "split"];

/** Kinds that sort what they hold, on disk if need be. */
const SPILLED = ["reduceByKey", "groupByKey", "join", "sortBy"];

/** Who takes the items of a port: a node's side or a sink. @typedef {{ at: Vertex, side: number } | { sink: number }} Consumer */

/** A node of the plan while that is made. */
class Vertex {
  /** Who takes the items of each port. @type {Consumer[][]} */
  ports;
  /** @type {Consumer[]} */
  failures = [];
  /** How many edges lead to it. */
  edges = 0;
  /** @type {globalThis.Set<Vertex | undefined>} */
  from = new Set();
  /** The fused consumer of each port. @type {(Vertex | undefined)[]} */
  next;
  number = 0;

  /** @param {PlanKind} kind @param {number} graph @param {string} name @param {GraphNode} [node] */
  constructor(kind, graph, name, node) {
    this.kind = kind;
    this.graph = graph;
    this.name = name;
    this.node = node;
    this.options = node === undefined ? Object.create(null) : node.options;
    this.tags = [...new Set(node?.options.tags || [])].sort();
    this.retries = this.options.retries;
    const count = node?.branches ? node.branches.length : 1;
    this.ports = Array.from({ length: count }, () => []);
    this.next = Array.from({ length: count }, () => undefined);
  }

  get isStep() {
    return STEPS.includes(this.kind);
  }

  get isSpilled() {
    return SPILLED.includes(this.kind);
  }

  get isInMaster() {
    return this.node?.in === "master";
  }

  /** Whether it may run in the event of another node at all. */
  get mayFollow() {
    const { concurrency, maxWaiting, taskTimeout } = this.options;
    const isFree = [concurrency, maxWaiting, taskTimeout].every((option) => option === undefined);
    return this.isStep && this.edges === 1 && isFree;
  }

  /** Whether others may run in its event. */
  get mayLead() {
    const { concurrency, taskTimeout } = this.options;
    return !this.isInMaster && concurrency === undefined && taskTimeout === undefined;
  }

  /** @returns {Hold} */
  get hold() {
    if (this.kind === "batch") return "batch";
    if (this.kind === "reduce") return this.isInMaster ? "master" : "all";
    return this.isSpilled ? "spill" : null;
  }
}

/** @param {Graph} graph @returns {Plan} */
function planOf(graph) {
  const { entry, vertices } = connected(graph);
  vertices.forEach((vertex, at) => {
    vertex.number = at + 1;
  });
  for (const vertex of vertices) fuse(vertex);
  /** @type {Exit[]} */
  const exits = [];
  const nodes = vertices.map((vertex) => planned(vertex, exits));
  for (const node of nodes) node.plain = plainOf(node, nodes);
  checkSize(nodes.length, exits.length, graph.sinks.length);
  const fingerprint = digest(JSON.stringify(graph, withInfinity));
  return {
    fingerprint,
    entry: entry.number,
    nodes,
    exits,
    sinks: graph.sinks.map(({ name }) => name),
  };
}

/** JSON has no Infinity. @param {string} _ @param {unknown} value */
const withInfinity = (_, value) => (value === Infinity ? "Infinity" : value);

/**
 * The nodes that run, in an order in which each comes behind those that it has items from.
 * @param {Graph} graph
 * @returns {{ entry: Vertex, vertices: Vertex[] }}
 */
function connected({ nodes, sinks }) {
  const names = new Set(nodes.map(({ name }) => name));
  const through = edgesThrough(nodes);
  /** @type {globalThis.Map<number, Vertex>} */
  const byNode = new Map();
  /** @type {Vertex[]} */
  const vertices = [];
  /** Who takes what the source gives. @type {Consumer[]} */
  const first = [];

  /** @param {Edge} edge @returns {Consumer[]} */
  const consumersOf = ({ node, port }) => {
    const vertex = byNode.get(node);
    if (vertex === undefined) return first;
    if (port === ERRORS) return vertex.failures;
    const { branches } = nodes[node];
    return vertex.ports[branches === undefined ? 0 : branches.indexOf(port)];
  };

  for (const [at, node] of nodes.entries()) {
    if (node.kind === "merge") continue;
    const vertex = new Vertex(node.kind, at, node.name, node);
    /** Identities before it, by what they take items from. @type {globalThis.Map<Consumer[], Vertex>} */
    const before = new Map();
    for (const [side, input] of node.inputs.entries()) {
      for (const edge of through(input)) {
        const consumers = consumersOf(edge);
        const from = byNode.get(edge.node);
        if (vertex.isSpilled && (edge.port === ERRORS || from?.isInMaster)) {
          let identity = before.get(consumers);
          if (identity === undefined) {
            identity = new Vertex("identity", -1, uniqueName(`${node.name} input`, names));
            before.set(consumers, identity);
            vertices.push(identity);
            connect(from, consumers, identity, 0);
          }
          connect(identity, identity.ports[0], vertex, side);
        } else connect(from, consumers, vertex, side);
      }
    }
    byNode.set(at, vertex);
    vertices.push(vertex);
  }
  for (const [sink, { from }] of sinks.entries()) {
    for (const edge of through(from)) consumersOf(edge).push({ sink });
  }

  if (first.length === 1 && "at" in first[0] && first[0].at.isStep)
    return { entry: first[0].at, vertices };
  const entry = new Vertex("identity", -1, uniqueName("source", names));
  entry.ports[0] = first;
  entry.edges = 1;
  entry.from.add(undefined);
  for (const consumer of first) {
    if ("sink" in consumer) continue;
    consumer.at.from.delete(undefined);
    consumer.at.from.add(entry);
  }
  return { entry, vertices: [entry, ...vertices] };
}

/**
 * @param {Vertex | undefined} from nothing is the source
 * @param {Consumer[]} consumers
 * @param {Vertex} at
 * @param {number} side
 */
function connect(from, consumers, at, side) {
  consumers.push({ at, side });
  at.edges++;
  at.from.add(from);
}

/** Where the items of an edge come from when merges are left out. @param {GraphNode[]} nodes */
function edgesThrough(nodes) {
  /** @type {globalThis.Map<number, Edge[]>} */
  const merged = new Map();
  /** @param {Edge} edge @returns {Edge[]} */
  const through = (edge) => merged.get(edge.node) || [edge];
  for (const [at, { kind, inputs }] of nodes.entries()) {
    if (kind !== "merge") continue;
    const edges = inputs.flatMap(through);
    if (edges.length > MOST_EDGES) throw tooMany("edges through its merges", MOST_EDGES, "more");
    merged.set(at, edges);
  }
  return through;
}

/** Finds the nodes that run in the same event as this one. @param {Vertex} vertex */
function fuse(vertex) {
  // Neither has options of its own, so that they run where what follows does.
  const isBlank = vertex.kind === "identity" || vertex.kind === "batch";
  for (const [port, consumers] of vertex.ports.entries()) {
    const found = consumers.find(
      (consumer) =>
        "at" in consumer && consumer.at.mayFollow && (isBlank || goesWith(vertex, consumer.at)),
    );
    if (found === undefined || !("at" in found)) continue;
    vertex.next[port] = found.at;
    if (!isBlank) continue;
    vertex.tags = found.at.tags;
    vertex.retries = found.at.retries;
  }
}

/** @param {Vertex} one @param {Vertex} other */
const goesWith = (one, other) =>
  one.mayLead &&
  JSON.stringify([one.tags, one.retries]) === JSON.stringify([other.tags, other.retries]);

/** @param {Vertex} vertex @param {Exit[]} exits gets those of the node @returns {PlanNode} */
function planned(vertex, exits) {
  const { number, options, node } = vertex;
  const ports = vertex.ports.map((consumers, port) => {
    const next = vertex.next[port];
    /** @type {Input[]} */
    const spills = [];
    /** @type {Target[]} */
    const to = [];
    for (const consumer of consumers) {
      if ("sink" in consumer) to.push(consumer);
      else if (consumer.at.isSpilled) spills.push(inputOf(consumer));
      else if (consumer.at !== next) to.push(inputOf(consumer));
    }
    return { exit: exitTo(to, number, port, exits), next: next ? next.number : 0, spills };
  });
  const failures = vertex.failures.map((one) => ("sink" in one ? one : inputOf(one)));
  return {
    number,
    name: vertex.name,
    graph: vertex.graph,
    kind: vertex.kind,
    hold: vertex.hold,
    tags: vertex.tags,
    retries: vertex.retries,
    taskTimeout: options.taskTimeout,
    concurrency: options.concurrency,
    maxWaiting: options.maxWaiting,
    memory: options.memory,
    batch: node?.batch,
    join: node?.join,
    branches: node?.branches,
    inputs: [...vertex.from].map((from) => (from ? from.number : 0)).sort((a, b) => a - b),
    ports,
    errors: exitTo(failures, number, FAILED, exits),
    plain: -1,
  };
}

/** @param {{ at: Vertex, side: number }} consumer @returns {Input} */
const inputOf = ({ at, side }) => ({ node: at.number, side });

/** @param {Target[]} to @param {number} node @param {number} port @param {Exit[]} exits */
const exitTo = (to, node, port, exits) =>
  to.length === 0 ? -1 : exits.push({ node, port, to }) - 1;

/** The exit of an event's only output, where it is plain. @param {PlanNode} node @param {PlanNode[]} nodes */
function plainOf(node, nodes) {
  /** @type {PlanNode} */
  let at = node;
  for (;;) {
    const [{ exit, next, spills }] = at.ports;
    if (at.kind === "split" || spills.length > 0) return -1;
    if (next === 0) return exit;
    if (exit !== -1) return -1;
    at = nodes[next - 1];
  }
}

/** @param {number} nodes @param {number} exits @param {number} sinks */
function checkSize(nodes, exits, sinks) {
  // More cannot be told apart in an event's flags.
  const { mostChains, mostExits } = require("../native").wire();
  if (nodes > mostChains) throw tooMany("nodes that run", mostChains, String(nodes));
  if (exits > mostExits)
    throw tooMany("ways from one node to others and to sinks", mostExits, String(exits));
  if (sinks > MOST_SINKS) throw tooMany("sinks", MOST_SINKS, String(sinks));
}

/** @param {string} what @param {number} most @param {string} got */
const tooMany = (what, most, got) =>
  invalidRange(
    `flow: a flow may have at most ${most} ${what}, got ${got}: join nodes into one, or make it two flows`,
  );

module.exports = { planOf };
