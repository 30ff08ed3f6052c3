"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  report({
    queue: [...queue.getElements()].sort(),
    cluster: Object.keys(cluster.workers),
    type: typeof queue.elements[0],
  });
  const ids = [queue.dequeue(), queue.dequeue(), queue.dequeue()].sort();
  for (const id of ids) cluster.workers[id].send({ data: id });
};
const reduce = (results) =>
  results
    .getElements()
    .map((entry) => [entry.id, entry.data, entry.response])
    .sort();

sonicDistribute(master, [(_event, args) => args.workerID], reduce, { numWorkers: 3 }).then(
  (ids) => isMaster() && report(ids),
);
