"use strict";
// worker-farm: processes, started at once. Its README advises many concurrent calls per worker if all calls take
// the same time, and few otherwise.

const path = require("node:path");
const { drive } = require("../drive");
const { WORKLOADS } = require("../workloads");

function open({ workload, workers }) {
  const farm = require("worker-farm");
  const { binary, outstanding } = WORKLOADS[workload];
  const options = {
    maxConcurrentWorkers: workers,
    maxConcurrentCallsPerWorker: outstanding,
    autoStart: true,
    workerOptions: { serialization: binary ? "advanced" : "json" },
  };
  const call = farm(options, path.join(__dirname, "..", "workers", "worker-farm.js"));
  return {
    send: (data, done, fail) => call(data, (error, answer) => (error ? fail(error) : done(answer))),
    close: () => farm.end(call),
  };
}

module.exports = {
  title: "worker-farm",
  package: "worker-farm",
  run: (job) => drive(job, () => open(job)),
};
