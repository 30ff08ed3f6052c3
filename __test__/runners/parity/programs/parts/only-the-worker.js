"use strict";
const path = require("path");
const { sonicDistribute, isMaster } = require("@tiemma/sonic-distribute");

const about = {
  script: path.basename(process.argv[1]),
  argv: process.argv.slice(2),
  cwd: process.cwd(),
};
if (isMaster()) throw new Error("this file is for workers");
sonicDistribute(null, [(event) => ({ ...about, got: event.data })], null, { numWorkers: 1 });
