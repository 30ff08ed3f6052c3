"use strict";
const fs = require("fs");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");

test("maps and reduces", async () => {
  const reduce = (results) => results.getElements();
  const outcome = await sonicDistribute(
    (queue) => Map(queue, { data: 2 }),
    [(event) => event.data + 1],
    reduce,
    { numWorkers: 1 },
  ).catch((error) => ({ rejected: error.message }));
  if (isMaster()) fs.writeSync(1, `RESULT ${JSON.stringify(outcome)}\n`); // past jest's own console
}, 30000);
