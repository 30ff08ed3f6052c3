"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

sonicDistribute((queue) => Map(queue, { data: typeof gc }), [() => typeof gc], both, {
  numWorkers: 1,
}).then((outcome) => isMaster() && report(outcome));
