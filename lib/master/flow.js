"use strict";
// A flow as the master runs it: its plan as the core is told of it, and what is reduced here.

const { retriesOf, wholeMilliseconds } = require("./limits");
const { MASK, decode, encodedWithin, formatOf } = require("../shared/codec");
const { invalidType } = require("../shared/errors");
const { arrayOf } = require("../shared/flow/parts");
const { wire } = require("../shared/native");
const { JSON, Set } = require("../shared/primordials");
const { errorToJson } = require("../shared/thrown");

/** @typedef {import("../shared/flow/plan").Plan} Plan */
/** @typedef {import("../shared/options").Options} Options */
/** @typedef {InstanceType<typeof import("./run").Run>} Run */

/** @typedef {import("../shared/flow/given").Flow} Flow */

/** Kinds of nodes of which each item comes from one event. */
const CHAINED = ["map", "flatMap", "filter"];

/**
 * The plan as the core is told of it. What the call says of retries and time limits holds for the nodes that say nothing.
 * @param {Plan} plan
 * @param {Options} options those of the call
 */
function toldPlan({ entry, nodes, exits, sinks }, { retries, taskTimeout }) {
  const told = nodes.map((node) => ({
    name: node.name,
    hold: node.hold,
    tags: node.tags,
    retries: retriesOf(node.retries === undefined ? retries : node.retries),
    taskTimeout: wholeMilliseconds(node.taskTimeout === undefined ? taskTimeout : node.taskTimeout),
    maxWaiting: node.maxWaiting,
    batch: node.batch,
    inputs: node.inputs,
    ports: node.ports.map(({ exit, next }) => ({ exit, next })),
    errors: node.errors,
    plain: node.plain,
  }));
  const to = exits.map((exit) => ({
    to: exit.to.map((target) =>
      "sink" in target ? { sink: placeOf(target.sink, sinks) } : { node: target.node },
    ),
  }));
  return JSON.stringify({ entry, nodes: told, exits: to });
}

/** How an entry names its sink: 0 if there is but one, without a name. @param {number} sink @param {Plan["sinks"]} sinks */
const placeOf = (sink, sinks) => (sinks[sink] === null ? 0 : sink + 1);

/** Throws if a call with these options cannot have a flow. @param {Options} options */
function checkFlowOptions({ order, flow, checkpoint }) {
  const inMaster = flow?.plan.nodes.find(({ hold }) => hold === "master");
  if (inMaster !== undefined && flow?.functions === undefined)
    throw invalidType(
      `the node ${inMaster.name} reduces in the master, which has none of the functions of a worker file: give it in: "worker"`,
    );
  const asked =
    order === "submission"
      ? 'options.order: "submission"'
      : checkpoint !== undefined && "options.checkpoint";
  const why = asked && flow !== undefined ? notChained(flow.plan) : undefined;
  if (why === undefined) return;
  throw invalidType(
    `${asked} is possible with a flow that is a chain of map, flatMap and filter, and here ${why}: leave it out`,
  );
}

/** Why not each entry comes from one event of the source; undefined if it does. @param {Plan} plan */
function notChained({ nodes, exits }) {
  for (const { graph, kind, name } of nodes)
    if (graph >= 0 && !CHAINED.includes(kind)) return `the node ${name} is a ${kind}`;
  for (const { graph, name, errors, ports } of nodes) {
    const [{ exit, next }] = ports;
    const readers = (next > 0 ? 1 : 0) + (exit >= 0 ? exits[exit].to.length : 0);
    const what = graph < 0 ? "the source" : `the node ${name}`;
    if (errors >= 0) return `the errors of ${what} are read`;
    if (readers > 1) return `the items of ${what} go to several places`;
  }
  return undefined;
}

/**
 * Reduces in this process what the core has gathered.
 * @param {Run} run
 * @param {{ number: number, node: number }} note
 */
async function reduceHere(run, { number, node }) {
  const { native, handle, pool, flow } = run;
  const gathered = native.runToReduce(handle, number);
  if (gathered === null || flow === undefined) return;
  const { failed, hole, formatAt } = wire();
  let flags = failed;
  let value;
  try {
    const { name, graph } = flow.plan.nodes[node - 1];
    const fn = flow.functions?.[graph];
    const reduced = await fn(itemsOf(gathered), run.args);
    value = encodedWithin(pool.codec, reduced, "data", `what ${name} has returned`);
    flags = value === undefined ? hole : formatOf(reduced, value) << formatAt;
  } catch (thrown) {
    flags = failed;
    value = errorToJson(thrown, pool.errors && new Set(pool.errors.keys()));
  }
  native.runReduced(handle, number, flags, value === undefined ? "" : value);
}

/** @param {import("../../native").ToReduce} gathered */
function itemsOf({ flags, items }) {
  const { parts, formatAt } = wire();
  return flags & parts ? arrayOf(items) : decode(items, (flags >> formatAt) & MASK);
}

module.exports = { checkFlowOptions, reduceHere, toldPlan };
