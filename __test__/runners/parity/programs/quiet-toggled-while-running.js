"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, note } = require("./support");

const master = async (queue) => {
  const one = async (data) => {
    await Map(queue, { data });
    while (queue.isEmpty()) await Delay(5);
  };
  await one("seen");
  process.env.QUIET = "1";
  await one("quiet master");
  await one("quiet worker");
  delete process.env.QUIET;
  await one("loud again");
  await one("fail");
  process.env.QUIET = "";
};
const stage = (event) => {
  if (event.data === "quiet worker") process.env.QUIET = "1";
  if (event.data === "fail") delete process.env.QUIET;
  note("worker", event.data);
  throw event.data;
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
