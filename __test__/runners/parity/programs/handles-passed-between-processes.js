"use strict";
const net = require("net");
const cluster = require("cluster");
const { sonicDistribute, Map, getWorkerID, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

/** What became of passing a listening server's handle: "sent", or that there was an error, thrown or called back. */
const pass = async (send) => {
  const server = net.createServer();
  await new Promise((resolve) => server.listen({ port: 0, exclusive: true }, resolve));
  const became = await new Promise((resolve) => {
    try {
      send({ data: "with a handle" }, server._handle, undefined, (error) =>
        resolve(error ? "error" : "sent"),
      );
    } catch {
      resolve("error");
    }
  });
  server.close();
  return became;
};
const master = async (queue) => {
  await Map(queue, { data: 1 });
  if (process.argv[2] !== "from the master") return;
  const id = await getWorkerID(queue);
  const became = await pass((...all) => cluster.workers[id].send(...all));
  report(became);
  if (became === "error") queue.enqueue(id);
};
const stage = () =>
  process.argv[2] === "from the worker" ? pass((...all) => process.send(...all)) : "nothing";

sonicDistribute(master, [stage], both, { numWorkers: 1 }).then((outcome) => {
  if (!isMaster()) return;
  report(outcome.results.map((entry) => entry.response));
  process.exit();
});
