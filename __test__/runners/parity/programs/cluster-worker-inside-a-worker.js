"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both, until } = require("./support");

const seen = [];
const heard = [];
if (isMaster()) cluster.on("message", (_worker, message) => message.note && seen.push(message));
else {
  process.send({ note: "before the call" });
  cluster.worker.on("message", (message) => "data" in message && heard.push(message.data));
  cluster.worker.once("message", () => cluster.worker.send({ note: "on the first message" }));
}
const master = async (queue) => {
  await Map(queue, { data: 1 });
  await Map(queue, { data: 2 });
  await until(() => seen.length === 2);
};
const stage = () => ({
  heard,
  id: cluster.worker.id,
  connected: cluster.worker.isConnected(),
  dead: cluster.worker.isDead(),
});

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report({ seen, outcome }),
);
