"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  for (const event of [5, {}, "text", true, [1], { data: undefined }, { other: 1, data: "kept" }])
    await Map(queue, event);
};
const worker = (event) => ({ type: typeof event.data, keys: Object.keys(event) });

sonicDistribute(master, [worker], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
