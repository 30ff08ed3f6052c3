"use strict";
/**
 * Installs packages from npm into a folder of their own, once. Specs that ask for the same folder at the
 * same time wait for the one that installs.
 */
const fs = require("fs");
const path = require("path");

const { runToSuccess } = require("./command");
const { ROOT } = require("./workspace");

/** What builds the site and checks the documentation. */
const SITE = path.join(ROOT, "scripts", "site");

/** How long to wait for a lock whose holder is alive: a download of 50 MB on a slow day. */
const LOCK_MS = 300_000;
const LOCK_POLL_MS = 50;

const QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];

/**
 * Installs aside and renames: a folder of that name is complete, whatever happened in between.
 * @param {string} folder
 * @param {string[]} packages and options of npm
 */
async function installOnce(folder, packages) {
  if (fs.existsSync(folder)) return;
  const unlock = await lock(`${folder}.lock`);
  try {
    if (!fs.existsSync(folder)) await install(folder, packages);
  } finally {
    unlock();
  }
}

async function install(folder, packages) {
  const aside = `${folder}.${process.pid}`;
  fs.rmSync(aside, { recursive: true, force: true });
  fs.mkdirSync(aside, { recursive: true });
  // Without a manifest of its own npm would install into the project that lies above.
  fs.writeFileSync(path.join(aside, "package.json"), '{ "private": true }\n');
  await runToSuccess("npm", ["install", ...packages, ...QUIET], { cwd: aside });
  fs.renameSync(aside, folder);
}

/**
 * Installs what the lock file of a folder names, unless it is there.
 * @param {string} folder
 */
async function installFrom(folder) {
  const named = path.join(folder, "package-lock.json");
  // npm writes this file when everything is installed.
  const installed = path.join(folder, "node_modules", ".package-lock.json");
  const isPresent = () =>
    fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(named).mtimeMs;
  if (isPresent()) return;
  const unlock = await lock(path.join(folder, "install.lock"));
  try {
    const options = ["--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
    if (!isPresent()) await runToSuccess("npm", ["ci", ...options]);
  } finally {
    unlock();
  }
}

async function lock(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const end = Date.now() + LOCK_MS;
  while (!take(file)) {
    if (Date.now() > end) throw new Error(`${file} is held by ${holder(file)}`);
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  return () => fs.rmSync(file, { force: true });
}

/** A link that names its holder: it is there with the name in it, or not at all. */
function take(file) {
  try {
    fs.symlinkSync(String(process.pid), file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (!isAlive(holder(file))) fs.rmSync(file, { force: true });
    return false;
  }
}

function holder(file) {
  try {
    return Number(fs.readlinkSync(file));
  } catch {
    return undefined; // Given back meanwhile.
  }
}

function isAlive(pid) {
  if (pid === undefined) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

module.exports = { SITE, installFrom, installOnce };
