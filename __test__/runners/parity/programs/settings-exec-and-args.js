"use strict";
const cluster = require("cluster");
const path = require("path");
const { sonicDistribute, Map } = require("@tiemma/sonic-distribute");
const { report, both } = require("./support");

(cluster.setupPrimary || cluster.setupMaster)({
  exec: path.join(__dirname, "parts/only-the-worker.js"),
  args: ["a", "b c"],
});
sonicDistribute((queue) => Map(queue, { data: 1 }), null, both, { numWorkers: 1 }).then(report);
