"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  for (const data of [3, 1, 2]) await Map(queue, { data });
};
const reduce = (results) => {
  const array = results.getElements();
  array.sort((a, b) => a.response - b.response);
  const seen = [results.dequeue(), array.length];
  array.push("pushed");
  results.elements.unshift("unshifted");
  array[1].response = "changed in place";
  results.enqueue("enqueued");
  seen.push(array.slice(), results.dequeue(), results.getElements() === array);
  array.length = 1;
  seen.push(results.dequeue(), results.dequeue());
  results.elements = ["assigned"];
  return [...seen, results.getElements(), results.dequeue(), results.isEmpty()];
};

sonicDistribute(master, [(event) => event.data], reduce, { numWorkers: 1 }).then(
  (seen) => isMaster() && report(seen),
);
