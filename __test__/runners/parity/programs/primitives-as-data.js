"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const values = [
  null,
  0,
  -0,
  "",
  false,
  true,
  1,
  -1.5,
  NaN,
  Infinity,
  1e300,
  2 ** 31,
  [],
  {},
  [[]],
  undefined,
];
const master = async (queue) => {
  for (const data of values) await Map(queue, { data });
};
const stage = (event) => ({
  type: typeof event.data,
  minusZero: Object.is(event.data, -0),
  null: event.data === null,
});

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
