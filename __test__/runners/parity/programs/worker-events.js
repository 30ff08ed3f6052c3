"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const seen = [];
const master = async (queue) => {
  const worker = cluster.workers[1];
  worker.on("message", (message) => "data" in message && seen.push(["message", message]));
  worker.on("disconnect", () => seen.push(["disconnect", worker.exitedAfterDisconnect]));
  worker.on("exit", (code, signal) => seen.push(["exit", code, signal]));
  worker.process.on("exit", (code) => seen.push(["process exit", code]));
  for (const data of [1, 2]) await Map(queue, { data });
};
const stage = (event) => (event.data === 1 ? "one" : undefined);

if (isMaster()) process.on("exit", () => report(seen));
sonicDistribute(master, [stage], () => 0, { numWorkers: 1 });
