"use strict";
const identity = require("./parts/identity");
const { sonicDistribute, Map, getWorkerName, isMaster } = require("@tiemma/sonic-distribute");
const { report, note } = require("./support");

const atLoad = JSON.stringify(identity);
note(getWorkerName(), atLoad);
const master = async (queue) => {
  await Map(queue, { data: atLoad });
};
const stage = (event, args) => ({
  atLoad,
  workerID: args.workerID,
  now: [isMaster(), getWorkerName()],
});
const reduce = (results) =>
  results.getElements().map((entry) => [entry.data, entry.id, entry.response]);

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
