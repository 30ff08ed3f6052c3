"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, note } = require("./support");

const pids = [];
const seen = [];
if (isMaster()) {
  for (const event of ["fork", "online", "disconnect", "exit"]) {
    cluster.on(event, (worker, code) => {
      if (!pids.includes(worker.process.pid)) pids.push(worker.process.pid);
      seen.push([
        event,
        `process ${pids.indexOf(worker.process.pid) + 1}`,
        ...(event === "exit" ? [code] : []),
      ]);
      note("cluster", `${event} ${code}`);
    });
  }
  process.on("exit", () => report(seen));
}
const master = async (queue) => {
  await Map(queue, { data: "fatal" });
  for (const end = Date.now() + 600; Date.now() < end; ); // it hears of the end and of the replacement at once
  await Map(queue, { data: "after" });
  report({
    live: Object.keys(cluster.workers),
    connected: cluster.workers[1]?.isConnected(),
  });
};
const stage = (event) => (event.data === "fatal" ? process.exit(7) : "answered");
const reduce = (...queues) => queues.map((queue) => queue.getElements().map((entry) => entry.data));

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
