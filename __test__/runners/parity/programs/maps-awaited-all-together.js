"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const items = Array.from({ length: 30 }, (_, at) => ({ at, square: undefined }));
const master = async (queue) => {
  const handed = await Promise.all(items.map((data) => Map(queue, { data })));
  report({ all: handed.length, values: new Set(handed).size });
};
const stage = (event) => ({ ...event.data, square: event.data.at ** 2 });
// Which of the waiting Maps gets the free worker is a matter of Math.random() in 1.0.3.
const reduce = (...queues) => {
  const { results, failed } = both(...queues);
  return { failed, squares: results.map((entry) => entry.response.square).sort((a, b) => a - b) };
};

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (outcome) => isMaster() && report(outcome),
);
