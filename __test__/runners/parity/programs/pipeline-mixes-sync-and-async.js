"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const stages = [
  (event) => event.data * 2,
  async (event) => ({ half: event.data / 4, keys: Object.keys(event) }),
  (event) => ({ then: (resolve) => setTimeout(resolve, 5, [event.data]) }),
  (event) => Promise.resolve(event.data.concat("last")),
];
const master = async (queue) => {
  for (const data of [1, 2, 3]) await Map(queue, { data });
};

sonicDistribute(master, stages, both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
