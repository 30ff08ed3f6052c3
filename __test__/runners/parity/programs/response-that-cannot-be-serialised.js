"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, note } = require("./support");

const cycle = {};
cycle.itself = cycle;
const responses = {
  bigint: () => ({ big: 10n }),
  cycle: () => cycle,
  throwing: () => ({
    toJSON() {
      throw new TypeError("will not be JSON");
    },
  }),
};
const kind = process.argv[2];
if (isMaster())
  cluster.on("exit", (worker, code) => note("cluster", `worker ${worker.id} ended: ${code}`));
const master = async (queue) => {
  for (const data of ["before", kind, "after"]) await Map(queue, { data });
};
const stage = (event) => (responses[event.data] ? responses[event.data]() : process.pid);
const reduce = (results, failed) => {
  const [before, after] = results.getElements();
  const why = failed
    .getElements()
    .map(({ id, data, error }) => [id, data, error.name, typeof error.message]);
  return {
    answered: [before.data, after.data],
    sameWorker: before.response === after.response,
    why,
  };
};

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
