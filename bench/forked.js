"use strict";
// Bare `child_process.fork`, as a careful program would use it: it keeps the workload's number of messages
// outstanding per child, and sends a child the next message after each answer.

const { fork } = require("node:child_process");
const { once } = require("node:events");
const path = require("node:path");
const { performance } = require("node:perf_hooks");
const { Tally } = require("./tally");
const { WARM_UP } = require("./warm-up");
const { WORKLOADS } = require("./workloads");

const CHILD = path.join(__dirname, "workers", "forked.js");

/**
 * @param {import("./contestants").Job} job
 * @param {"json" | "advanced"} serialization
 */
async function runForked(job, serialization) {
  const children = Array.from({ length: job.workers }, () => fork(CHILD, { serialization }));
  if (!job.cold) await Promise.all(children.map(warmUp));
  const tally = new Tally(WORKLOADS[job.workload], job.events);
  const began = performance.now();
  await sendAll(children, job, tally);
  const value = performance.now() - began;
  tally.check();
  for (const child of children) child.disconnect();
  return { value };
}

async function warmUp(child) {
  child.send(WARM_UP);
  await once(child, "message");
}

function sendAll(children, { workload, workers, events }, tally) {
  const { data, outstanding } = WORKLOADS[workload];
  return new Promise((resolve, reject) => {
    let next = 0;
    for (const child of children) {
      child.on("message", (answer) => {
        tally.add(answer);
        if (next < events) child.send(data(next++));
        else if (tally.isComplete) resolve(undefined);
      });
      child.once("exit", (code) => reject(new Error(`a child exited with code ${code}`)));
    }
    const first = Math.min(events, outstanding * workers);
    while (next < first) {
      children[next % workers].send(data(next));
      next += 1;
    }
  });
}

module.exports = { runForked };
