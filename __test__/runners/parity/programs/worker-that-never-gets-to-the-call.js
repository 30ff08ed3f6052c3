"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, note } = require("./support");

const starts = {
  throws: () => {
    throw new Error("at start");
  },
  exits: () => process.exit(9),
  "goes around it": () => note("worker", "has nothing to do"),
  "waits for ever": () => setInterval(() => {}, 1000),
};
if (isMaster()) {
  cluster.on("online", (worker) => note("cluster", `worker ${worker.id} online`));
  cluster.on("exit", (worker, code) => note("cluster", `worker ${worker.id} ended: ${code}`));
  sonicDistribute((queue) => Map(queue, { data: 1 }), [() => 1], both, { numWorkers: 1 }).then(
    () => report("resolved"),
    (error) => report({ isError: error instanceof Error, message: error.message }),
  );
} else starts[process.argv[2]]();
