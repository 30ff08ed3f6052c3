"use strict";
// piscina: threads. As its README advises: as many threads at the least as at the most, and its faster
// task queue. For tasks that wait for nothing it also advises to give a thread one at a time; giving it
// more is faster where they are short, and so it gets as many as the others.

const path = require("node:path");
const { drive } = require("../drive");
const { WORKLOADS } = require("../workloads");

function open({ workload, workers }) {
  const { FixedQueue, Piscina } = require("piscina");
  const pool = new Piscina({
    filename: path.join(__dirname, "..", "workers", "piscina.js"),
    minThreads: workers,
    maxThreads: workers,
    taskQueue: new FixedQueue(),
    concurrentTasksPerWorker: WORKLOADS[workload].outstanding,
  });
  return {
    send: (data, done, fail) => pool.run(data).then(done, fail),
    close: () => pool.destroy(),
  };
}

module.exports = {
  title: "piscina",
  package: "piscina",
  run: (job) => drive(job, () => open(job)),
};
