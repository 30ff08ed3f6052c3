"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, record, recorded, note } = require("./support");

const crashes = {
  "exits 0": () => process.exit(0),
  "exits 7": () => process.exit(7),
  killed: () => process.kill(process.pid, "SIGKILL"),
  aborts: () => process.abort(),
  "uncaught exception": () => setTimeout(() => nowhere()),
  "unhandled rejection": () => void Promise.reject(new Error("nobody looks")),
  "out of memory": () => {
    for (const all = []; ; ) all.push(new Array(1e5).fill({ some: all.length }));
  },
};
const kind = process.argv[2];
if (isMaster())
  cluster.on("exit", (worker, code, signal) =>
    note("cluster", `worker ${worker.id} ended: ${code} ${signal}`),
  );
const master = async (queue) => {
  for (const data of ["before", kind, "after"]) await Map(queue, { data });
};
const stage = (event, args) => {
  record("ran", event.data);
  if (!crashes[event.data]) return `${event.data} in ${args.workerID}`;
  crashes[event.data]();
  return new Promise((resolve) => setTimeout(resolve, 60000));
};
const reduce = (results, failed) => {
  const why = failed.getElements().map(({ id, data, error }) => ({
    id,
    data,
    name: error.name,
    message: error.message,
    code: error.code,
  }));
  return {
    responses: results.getElements().map((entry) => entry.response),
    why,
    ran: recorded("ran"),
  };
};

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
