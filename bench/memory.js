"use strict";
// How much memory something takes.

const v8 = require("node:v8");
const vm = require("node:vm");

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");

/** The megabytes by which this process grows while `act` runs, garbage not counted. */
async function growth(act) {
  const before = resident();
  await act();
  return resident() - before;
}

function resident() {
  collect();
  collect();
  return process.memoryUsage().rss / 1e6;
}

module.exports = { growth };
