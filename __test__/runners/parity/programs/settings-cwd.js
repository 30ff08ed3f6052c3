"use strict";
const cluster = require("cluster");
const path = require("path");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

if (isMaster()) (cluster.setupPrimary || cluster.setupMaster)({ cwd: __dirname });
const where = () => path.basename(process.cwd());

sonicDistribute(
  (queue) => Map(queue, { data: where() === path.basename(__dirname) }),
  [where],
  both,
  { numWorkers: 1 },
).then((outcome) => isMaster() && report(outcome));
