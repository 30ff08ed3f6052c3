"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const cycle = {};
cycle.itself = cycle;
const master = async (queue) => {
  await Map(queue, { data: "before" });
  for (const data of [10n, cycle]) {
    await Map(queue, { data }).catch((error) =>
      report({ isTypeError: error instanceof TypeError }),
    );
    if (process.argv[2] === "once") break;
  }
  await Map(queue, { data: "after" });
};

sonicDistribute(master, [(event) => event.data], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
