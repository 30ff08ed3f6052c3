"use strict";
// The packages of bench/package.json. They are installed when a selected contestant needs them.

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { CONTESTANTS } = require("./contestants");

const LOCK = path.join(__dirname, "package-lock.json");
/** What npm notes down when it has installed everything. */
const INSTALLED = path.join(__dirname, "node_modules", ".package-lock.json");

/** @param {string[]} contestants */
function ensurePeers(contestants) {
  if (!contestants.some((name) => CONTESTANTS[name].package) || arePresent()) return;
  console.log("installing the peers into bench/node_modules");
  const args = ["ci", "--prefix", __dirname, "--no-audit", "--no-fund"];
  execFileSync("npm", args, { stdio: "inherit" });
}

/** Whether all peers are there, as the lock file now has them. */
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
