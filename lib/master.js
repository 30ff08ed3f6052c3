"use strict";
// The master's half of the public functions: starting runs, handing over events, letting workers go.

const cluster = require("./cluster");
const { pid } = process;
const { Call } = require("./calls");
const { coded, invalidType, reasonOf, shown } = require("./errors");
const { NUM_CPUS, getLogger, getWorkerName } = require("./log");
const { Promise } = require("./primordials");
const native = require("./native");
const { WorkerQueue } = require("./queue");
const record = require("./record");
const runs = require("./run");
const { runsElsewhere } = require("./settings");
const { pointAt, siteOf } = require("./stack");
const { entries } = require("./stream");
const {
  MAX_WORKERS,
  STREAM_CHECKS,
  checkCount,
  checkFunction,
  checkOptions,
  numWorkersOf,
} = require("./options");

/** @typedef {InstanceType<typeof runs.Run>} Run */
/** @typedef {ReturnType<typeof siteOf>} Site */

/**
 * Runs that the program began itself with `initMaster`, oldest first, until `shutdown` ends them.
 * @type {Run[]}
 */
const begun = [];

// At the first call the program may have replaced `fs`, and nothing more can be loaded.
native.preload();

/** Where the functions are looked at that are the master's. */
const HERE = " in the master";

/** @param {unknown} numWorkers */
const checkNumWorkers = (numWorkers) => checkCount("numWorkers", numWorkers, MAX_WORKERS);

/**
 * @param {number} numWorkers
 * @param {InstanceType<typeof Call>} call
 * @param {import("./options").Options} options
 */
function startRun(numWorkers, call, options = checkOptions(undefined)) {
  call.begin(runsElsewhere());
  try {
    return new runs.Run(numWorkers, call, options);
  } catch (error) {
    call.end();
    throw error;
  }
}

/**
 * Starts the workers, and waits until each has reached its call.
 * @param {Run} run
 */
async function populate(run) {
  run.log("Worker queues initializing");
  try {
    await run.ready;
  } catch (error) {
    run.release();
    throw error;
  }
  run.log("Workers queue populated");
}

/** @param {Run} run */
const queuesOf = (run) => ({
  workerQueue: run.workerQueue,
  processOrder: run.results,
  failedOrder: run.failures,
});

/** The lines that begin a run. */
function logBegin() {
  const log = getLogger(getWorkerName());
  log("Running Map reduce");
  log(`Process running on pid ${pid}`);
}

/** @typedef {import("./identity").Identity} Identity */

/**
 * @param {number} numWorkers
 * @param {Identity} identity
 */
async function configureWorkers(numWorkers, identity) {
  const call = new Call(identity);
  const site = siteOf(configureWorkers);
  try {
    return await beginByHand(checkNumWorkers(numWorkers), call, site);
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * @param {number} numWorkers
 * @param {Identity} identity
 */
async function initMaster(numWorkers, identity) {
  const call = new Call(identity);
  const site = siteOf(initMaster);
  try {
    checkNumWorkers(numWorkers);
    logBegin();
    return await beginByHand(numWorkers, call, site);
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * @param {number} numWorkers
 * @param {InstanceType<typeof Call>} call
 * @param {Site} site
 */
async function beginByHand(numWorkers, call, site) {
  const run = startRun(numWorkers, call);
  run.site = site;
  run.isByHand = true;
  begun.push(run);
  await populate(run);
  return queuesOf(run);
}

/**
 * The call itself, in the master.
 * @param {any} masterFn
 * @param {any} reduceFn
 * @param {any} args
 * @param {unknown} givenOptions
 * @param {Identity} identity
 */
async function mapReduce(masterFn, reduceFn, args, givenOptions, identity) {
  const call = new Call(identity);
  const site = siteOf(mapReduce);
  try {
    checkFunction("masterFn", masterFn, HERE);
    checkFunction("reduceFn", reduceFn, HERE);
    const options = checkOptions(givenOptions);
    const numWorkers = numWorkersOf(args, options, NUM_CPUS);
    const { run, end } = begin(numWorkers, call, options);
    run.site = site;
    const reduced = mapAndReduce(run, masterFn, reduceFn, args);
    try {
      return await (options.signal === undefined ? reduced : Promise.race([reduced, run.failed]));
    } finally {
      end();
    }
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * Begins a run that its signal stops, unless that is aborted already, until `end` is called.
 * @param {number} numWorkers
 * @param {InstanceType<typeof Call>} call
 * @param {import("./options").Options} options
 */
function begin(numWorkers, call, options) {
  const { signal } = options;
  if (signal?.aborted) throw reasonOf(signal);
  logBegin();
  const run = startRun(numWorkers, call, options);
  const ignore = signal === undefined ? () => {} : run.stopBy(signal);
  const end = () => {
    ignore();
    call.end();
  };
  return { run, end };
}

/**
 * @param {Run} run
 * @param {any} masterFn
 * @param {any} reduceFn
 * @param {any} args
 */
async function mapAndReduce(run, masterFn, reduceFn, args) {
  await mapAndDrain(run, masterFn, args);
  conclude(run);
  return reduceFn(run.results, run.failures);
}

/**
 * Hands all events over, and waits until they are answered.
 * @param {Run} run
 * @param {any} masterFn
 * @param {any} args
 */
async function mapAndDrain(run, masterFn, args) {
  await populate(run);
  try {
    await Promise.race([masterFn(run.workerQueue, args), run.failed]);
    run.recording.progress.complete();
    await Promise.race([run.drain(), run.failed]);
    if (run.failure) throw run.failure.error;
  } catch (error) {
    run.release({ error });
    throw error;
  }
}

/**
 * The call that is read while it goes on, in the master.
 * @param {any} masterFn
 * @param {any} args
 * @param {unknown} givenOptions
 * @param {Identity} identity
 * @returns {AsyncGenerator<any, void, undefined>}
 */
function stream(masterFn, args, givenOptions, identity) {
  const call = new Call(identity);
  const site = siteOf(stream);
  try {
    checkFunction("masterFn", masterFn, HERE);
    const options = checkOptions(givenOptions, STREAM_CHECKS);
    if (options.order === undefined) options.order = "completion";
    const numWorkers = numWorkersOf(args, options, NUM_CPUS);
    const start = () => {
      const { run, end } = begin(numWorkers, call, options);
      run.site = site;
      const whole = async () => {
        await mapAndDrain(run, masterFn, args);
        conclude(run);
      };
      return { run, whole: () => Promise.race([whole(), run.failed]), end };
    };
    return entries(start, options, site);
  } catch (error) {
    throw pointAt(error, site);
  }
}

/** @param {Run} run */
function release(run) {
  run.release();
  run.log("Shutting down master");
}

/**
 * The same, at the end of a run that has come out well.
 * @param {Run} run
 */
function conclude(run) {
  release(run);
  // What `onStats` throws.
  if (run.failure) throw run.failure.error;
}

/** The statistics of the last run that has ended; a worker has none. */
const lastRun = () => (cluster.isWorker ? undefined : record.lastRun());

/**
 * Lets workers of runs go that were begun by hand: those of the oldest such run with `numWorkers`
 * workers; without one, those whose id is at most `numWorkers`, as in 1.0.3.
 * @param {number} numWorkers
 */
async function shutdown(numWorkers) {
  const at = begun.findIndex((run) => run.ids.length === numWorkers);
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
  getLogger(getWorkerName())("Shutting down master");
}

/**
 * The run whose worker queue it is.
 * @type {(queue: any) => Run | undefined}
 */
const runOf = WorkerQueue.ownerOf;

/** @param {any} queue */
function checkQueue(queue) {
  if (queue !== null && typeof queue === "object" && typeof queue.dequeue === "function") return;
  throw invalidType(`workerQueue must be the queue that masterFn was given, got ${shown(queue)}`);
}

/**
 * @param {any} workerQueue
 * @param {any} event
 * @returns {Promise<void>}
 */
function map(workerQueue, event) {
  const run = runOf(workerQueue);
  if (event === undefined || event === null) {
    const must = "Map: the event must be an object such as { data: … }";
    return Promise.reject(pointAt(invalidType(`${must}, got ${shown(event)}`), siteOf(map)));
  }
  if (run !== undefined) return run.map(event);
  return mapById(workerQueue, event);
}

/**
 * `Map` with a queue of ids that is the program's own.
 * @param {any} queue
 * @param {any} event
 */
async function mapById(queue, event) {
  const site = siteOf(map);
  try {
    // A worker that has gone meanwhile is none to be had, and its id is out of the queue.
    for (;;) {
      const id = await takeId(queue);
      if (runs.sendTo(id, event)) return;
    }
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * @param {any} workerQueue
 * @returns {Promise<number>}
 */
async function getWorkerID(workerQueue) {
  const site = siteOf(getWorkerID);
  try {
    return await takeId(workerQueue);
  } catch (error) {
    throw pointAt(error, site);
  }
}

/**
 * @param {any} workerQueue
 * @returns {Promise<number>}
 */
async function takeId(workerQueue) {
  checkQueue(workerQueue);
  const own = runOf(workerQueue);
  if (own !== undefined) return own.takeId(workerQueue);
  const [any] = [...runs.runOfWorker.values()].filter((run) => !run.released);
  if (any === undefined) {
    throw coded(Error, "ERR_SONIC_RUN_OVER", "there are no workers: no run has been started");
  }
  return any.takeId(workerQueue);
}

module.exports = {
  configureWorkers,
  initMaster,
  lastRun,
  mapReduce,
  stream,
  shutdown,
  map,
  getWorkerID,
};
