"use strict";
const util = require("util");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  console.log("the workers:", queue, JSON.stringify(queue), `${queue}`);
  for (const data of [{ a: 1 }, "two"]) await Map(queue, { data });
};
const reduce = (results, failed) => {
  console.log("the results:", results, failed);
  return [
    JSON.stringify(results),
    JSON.stringify({ failed }),
    util.inspect({ results }, { depth: 5 }),
    `${results}`,
  ];
};

sonicDistribute(master, [(event) => event.data], reduce, { numWorkers: 1 }).then(
  (seen) => isMaster() && report(seen),
);
