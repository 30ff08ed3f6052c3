"use strict";
const net = require("net");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const listen = (port) =>
  new Promise((resolve, reject) => {
    const server = net.createServer().on("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
const master = async (queue) => {
  const taken = await listen(0);
  await Map(queue, { data: taken.address().port });
  queue.getElements();
  while (queue.isEmpty()) await new Promise((resolve) => setTimeout(resolve, 5));
  taken.close();
};
const stage = (event) =>
  listen(event.data).then(
    () => "listens",
    (error) => error.code,
  );
const reduce = (...queues) => both(...queues).results.map((entry) => entry.response);

sonicDistribute(master, [stage], reduce, { numWorkers: 1 }).then(
  (codes) => isMaster() && report(codes),
);
