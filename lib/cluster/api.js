"use strict";
// The public functions where a program uses several machines: checks what it gave, and says at once what does not work there yet.

const { ClusterPool } = require("./pool");
const { ClusterBatch, begin, newRun } = require("./run");
const { Call } = require("../master/calls");
const { showLive } = require("../master/dashboard");
const { checkReach, fileOf } = require("../master/given");
const { runsElsewhere } = require("../master/launch");
const { Recording } = require("../master/record");
const { entries } = require("../master/stream");
const { PublicPool } = require("../master/public-pool");
const { watch } = require("../master/watch");
const { Stages } = require("../master/work");
const { checkSupported, notYet } = require("./supported");
const { clusterOfEnvironment } = require("../shared/broker-options");
const { checkFunction } = require("../shared/checks");
const { FUNCTION } = require("../shared/clustered");
const { invalidType, shown } = require("../shared/errors");
const { isFlow, optionsOfFlow } = require("../shared/flow/given");
const { log } = require("../shared/log");
const { numWorkersOf } = require("../shared/num-workers");
const { POOL_CHECKS, STREAM_CHECKS, checkOptions } = require("../shared/options");
const { ownOf, variable } = require("../shared/own");
const { Promise } = require("../shared/primordials");
const { mergedOptions, optionsOf: optionsOfStage } = require("../shared/stage");
const { clustered, noLocks } = require("../shared/sync/clustered");
const { own } = require("../shared/sync/own");
const { stopBy, throwIfAborted } = require("../shared/signals");
const { pointAt, siteOf } = require("../shared/stack");

/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/identity").Identity} Identity */

/** Variables that do nothing over a cluster yet. */
const VARIABLES = ["SONIC_IN_PROCESS"];

/**
 * The options of a call, checked, and the workers of this process: none where it only coordinates.
 * @param {any} args
 * @param {any} given
 * @param {any} stages the options that its stages have
 * @param {Parameters<typeof checkOptions>[1]} [checks]
 */
function optionsOf(args, given, stages, checks) {
  const isNone = given !== null && typeof given === "object" && ownOf(given).numWorkers === 0;
  const rest = isNone ? ownOf(given, { numWorkers: undefined }) : given;
  /** @type {Options} */
  const options = ownOf(stages, checkOptions(rest, checks));
  if (options.cluster === undefined) options.cluster = clusterOfEnvironment();
  checkSupported(options, "the option");
  const set = VARIABLES.find((name) => variable(name));
  if (set !== undefined) throw notYet(`the variable ${set}`);
  if (runsElsewhere()) throw notYet("cluster.setupPrimary({ exec })");
  if (options.flow !== undefined)
    require("./flow-run").checkFlow(options, Boolean(options.sharedSpill));
  if (options.sharedSpill && options.spillDir === undefined)
    throw invalidType(
      "options.sharedSpill needs options.spillDir: the folder that all hosts share",
    );
  return { options, numWorkers: isNone ? 0 : numWorkersOf(args, options) };
}

/** What the functions of a call have of their own. @param {any} workerFns */
function optionsOfFunctions(workerFns) {
  if (isFlow(workerFns)) return optionsOfFlow(workerFns);
  // Its workers would be known by count alone.
  if (
    !Array.isArray(workerFns) ||
    workerFns.length === 0 ||
    workerFns.some((fn) => typeof fn !== "function")
  )
    throw invalidType(
      `over a cluster workerFns must be an array of functions in the master too, got ${shown(workerFns)}`,
    );
  const merged = mergedOptions(workerFns.map(optionsOfStage));
  checkSupported(merged, "a stage's option");
  return merged;
}

/** A call's flow has no name. @param {any} workerFns @returns {string[]} */
const namesOf = (workerFns) =>
  isFlow(workerFns)
    ? [""]
    : workerFns.map((/** @type {any} */ _, /** @type {number} */ at) => FUNCTION + at);

/**
 * @param {any} masterFn
 * @param {any} workerFns
 * @param {any} reduceFn
 * @param {any} args
 * @param {unknown} given
 * @param {Identity} identity
 */
async function mapReduce(masterFn, workerFns, reduceFn, args, given, identity) {
  const call = new Call(identity);
  const site = siteOf(mapReduce);
  try {
    checkFunction("masterFn", masterFn, " in the master");
    checkFunction("reduceFn", reduceFn, " in the master");
    const { options, numWorkers } = optionsOf(args, given, optionsOfFunctions(workerFns));
    throwIfAborted(options.signal);
    const recording = new Recording(options);
    log("Running Map reduce over a cluster");
    const pool = await openPool(call, options, numWorkers, "MapReduce");
    try {
      const { run, end } = runOf(pool, workerFns, options, recording);
      const reduced = lead(run, masterFn, args).then(() => reduceFn(run.results, run.failures));
      try {
        return await Promise.race([reduced, run.failed]);
      } finally {
        end();
      }
    } finally {
      await pool.shut();
    }
  } catch (error) {
    throw pointAt(error, site);
  }
}

/** @param {InstanceType<typeof Call>} call @param {Options} options @param {number} numWorkers @param {"MapReduce" | "stream"} kind */
async function openPool(call, options, numWorkers, kind) {
  call.begin(false);
  const pool = new ClusterPool(call, options, { numWorkers, isCall: true, say: log });
  showLive(pool, options, { kind, title: call.title });
  return opened(pool, options.signal);
}

/** Starts it, unless that is aborted. @param {InstanceType<typeof ClusterPool>} pool @param {AbortSignal | undefined} signal */
async function opened(pool, signal) {
  /** @type {(error: unknown) => void} */
  let abort = () => {};
  const aborted = new Promise((_, reject) => {
    abort = reject;
  });
  const ignore = stopBy(signal, (error) => abort(error));
  try {
    await Promise.race([pool.open(), pool.failed, aborted]);
    return pool;
  } catch (error) {
    await pool.shut();
    throw error;
  } finally {
    ignore();
  }
}

/** @param {InstanceType<typeof ClusterPool>} pool @param {any[]} workerFns @param {Options} options @param {InstanceType<typeof Recording>} recording */
const runOf = (pool, workerFns, options, recording) =>
  newRun(pool, namesOf(workerFns), options, undefined, recording).begin(options.signal);

/** @param {ReturnType<typeof newRun>} run @param {any} masterFn @param {any} args */
async function lead(run, masterFn, args) {
  await run.lead(masterFn, args);
  run.release();
  // What the program's own callbacks have thrown at the end.
  if (run.failure !== null) throw run.failure.error;
}

/**
 * @param {any} masterFn
 * @param {any} workerFns
 * @param {any} args
 * @param {unknown} given
 * @param {Identity} identity
 * @returns {AsyncGenerator<any, void, undefined>}
 */
function stream(masterFn, workerFns, args, given, identity) {
  const call = new Call(identity);
  const site = siteOf(stream);
  try {
    checkFunction("masterFn", masterFn, " in the master");
    const made = optionsOf(args, given, optionsOfFunctions(workerFns), STREAM_CHECKS);
    if (made.options.order === undefined) made.options.order = "completion";
    return entriesOver(call, masterFn, workerFns, args, { ...made, site });
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * @param {InstanceType<typeof Call>} call
 * @param {any} masterFn
 * @param {any[]} workerFns
 * @param {any} args
 * @param {{ options: Options, numWorkers: number, site: { stack?: unknown } }} how
 */
async function* entriesOver(call, masterFn, workerFns, args, { options, numWorkers, site }) {
  let pool;
  let recording;
  try {
    throwIfAborted(options.signal);
    recording = new Recording(options);
    pool = await openPool(call, options, numWorkers, "stream");
  } catch (error) {
    throw pointAt(error, site);
  }
  const [open, record] = [pool, recording];
  try {
    const start = () => {
      const { run, end } = runOf(open, workerFns, options, record);
      const whole = () => Promise.race([lead(run, masterFn, args), run.failed]);
      return { run: /** @type {any} */ (run), whole, end };
    };
    yield* entries(start, options, site);
  } finally {
    await open.shut();
  }
}

/** @param {any} stages @param {unknown} given @param {Identity} identity @returns {Promise<any>} */
async function createPool(stages, given, identity) {
  const call = new Call(identity);
  const site = siteOf(createPool);
  try {
    identity.file = fileOf(stages);
    const { file } = identity;
    const functions = file === undefined ? checked(Stages.of({ ...stages })) : undefined;
    const { options, numWorkers } = optionsOf({}, given, {}, POOL_CHECKS);
    throwIfAborted(options.signal);
    checkReach(file);
    call.begin(false);
    const made = new ClusterPool(call, options, { numWorkers, isCall: false, say: () => {} });
    showLive(made, options, { kind: "createPool", title: call.title });
    const pool = await opened(made, options.signal);
    const how = {
      Batch: ClusterBatch,
      begin,
      watch,
      isSeen: true,
      each: (
        /** @type {any} */ pool,
        /** @type {any} */ work,
        /** @type {any} */ data,
        /** @type {any} */ given,
      ) => pool.eachWorker.run(work, data, given),
      shared: () => shared(pool),
    };
    try {
      const named = functions || checked(Stages.inFile(String(file), pool.stages));
      return new PublicPool(pool, named, options, how);
    } catch (error) {
      await pool.shut();
      throw error;
    }
  } catch (error) {
    throw pointAt(error, site);
  }
}

/** @param {InstanceType<typeof Stages>} stages */
function checked(stages) {
  for (const name of stages.names)
    if (!stages.flows.includes(name))
      checkSupported(stages.options[name], `the stage ${name}: the option`);
  return stages;
}

/** The program's own locks: they are the same on all machines. @param {any} pool */
function shared({ broker }) {
  if (!broker.carriesLocks) throw noLocks();
  const { locks, sync } = own();
  return { locks, sync: clustered(sync) };
}

module.exports = { createPool, mapReduce, stream };
