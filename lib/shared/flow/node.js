"use strict";
// The nodes of a flow while it is built: each method adds one to the graph. Runs none of the functions.

const {
  checkBatch,
  checkBranches,
  checkKey,
  checkNode,
  checkPlace,
  graphOptions,
} = require("./options");
const { checkFunction } = require("../checks");
const { invalidType, shown } = require("../errors");
const { Set, WeakMap } = require("../primordials");
const { plainOf } = require("../stage");

/** @typedef {"map" | "flatMap" | "filter" | "split" | "merge" | "batch" | "reduce" | "reduceByKey" | "groupByKey" | "join" | "sortBy"} Kind */
/** Where items come from: a port of a node; node -1 is the source. @typedef {{ node: number, port: string }} Edge */
/** @typedef {{ tags?: string[], concurrency?: number, retries?: import("../../../native").RetryOptions, taskTimeout?: number,
 *   maxWaiting?: number, memory?: number }} NodeOptions */
/** @typedef {{ count?: number, ms?: number, bytes?: number }} Batch */
/** @typedef {"inner" | "left" | "outer"} JoinKind */
/** @typedef {{ kind: Kind, name: string, inputs: Edge[], options: NodeOptions, branches?: string[], batch?: Batch,
 *   in?: "master" | "worker", join?: JoinKind }} GraphNode */
/** @typedef {{ nodes: GraphNode[], sinks: { name: string | null, from: Edge }[] }} Graph */
/** The functions of a node; of a join those of both keys. @typedef {Function | Function[] | undefined} Functions */

/** The port that all nodes but `split` have, and the one of their failures. */
const OUT = "out";
const ERRORS = "errors";

/** Where a node stands. @type {WeakMap<object, { builder: Builder, edge: Edge }>} */
const places = new WeakMap();

/** What `flow` knows of its graph until the program's function has returned. */
class Builder {
  /** @type {GraphNode[]} */
  nodes = [];
  /** @type {Functions[]} */
  functions = [];
  isOpen = true;
  /** @type {globalThis.Set<string>} */
  #names = new Set();

  /**
   * @param {Omit<GraphNode, "options"> & { options?: NodeOptions }} node its name may be another's
   * @param {Functions} functions
   * @returns {number} its index
   */
  add({ kind, name, inputs, options = Object.create(null), ...own }, functions) {
    this.functions.push(functions);
    const unique = uniqueName(name, this.#names);
    return this.nodes.push({ kind, name: unique, inputs, options, ...own }) - 1;
  }
}

/** The name, or the name with the first number that is free. @param {string} name @param {globalThis.Set<string>} taken */
function uniqueName(name, taken) {
  let unique = name;
  for (let number = 2; taken.has(unique); number++) unique = `${name} ${number}`;
  taken.add(unique);
  return unique;
}

/** Items on their way: what a port of a node gives. Its methods say what happens to them. */
class FlowNode {
  /** @param {Builder} builder @param {Edge} edge */
  constructor(builder, edge) {
    places.set(this, { builder, edge });
    Object.freeze(this);
  }

  /** @param {unknown} fn @param {unknown} [options] */
  map(fn, options) {
    return step(this, "map", fn, options);
  }

  /** @param {unknown} fn @param {unknown} [options] */
  flatMap(fn, options) {
    return step(this, "flatMap", fn, options);
  }

  /** @param {unknown} fn @param {unknown} [options] */
  filter(fn, options) {
    return step(this, "filter", fn, options);
  }

  /** @param {unknown} fn @param {unknown} branches @param {unknown} [options] @returns {Record<string, FlowNode>} */
  split(fn, branches, options) {
    const { builder, edge } = placeOf(this, "split");
    checkFunction("split: the first parameter", fn);
    const names = checkBranches(branches);
    const checked = checkNode("split", options, fn);
    const common = commonOf("split", checked, fn);
    const node = builder.add({ ...common, inputs: [edge], branches: names }, written(fn));
    const ports = Object.create(null);
    for (const port of names) ports[port] = new FlowNode(builder, { node, port });
    return ports;
  }

  /** @param {unknown[]} nodes */
  merge(...nodes) {
    const { builder, edge } = placeOf(this, "merge");
    const others = nodes.map((other, at) => edgeOf(other, builder, `merge: parameter ${at + 1}`));
    /** @type {Kind} */
    const kind = "merge";
    return out(builder, builder.add({ kind, name: kind, inputs: [edge, ...others] }, undefined));
  }

  /** @param {unknown} options */
  batch(options) {
    const { builder, edge } = placeOf(this, "batch");
    const checked = checkNode("batch", options);
    const common = commonOf("batch", checked);
    return out(
      builder,
      builder.add({ ...common, inputs: [edge], batch: checkBatch(checked) }, undefined),
    );
  }

  /** @param {unknown} fn @param {unknown} [options] */
  reduce(fn, options) {
    const { builder, edge } = placeOf(this, "reduce");
    checkFunction("reduce: the first parameter", fn);
    const checked = checkNode("reduce", options, fn);
    const common = commonOf("reduce", checked, fn);
    const node = { ...common, inputs: [edge], in: checkPlace(checked) };
    return out(builder, builder.add(node, written(fn)));
  }

  /** @param {unknown} combine @param {unknown} [options] */
  reduceByKey(combine, options) {
    return step(this, "reduceByKey", combine, options);
  }

  /** @param {unknown} fn @param {unknown} [options] */
  groupByKey(fn, options) {
    return step(this, "groupByKey", fn, options);
  }

  /** @param {unknown} other @param {unknown} options */
  join(other, options) {
    const { builder, edge } = placeOf(this, "join");
    const right = edgeOf(other, builder, "join: the first parameter");
    const checked = checkNode("join", options);
    if (checked.on === undefined) {
      throw invalidType(
        "join: options.on must be an array of two functions, [(left) => key, (right) => key]: it is missing",
      );
    }
    const common = commonOf("join", checked);
    const node = { ...common, inputs: [edge, right], join: checked.kind || "inner" };
    return out(builder, builder.add(node, checked.on));
  }

  /** @param {unknown} key @param {unknown} [options] */
  sortBy(key, options) {
    checkKey("sortBy: the first parameter", key);
    return step(this, "sortBy", key, options);
  }

  get errors() {
    const { builder, edge } = placeOf(this, "errors");
    const { node } = edge;
    if (node < 0) throw noErrors("the source");
    if (edge.port === ERRORS) throw noErrors("errors");
    if (builder.nodes[node].kind === "merge") throw noErrors("merge");
    return new FlowNode(builder, { node, port: ERRORS });
  }
}

/**
 * Adds a node with one function and one way in.
 * @param {FlowNode} from
 * @param {Kind} kind
 * @param {unknown} fn
 * @param {unknown} options
 */
function step(from, kind, fn, options) {
  const { builder, edge } = placeOf(from, kind);
  checkFunction(`${kind}: the first parameter`, fn);
  const common = commonOf(kind, checkNode(kind, options, fn), fn);
  return out(builder, builder.add({ ...common, inputs: [edge] }, written(fn)));
}

/** @param {Kind} kind @param {any} checked @param {any} [fn] */
function commonOf(kind, checked, fn) {
  const name = checked.name || (fn && typeof fn.name === "string" && fn.name) || kind;
  return { kind, name, options: graphOptions(checked) };
}

/** The function as the program has written it. @param {any} fn @returns {Function} */
const written = (fn) => plainOf(fn);

/** @param {Builder} builder @param {number} node */
const out = (builder, node) => new FlowNode(builder, { node, port: OUT });

/** Where the node stands whose method was called. @param {any} node @param {string} method */
function placeOf(node, method) {
  const place = isNode(node) ? places.get(node) : undefined;
  if (place === undefined)
    throw invalidType(`${method}: call it as a method of a node, such as source.${method}(…)`);
  if (place.builder.isOpen) return place;
  throw invalidType(
    `${method}: the flow is built already: add nodes inside of the function that flow gets, before it returns`,
  );
}

/**
 * Where another node of the same flow stands.
 * @param {any} node
 * @param {Builder} builder
 * @param {string} where
 * @returns {Edge}
 */
function edgeOf(node, builder, where) {
  const place = isNode(node) ? places.get(node) : undefined;
  if (place === undefined)
    throw invalidType(`${where} must be a node of this flow, got ${shown(node)}`);
  if (place.builder === builder) return place.edge;
  throw invalidType(
    `${where} must be a node of this flow, got one of another: use nodes that come from its own source`,
  );
}

/** @param {any} value */
const isNode = (value) => places.has(value);

/** @param {string} what */
const noErrors = (what) =>
  invalidType(
    `errors: ${what} has none, because it runs nothing that can fail: read them of a node such as map`,
  );

module.exports = { Builder, ERRORS, FlowNode, OUT, edgeOf, isNode, uniqueName };
