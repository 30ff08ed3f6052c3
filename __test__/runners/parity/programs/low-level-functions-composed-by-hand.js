"use strict";
const {
  initMaster,
  initWorkers,
  getWorkerID,
  Map,
  shutdown,
  Delay,
  isMaster,
} = require("@tiemma/sonic-distribute");
const cluster = require("cluster");
const { report } = require("./support");

async function master() {
  const parts = await initMaster(1);
  report({ parts: Object.keys(parts), free: parts.workerQueue.getElements() });
  const id = await getWorkerID(parts.workerQueue);
  report({ id, free: parts.workerQueue.getElements() });
  cluster.workers[id].send({ data: "sent by hand" });
  await Map(parts.workerQueue, { data: "mapped" });
  await Map(parts.workerQueue, { data: "fail" });
  while (parts.workerQueue.isEmpty()) await Delay(5);
  report({ results: parts.processOrder, failed: parts.failedOrder, free: parts.workerQueue });
  report({ shutdown: await shutdown(1), left: Object.keys(cluster.workers) });
}
const stage = (event, args) => {
  if (event.data === "fail") throw new Error("as told");
  return [event.data, args];
};

if (isMaster()) master();
else
  initWorkers([stage], { mine: true }).then((value) =>
    console.log(`NOTE worker registered: ${value}`),
  );
