"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report } = require("./support");

const master = async (queue) => {
  let stop = false;
  setTimeout(() => (stop = true), 400);
  let sent = 0;
  while (!stop) {
    await Map(queue, { data: 1 });
    sent += 1;
  }
  report({ stoppedByTimer: stop, sentSome: sent > 1 });
};

sonicDistribute(
  master,
  [(event) => event.data],
  (results) => results.getElements().every((entry) => entry.response === 1),
  {
    numWorkers: 1,
  },
).then((allOnes) => isMaster() && report({ allOnes }));
