"use strict";
const { sonicDistribute, Map, Delay, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

async function main() {
  const settings = await new Promise((resolve) =>
    setTimeout(() => setImmediate(resolve, { factor: 3 }), 200),
  );
  await Delay(100);
  return sonicDistribute(
    async (queue) => {
      await Delay(50);
      for (const data of [1, 2]) await Map(queue, { data });
    },
    [(event, args) => event.data * args.factor],
    both,
    { numWorkers: 1, ...settings },
  );
}

setTimeout(() => main().then((outcome) => isMaster() && report(outcome)), 50);
