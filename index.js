"use strict";
// The public surface of @tiemma/sonic-distribute. See index.d.ts for what each of these does.

const { nextCall } = require("./lib/calls");
const { Delay, NUM_CPUS, getLogger, getWorkerName, isMaster } = require("./lib/log");
const master = require("./lib/master");
const { Queue } = require("./lib/queue");
const worker = require("./lib/worker");

worker.join();

const clusterEvents = { MESSAGE: "message", DISCONNECT: "disconnect" };

/**
 * @param {any} masterFn
 * @param {any} workerFns
 * @param {any} reduceFn
 * @param {any} [args]
 */
const MapReduce = async (masterFn, workerFns, reduceFn, args) => {
  const call = nextCall();
  const given = args === undefined || args === null ? {} : args;
  if (isMaster()) return master.mapReduce(masterFn, reduceFn, given, call);
  worker.serve(workerFns, given, call);
  return undefined;
};

module.exports = {
  sonicDistribute: MapReduce,
  MapReduce,
  Map: master.map,
  isMaster,
  getWorkerName,
  getWorkerID: master.getWorkerID,
  configureWorkers: master.configureWorkers,
  initMaster: master.initMaster,
  initWorkers: worker.initWorkers,
  shutdown: master.shutdown,
  getLogger,
  Delay,
  clusterEvents,
  NUM_CPUS,
  Queue,
};
