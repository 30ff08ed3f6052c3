"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

if (isMaster()) (cluster.setupPrimary || cluster.setupMaster)({ serialization: "advanced" });
const describe = (value) => Object.prototype.toString.call(value);
const values = [
  new Date(0),
  new globalThis.Map([[1, new Set([2])]]),
  10n,
  new Uint8Array([1, 2]),
  [undefined, NaN, -0],
  /re/g,
];
const master = async (queue) => {
  for (const data of values) await Map(queue, { data });
};
const stage = (event) => ({ type: describe(event.data), back: event.data });
const reduce = (...queues) => {
  const { results } = both(...queues);
  return results.map(({ data, response }) => [
    describe(data),
    response.type,
    describe(response.back),
    data,
  ]);
};

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (seen) => isMaster() && report(seen),
);
