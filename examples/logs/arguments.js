"use strict";
// Reads the command line of analyse.js and flow.js, and makes up a log if it names none.

const { parseArgs } = require("node:util");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { isMaster, NUM_CPUS } = require("../..");
const { generate } = require("./generate");

function readArguments() {
  const options = {
    workers: { type: "string", default: String(Math.max(NUM_CPUS, 2)) },
    top: { type: "string", default: "10" },
    range: { type: "string", default: String(4 * 2 ** 20) },
    lines: { type: "string", default: "1000000" },
    check: { type: "boolean", default: false },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [top, range, numWorkers] = [values.top, values.range, values.workers].map(Number);
  if (!(range >= 1)) throw new RangeError(`--range must be at least 1 byte, got ${values.range}`);
  // Workers run this program too, with the same arguments, and read the same log.
  const lines = Number(values.lines);
  const file = positionals[0] ?? path.join(os.tmpdir(), `sonic-distribute-${lines}.log`);
  if (isMaster()) prepare(file, positionals.length > 0 ? undefined : lines);
  return { file: path.resolve(file), range, top, numWorkers, check: values.check };
}

function prepare(file, lines) {
  if (lines !== undefined) generate(file, lines);
  const { size } = fs.statSync(file);
  console.log(`${file}, ${(size / 1e6).toFixed(1)} MB\n`);
}

module.exports = { readArguments };
