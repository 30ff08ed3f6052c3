import fs from "node:fs";
import { test } from "vitest";
import { sonicDistribute, Map, isMaster } from "@tiemma/sonic-distribute";

test("maps and reduces", async () => {
  const reduce = (results) => results.getElements();
  const outcome = await sonicDistribute(
    (queue) => Map(queue, { data: 2 }),
    [(event) => event.data + 1],
    reduce,
    { numWorkers: 1 },
  ).catch((error) => ({ rejected: error.message }));
  if (isMaster()) fs.writeSync(1, `RESULT ${JSON.stringify(outcome)}\n`); // past vitest's own console
}, 30000);
