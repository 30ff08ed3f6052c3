"use strict";
// What statistics say of a node of a flow over several machines: the core counts the same of one machine's.

/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("../master/nodes").Counts} Counts */

class NodeCounts {
  constructor() {
    this.events = 0;
    this.answered = 0;
    this.failed = 0;
    this.retried = 0;
    this.made = 0;
    this.busy = 0;
    this.longest = 0;
    this.heldUp = 0;
    this.waited = 0;
    this.came = 0;
    this.spilled = { records: 0, bytes: 0, extents: 0 };
  }

  /** @param {Outcome} outcome of one of its events @param {boolean} hasFailed @param {number} elapsed since it was handed over, in milliseconds */
  ended({ seen, attempts }, hasFailed, elapsed) {
    if (hasFailed) this.failed++;
    else this.answered++;
    this.retried += Math.max(0, attempts - 1);
    // Hosts tell nothing more if nobody asks.
    const duration = seen === undefined ? 0 : seen[3];
    this.busy += duration;
    this.longest = Math.max(this.longest, duration);
    if (seen !== undefined) this.waited += Math.max(0, elapsed - duration);
  }

  /** A worker has written something for this node. @param {any} told @returns {number} how many records */
  written({ parts }) {
    let all = 0;
    for (const [, , length, records] of parts) {
      if (records === 0) continue;
      all += records;
      this.spilled.bytes += length;
      this.spilled.extents++;
    }
    return all;
  }

  /**
   * @param {InstanceType<typeof import("./flow-node").ClusterNode>} node
   * @param {boolean} hasTimes
   * @returns {Counts}
   */
  shown({ plan, held, isClosed, isOpened, waiting }, hasTimes) {
    const { events, answered, failed, retried, made, busy, longest, heldUp } = this;
    const ended = answered + failed;
    /** @type {Counts} */
    const all = {
      ...{ events, answered, failed, retried, waiting, running: events - ended - waiting, made },
      state: isClosed ? "closed" : isOpened ? "draining" : "open",
      ...{ busy, mean: ended === 0 ? 0 : busy / ended, longest, heldUp },
    };
    if (hasTimes) all.waited = this.waited;
    if (plan.hold === "spill") all.spilled = { ...this.spilled };
    else if (plan.hold !== null)
      all.held = { came: this.came, items: held.items.length, bytes: held.bytes };
    return all;
  }
}

module.exports = { NodeCounts };
