"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, note } = require("./support");

const first = (event) => ({ from: event.data });
const second = async (event) => {
  if (event.data.from % 2) throw new TypeError(`odd ${event.data.from}`);
  return event.data.from / 2;
};
const third = (event) => {
  note("worker", `third stage ${event.data}`);
  return event.data;
};
const master = async (queue) => {
  for (const data of [1, 2, 3, 4]) await Map(queue, { data });
};

sonicDistribute(master, [first, second, third], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
