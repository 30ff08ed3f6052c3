"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, raise, raised } = require("./support");

const seen = [];
const master = async (queue) => {
  await Map(queue, { data: 1 });
  const second = Map(queue, { data: 2 }).then(() => seen.push("second handed over"));
  await Delay(300);
  seen.push("free the worker");
  raise("free");
  await second;
};
const worker = async (event) => {
  await raised("free");
  return event.data;
};

sonicDistribute(master, [worker], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report({ seen, outcome }),
);
