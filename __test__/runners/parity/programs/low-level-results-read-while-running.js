"use strict";
const { initMaster, initWorkers, Map, shutdown, isMaster } = require("@tiemma/sonic-distribute");
const { report, until } = require("./support");

async function master() {
  const { workerQueue, processOrder, failedOrder } = await initMaster(1);
  const seen = [];
  for (const data of [1, 2, 3, 4]) {
    await Map(workerQueue, { data });
    const queue = data % 2 ? processOrder : failedOrder;
    await until(() => !queue.isEmpty());
    seen.push(queue.dequeue(), processOrder.elements.length + failedOrder.elements.length);
  }
  report(seen);
  await Map(workerQueue, { data: 5 });
  await until(() => processOrder.getElements().length === 1);
  await shutdown(1);
  report({ after: processOrder, free: workerQueue });
}
const stage = (event) => {
  if (event.data % 2 === 0) throw new Error("even");
  return event.data * 10;
};

if (isMaster()) master();
else initWorkers([stage], {});
