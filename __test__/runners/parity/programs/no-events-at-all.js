"use strict";
const { sonicDistribute, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

sonicDistribute(() => "ignored", [() => 1], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
