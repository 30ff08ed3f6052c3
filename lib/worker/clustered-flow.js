"use strict";
// An event of a flow in a worker whose master runs events on several machines: its answer is the records of all that it puts out.

const { FlowWork, OUTPUTS, PENDING } = require("./flow");
const { Records } = require("./flow/records");
const { codecOf } = require("../shared/codec");
const { unwrapped } = require("../shared/flow/carried");
const { WeakMap } = require("../shared/primordials");

/** @typedef {import("./flow").About & { plan: import("../shared/flow/plan").Plan }} About */

/** What runs the events of each flow. @type {WeakMap<object, any>} */
const works = new WeakMap();

/** @param {About} about */
function workOf(about) {
  const known = works.get(about);
  if (known !== undefined) return known;
  const made = new FlowWork(about);
  works.set(about, made);
  return made;
}

/**
 * @param {About} about
 * @param {number} node at which the event enters
 * @param {any} data
 * @param {import("./flow/attempt").How} how
 * @returns {any} records, or a promise of them
 */
function runNode(about, node, data, how) {
  const { codec } = about;
  const work = workOf(about);
  const item = codec === codecOf("advanced") ? data : unwrapped(data);
  const value = work.run(node, item, how);
  if (work.returned === OUTPUTS) return value;
  const { chain } = work.steps[node];
  if (work.returned !== PENDING) return recordOf(codec, chain, value);
  return value.then((/** @type {import("./flow").Outcome} */ outcome) =>
    outcome.plain ? recordOf(codec, chain, outcome.value) : outcome.payload,
  );
}

/** The only output of an event, at the exit of its last node. @param {About["codec"]} codec @param {any[]} chain @param {any} value */
function recordOf(codec, chain, value) {
  const { prefix } = chain[chain.length - 1].out;
  if (prefix === "") return "";
  const records = new Records(codec, undefined);
  records.add(prefix, value);
  return records.payload();
}

module.exports = { runNode };
