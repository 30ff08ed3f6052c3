"use strict";
/**
 * The fault matrix over a cluster: runs every cell of `cells.js` with a broker, two hosts and a master of its own, and holds what became
 * of each event against what the fault may cost. Prints a table, and every cell that came to something else.
 *
 *   node __test__/runners/cluster-faults/run.js [--select half|quarter|eighth] [--only TEXT] [--at-once N]
 */
const { parseArgs } = require("node:util");

const { install } = require("../../support/debian");
const { table } = require("../faults/table");
const { failureOf } = require("./cell");
const { FAULTS, MOMENTS, cells } = require("./cells");

const STEPS = { all: 1, half: 2, quarter: 4, eighth: 8 };

const nameOf = ({ fault, moment, retries, work }) =>
  `${fault} / ${moment} / retries ${retries} / ${work}`;

async function main() {
  const { values } = parseArgs({
    options: {
      select: { type: "string", default: "all" },
      only: { type: "string", default: "" },
      "at-once": { type: "string", default: "3" },
    },
  });
  install("redis-server", "postgresql");
  const chosen = cells(STEPS[values.select]).filter((cell) => nameOf(cell).includes(values.only));
  const waiting = [...chosen];
  let failed = 0;
  const lane = async () => {
    for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
      const began = Date.now();
      cell.failure = await failureOf(cell);
      if (process.stdout.isTTY || process.env.VERBOSE)
        console.log(`${nameOf(cell)}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
      if (cell.failure === undefined) continue;
      failed++;
      console.log(
        `FAIL ${nameOf(cell)}\n${`${cell.failure.stack}${cell.failure.told}`.replace(/^/gm, "     ")}`,
      );
    }
  };
  const began = Date.now();
  await Promise.all(Array.from({ length: Number(values["at-once"]) }, lane));
  console.log(
    table({ title: "A cluster", faults: Object.keys(FAULTS), moments: MOMENTS, cells: chosen }),
  );
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`${chosen.length - failed} passed, ${failed} failed, in ${seconds} s`);
  process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0;
}

main();
