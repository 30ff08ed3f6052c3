"use strict";
// The nodes of a flow's plan as a worker runs them: each with its function, and its ports with the next nodes in place of numbers.

const { wire } = require("../../shared/native");
const { Map } = require("../../shared/primordials");

/** What is done with an item. */
const MAP = 0;
const FILTER = 1;
const SPLIT = 2;
const FLAT_MAP = 3;
/** The item passes unchanged: an identity, or a batch that is complete. */
const PASS = 4;
/** The item is the array of all items. */
const REDUCE = 5;
/** Keys and values go through files; see groups.js. */
const SPILL = 6;
/** Never runs in a worker. */
const IN_MASTER = 7;

/** So many bytes an event keeps of what goes through files, unless the node says another number. */
const MEMORY = 2 ** 26;

/** @type {Record<string, number>} */
const KINDS = { map: MAP, filter: FILTER, split: SPLIT, flatMap: FLAT_MAP, reduce: REDUCE };

/**
 * The parts of a plan that are of use here; lib/shared/flow/plan.js makes it.
 * @typedef {object} PlanPort
 * @property {number} exit -1 if it has none
 * @property {number} next the number of the node that runs in the same event, or 0
 * @property {{ node: number, side: number }[]} spills
 */
/**
 * @typedef {object} PlanNode
 * @property {number} number
 * @property {string} name
 * @property {number} graph its index among the program's functions, -1 if it has none
 * @property {string} kind
 * @property {string | null} hold
 * @property {string} [join]
 * @property {number} [memory] how many bytes an event keeps before it writes them
 * @property {string[]} [branches]
 * @property {PlanPort[]} ports
 * @property {number} plain
 */
/** @typedef {{ nodes: PlanNode[] }} Plan */
/** @typedef {Step} AnyStep */
/** @typedef {Port} AnyPort */

/** An output of a step. */
class Port {
  /** @param {PlanPort} port */
  constructor({ exit }) {
    this.exit = exit;
    /** What each record of its exit begins with; empty if it has none. */
    this.prefix = exit < 0 ? "" : `\n${String.fromCharCode(wire().firstExit + exit)}`;
    /** Runs in the same event. @type {Step | undefined} */
    this.next = undefined;
    /** @type {{ step: Step, side: number }[] | undefined} */
    this.spills = undefined;
  }

  /** Whether all that is put here is one record of an exit. */
  get isOneExit() {
    return this.exit >= 0 && this.next === undefined && this.spills === undefined;
  }
}

/** A node. */
class Step {
  /** @param {PlanNode} node @param {any} fn its function, or its functions */
  constructor({ number, name, kind, hold, join, memory, branches, ports }, fn) {
    this.number = number;
    this.name = name;
    this.kind = kindOf(kind, hold);
    this.fn = fn;
    /** What the plan calls it. */
    this.planKind = kind;
    this.join = join;
    this.memory = memory === undefined ? MEMORY : memory;
    this.ports = ports.map((port) => new Port(port));
    this.out = this.ports[0];
    /** The ports of a split by their branches. */
    this.branches = new Map((branches || []).map((branch, at) => [branch, this.ports[at]]));
    /** If an event that enters here has one output or none: all that it goes through. @type {Step[] | undefined} */
    this.chain = undefined;
  }
}

/** @param {string} kind @param {string | null} hold */
function kindOf(kind, hold) {
  if (hold === "spill") return SPILL;
  if (hold === "master") return IN_MASTER;
  const known = KINDS[kind];
  return known === undefined ? PASS : known;
}

/**
 * The steps of a plan by their numbers; nothing has the number 0.
 * @param {Plan} plan
 * @param {any[]} functions by the indexes of the graph's nodes
 * @returns {Step[]}
 */
function stepsOf({ nodes }, functions) {
  /** @type {any[]} */
  const steps = [undefined];
  for (const node of nodes) steps.push(new Step(node, functions[node.graph]));
  for (const { number, ports } of nodes) {
    for (const [at, { next, spills }] of ports.entries()) {
      const port = steps[number].ports[at];
      if (next > 0) port.next = steps[next];
      if (spills.length > 0)
        port.spills = spills.map(({ node, side }) => ({ step: steps[node], side }));
    }
  }
  for (const { number, plain } of nodes) {
    if (plain >= 0) steps[number].chain = chainFrom(steps[number]);
  }
  return steps;
}

/** Its outputs cannot be more than one, if all of these are map or filter. @param {Step} entry */
function chainFrom(entry) {
  const chain = [];
  for (let step = entry; ; step = step.out.next) {
    if (step.kind === SPLIT || step.kind === FLAT_MAP || step.kind >= SPILL) return undefined;
    chain.push(step);
    if (step.out.next === undefined) return chain;
  }
}

module.exports = {
  FILTER,
  FLAT_MAP,
  IN_MASTER,
  MAP,
  PASS,
  Port,
  REDUCE,
  SPILL,
  SPLIT,
  Step,
  stepsOf,
};
