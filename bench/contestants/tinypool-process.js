"use strict";
// tinypool with child processes.

const { runTinypool } = require("../tinypool");

module.exports = {
  title: "tinypool, processes",
  package: "tinypool",
  run: (job) => runTinypool(job, "child_process"),
};
