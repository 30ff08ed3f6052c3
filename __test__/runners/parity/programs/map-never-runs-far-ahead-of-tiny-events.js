"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const NEEDLE = 20;
let found = false;
let sent = 0;
if (isMaster())
  cluster.on("message", (_worker, answer) => (found = found || answer.response === NEEDLE));

const master = async (queue) => {
  while (!found) await Map(queue, { data: (sent += 1) });
};
const reduce = (results) => results.getElements().length;

sonicDistribute(master, [(event) => event.data], reduce, { numWorkers: 1 }).then(
  (answered) => isMaster() && report({ ahead: sent - NEEDLE, allAnswered: answered === sent }),
);
