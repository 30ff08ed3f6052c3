"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  const reused = { n: 0, list: [] };
  for (let i = 1; i <= 4; i += 1) {
    reused.n = i;
    reused.list.push(i);
    await Map(queue, { data: reused });
  }
  reused.n = "changed after the last hand-over";
};

sonicDistribute(master, [(event) => event.data.n], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
