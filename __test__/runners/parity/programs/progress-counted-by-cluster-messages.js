"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

let answered = 0;
const failed = [];
if (isMaster()) {
  cluster.on("message", (worker, { id, data, failed: isFailed }) => {
    if (id === undefined) return;
    answered += 1;
    if (id !== worker.id) throw new Error("not the worker's own answer");
    if (isFailed) failed.push(data);
  });
}
const master = async (queue) => {
  for (let data = 0; data < 20; data += 1) await Map(queue, { data });
};
const stage = (event) => {
  if (event.data % 7 === 3) throw new Error("7k+3");
  return event.data % 2 ? event.data : undefined;
};
const reduce = (results) => ({
  answered,
  failed: failed.sort(),
  results: results.getElements().length,
});

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (counts) => isMaster() && report(counts),
);
