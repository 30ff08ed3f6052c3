"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

let worker;
const state = () => ({
  connected: worker.isConnected(),
  dead: worker.isDead(),
  listed: Object.keys(cluster.workers),
});
const master = async (queue) => {
  worker = cluster.workers[1];
  const types = {};
  for (const name of ["send", "kill", "disconnect", "isConnected", "isDead", "on", "once"])
    types[name] = typeof worker[name];
  report({
    id: worker.id,
    types,
    pid: typeof worker.process.pid,
    same: cluster.workers["1"] === worker,
    ...state(),
  });
  await Map(queue, { data: worker.process.pid });
};
const stage = (event) => event.data === process.pid;
const reduce = (results) => ({ pidIsRight: results.dequeue().response, ...state() });

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then((after) => {
  if (!isMaster()) return;
  report(after);
  process.on("exit", () => report({ atExit: state() }));
});
