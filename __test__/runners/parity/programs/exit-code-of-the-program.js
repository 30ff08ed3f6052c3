"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

sonicDistribute((queue) => Map(queue, { data: 1 }), [(event) => event.data], both, {
  numWorkers: 1,
}).then((outcome) => {
  if (!isMaster()) return;
  report(outcome);
  process.exitCode = 3;
});
