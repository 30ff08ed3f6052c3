"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, getWorkerID, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const seen = [];
if (!isMaster()) process.on("message", (message) => message.note && seen.push(message));
const master = async (queue) => {
  const id = await getWorkerID(queue);
  report({
    sent: cluster.workers[id].send({ note: "no data, so an event whose data is undefined" }),
  });
  await Map(queue, { data: "next" });
};

sonicDistribute(master, [(event) => [event, seen]], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
