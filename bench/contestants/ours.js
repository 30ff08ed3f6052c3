"use strict";
// This package. It uses `initMaster`, `Map` and `shutdown`, the parts of `MapReduce`, so that the workers can
// warm up before the clock starts. Workers run the program again: there, `run` only registers the stage.

const cluster = require("node:cluster");
const { performance } = require("node:perf_hooks");
const { setTimeout: delay } = require("node:timers/promises");
const { Map: send, initMaster, initWorkers, isMaster, shutdown } = require("../ours");
const { Tally } = require("../tally");
const { WARM_UP } = require("../warm-up");
const { WORKLOADS } = require("../workloads");

async function run(job) {
  if (!isMaster()) {
    const { serve } = require("../serve");
    await initWorkers([(event) => serve(event.data)], {});
    return undefined;
  }
  const workload = WORKLOADS[job.workload];
  if (workload.binary) cluster.setupPrimary({ serialization: "advanced" });
  const queues = await initMaster(job.workers);
  if (!job.cold) await warmUp(queues, job.workers);
  const tally = new Tally(workload, job.events);
  const outcome = await (RUNS[job.workload] ?? runAll)(job, queues, tally);
  if (!queues.failedOrder.isEmpty()) {
    throw new Error(queues.failedOrder.dequeue().error.message);
  }
  tally.check();
  return outcome;
}

const RUNS = { roundtrip: runInTurn, held: runAndHold };

/** Sends events until every worker has answered. */
async function warmUp({ workerQueue, processOrder }, workers) {
  const seen = new Set();
  while (seen.size < workers) {
    for (let sent = 0; sent < workers; sent++) await send(workerQueue, { data: WARM_UP });
    for (let read = 0; read < workers; read++) {
      while (processOrder.isEmpty()) await delay(1);
      seen.add(processOrder.dequeue().response);
    }
  }
}

async function runAll(job, queues, tally) {
  const began = performance.now();
  const read = () => readAll(queues, tally);
  await sendAll(job, queues, read);
  read();
  return { value: performance.now() - began };
}

/**
 * Calls `read` whenever as many events were sent as the others may have outstanding. So no more results are
 * unread here than there.
 */
async function sendAll({ workload, workers, events }, { workerQueue }, read = () => {}) {
  const { data, outstanding } = WORKLOADS[workload];
  const often = outstanding * workers;
  for (let index = 0; index < events; index++) {
    await send(workerQueue, { data: data(index) });
    if (index % often === often - 1) read();
  }
  // Resolves when every event is answered.
  await shutdown(workers);
}

function readAll({ processOrder }, tally) {
  while (!processOrder.isEmpty()) tally.add(processOrder.dequeue().response);
}

/**
 * Polls for the answer in every turn of the event loop. That is the fastest way: with a listener on cluster's
 * `message` the processor is idle, and the answer arrives about twice as late.
 */
async function runInTurn({ workload, workers, events }, { workerQueue, processOrder }, tally) {
  const { data } = WORKLOADS[workload];
  const began = performance.now();
  for (let index = 0; index < events; index++) {
    await send(workerQueue, { data: data(index) });
    while (processOrder.isEmpty()) await turn();
    tally.add(processOrder.dequeue().response);
  }
  const value = performance.now() - began;
  await shutdown(workers);
  return { value };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Measures how much the master's memory grows while the results are unread. */
async function runAndHold(job, queues, tally) {
  const { growth } = require("../memory");
  const value = await growth(() => sendAll(job, queues));
  readAll(queues, tally);
  return { value };
}

module.exports = { title: "sonic-distribute", run };
