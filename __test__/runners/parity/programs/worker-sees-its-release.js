"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, note } = require("./support");

if (!isMaster()) {
  const say = (what) =>
    note("worker", `${what}, connected: ${process.connected} ${cluster.worker.isConnected()}`);
  cluster.worker.on("disconnect", () => say("cluster.worker disconnect"));
  process.on("disconnect", () => say("process disconnect"));
  process.on("beforeExit", () => say("beforeExit"));
  process.on("exit", (code) => say(`exit ${code} ${cluster.worker.exitedAfterDisconnect}`));
  process.on("SIGTERM", () => say("SIGTERM"));
}

sonicDistribute((queue) => Map(queue, { data: 1 }), [() => process.connected], both, {
  numWorkers: 1,
}).then((outcome) => isMaster() && report(outcome));
