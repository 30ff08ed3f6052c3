"use strict";
// tinypool, whose two kinds of workers are two contestants. As with piscina, of which it is a fork: as
// many workers at the least as at the most, and each gets as many tasks at once as the others' do.

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
    // Its processes inherit nothing.
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
