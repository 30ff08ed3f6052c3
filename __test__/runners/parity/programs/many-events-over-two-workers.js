"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, record, recorded } = require("./support");

const master = async (queue) => {
  for (let data = 1; data <= 60; data += 1) await Map(queue, { data });
};
const stage = (event) => {
  record("ran", event.data);
  return event.data;
};
const reduce = (results, failed) => {
  let sum = 0;
  while (!results.isEmpty()) sum += results.dequeue().response;
  return {
    sum,
    failed: failed.getElements(),
    runs: recorded("ran").length,
    distinct: new Set(recorded("ran")).size,
  };
};

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (outcome) => isMaster() && report(outcome),
);
