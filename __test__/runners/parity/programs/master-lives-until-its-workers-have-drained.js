"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, raise, raised, isRaised, note } = require("./support");

const stage = (event) => {
  raised("the-call-has-resolved").then(() => {
    setTimeout(() => raise("worker-drained"), 300);
  });
  process.on("exit", (code) =>
    note("worker", `exits with ${code}, connected: ${process.connected}`),
  );
  return event.data;
};

sonicDistribute((queue) => Map(queue, { data: 1 }), [stage], both, { numWorkers: 1 }).then(
  (outcome) => {
    if (!isMaster()) return;
    report({ outcome, drained: isRaised("worker-drained") });
    raise("the-call-has-resolved");
    process.on("exit", () => report({ drainedAtExit: isRaised("worker-drained") }));
  },
);
