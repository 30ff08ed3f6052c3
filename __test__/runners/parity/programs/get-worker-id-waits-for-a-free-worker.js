"use strict";
const cluster = require("cluster");
const { sonicDistribute, getWorkerID, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, raise, raised } = require("./support");

const master = async (queue) => {
  const order = [];
  await Map(queue, { data: 1 });
  const waiting = getWorkerID(queue).then((id) => {
    order.push("got it");
    return id;
  });
  await Delay(200);
  order.push("free it");
  raise("free");
  const id = await waiting;
  report({ order, id, free: queue.getElements() });
  cluster.workers[id].send({ data: 2 });
};
const stage = (event) => raised("free").then(() => event.data);

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
