"use strict";
// What this process has open, by what it is. It tells what a pool leaves behind.
const fs = require("fs");
const { until } = require("../../../support/program");

/** What is open for longer after the pool was closed stays open. */
const GRACE = 10_000;

/** @returns {string[]} */
function descriptors() {
  const names = fs.readdirSync("/proc/self/fd").map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, "N");
    } catch (_) {
      return "the folder";
    }
  });
  return names.filter((name) => name !== "the folder").sort();
}

/** What this process has open in the end: the thread of the core ends a moment after the last pool. @param {string[]} before */
async function left(before) {
  const end = Date.now() + GRACE;
  await until(() => descriptors().length === before.length || Date.now() > end);
  return descriptors();
}

module.exports = { descriptors, left };
