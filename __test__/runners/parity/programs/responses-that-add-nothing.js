"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const responses = {
  undefined: () => undefined,
  null: () => null,
  nan: () => NaN,
  infinity: () => Infinity,
  function: () => () => 1,
  symbol: () => Symbol("s"),
  toJSON: () => ({ toJSON: () => undefined }),
  invalidDate: () => new Date(NaN),
  promise: () => Promise.resolve(undefined),
  something: () => "kept",
};
const master = async (queue) => {
  for (const data of Object.keys(responses)) await Map(queue, { data });
};

sonicDistribute(master, [(event) => responses[event.data]()], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
