"use strict";
const net = require("net");
const cluster = require("cluster");
const { sonicDistribute, getWorkerID, isMaster } = require("@tiemma/sonic-distribute");
const { report, until, both } = require("./support");

const listen = (port) =>
  new Promise((resolve) => {
    const server = net.createServer().on("error", (error) => resolve(error.code));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
const master = async (queue) => {
  const finder = await listen(0);
  const { port } = finder.address();
  await new Promise((resolve) => finder.close(resolve));
  let answers = 0;
  cluster.on("message", (_worker, message) => (answers += message.data === port ? 1 : 0));
  const ids = [await getWorkerID(queue), await getWorkerID(queue)];
  cluster.workers[ids[0]].send({ data: port });
  await until(() => answers === 1);
  cluster.workers[ids[1]].send({ data: port });
};
const stage = async (event) => {
  const server = await listen(event.data);
  return typeof server === "string" ? server : `listens: ${server.unref().listening}`;
};
const reduce = (...queues) => both(...queues).results.map((entry) => entry.response);

sonicDistribute(master, [stage], reduce, { numWorkers: 2 }).then(
  (seen) => isMaster() && report(seen),
);
