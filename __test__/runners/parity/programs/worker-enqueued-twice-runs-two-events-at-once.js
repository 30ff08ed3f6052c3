"use strict";
const { sonicDistribute, Map, Delay, getWorkerID, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

let release;
const second = new Promise((resolve) => (release = resolve));
const master = async (queue) => {
  queue.enqueue(queue.getElements()[0]);
  await Map(queue, { data: "waits for the second" });
  await Map(queue, { data: "second" });
  while (queue.getElements().length < 2) await Delay(5);
  report({ surplus: await getWorkerID(queue), free: queue.getElements() });
};
const stage = async (event) => {
  if (event.data === "second") release();
  await second;
  return event.data;
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then((outcome) => {
  if (isMaster()) report(outcome.results.map((entry) => entry.response).sort());
});
