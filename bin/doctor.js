"use strict";
// Checks that this machine can run the package: platform, Node version, binary, limits, and a real run.

const { spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { libc, native } = require("../lib/shared/native");
const { engines, version } = require("../package.json");

/** Descriptors that a run needs besides those of its workers, including Node's own and those of a start. */
const OWN_DESCRIPTORS = 34;

/** Descriptors that each worker takes in the master. */
const DESCRIPTORS_A_WORKER = 4;

/** What Node takes for a program that loads little. */
const MEMORY_A_WORKER = 50 * 2 ** 20;

/** Threads of a worker, which the system counts as processes: Node's own, and one for its connection. */
const THREADS_A_WORKER = 8;

const SELF_TEST_MS = 60e3;

/** @typedef {"ok" | "note" | "FAILED"} Verdict */
/** @typedef {{ verdict: Verdict, what: string, says: string }} Finding */

/** @returns {number} the exit code: 1 if the package cannot run here */
function doctor() {
  console.log(`@tiemma/sonic-distribute ${version}\n`);
  let code = 0;
  for (const check of CHECKS) {
    const { verdict, what, says } = check();
    console.log(`${verdict.padEnd(6)}  ${what.padEnd(13)}  ${says}`);
    if (verdict === "FAILED") code = 1;
    // The other checks would fail for the same reason.
    if (code === 1 && check === binary) break;
  }
  console.log(code === 0 ? "\nall is well" : "\nthis machine cannot run the package: see above");
  return code;
}

/**
 * @param {Verdict} verdict
 * @param {string} what
 * @param {string} says
 * @returns {Finding}
 */
const finding = (verdict, what, says) => ({ verdict, what, says });

function platform() {
  return finding("ok", "platform", `${process.platform} ${process.arch}${libc()}`);
}

function node() {
  const least = engines.node.replace(/[^\d.]/g, "");
  const [wanted, found] = [least, process.versions.node].map((text) => text.split(".").map(Number));
  const isOld = found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1]);
  if (isOld) return finding("FAILED", "node", `${process.version}: install ${least} or later`);
  return finding("ok", "node", `${process.version} (needs ${least} or later)`);
}

function binary() {
  try {
    native();
    const files = Object.keys(require.cache).filter((name) => name.endsWith(".node"));
    return finding("ok", "binary", files.join(", "));
  } catch (error) {
    return finding("FAILED", "binary", /** @type {Error} */ (error).message);
  }
}

function processors() {
  const all = os.cpus().length;
  const usable = native().usableProcessors();
  const why = usable < all ? ` of ${all}, by this process's affinity or quota` : "";
  return finding("ok", "processors", `${usable}${why}: the default of numWorkers`);
}

/** @param {number} bytes */
const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

function memory() {
  const all = os.totalmem();
  // New in Node 18.15. It tells 0, or a number beyond all memory, where there is no limit.
  const limit = process.constrainedMemory === undefined ? 0 : process.constrainedMemory();
  const isLimited = limit > 0 && limit < all;
  const most = isLimited ? limit : all;
  const workers = Math.floor(most / MEMORY_A_WORKER) - 1;
  const why = isLimited
    ? `, the limit of this container or group (the machine has ${mebibytes(all)})`
    : "";
  const says = `${mebibytes(most)}${why}: enough for about ${Math.max(workers, 0)} small workers`;
  const isShort = workers < native().usableProcessors();
  return finding(isShort ? "note" : "ok", "memory", isShort ? `${says}; set numWorkers` : says);
}

/** What Linux tells of this process under a name. @param {string} name */
function status(name) {
  try {
    const line = new RegExp(`^${name}:\\s*(.*)$`, "m");
    const [, value] = line.exec(fs.readFileSync("/proc/self/status", "utf8")) || [];
    return value;
  } catch (_) {
    return undefined;
  }
}

function sharedMemory() {
  const how =
    process.platform === "linux" ? "by memfd: /dev/shm may be small or missing" : "by the system";
  return finding("ok", "shared memory", how);
}

function seccomp() {
  const mode = status("Seccomp");
  if (mode === undefined) return finding("note", "seccomp", "not known here");
  if (mode === "0") return finding("ok", "seccomp", "no filter");
  return finding(
    "ok",
    "seccomp",
    "a filter is active; the self-test shows whether it refuses what is needed",
  );
}

/**
 * A limit of this process, by its name in /proc/self/limits. Undefined if it is not known.
 * @param {string} name
 */
function limit(name) {
  try {
    const line = fs
      .readFileSync("/proc/self/limits", "utf8")
      .split("\n")
      .find((text) => text.startsWith(name));
    const [soft] = line === undefined ? [] : line.slice(name.length).trim().split(/\s+/);
    if (soft === undefined) return undefined;
    return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  } catch (_) {
    return undefined;
  }
}

/**
 * Reports how many workers a limit allows.
 * @param {string} what
 * @param {number | undefined} most
 * @param {number} workers
 * @param {string} option the option of the shell's `ulimit`
 */
function roomFor(what, most, workers, option) {
  if (most === undefined) return finding("note", what, "the limit is not known here");
  if (most === Number.POSITIVE_INFINITY) return finding("ok", what, "unlimited");
  const says = `${most} (ulimit ${option}), enough for about ${Math.max(workers, 0)} workers`;
  if (workers < 2) return finding("FAILED", what, `${says}; raise it`);
  return finding(workers < native().usableProcessors() ? "note" : "ok", what, says);
}

function descriptors() {
  const most = limit("Max open files");
  const workers = Math.floor(((most || 0) - OWN_DESCRIPTORS) / DESCRIPTORS_A_WORKER);
  return roomFor("open files", most, workers, "-n");
}

function processes() {
  // The limit does not apply to root.
  const isRoot = process.getuid !== undefined && process.getuid() === 0;
  const most = isRoot ? Number.POSITIVE_INFINITY : limit("Max processes");
  return roomFor("processes", most, Math.floor((most || 0) / THREADS_A_WORKER), "-u");
}

function selfTest() {
  const began = Date.now();
  const program = path.join(__dirname, "self-test.js");
  const { status, signal, stderr, error } = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: SELF_TEST_MS,
  });
  const seconds = ((Date.now() - began) / 1000).toFixed(2);
  if (status === 0) {
    return finding("ok", "self-test", `100 events, 2 workers, one of them killed: ${seconds} s`);
  }
  const why = error
    ? error.message
    : stderr.trim() || `it exited with ${signal || `code ${status}`}`;
  return finding("FAILED", "self-test", why);
}

const CHECKS = [
  platform,
  node,
  binary,
  processors,
  memory,
  sharedMemory,
  ...(process.platform === "linux" ? [seccomp] : []),
  descriptors,
  processes,
  selfTest,
];

module.exports = { doctor };
