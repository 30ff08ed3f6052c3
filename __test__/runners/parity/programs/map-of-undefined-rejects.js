"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  const attempt = Map(queue, undefined);
  report({ isPromise: attempt instanceof Promise });
  await attempt.catch((error) => report({ rejected: error instanceof TypeError }));
  process.exit(0); // 1.0.3 has lost that worker now
};

sonicDistribute(master, [() => 1], () => report("reduced"), { numWorkers: 1 });
