"use strict";
const path = require("path");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

const now = {
  data: { argv: process.argv.slice(2), execPath: process.execPath, cwd: process.cwd() },
};
const started = {
  ...now.data,
  script: process.argv[1],
  main: require.main === module,
  env: process.env.CHANGED,
};
if (isMaster()) {
  process.argv.push("--added", "a b", "ü\"'$x");
  process.chdir(path.join(process.cwd(), "programs"));
  process.env.CHANGED = "in the master";
}

sonicDistribute((queue) => Map(queue, now), [() => started], both, { numWorkers: 1 }).then(
  (outcome) => isMaster() && report(outcome),
);
