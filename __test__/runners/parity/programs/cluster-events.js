"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const seen = [];
if (isMaster()) {
  cluster.on("fork", (worker) => seen.push(["fork", worker.id, typeof worker.process.pid]));
  cluster.on("online", (worker) => seen.push(["online", worker.id, worker === cluster.workers[1]]));
  cluster.on(
    "message",
    (worker, message) => "data" in message && seen.push(["message", worker.id, message]),
  );
  cluster.on("disconnect", (worker) =>
    seen.push(["disconnect", worker.id, worker.exitedAfterDisconnect]),
  );
  cluster.on("exit", (worker, code, signal) => seen.push(["exit", worker.id, code, signal]));
  process.on("exit", () => report(seen));
}
const master = async (queue) => {
  for (const data of ["a", "fail", "nothing"]) await Map(queue, { data });
};
const stage = (event) => {
  if (event.data === "fail") throw new Error("as told");
  return event.data === "a" ? "A" : undefined;
};

sonicDistribute(master, [stage], () => seen.push(["reduce"]), { numWorkers: 1 });
