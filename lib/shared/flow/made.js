"use strict";
// The flows that the program has made, and what is known of each. Small: every program loads it, to tell a flow from functions.

const { invalidType, shown } = require("../errors");
const { WeakMap } = require("../primordials");

/** @typedef {{ graph: import("./node").Graph, functions: import("./node").Functions[], plan: import("./plan").Plan }} Parts */

/** @type {WeakMap<object, Parts>} */
const made = new WeakMap();

/** @param {object} flow @param {Parts} parts */
const keep = (flow, parts) => made.set(flow, parts);

/** @param {any} value */
const isFlow = (value) => made.has(value);

/** @param {object} flow */
function partsOf(flow) {
  const known = made.get(flow);
  if (known === undefined) throw invalidType(`a flow was expected, got ${shown(flow)}`);
  return known;
}

/** @param {object} flow */
const graphOf = (flow) => partsOf(flow).graph;

/** The functions as the program has written them, by node. @param {object} flow */
const functionsOf = (flow) => partsOf(flow).functions;

/** @param {object} flow */
const planOfFlow = (flow) => partsOf(flow).plan;

/** The most events that one node asks a worker to run at once; undefined if none does. @param {object} flow */
function concurrencyOf(flow) {
  /** @type {number | undefined} */
  let most;
  for (const { options } of graphOf(flow).nodes) {
    const { concurrency } = options;
    if (concurrency !== undefined && (most === undefined || concurrency > most)) most = concurrency;
  }
  return most;
}

module.exports = { concurrencyOf, functionsOf, graphOf, isFlow, keep, planOfFlow };
