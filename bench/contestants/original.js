"use strict";
// Version 1.0.3 of this package. The handshake is each worker's first answer. It polls for free workers every
// 25 ms on average, and for the end every second.

const cluster = require("node:cluster");
const { performance } = require("node:perf_hooks");
const { Tally } = require("../tally");
const { WORKLOADS } = require("../workloads");

/** More events would take too long. */
const MOST_EVENTS = 200;

async function run({ workload, workers, events }) {
  const { Map: send, sonicDistribute } = require("sonic-distribute-original");
  const { serve } = require("../serve");
  const { binary, data } = WORKLOADS[workload];
  if (binary && cluster.isPrimary) cluster.setupPrimary({ serialization: "advanced" });
  const tally = new Tally(WORKLOADS[workload], events);
  let began;
  const sendAll = async (workerQueue) => {
    began = performance.now();
    for (let index = 0; index < events; index++) await send(workerQueue, { data: data(index) });
  };
  const readAll = (results) => {
    while (!results.isEmpty()) tally.add(results.dequeue().response);
    return performance.now() - began;
  };
  const stage = (event) => serve(event.data);
  const value = await sonicDistribute(sendAll, [stage], readAll, { numWorkers: workers });
  if (cluster.isWorker) return undefined;
  tally.check();
  return { value };
}

const tooMany = ({ events }) =>
  events > MOST_EVENTS ? `limited to ${MOST_EVENTS} events` : undefined;

module.exports = {
  title: "sonic-distribute 1.0.3",
  refuses: tooMany,
  run,
};
