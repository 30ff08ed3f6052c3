"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  const seen = [];
  const kept = queue.dequeue();
  const pending = Map(queue, { data: "once it is back" }).then(() => seen.push("handed over"));
  await Delay(200);
  seen.push("give it back");
  queue.enqueue(kept);
  await pending;
  report(seen);
};

sonicDistribute(master, [(event) => event.data], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
