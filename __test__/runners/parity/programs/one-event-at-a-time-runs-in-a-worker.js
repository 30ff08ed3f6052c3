"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

let running = 0;
const master = async (queue) => {
  for (let data = 0; data < 12; data += 1) await Map(queue, { data });
};
const worker = async (event) => {
  running += 1;
  if (event.data % 3 > 0) await Delay(10);
  const atOnce = running;
  running -= 1;
  return atOnce;
};
const reduce = (results) => results.getElements().map((entry) => entry.response);

sonicDistribute(master, [worker], reduce, { numWorkers: 2 }).then(
  (atOnce) => isMaster() && report(atOnce),
);
