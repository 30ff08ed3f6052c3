"use strict";
// Reads the command line of dump.js and restore.js.

const path = require("node:path");
const { parseArgs } = require("node:util");
const { NUM_CPUS } = require("../..");

/** @param {string} which describes the folder that the user must name */
function readArguments(which) {
  const options = { workers: { type: "string" } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (positionals.length !== 1) throw new Error(`name ${which}`);
  const numWorkers = Number(values.workers ?? Math.max(NUM_CPUS, 2));
  return { folder: path.resolve(positionals[0]), numWorkers };
}

module.exports = { readArguments };
