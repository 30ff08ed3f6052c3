"use strict";
// The master's half of the public functions: checks what the program gave, makes a pool with one run for each call, and
// leads the run from masterFn to reduceFn. How a run goes and ends is the run's business.

const cluster = require("../shared/cluster");
const { Call } = require("./calls");
const { showLive } = require("./dashboard");
const { runSettings, runsElsewhere } = require("./launch");
const { byHand, sendTo } = require("./manual");
const { Pool, poolOfWorker } = require("./pool");
const { Recording, lastRun } = require("./record");
const { Run } = require("./run");
const { stopBy, throwIfAborted } = require("../shared/signals");
const { entries } = require("./stream");
const { coded, invalidType, shown } = require("../shared/errors");
const { isFlow, optionsOfFlow } = require("../shared/flow/given");
const { log } = require("../shared/log");
const { preload } = require("../shared/native");
const { ownOf } = require("../shared/own");
const { Promise } = require("../shared/primordials");
const { WorkerQueue } = require("../shared/queue");
const { ROUTE_CHECKS, isPlainObject, routingOf } = require("../shared/routing");
const { pointAt, siteOf } = require("../shared/stack");
const { mergedOptions, optionsOf: optionsOfStage } = require("../shared/stage");
const { numWorkersOf } = require("../shared/num-workers");
const { checkCount, checkFunction, checkProperties } = require("../shared/checks");
const { MAX_WORKERS, STREAM_CHECKS, checkOptions } = require("../shared/options");

/** @typedef {import("../shared/options").Options} Options */
/** @typedef {import("../shared/identity").Identity} Identity */
/** @typedef {ReturnType<typeof siteOf>} Site */
/** @typedef {InstanceType<typeof Call>} ACall */
/** @typedef {InstanceType<typeof Run>} ARun */

/**
 * Runs that the program began itself with `initMaster`, oldest first, until `shutdown` ends them.
 * @type {ARun[]}
 */
const begun = [];

// At the first call the program may have replaced `fs`, and nothing more can be loaded.
preload();

/** Where the functions are checked that only the master needs. */
const HERE = " in the master";

/**
 * Has whatever the call throws point at the program's line.
 * @template Result
 * @param {Site} site
 * @param {() => Promise<Result>} call
 */
async function pointed(site, call) {
  try {
    return await call();
  } catch (error) {
    throw pointAt(error, site);
  }
}

/** The lines that begin a run. */
function logBegin() {
  log("Running Map reduce");
  log(`Process running on pid ${process.pid}`);
}

/**
 * Starts the workers of one of the program's calls, and its run.
 * @param {number} numWorkers
 * @param {ACall} call
 * @param {Options} options
 * @param {{ site: Site, isByHand: boolean }} how
 */
function startRun(numWorkers, call, options, how) {
  call.begin(runsElsewhere());
  try {
    const recording = new Recording(options);
    const settings = runSettings(options, recording);
    const pool = new Pool(numWorkers, call, options, settings);
    const { onResult, flow } = options;
    const routing = routingOf(options);
    const run = runOf(pool, { settings, recording, onResult, routing, flow, ...how });
    const kind = how.isByHand ? "initMaster" : options.order === undefined ? "MapReduce" : "stream";
    showLive(pool, options, { kind, title: call.title });
    run.begin();
    return run;
  } catch (error) {
    call.end();
    throw error;
  }
}

/**
 * A run of a new pool. Without one, nothing would ever end the pool, and its process with it.
 * @param {InstanceType<typeof Pool>} pool
 * @param {Omit<ConstructorParameters<typeof Run>[0], "pool">} parts
 */
function runOf(pool, parts) {
  try {
    return new Run({ pool, ...parts });
  } catch (error) {
    pool.close();
    throw error;
  }
}

/** Waits until each worker has reached its call. @param {ARun} run */
async function populate(run) {
  log("Worker queues initializing");
  try {
    await Promise.race([run.pool.ready, run.failed]);
  } catch (error) {
    run.release();
    throw error;
  }
  log("Workers queue populated");
}

/** @param {number} numWorkers @param {Identity} identity */
function configureWorkers(numWorkers, identity) {
  const call = new Call(identity);
  const site = siteOf(configureWorkers);
  return pointed(site, () => beginByHand(checkNumWorkers(numWorkers), call, site));
}

/** @param {number} numWorkers @param {Identity} identity */
function initMaster(numWorkers, identity) {
  const call = new Call(identity);
  const site = siteOf(initMaster);
  return pointed(site, () => {
    checkNumWorkers(numWorkers);
    logBegin();
    return beginByHand(numWorkers, call, site);
  });
}

/** @param {unknown} numWorkers */
const checkNumWorkers = (numWorkers) => checkCount("numWorkers", numWorkers, MAX_WORKERS);

/** @param {number} numWorkers @param {ACall} call @param {Site} site */
async function beginByHand(numWorkers, call, site) {
  const run = startRun(numWorkers, call, checkOptions(undefined), { site, isByHand: true });
  begun.push(run);
  await populate(run);
  const { workerQueue, results: processOrder, failures: failedOrder } = run;
  return { workerQueue, processOrder, failedOrder };
}

/**
 * The options of a call: its own come before those of its stages.
 * @param {any} workerFns
 * @param {unknown} given
 * @param {Parameters<typeof checkOptions>[1]} [checks]
 * @returns {Options}
 */
const optionsOf = (workerFns, given, checks) =>
  ownOf(
    isFlow(workerFns)
      ? optionsOfFlow(workerFns)
      : mergedOptions(Array.isArray(workerFns) ? workerFns.map(optionsOfStage) : []),
    checkOptions(given, checks),
  );

/** What the answers of a call depend on. @param {Options} options @param {any} workerFns @param {any} args */
const programOfCall = ({ name }, workerFns, args) =>
  require("./checkpoint").programOf(
    name,
    workerFns,
    args,
    runsElsewhere() ? String(cluster.settings.exec) : undefined,
  );

/**
 * @param {any} masterFn
 * @param {any} workerFns
 * @param {any} reduceFn
 * @param {any} args
 * @param {unknown} givenOptions
 * @param {Identity} identity
 */
function mapReduce(masterFn, workerFns, reduceFn, args, givenOptions, identity) {
  const call = new Call(identity);
  const site = siteOf(mapReduce);
  return pointed(site, async () => {
    checkFunction("masterFn", masterFn, HERE);
    checkFunction("reduceFn", reduceFn, HERE);
    const options = optionsOf(workerFns, givenOptions);
    if (options.checkpoint !== undefined) options.program = programOfCall(options, workerFns, args);
    const { run, end } = begin(numWorkersOf(args, options), call, options, site);
    const reduced = mapAndDrain(run, masterFn, args).then(() =>
      reduceFn(run.results, run.failures),
    );
    try {
      return await (options.signal === undefined ? reduced : Promise.race([reduced, run.failed]));
    } finally {
      end();
    }
  });
}

/**
 * Begins a run that its signal stops, unless that is aborted already, until `end` is called.
 * @param {number} numWorkers
 * @param {ACall} call
 * @param {Options} options
 * @param {Site} site
 */
function begin(numWorkers, call, options, site) {
  const { signal } = options;
  throwIfAborted(signal);
  logBegin();
  const run = startRun(numWorkers, call, options, { site, isByHand: false });
  const ignore = stopBy(signal, (error) => run.stop(error));
  const end = () => {
    ignore();
    call.end();
  };
  return { run, end };
}

/**
 * Hands all events over, waits until they are answered, and releases the workers.
 * @param {ARun} run
 * @param {any} masterFn
 * @param {any} args
 */
async function mapAndDrain(run, masterFn, args) {
  await populate(run);
  await run.lead(masterFn, args);
  release(run);
  // What `onStats` throws.
  run.throwFailure();
}

/** @param {ARun} run */
function release(run) {
  run.release();
  log("Shutting down master");
}

/**
 * The call that is read while it goes on.
 * @param {any} masterFn
 * @param {any} workerFns
 * @param {any} args
 * @param {unknown} givenOptions
 * @param {Identity} identity
 * @returns {AsyncGenerator<any, void, undefined>}
 */
function stream(masterFn, workerFns, args, givenOptions, identity) {
  const call = new Call(identity);
  const site = siteOf(stream);
  try {
    checkFunction("masterFn", masterFn, HERE);
    const options = optionsOf(workerFns, givenOptions, STREAM_CHECKS);
    if (options.order === undefined) options.order = "completion";
    if (options.checkpoint !== undefined) options.program = programOfCall(options, workerFns, args);
    const numWorkers = numWorkersOf(args, options);
    const start = () => {
      const { run, end } = begin(numWorkers, call, options, site);
      const whole = () => Promise.race([mapAndDrain(run, masterFn, args), run.failed]);
      return { run, whole, end };
    };
    return entries(start, options, site);
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * Releases workers of runs that were begun by hand: those of the oldest such run with `numWorkers` workers; without one,
 * those whose id is at most `numWorkers`, as in 1.0.3.
 * @param {number} numWorkers
 */
async function shutdown(numWorkers) {
  const at = begun.findIndex((run) => run.pool.ids.length === numWorkers);
  if (at >= 0) {
    const [run] = begun.splice(at, 1);
    await Promise.race([run.drain(), run.failed]).catch(() => {});
    release(run);
    return;
  }
  const { workers } = cluster;
  for (let id = 0; workers && id <= numWorkers; id++) {
    const worker = workers[id];
    if (worker) worker.disconnect();
  }
  log("Shutting down master");
}

/** What events go into that a worker queue is for. @type {(queue: any) => ARun["input"] | undefined} */
const inputOf = WorkerQueue.ownerOf;

/**
 * @param {any} workerQueue
 * @param {any} event
 * @param {unknown} [routing] what is no plain object is ignored: `events.map(Map.bind(null, queue))` passes an index
 * @returns {Promise<void>}
 */
function map(workerQueue, event, routing = undefined) {
  const input = inputOf(workerQueue);
  if (event === undefined || event === null) {
    const must = "Map: the event must be an object such as { data: … }";
    return Promise.reject(pointAt(invalidType(`${must}, got ${shown(event)}`), siteOf(map)));
  }
  if (routing !== undefined && isPlainObject(routing)) return mapTo(workerQueue, event, routing);
  if (input !== undefined) return input.map(event);
  // A queue of ids that is the program's own. If a worker has exited meanwhile, the next id is tried.
  return pointed(siteOf(map), async () => {
    while (!sendTo(await takeId(workerQueue), event));
  });
}

/** The same of an event that names its workers. @param {any} workerQueue @param {any} event @param {unknown} given */
function mapTo(workerQueue, event, given) {
  const input = inputOf(workerQueue);
  try {
    const routing = checkProperties("routing", given, ROUTE_CHECKS);
    if (input === undefined) throw byHand();
    return input.map(event, routing);
  } catch (error) {
    return Promise.reject(pointAt(error, siteOf(map)));
  }
}

/** @param {any} workerQueue */
function getWorkerID(workerQueue) {
  return pointed(siteOf(getWorkerID), () => takeId(workerQueue));
}

/** @param {any} queue @returns {Promise<number>} */
async function takeId(queue) {
  if (queue === null || typeof queue !== "object" || typeof queue.dequeue !== "function") {
    throw invalidType(`workerQueue must be the queue that masterFn was given, got ${shown(queue)}`);
  }
  const own = inputOf(queue);
  if (own !== undefined) return own.run.manual.takeId(queue);
  const any = [...poolOfWorker.values()].find((pool) => !pool.isReleased);
  if (any !== undefined) return any.run.manual.takeId(queue);
  throw coded(Error, "ERR_SONIC_RUN_OVER", "there are no workers: no run has been started");
}

module.exports = {
  configureWorkers,
  initMaster,
  /** The statistics of the last finished run; undefined in a worker. */
  lastRun: () => (cluster.isWorker ? undefined : lastRun()),
  mapReduce,
  stream,
  shutdown,
  map,
  getWorkerID,
};
