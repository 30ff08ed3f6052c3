"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const stage = () => {
  setTimeout(() => process.stdout.write("NOTE worker runs\n"), 50);
  return new Promise((resolve) => setTimeout(resolve, 60000));
};

sonicDistribute((queue) => Map(queue, { data: 1 }), [stage], both, { numWorkers: 1 }).then(
  () => isMaster() && report("too late"),
);
