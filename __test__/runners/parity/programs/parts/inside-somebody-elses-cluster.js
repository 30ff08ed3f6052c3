"use strict";
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");

sonicDistribute(
  (queue) => Map(queue, { data: 1 }),
  [() => 1],
  () => "reduced",
  { numWorkers: 1 },
).then((value) => {
  process.send({ done: { isMaster: isMaster(), value: `${value}` } });
});
