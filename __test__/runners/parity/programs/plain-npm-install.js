"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

sonicDistribute((queue) => Map(queue, { data: 20 }), [(event) => event.data + 1], both, {
  numWorkers: 1,
}).then((outcome) => isMaster() && report(outcome));
