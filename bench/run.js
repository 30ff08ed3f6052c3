"use strict";
/**
 * Runs the same work with this package, bare `child_process.fork` and other pools, and compares the times.
 * Prints a table per case, and writes `results.json` and `results.svg`.
 *
 *   node bench/run.js [--help]
 */
const fs = require("node:fs");
const path = require("node:path");
const { judge } = require("./bars");
const { casesOf } = require("./cases");
const { draw } = require("./chart");
const { describeMachine, versionsOf } = require("./machine");
const { Measurement } = require("./measure");
const { UsageError, readOptions } = require("./options");
const { arePresent, ensurePeers } = require("./peers");
const { killCurrent } = require("./process");
const { barsOf, reasonsOf, tableOf } = require("./report");
const { gauge } = require("./spin");

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(options.help);
    return;
  }
  ensurePeers(options.contestants);

  const measurement = new Measurement(options, await gauge());
  const cases = [];
  for (const one of casesOf(options)) {
    const measured = await measurement.measure(one);
    console.log(`${tableOf(measured)}\n`);
    cases.push(measured);
  }
  const bars = judge(cases);
  console.log(`${reasonsOf(cases)}\n`);
  console.log(barsOf(bars));

  const { contestants, runs, quick, out } = options;
  const report = {
    date: new Date().toISOString(),
    node: process.versions.node,
    machine: describeMachine(),
    versions: versionsOf(contestants),
    runs,
    quick,
    cases,
    bars,
  };
  fs.mkdirSync(out, { recursive: true });
  fs.writeFileSync(path.join(out, "results.json"), `${JSON.stringify(report, null, 2)}\n`);
  if (arePresent()) fs.writeFileSync(path.join(out, "results.svg"), await draw(report));
  else console.log("no chart: it needs the packages of bench/package.json");
  if (hasFailed(cases, "ours")) process.exitCode = 1;
}

const hasFailed = (cases, name) =>
  cases.some(({ results }) =>
    results.some(({ contestant, failed }) => contestant === name && failed !== undefined),
  );

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    killCurrent();
    process.exit(1);
  });
}

main().catch((error) => {
  console.error(error instanceof UsageError ? `bench: ${error.message}` : error);
  process.exitCode = 1;
});
