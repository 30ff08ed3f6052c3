"use strict";
// poolifier's cluster pool of a fixed size, with work-stealing queues, as its guidelines advise for short tasks,
// and without events, because nothing listens to them.

const path = require("node:path");
const { drive } = require("../drive");
const { WARM_UP } = require("../warm-up");
const { WORKLOADS } = require("../workloads");

function open({ workload, workers }) {
  const { FixedClusterPool } = require("poolifier");
  const { binary, outstanding } = WORKLOADS[workload];
  const file = path.join(__dirname, "..", "workers", "poolifier.js");
  const pool = new FixedClusterPool(workers, file, {
    enableEvents: false,
    enableTasksQueue: true,
    tasksQueueOptions: { concurrency: outstanding },
    settings: { serialization: binary ? "advanced" : "json" },
  });
  return {
    send: (data, done, fail) =>
      pool.execute(data, data === WARM_UP ? "introduce" : "serve").then(done, fail),
    close: () => pool.destroy(),
  };
}

module.exports = {
  title: "poolifier, cluster",
  package: "poolifier",
  run: (job) => drive(job, () => open(job)),
};
