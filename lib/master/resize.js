"use strict";
// A pool that stays grows and shrinks: which workers are on their way in or out, and who waits for them. Which those are is the core's
// decision.

const { poolOfWorker } = require("./pool");
const primary = require("./cluster");
const { coded, invalidType } = require("../shared/errors");
const { Promise, Set } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./lasting").LastingPool>} LastingPool */
/** @typedef {{ resolve: () => void, reject: (error: unknown) => void }} Waiting */

class Resizing {
  /** @param {LastingPool} pool */
  constructor(pool) {
    this.pool = pool;
    /** The workers that come or go. @type {globalThis.Set<number>} */
    this.pending = new Set();
    /** Those who wait for all of them, whichever resize they are of: the last one counts. @type {Waiting[]} */
    this.waiting = [];
  }

  /** @param {number} size @returns {Promise<void>} */
  async to(size) {
    const { pool } = this;
    if (pool.launch.groups.length > 1) {
      throw invalidType("resize: the pool has groups of workers, whose numbers stay as they are");
    }
    const ids = primary.newIds(Math.max(0, size - pool.ids.length));
    const more = ids.map((id) => ({ id, nodeArgs: pool.launch.argsOfNode() }));
    for (const id of ids) pool.ids.push(id);
    for (const id of pool.ids) poolOfWorker.set(id, pool);
    pool.size = size;
    pool.native.poolResize(pool.handle, size, more);
    /** @type {Promise<void>} */
    const done = new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    });
    pool.hold();
    this.check();
    try {
      await done;
    } finally {
      pool.letGo();
    }
  }

  /** A worker has come or gone. @param {number} id */
  heard(id) {
    if (this.pending.has(id)) this.check();
  }

  /** A worker is given up. @param {number} id @param {string} message */
  givenUp(id, message) {
    if (this.pending.delete(id)) this.fail(coded(Error, "ERR_SONIC_WORKER_START", message));
  }

  /** A worker that has come may be gone by now, and the other way round: the core knows. */
  check() {
    this.pending = new Set(this.pool.native.poolResizing(this.pool.handle));
    if (this.pending.size > 0) return;
    for (const { resolve } of this.waiting.splice(0)) resolve();
  }

  /** @param {unknown} error */
  fail(error) {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

module.exports = { Resizing };
