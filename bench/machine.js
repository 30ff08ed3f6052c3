"use strict";
// Describes the machine and the versions of a measurement.

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { CONTESTANTS } = require("./contestants");

function describeMachine() {
  const cpus = os.cpus();
  return {
    processors: cpus.length,
    model: cpus[0].model.trim(),
    memoryGB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()}`,
    architecture: process.arch,
  };
}

/** @param {string[]} contestants */
function versionsOf(contestants) {
  const packages = contestants.map((name) => CONTESTANTS[name].package).filter(Boolean);
  const folder = path.join(__dirname, "node_modules");
  return Object.fromEntries([
    ["ours", versionIn(path.join(__dirname, ".."))],
    ...[...new Set(packages)].map((name) => [name, versionIn(path.join(folder, name))]),
  ]);
}

function versionIn(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).version;
}

module.exports = { describeMachine, versionsOf };
