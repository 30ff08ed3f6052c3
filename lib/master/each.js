"use strict";
// `each` of a pool that stays: work that runs once in every worker, and where it is kept first in each that comes later.

const { ownOf } = require("../shared/own");
const { JSON, Promise } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./lasting").LastingPool>} LastingPool */
/** @typedef {import("./work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */

/** A worker that dies of it is replaced, and it is tried there: three times in all. @type {import("../../native").RetryOptions} */
const RETRIES = { limit: 2, backoff: 0, factor: 1, maxDelay: 0, on: ["crash"] };

/**
 * @param {typeof import("./batch").Batch} Batch
 * @param {LastingPool} pool
 * @param {Work} work
 * @param {any} data
 * @param {{ options: Options, args: string | undefined, site: { stack?: unknown } }} given
 */
async function inEach(Batch, pool, work, data, { options, args, site }) {
  const { keep, tags = [], taskTimeout } = options;
  const batch = new Batch(pool, work, ownOf({ taskTimeout, retries: RETRIES }), args);
  batch.isKept = true;
  const title = keep ? JSON.stringify(work.name) : undefined;
  const dispose = () => {
    // What still runs after a failure has its timeout.
    batch.isKept = false;
    if (batch.awaited.size === 0) batch.leave();
  };
  let isKept = false;
  try {
    const results = await Promise.all(batch.addToEach(data, tags, title, site));
    if (!keep) return results;
    isKept = true;
    return { results, dispose };
  } finally {
    if (!isKept) dispose();
  }
}

module.exports = { RETRIES, inEach };
