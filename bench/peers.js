"use strict";
// Installs the packages of bench/package.json when a selected contestant needs them.

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { CONTESTANTS } = require("./contestants");

const LOCK = path.join(__dirname, "package-lock.json");
/** npm writes this file when everything is installed. */
const INSTALLED = path.join(__dirname, "node_modules", ".package-lock.json");

/** @param {string[]} contestants */
function ensurePeers(contestants) {
  if (!contestants.some((name) => CONTESTANTS[name].package) || arePresent()) return;
  console.log("installing the peers into bench/node_modules");
  const args = ["ci", "--prefix", __dirname, "--no-audit", "--no-fund"];
  execFileSync("npm", args, { stdio: "inherit" });
}

/** Whether all peers are installed in the versions of the lock file. */
function arePresent() {
  if (!fs.existsSync(INSTALLED)) return false;
  const locked = packagesIn(LOCK);
  const installed = packagesIn(INSTALLED);
  return Object.entries(locked).every(
    ([name, { version, optional }]) =>
      name === "" || optional || installed[name]?.version === version,
  );
}

const packagesIn = (file) => JSON.parse(fs.readFileSync(file, "utf8")).packages;

module.exports = { arePresent, ensurePeers };
