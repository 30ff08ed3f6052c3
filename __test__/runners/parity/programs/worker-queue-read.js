"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, raise, raised } = require("./support");

const master = async (queue) => {
  const seen = [queue.isEmpty(), [...queue.getElements()], queue.getElements() === queue.elements];
  await Map(queue, { data: 1 });
  seen.push(queue.isEmpty(), [...queue.elements], queue.dequeue());
  raise("free");
  while (queue.isEmpty()) await Delay(5);
  seen.push([...queue.getElements()]);
  await Map(queue, { data: 2 });
  report(seen);
};
const stage = (event) => raised("free").then(() => event.data);

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
