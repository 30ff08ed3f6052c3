"use strict";
// tinypool, with two contestants for its two kinds of workers. It is a fork of piscina and configured like it:
// a fixed number of workers, and as many concurrent tasks per worker as for the others.

const path = require("node:path");
const { drive } = require("./drive");
const { WORKLOADS } = require("./workloads");

/**
 * @param {import("./contestants").Job} job
 * @param {"worker_threads" | "child_process"} runtime
 */
const runTinypool = (job, runtime) => drive(job, () => open(job, runtime));

async function open({ workload, workers }, runtime) {
  const { Tinypool } = await import("tinypool");
  const { binary, outstanding } = WORKLOADS[workload];
  const pool = new Tinypool({
    filename: path.join(__dirname, "workers", "tinypool.mjs"),
    runtime,
    minThreads: workers,
    maxThreads: workers,
    // Its processes do not inherit the environment.
    env: process.env,
    serialization: binary ? "advanced" : "json",
    concurrentTasksPerWorker: outstanding,
  });
  return {
    send: (data, done, fail) => pool.run(data).then(done, fail),
    close: () => pool.destroy(),
  };
}

module.exports = { runTinypool };
