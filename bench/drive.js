"use strict";
// Drives a pool that takes an event and calls back with its answer. It keeps the number of outstanding
// events of the workload: it sends a new event after each answer.

const { performance } = require("node:perf_hooks");
const { Tally } = require("./tally");
const { WARM_UP } = require("./warm-up");
const { WORKLOADS } = require("./workloads");

/** All workers start well within this time. */
const WARM_DEADLINE_MS = 60_000;

/**
 * @typedef {object} Pool
 * @property {(data: any, done: (answer: any) => void, fail: (error: any) => void) => void} send
 * @property {() => any} close
 *
 * @param {import("./contestants").Job} job
 * @param {() => Pool | Promise<Pool>} open
 */
async function drive(job, open) {
  const pool = await open();
  if (!job.cold) await warmUp(pool, job.workers);
  const tally = new Tally(WORKLOADS[job.workload], job.events);
  const began = performance.now();
  await sendAll(pool, job, tally);
  const value = performance.now() - began;
  tally.check();
  await pool.close();
  return { value };
}

/** Sends events until every worker has answered. */
async function warmUp(pool, workers) {
  const ask = () => new Promise((resolve, reject) => pool.send(WARM_UP, resolve, reject));
  const seen = new Set();
  for (const from = performance.now(); seen.size < workers; ) {
    const names = await Promise.all(Array.from({ length: workers }, ask));
    for (const name of names) seen.add(String(name));
    if (performance.now() - from > WARM_DEADLINE_MS) {
      throw new Error(`only ${seen.size} of ${workers} workers answered`);
    }
  }
}

function sendAll(pool, { workload, workers, events }, tally) {
  const { data, outstanding } = WORKLOADS[workload];
  return new Promise((resolve, reject) => {
    let next = 0;
    const done = (answer) => {
      tally.add(answer);
      if (next < events) pool.send(data(next++), done, reject);
      else if (tally.isComplete) resolve(undefined);
    };
    const first = Math.min(events, outstanding * workers);
    while (next < first) pool.send(data(next++), done, reject);
  });
}

module.exports = { drive };
