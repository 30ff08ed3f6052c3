"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const stage = () => {
  throw new Error("unseen");
};

sonicDistribute((queue) => Map(queue, { data: 1 }), [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
