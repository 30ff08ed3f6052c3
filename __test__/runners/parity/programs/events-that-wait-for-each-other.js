"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, raise, raised } = require("./support");

const TINY = 100; // enough for a scheduler to think that events are short
const master = async (queue) => {
  for (let data = 0; data < TINY; data += 1) await Map(queue, { data });
  await Map(queue, { data: { mine: "a", other: "b" } });
  await Map(queue, { data: { mine: "b", other: "a" } });
};
const stage = async ({ data }) => {
  if (typeof data === "number") return data + 1;
  raise(data.mine);
  await raised(data.other);
  return "met";
};
const reduce = (results) =>
  results.getElements().filter((entry) => entry.response === "met").length;

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (met) => isMaster() && report(met),
);
