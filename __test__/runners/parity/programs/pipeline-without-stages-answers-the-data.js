"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  await Map(queue, { data: { untouched: true } });
  await Map(queue, { data: "text" });
};

sonicDistribute(master, [], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
