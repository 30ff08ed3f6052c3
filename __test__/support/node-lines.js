"use strict";
/**
 * Gets other lines of Node (14, 24, …) from npm, where each version's bare binary is a package of its
 * own. It owns the cache in `node_modules/.cache/nodes`; whoever asks at the same time waits for the
 * one who installs.
 */
const fs = require("fs");
const path = require("path");

const { runToSuccess } = require("./command");
const { MODULES } = require("./workspace");

const CACHE = path.join(MODULES, ".cache", "nodes");
const LINES = [14, 16, 18, 20, 22, 24, 26];

/**
 * npm's `node` package runs an install script that only fetches this one; newer npm runs no install
 * scripts of dependencies.
 */
const packageOf = (platform) => {
  const name = `${platform === "win32" ? "win" : platform}-${process.arch}`;
  return `${name === "darwin-arm64" ? "node-bin" : "node"}-${name}`;
};

/** A lock whose holder is alive is waited for this long: a download of 50 MB on a slow day. */
const LOCK_MS = 300_000;
const LOCK_POLL_MS = 50;

/**
 * The path of the newest binary of a line, installed when it is not there yet.
 * @param {number} line
 * @param {string} platform
 * @returns {Promise<string>}
 */
async function nodeOfLine(line, platform = process.platform) {
  if (!LINES.includes(line)) throw new RangeError(`no line of Node is called ${line}`);
  const name = packageOf(platform);
  const folder = path.join(CACHE, platform === process.platform ? String(line) : `${line}-${platform}`);
  const program = platform === "win32" ? "node.exe" : "node";
  const binary = path.join(folder, "node_modules", name, "bin", program);
  await installOnce(folder, [`${name}@${line}`], binary);
  return binary;
}

/**
 * Installs packages into a folder of their own, unless `file` is there: only one of those who ask does.
 * @param {string} folder
 * @param {string[]} packages
 * @param {string} file
 */
async function installOnce(folder, packages, file) {
  if (fs.existsSync(file)) return;
  const unlock = await lock(`${folder}.lock`);
  try {
    if (!fs.existsSync(file)) await install(packages, folder);
  } finally {
    unlock();
  }
}

/** Installs aside and renames: a folder of that name is complete, whatever happened in between. */
async function install(packages, folder) {
  const aside = `${folder}.${process.pid}`;
  fs.rmSync(aside, { recursive: true, force: true });
  fs.mkdirSync(aside, { recursive: true });
  // Without a manifest of its own npm would install into the project that lies above.
  fs.writeFileSync(path.join(aside, "package.json"), '{ "private": true }\n');
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  await runToSuccess("npm", ["install", ...packages, "--force", ...quiet], { cwd: aside });
  fs.rmSync(folder, { recursive: true, force: true });
  fs.renameSync(aside, folder);
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

module.exports = { LINES, installOnce, nodeOfLine };
