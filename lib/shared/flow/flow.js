"use strict";
// `flow`: makes a graph of what the program's function does with its source. Runs none of its functions.

const { Builder, FlowNode, OUT, edgeOf, isNode } = require("./node");
const { planOf } = require("./plan");
const { keep } = require("./made");
const { checkFunction } = require("../checks");
const { invalidType, shown } = require("../errors");

/** @typedef {import("./node").Graph} Graph */
/** @typedef {import("./node").Functions} Functions */

/** What `flow` returns: it has nothing of its own, so that only this package sees the graph. */
class Flow {
  /** @param {Graph} graph @param {Functions[]} functions */
  constructor(graph, functions) {
    // Here, because the graph may be too large: the program's line is in the stack.
    keep(this, { graph, functions, plan: planOf(graph) });
    Object.freeze(this);
  }
}

/** @param {any} build @returns {Flow} */
function flow(build) {
  checkFunction("flow: the first parameter", build);
  const builder = new Builder();
  try {
    const built = build(new FlowNode(builder, { node: -1, port: OUT }));
    const { nodes, functions } = builder;
    return new Flow({ nodes, sinks: sinksOf(built, builder) }, functions);
  } finally {
    builder.isOpen = false;
  }
}

/** @param {any} built @param {InstanceType<typeof Builder>} builder @returns {Graph["sinks"]} */
function sinksOf(built, builder) {
  const where = "flow: what its function returns";
  if (isNode(built)) return [{ name: null, from: edgeOf(built, builder, where) }];
  const must = `${where} must be a node, or an object of nodes by the names of their sinks`;
  if (typeof Object(built).then === "function")
    throw invalidType(`${must}, got a promise: the function must not be async`);
  if (built === null || typeof built !== "object" || Array.isArray(built))
    throw invalidType(`${must}, got ${shown(built)}`);
  const names = Object.keys(built);
  if (names.length === 0) throw invalidType(`${must}, got an object without any`);
  return names.map((name) => {
    if (name === "") throw invalidType(`${where}: the name of a sink must not be empty`);
    return { name, from: edgeOf(built[name], builder, `${where}: the sink ${shown(name)}`) };
  });
}

module.exports = { flow };
