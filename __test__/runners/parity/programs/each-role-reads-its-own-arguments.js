"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = (queue, args) => Map(queue, { data: args });
const worker = (event, args) => ({ master: event.data, worker: args });

(async () => {
  const outcome = isMaster()
    ? await sonicDistribute(master, undefined, both, { numWorkers: 1, tag: "the master's" })
    : await sonicDistribute(null, [worker], null, { numWorkers: "no number", tag: "the worker's" });
  if (isMaster()) report(outcome);
})();
