"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const args = { numWorkers: 1, label: "mine", workerID: "overwritten", nested: { touched: 0 } };
const spoil = (event, given) => {
  given.label = "spoilt";
  given.added = true;
  given.nested.touched += 1;
  return { same: given === args, fresh: given.label };
};
const stages = [spoil, (...all) => ({ before: all[0].data, given: all[1], count: all.length })];
const master = async (queue) => {
  await Map(queue, { data: 1 });
  await Map(queue, { data: 2 });
};

sonicDistribute(master, stages, both, args).then(
  (outcome) => isMaster() && report({ outcome, args }),
);
