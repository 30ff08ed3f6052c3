"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  const kept = queue.dequeue();
  for (let data = 0; data < 4; data += 1) await Map(queue, { data: { data, kept } });
  cluster.workers[kept].send({ data: { data: "reserved", kept } });
};
const stage = (event, { workerID }) => ({
  what: event.data.data,
  onTheKeptOne: workerID === event.data.kept,
});
const reduce = (results) =>
  results
    .getElements()
    .map((entry) => JSON.stringify(entry.response))
    .sort();

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (responses) => isMaster() && report(responses),
);
