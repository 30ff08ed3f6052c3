"use strict";
const { sonicDistribute, Map, NUM_CPUS, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue, args) => {
  report({ oneWorkerPerCpu: queue.getElements().length === NUM_CPUS, args });
  await Map(queue, { data: 1 });
};
const reduce = (results) => results.getElements().map((entry) => entry.response);

sonicDistribute(master, [(_event, args) => Object.keys(args)], reduce).then(
  (value) => isMaster() && report(value),
  (error) => report({ typeError: error instanceof TypeError }),
);
