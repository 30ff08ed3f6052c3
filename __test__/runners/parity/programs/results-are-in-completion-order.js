"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, raise, raised } = require("./support");

const master = async (queue) => {
  await Map(queue, { data: "slow" });
  await Map(queue, { data: "quick" });
  while (queue.isEmpty()) await Delay(5);
  raise("quick-answered");
};
const stage = async (event) => {
  if (event.data === "slow") await raised("quick-answered");
  return event.data;
};
const reduce = (results) => results.getElements().map((entry) => entry.response);

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (order) => isMaster() && report(order),
);
