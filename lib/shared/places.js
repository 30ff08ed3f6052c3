"use strict";
// How many events of a stage run at once, where it says that this has a limit; in one process.

const { optionsOf } = require("./stage");
const { Map, Set } = require("./primordials");

/** What has events that go through stages. @typedef {{ limits: Limit[], run?: any }} Job */

/** One stage. */
class Limit {
  /** @param {number} most of its events at once */
  constructor(most) {
    this.most = most;
    this.running = 0;
    /** What goes through it. @type {globalThis.Set<any>} */
    this.jobs = new Set();
  }
}

class Places {
  constructor() {
    /** By the stages' functions. @type {globalThis.Map<Function, Limit>} */
    this.limits = new Map();
    /** Of the nodes of flows, by their numbers. @type {globalThis.Map<object, globalThis.Map<number, Limit>>} */
    this.ofFlows = new Map();
  }

  /** The limits of the stages among these. @param {Function[]} fns @param {number} places in which as many run each @returns {Limit[]} */
  limitsOf(fns, places = 1) {
    const limits = new Set();
    for (const fn of fns) {
      const { concurrency } = optionsOf(fn);
      if (concurrency === undefined) continue;
      const limit = this.limits.get(fn) || new Limit(concurrency);
      limit.most = concurrency * places;
      this.limits.set(fn, limit);
      limits.add(limit);
    }
    return [...limits];
  }

  /** The limit of a node of a flow, if it has one. @param {object} flow @param {number} node @param {number} [concurrency] */
  limitOf(flow, node, concurrency) {
    if (concurrency === undefined) return [];
    const ofFlow = this.ofFlows.get(flow) || new Map();
    this.ofFlows.set(flow, ofFlow);
    const limit = ofFlow.get(node) || new Limit(concurrency);
    ofFlow.set(node, limit);
    return [limit];
  }
}

/** Whether none of its events may begin now. @param {Job} job */
const isFull = ({ limits }) => limits.some(({ most, running }) => running >= most);

/** An event of it begins, or ends. @param {Job} job @param {1 | -1} change */
function count({ limits }, change) {
  for (const limit of limits) limit.running += change;
}

module.exports = { Places, count, isFull };
