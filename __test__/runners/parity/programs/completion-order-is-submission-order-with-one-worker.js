"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  for (let data = 0; data < 30; data += 1) await Map(queue, { data });
};
const stage = async (event) => {
  if (event.data % 4 === 1) await Delay((event.data * 7) % 11);
  if (event.data % 10 === 3) throw new Error(`${event.data}`);
  return `r${event.data}`;
};
const reduce = (...queues) =>
  queues.map((queue) => queue.getElements().map((entry) => entry.response || entry.data));

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (order) => isMaster() && report(order),
);
