"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, raise, raised } = require("./support");

const master = async (queue) => {
  await Map(queue, { data: 1 });
  await raised("running");
  report("leaving");
  process.exit(5);
};
const stage = () => {
  raise("running");
  setInterval(() => {}, 1000);
  return new Promise(() => {});
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  () => isMaster() && report("not reached"),
);
