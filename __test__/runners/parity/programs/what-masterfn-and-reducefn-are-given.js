"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const args = { numWorkers: 1, extra: "yes" };
const master = async function (...given) {
  report({
    given: given.length,
    sameArgs: given[1] === args,
    liveWorkers: Object.keys(cluster.workers),
  });
  report({ mapValue: await Map(given[0], { data: 1 }), master: isMaster() });
  return "dropped";
};
const reduce = (...given) => {
  report({ given: given.length, isMaster: isMaster(), liveWorkers: Object.keys(cluster.workers) });
  return given.map((queue) => queue.getElements().length);
};

sonicDistribute(master, [(...given) => given.length], reduce, args).then(
  (value) => isMaster() && report(value),
);
