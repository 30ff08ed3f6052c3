"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  await Map(queue, { data: Buffer.from("é\0") });
  await Map(queue, { data: { nested: [Buffer.alloc(0)] } });
};
const stage = (event) => [event.data, Buffer.isBuffer(event.data), Buffer.from("back")];

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
