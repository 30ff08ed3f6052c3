"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const call = (name) => {
  const master = async (queue) => {
    for (const data of [1, 2]) await Map(queue, { data });
  };
  const reduce = (results) => results.getElements().map((entry) => entry.response);
  return sonicDistribute(
    master,
    [(event, args) => `${name} ${event.data} by ${args.workerID}`],
    reduce,
    { numWorkers: 1 },
  );
};
const ways = {
  "one after another": async () => [await call("first"), await call("second")],
  "in a loop": async () => {
    const all = [];
    for (let turn = 0; turn < 3; turn += 1) all.push(await call(`turn ${turn}`));
    return all;
  },
  "at once": () => Promise.all([call("a"), call("b"), call("c")]),
};

ways[process.argv[2]]().then((all) => isMaster() && report(all));
