"use strict";
// The public surface of @tiemma/sonic-distribute. See index.d.ts for what each of these does.

const { identify, identifyByHand, identifyPool } = require("./lib/shared/identity");
const { later } = require("./lib/shared/later");
const { Delay, NUM_CPUS, getLogger, getWorkerName, isMaster } = require("./lib/shared/log");
const { Promise } = require("./lib/shared/primordials");
const { Queue } = require("./lib/shared/queue");
const { stage } = require("./lib/shared/stage");
const { locks, sync } = require("./lib/shared/sync/public");
const { wantsCluster } = require("./lib/shared/wants-cluster");

const loadMaster = () => require("./lib/master/api");
const loadPool = () => require("./lib/master/create-pool");
const loadCluster = () => require("./lib/cluster/api");
const loadFlow = () => require("./lib/shared/flow/flow");
const loadConnect = () => require("./lib/master/connect");
const loadWorker = () => require("./lib/worker/join");
const master = isMaster()
  ? loadMaster()
  : later(loadMaster, [
      "configureWorkers",
      "getWorkerID",
      "initMaster",
      "lastRun",
      "map",
      "mapReduce",
      "shutdown",
      "stream",
    ]);
const worker = isMaster() ? later(loadWorker, ["serve"]) : loadWorker();

const { flow } = later(loadFlow, ["flow"]);

if (!isMaster()) worker.join();

/** What there is to read of a stream in a worker: its results are the master's. */
async function* nothing() {}

const clusterEvents = { MESSAGE: "message", DISCONNECT: "disconnect" };

/**
 * @param {any} masterFn
 * @param {any} workerFns
 * @param {any} reduceFn
 * @param {any} [args]
 * @param {any} [options]
 */
const MapReduce = async (masterFn, workerFns, reduceFn, args, options) => {
  const identity = identify(MapReduce, masterFn, workerFns, args, options);
  const given = args === undefined || args === null ? {} : args;
  if (isMaster()) {
    const { mapReduce } = wantsCluster(options) ? loadCluster() : master;
    return mapReduce(masterFn, workerFns, reduceFn, given, options, identity);
  }
  worker.serve(workerFns, given, identity);
  return undefined;
};

/**
 * @param {any} masterFn
 * @param {any} workerFns
 * @param {any} [args]
 * @param {any} [options]
 */
const stream = (masterFn, workerFns, args, options) => {
  const identity = identify(stream, masterFn, workerFns, args, options);
  const given = args === undefined || args === null ? {} : args;
  if (isMaster()) {
    const made = wantsCluster(options) ? loadCluster() : master;
    return made.stream(masterFn, workerFns, given, options, identity);
  }
  worker.serve(workerFns, given, identity);
  return nothing();
};

/**
 * @param {any} stages
 * @param {any} [options]
 */
const createPool = (stages, options) =>
  new Promise((resolve, reject) => {
    const identity = identifyPool(createPool, stages, options);
    // A worker never gets a pool: what is behind it is the master's alone.
    if (!isMaster() && worker.park(stages, identity, resolve)) return;
    const { createPool: create } = wantsCluster(options) ? loadCluster() : loadPool();
    create(stages, options, identity).then(resolve, reject);
  });

/**
 * In a worker too: it is a client like any other.
 * @param {any} path
 * @param {any} [options]
 */
const connectPool = (path, options) => loadConnect().connectPool(path, options);

/** Of a run that the program leads by hand. @param {"configureWorkers" | "initMaster"} name @param {Function} called @param {number} numWorkers */
function onOneMachine(name, called, numWorkers) {
  const identity = identifyByHand(called);
  if (wantsCluster()) throw require("./lib/shared/broker-options").notByHand(called);
  return master[name](numWorkers, identity);
}

/** @param {number} numWorkers */
const configureWorkers = async (numWorkers) =>
  onOneMachine("configureWorkers", configureWorkers, numWorkers);

/** @param {number} numWorkers */
const initMaster = async (numWorkers) => onOneMachine("initMaster", initMaster, numWorkers);

/**
 * @param {any} workerFns
 * @param {any} [args]
 */
const initWorkers = async (workerFns, args) =>
  worker.serve(workerFns, args, identifyByHand(initWorkers));

// One assignment each: this is what lets `import { … }` see the names.
exports.sonicDistribute = MapReduce;
exports.MapReduce = MapReduce;
exports.stream = stream;
exports.createPool = createPool;
exports.connectPool = connectPool;
exports.stage = stage;
exports.flow = flow;
exports.locks = locks;
exports.sync = sync;
exports.lastRun = master.lastRun;
exports.Map = master.map;
exports.isMaster = isMaster;
exports.getWorkerName = getWorkerName;
exports.getWorkerID = master.getWorkerID;
exports.configureWorkers = configureWorkers;
exports.initMaster = initMaster;
exports.initWorkers = initWorkers;
exports.shutdown = master.shutdown;
exports.getLogger = getLogger;
exports.Delay = Delay;
exports.clusterEvents = clusterEvents;
exports.NUM_CPUS = NUM_CPUS;
exports.Queue = Queue;
