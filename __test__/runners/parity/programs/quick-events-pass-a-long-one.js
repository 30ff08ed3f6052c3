"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, raise, raised, until } = require("./support");

const QUICK = 100;
const master = async (queue) => {
  let answered = 0;
  cluster.on("message", (_worker, message) => (answered += "data" in message ? 1 : 0));
  for (let data = 0; data < QUICK; data += 1) await Map(queue, { data });
  await Map(queue, { data: "long" });
  for (let data = 0; data < QUICK; data += 1) await Map(queue, { data });
  await until(() => answered === 2 * QUICK);
  raise("every quick one is answered");
};
const stage = async ({ data }) => {
  if (data === "long") await raised("every quick one is answered");
  return `${data}`;
};
const reduce = (results) => {
  const order = results.getElements().map((entry) => entry.response);
  return { all: order.length, last: order[order.length - 1] };
};

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (outcome) => isMaster() && report(outcome),
);
