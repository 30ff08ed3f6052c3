"use strict";
// Shares with the workers what ts-node has compiled in the master, because checking types is most of a worker's start. It goes into a
// file without a name, which workers read through the master's descriptor (lib/worker/preload.js). Where that fails, they compile.

const { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } = require("fs");
const os = require("os");
const path = require("path");
const { HOME, isBundled, load } = require("./home");
const { JSON, Map } = require("./primordials");

/** Where ts-node leaves its service. */
const SERVICE = Symbol.for("ts-node.register.instance");

/** The variable that tells a worker where to read. */
const VARIABLE = "SONIC_DISTRIBUTE_COMPILED";

/** The folder that this process is in; none if it has been removed. */
function folder() {
  try {
    return process.cwd();
  } catch (_) {
    return undefined;
  }
}

/** Where it was when the package was loaded. */
const first = folder();

/**
 * What was compiled so far, and from what, by file.
 * @type {globalThis.Map<string, { code: string, output: string }>}
 */
const compiled = new Map();

/**
 * What workers are started with for that, and what closes the file.
 * @typedef {{ nodeArgs: string[], env: string[], close: () => void }} Preload
 */

/** Undefined if ts-node has compiled nothing, or it cannot be shared. @returns {Preload | undefined} */
function preload() {
  // No property of Node's.
  const service = /** @type {any} */ (process)[SERVICE];
  if (service === undefined || isBundled || process.platform !== "linux") return undefined;
  // Elsewhere ts-node may find another configuration.
  if (first === undefined || folder() !== first) return undefined;
  try {
    collect(service);
    if (compiled.size === 0) return undefined;
    const fd = unnamedFile(JSON.stringify([...compiled]));
    return {
      nodeArgs: ["--require", path.join(HOME, "worker", "preload.js")],
      env: [VARIABLE, `/proc/${process.pid}/fd/${fd}`],
      close: () => closeSync(fd),
    };
  } catch (_) {
    return undefined;
  }
}

/** Asks for the output of every loaded file, which ts-node has already. @param {any} service */
function collect(service) {
  for (const file of Object.keys(load.cache)) {
    if (!/\.[cm]?tsx?$/.test(file) || service.ignored(file)) continue;
    const code = readFileSync(file, "utf8");
    const known = compiled.get(file);
    if (known === undefined || known.code !== code) {
      compiled.set(file, { code, output: service.compile(code, file) });
    }
  }
}

/** @param {string} text */
function unnamedFile(text) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "sonic-distribute-"));
  const name = path.join(folder, "compiled.json");
  try {
    writeFileSync(name, text, { flag: "wx", mode: 0o600 });
    return openSync(name, "r");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

module.exports = { preload, SERVICE, VARIABLE };
