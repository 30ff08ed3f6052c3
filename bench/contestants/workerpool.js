"use strict";
// workerpool with processes, started at once. It gives each process one task at a time.

const path = require("node:path");
const { drive } = require("../drive");
const { WORKLOADS } = require("../workloads");

function open({ workload, workers }) {
  const workerpool = require("workerpool");
  const pool = workerpool.pool(path.join(__dirname, "..", "workers", "workerpool.js"), {
    minWorkers: workers,
    maxWorkers: workers,
    workerType: "process",
    forkOpts: { serialization: WORKLOADS[workload].binary ? "advanced" : "json" },
  });
  return {
    send: (data, done, fail) => pool.exec("serve", [data]).then(done, fail),
    close: () => pool.terminate(),
  };
}

module.exports = {
  title: "workerpool, processes",
  package: "workerpool",
  run: (job) => drive(job, () => open(job)),
};
