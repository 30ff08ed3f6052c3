"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  for (const data of ["a", "b", "c", "d"]) await Map(queue, { data });
};
const stage = (event) => {
  if (event.data === "b") throw new Error("b");
  return event.data.toUpperCase();
};
const reduce = (results, failed) => {
  const seen = [
    results.isEmpty(),
    results.getElements().length,
    results.getElements() === results.elements,
  ];
  seen.push(results.dequeue(), results.enqueue({ mine: 1 }), results.elements.length);
  while (!results.isEmpty()) seen.push(results.dequeue());
  seen.push(results.dequeue(), results.isEmpty(), results.getElements(), Object.keys(results));
  seen.push(
    failed.isEmpty(),
    { ...failed.dequeue(), error: "stripped" },
    failed.isEmpty(),
    failed.dequeue(),
  );
  return seen;
};

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (seen) => isMaster() && report(seen),
);
