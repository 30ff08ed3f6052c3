"use strict";
// piscina: threads. As its README advises, it has a fixed number of threads and the faster task queue. For tasks
// that only compute, the README also advises one task per thread at a time. More are faster if tasks are short,
// so it gets as many as the others.

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
