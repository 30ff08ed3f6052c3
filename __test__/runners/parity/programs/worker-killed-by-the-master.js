"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, raise, raised, note } = require("./support");

if (isMaster())
  cluster.on("exit", (worker, _code, signal) =>
    note("cluster", `worker ${worker.id} ended by ${signal}`),
  );
const master = async (queue) => {
  await Map(queue, { data: "killed" });
  await raised("running");
  process.kill(cluster.workers[1].process.pid, "SIGKILL");
  await Map(queue, { data: "after" });
};
const stage = (event, args) => {
  if (event.data !== "killed") return args.workerID;
  raise("running");
  return new Promise((resolve) => setTimeout(resolve, 60000));
};
const reduce = (...queues) =>
  queues.map((queue) => queue.getElements().map(({ data, id }) => [data, id]));

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
