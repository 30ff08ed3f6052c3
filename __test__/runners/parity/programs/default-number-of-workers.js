"use strict";
const { sonicDistribute, NUM_CPUS, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const args = {};
sonicDistribute(
  (queue) => report(queue.getElements().length === NUM_CPUS),
  [() => 1],
  () => args,
  args,
).then((value) => isMaster() && report(value));
