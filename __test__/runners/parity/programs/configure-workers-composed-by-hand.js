"use strict";
const {
  configureWorkers,
  initWorkers,
  Map,
  shutdown,
  Delay,
  isMaster,
} = require("@tiemma/sonic-distribute");
const { report } = require("./support");

async function master() {
  const { workerQueue, processOrder, failedOrder } = await configureWorkers(2);
  report(workerQueue.getElements().slice().sort());
  for (let data = 1; data <= 6; data += 1) await Map(workerQueue, { data });
  while (workerQueue.getElements().length < 2) await Delay(5);
  report(
    processOrder
      .getElements()
      .map((entry) => entry.response)
      .sort(),
  );
  report(failedOrder);
  await shutdown(2);
}

if (isMaster()) master();
else initWorkers([(event) => event.data * event.data], undefined);
