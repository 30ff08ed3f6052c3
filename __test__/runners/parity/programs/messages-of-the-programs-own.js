"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, until } = require("./support");

const seen = [];
const master = async (queue) => {
  cluster.on(
    "message",
    (worker, message) => message.note && seen.push(["cluster", worker.id, message]),
  );
  cluster.workers[1].on("message", (message) => message.note && seen.push(["worker", message]));
  await Map(queue, { data: 1 });
  await until(() => seen.length === 6);
};
const stage = () => {
  process.send({ note: "first", value: [1, null, "ü"] });
  process.send({ note: "second", at: new Date(0) }, undefined, undefined, (error) => {
    process.send({ note: "sent", error });
  });
  return new Promise((resolve) => setTimeout(resolve, 50, "answered"));
};

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report({ seen, outcome }),
);
