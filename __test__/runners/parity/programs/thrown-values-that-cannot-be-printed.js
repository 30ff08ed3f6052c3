"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, note } = require("./support");

const thrown = {
  "no prototype": () => Object.create(null),
  symbol: () => Symbol("s"),
  "throwing getters": () => ({
    get message() {
      throw new Error("from the getter");
    },
    toString() {
      throw new Error("from toString");
    },
  }),
};
const kind = process.argv[2];
if (isMaster())
  cluster.on("exit", (worker, code) => note("cluster", `worker ${worker.id} ended: ${code}`));
const master = async (queue) => {
  for (const data of ["before", kind, "after"]) await Map(queue, { data });
};
const stage = (event) => {
  if (thrown[event.data]) throw thrown[event.data]();
  return process.pid;
};
const reduce = (results, failed) => {
  const [before, after] = results.getElements();
  const why = failed.getElements().map(({ id, data, error }) => [id, data, typeof error.message]);
  return { sameWorker: before.response === after.response, why };
};

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
