"use strict";
// Measures memory.

const v8 = require("node:v8");
const vm = require("node:vm");

v8.setFlagsFromString("--expose-gc");
const collect = vm.runInNewContext("gc");

/** The growth of this process in megabytes while `act` runs, without garbage. */
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
