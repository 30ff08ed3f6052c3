"use strict";
const { sonicDistribute, Map } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  await Map(queue, { data: 1 });
  throw new Error("the master's");
};

sonicDistribute(master, [(event) => event.data], both, { numWorkers: 1 }).catch((error) =>
  report({ caught: error.message }),
);
