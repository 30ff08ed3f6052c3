"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const master = async (queue) => {
  for (const data of ["a b", "c", ""]) await Map(queue, { data });
};
const stage = async (event) => {
  for (const word of event.data.split(" ")) {
    process.send({ response: { word } });
    await Delay(1);
  }
  process.send({ failed: true, data: event.data, reason: "part of it failed" });
  if (event.data === "c")
    process.send({ response: "with more", extra: [1, { deep: true }], data: "d" });
  return event.data ? "the event's own" : undefined;
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
