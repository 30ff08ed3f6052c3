"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  for (const data of [1, 2, 3]) await Map(queue, { data });
};
const reduce = (results, failed) => ({ results, failed });

sonicDistribute(master, [(event) => event.data], reduce, { numWorkers: 1 }).then((kept) => {
  if (!isMaster()) return;
  setTimeout(() => {
    const clone = Object.assign({}, kept.results);
    report({
      first: kept.results.dequeue(),
      rest: [...kept.results.elements],
      clone: Object.keys(clone),
      failed: kept.failed,
    });
  }, 50);
});
