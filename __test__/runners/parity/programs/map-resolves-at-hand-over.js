"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, raise, raised } = require("./support");

const master = async (queue) => {
  await Map(queue, { data: "waits for what follows this very Map" });
  raise("handed-over");
};
const worker = async () => {
  await raised("handed-over");
  return "done";
};

sonicDistribute(master, [worker], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
