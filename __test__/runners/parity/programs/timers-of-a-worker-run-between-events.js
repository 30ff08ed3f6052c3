"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

let ticks = 0;
if (!isMaster()) setInterval(() => (ticks += 1), 1).unref();
const master = async (queue) => {
  let ticked = false;
  cluster.on("message", (_worker, message) => (ticked = ticked || message.response > 3));
  while (!ticked) await Map(queue, { data: 1 });
  report({ ticked });
};

sonicDistribute(master, [() => ticks], () => "reduced", { numWorkers: 1 }).then(
  (value) => isMaster() && report(value),
);
