"use strict";
// Makes a pool that stays: of functions or of a worker file, with workers or in this process, and open to other processes or not.

const { Batch } = require("./batch");
const { Call } = require("./calls");
const { showLive } = require("./dashboard");
const { inEach } = require("./each");
const { checkReach, fileOf, stagesOf } = require("./given");
const { LastingPool } = require("./lasting");
const { runsElsewhere } = require("./launch");
const { isInProcess, openInProcess } = require("./in-process");
const inProcess = require("./in-process-run");
const { begin } = require("./pool-run");
const { PublicPool } = require("./public-pool");
const { watch } = require("./watch");
const { preload } = require("../shared/native");
const { Promise } = require("../shared/primordials");
const { stopBy, throwIfAborted } = require("../shared/signals");
const { pointAt, siteOf } = require("../shared/stack");
const { numWorkersOf } = require("../shared/num-workers");
const { POOL_CHECKS, checkOptions } = require("../shared/options");

/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/identity").Identity} Identity */
/** @typedef {import("./public-pool").How} How */

// The program may replace `fs` before its first call.
preload();

/** Few pools listen, and it takes its time to load. */
const listening = () => require("./listen");

/** Batches and runs in workers. @type {any} */
const IN_WORKERS = { Batch, begin, isSeen: true };

/**
 * @param {any} stages
 * @param {unknown} givenOptions
 * @param {Identity} identity
 * @returns {Promise<any>}
 */
async function createPool(stages, givenOptions, identity) {
  const call = new Call(identity);
  const site = siteOf(createPool);
  try {
    identity.file = fileOf(stages);
    const options = checkOptions(givenOptions, POOL_CHECKS);
    throwIfAborted(options.signal);
    // Before anything is started, and before the program may replace `fs`.
    if (options.listen !== undefined) listening().checkPath(options.listen);
    if (isInProcess(options)) {
      const { pool, stages: named } = await openInProcess(stages, identity.file, options);
      showLive(pool, options, { kind: "createPool", title: call.title });
      return await opened(pool, named, options, inProcess);
    }
    checkReach(identity.file);
    call.begin(runsElsewhere());
    const pool = started(options, call);
    const named = await whenReady(pool, stages, identity.file, options.signal);
    return await opened(pool, named, options, IN_WORKERS);
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * The pool as the program has it, once others can reach it if they are to.
 * @param {any} pool
 * @param {InstanceType<typeof import("./work").Stages>} stages
 * @param {Options} options
 * @param {any} made
 */
async function opened(pool, stages, options, { Batch, begin, isSeen = false }) {
  /** @type {How} */
  const how = {
    Batch,
    begin,
    isSeen,
    watch,
    each: (pool, work, data, given) => inEach(Batch, pool, work, data, given),
  };
  const load = { calling: 0 };
  if (options.listen !== undefined) {
    const parts = { pool, stages, options, Batch, begin, load };
    try {
      how.listener = await listening().listen(options.listen, parts);
    } catch (error) {
      pool.end();
      throw error;
    }
  }
  return new PublicPool(pool, stages, options, how, load);
}

/** @param {Options} options @param {InstanceType<typeof Call>} call */
function started(options, call) {
  try {
    const pool = new LastingPool(numWorkersOf({}, options), call, options);
    try {
      showLive(pool, options, { kind: "createPool", title: call.title });
      pool.start();
    } catch (error) {
      pool.end();
      throw error;
    }
    return pool;
  } catch (error) {
    call.end();
    throw error;
  }
}

/**
 * The stages of a pool, once its workers are ready.
 * @param {InstanceType<typeof LastingPool>} pool
 * @param {any} stages
 * @param {string | undefined} file
 * @param {AbortSignal | undefined} signal
 */
async function whenReady(pool, stages, file, signal) {
  pool.hold();
  const ignore = stopBy(signal, (error) => pool.fail(error));
  try {
    await Promise.race([pool.ready, pool.failed]);
    return await stagesOf(pool, stages, file);
  } catch (error) {
    pool.end();
    throw error;
  } finally {
    ignore();
    pool.letGo();
  }
}

module.exports = { createPool };
