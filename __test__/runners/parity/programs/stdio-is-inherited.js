"use strict";
const fs = require("fs");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const stage = () => {
  console.error("the worker's stderr");
  fs.writeSync(1, "NOTE worker past console, to descriptor 1\n");
  return fs.readFileSync(0, "utf8");
};

sonicDistribute((queue) => Map(queue, { data: 1 }), [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
