"use strict";
const cluster = require("cluster");
const { sonicDistribute, getWorkerID, isMaster } = require("@tiemma/sonic-distribute");
const { report, until } = require("./support");

const master = async (queue) => {
  const ids = [await getWorkerID(queue), await getWorkerID(queue)].sort();
  for (const data of [0, 1, 2, 3]) {
    cluster.workers[ids[data % 2]].send({ data });
    await until(() => !queue.isEmpty());
    await getWorkerID(queue);
  }
  ids.forEach((id) => queue.enqueue(id));
};
const reduce = (results) =>
  results.getElements().map(({ id, data, response }) => [id, data, response]);

sonicDistribute(master, [(_event, args) => args.workerID], reduce, { numWorkers: 2 }).then(
  (ids) => isMaster() && report(ids),
);
