"use strict";
// Log lines, what this process is called in them, and a delay. Needs no native core.

const cluster = require("./cluster");
const os = require("os");
const { Promise, Set, setImmediate, setTimeout, timestamp } = require("./primordials");

/** The number of logical processors, the default number of workers. */
const NUM_CPUS = os.cpus().length || 1;

/** True in the process that starts the workers. */
const isMaster = () => Boolean(cluster.isMaster || cluster.isPrimary);

/** `MASTER`, or `WORKER-` and the worker's id. */
const getWorkerName = () =>
  isMaster() ? "MASTER" : `WORKER-${/** @type {import("cluster").Worker} */ (cluster.worker).id}`;

/**
 * A promise that resolves after `time` milliseconds; by default a random time below 50.
 * @param {number} [time]
 */
const Delay = (time = Math.random() * 50) => new Promise((resolve) => setTimeout(resolve, time));

/** Whether log lines are off now: programs set the variable while they run. */
const isQuiet = () => Boolean(process.env.QUIET);

/** The streams that are guarded in this turn. @type {Set<NodeJS.WriteStream>} */
const guarded = new Set();

const ignore = () => {};

/**
 * Keeps the program alive if a line of this package cannot be written, because its reader has gone or a disk is full. The
 * program's own output is its own business.
 * @param {NodeJS.WriteStream} stream
 */
function guard(stream) {
  if (guarded.has(stream)) return;
  guarded.add(stream);
  stream.on("error", ignore);
  // By then the stream has reported on the lines of this turn.
  setImmediate(() => {
    guarded.delete(stream);
    stream.removeListener("error", ignore);
  });
}

/**
 * A function that logs a line in the name of `loggerID`, unless QUIET is set.
 * @param {string} loggerID
 * @returns {(message: any, date?: string) => void}
 */
const getLogger = (loggerID) => (message, date) => {
  if (isQuiet()) return;
  guard(process.stdout);
  // Made only for a line that is written.
  const at = date === undefined ? timestamp() : date;
  console.log(`${at}: ${loggerID}: ${message}`);
};

/** Logs a line in the name of this process. @param {any} message */
const log = (message) => getLogger(getWorkerName())(message);

/** Prints a line of advice, unless QUIET is set: on stderr, because 1.0.3 has none. @param {string} text */
function hint(text) {
  if (isQuiet()) return;
  guard(process.stderr);
  console.error(`${timestamp()}: ${getWorkerName()}: ${text}`);
}

module.exports = { NUM_CPUS, isMaster, getWorkerName, Delay, isQuiet, getLogger, hint, log };
