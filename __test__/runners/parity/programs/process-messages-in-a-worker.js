"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const seen = [];
if (!isMaster()) process.on("message", (message) => message && !message.ACK && seen.push(message));
const master = async (queue) => {
  for (const event of [{ data: 1 }, { data: { two: 2 }, extra: "kept" }, {}, { data: "last" }])
    await Map(queue, event);
};

sonicDistribute(master, [() => seen.slice()], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
