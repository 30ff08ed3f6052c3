"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const call = (phase) => {
  if (isMaster()) process.env.PHASE = phase;
  else if (process.env.PHASE !== phase) return undefined;
  return sonicDistribute(
    (queue) => Map(queue, { data: phase }),
    [(event) => [phase, event.data]],
    both,
    { numWorkers: 1 },
  );
};

(async () => {
  for (const phase of ["extract", "load"]) {
    const outcome = await call(phase);
    if (isMaster()) report(outcome);
  }
  if (isMaster()) process.exit(0); // 1.0.3 never releases the second call's worker
})();
