"use strict";
// tinypool with threads, its default.

const { runTinypool } = require("../tinypool");

module.exports = {
  title: "tinypool, threads",
  package: "tinypool",
  run: (job) => runTinypool(job, "worker_threads"),
};
