"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const handled = [];
const waiting = [];
if (!isMaster()) {
  for (const name of ["uncaughtException", "unhandledRejection"]) {
    process.on(name, (error) => {
      handled.push([name, error.message]);
      waiting.shift()();
    });
  }
}
const stage = (event) => {
  if (event.data === "exception") setTimeout(() => nowhere());
  else Promise.reject(new Error("nobody looks"));
  return new Promise((resolve) => waiting.push(() => resolve(handled)));
};
const master = async (queue) => {
  for (const data of ["exception", "rejection"]) await Map(queue, { data });
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
