"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const worker = (event) => require("./parts/twice").twice(event.data);
const master = (queue) => Map(queue, { data: 21 });

sonicDistribute(master, [worker], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
