"use strict";
const cluster = require("cluster");
const { sonicDistribute, Map, isMaster } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

if (isMaster()) (cluster.setupPrimary || cluster.setupMaster)({ execArgv: ["--expose-gc"] });

sonicDistribute((queue) => Map(queue, { data: typeof gc }), [() => typeof gc], both, {
  numWorkers: 1,
}).then((outcome) => isMaster() && report(outcome));
