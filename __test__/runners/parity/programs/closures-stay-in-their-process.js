"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

let count = isMaster() ? 100 : 0;
const master = async (queue) => {
  for (let i = 0; i < 3; i += 1) await Map(queue, { data: count });
};
const worker = () => (count += 1);

sonicDistribute(master, [worker], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report({ outcome, count }),
);
