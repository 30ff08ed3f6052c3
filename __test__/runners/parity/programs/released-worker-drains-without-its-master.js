"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, raised, raise, note } = require("./support");

const stage = (event) => {
  raised("master-left").then(() => setTimeout(note, 300, "worker", "its timer has fired"));
  process.on("exit", (code) => note("worker", `exits with ${code}`));
  return event.data;
};

sonicDistribute((queue) => Map(queue, { data: 1 }), [stage], both, { numWorkers: 1 }).then(
  (outcome) => {
    if (!isMaster()) return;
    report(outcome);
    process.on("exit", () => raise("master-left"));
    process.exit(4);
  },
);
