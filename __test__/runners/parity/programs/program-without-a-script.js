"use strict";
// Run as `node -e <this text>`: there is no script that a worker could run again.
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");

sonicDistribute(
  (queue) => Map(queue, { data: 1 }),
  [() => 1],
  () => 1,
  { numWorkers: 1 },
).then(
  (value) => console.log(`RESULT ${JSON.stringify({ value })}`),
  (error) => isMaster() && console.log(`RESULT ${JSON.stringify({ rejected: error.message })}`),
);
