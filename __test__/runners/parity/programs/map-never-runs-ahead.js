"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

let found = false;
let sent = 0;
if (isMaster())
  cluster.on("message", (_worker, answer) => (found = found || answer.response === "found"));

const master = async (queue) => {
  while (!found) await Map(queue, { data: (sent += 1) });
};
const worker = async (event) => {
  await Delay(5);
  return event.data === 5 ? "found" : "no";
};
const reduce = (results) => results.getElements().map((entry) => entry.response);

sonicDistribute(master, [worker], reduce, { numWorkers: 1 }).then(
  (answers) => isMaster() && report({ sent, answers }),
);
