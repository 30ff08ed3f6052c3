"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const which = process.argv[2];
const fns = {
  masterFn: (queue) => Map(queue, { data: 1 }),
  workerFns: [(event) => event.data],
  reduceFn: both,
};
fns[which] =
  which === "workerFns" && process.argv[3] === "elements" ? ["not a function"] : undefined;

sonicDistribute(fns.masterFn, fns.workerFns, fns.reduceFn, { numWorkers: 1 }).then(
  (value) => isMaster() && report(value),
  (error) => {
    if (!isMaster()) throw error;
    report({
      isError: error instanceof Error,
      typeError: error instanceof TypeError,
      message: error.message,
    });
  },
);
