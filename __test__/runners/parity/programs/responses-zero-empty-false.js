"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  for (const data of [0, -0, "", false, 1]) await Map(queue, { data });
};
const reduce = (results, failed) => [
  results.getElements().map((entry) => entry.response),
  failed.getElements(),
];

sonicDistribute(master, [(event) => event.data], reduce, { numWorkers: 1 }).then(
  (got) => isMaster() && report(got),
);
