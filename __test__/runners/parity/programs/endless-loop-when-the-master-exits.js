"use strict";
const { sonicDistribute, Map } = require("@tiemma/sonic-distribute");
const { report, both, raise, raised } = require("./support");

const master = async (queue) => {
  await Map(queue, { data: 1 });
  await raised("looping");
  report("leaving");
  process.exit(0);
};
const stage = () => {
  raise("looping");
  for (;;);
};

sonicDistribute(master, [stage], both, { numWorkers: 1 });
