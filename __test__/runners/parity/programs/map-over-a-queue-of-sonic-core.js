"use strict";
const { Queue } = require("@tiemma/sonic-core");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  const mine = new Queue();
  mine.enqueue(queue.dequeue());
  await Map(mine, { data: "over a queue of mine" });
  report({ mine, backIn: "the call's own queue" });
  await Map(queue, { data: "over the call's" });
};

sonicDistribute(master, [(event) => event.data], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
