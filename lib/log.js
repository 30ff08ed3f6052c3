"use strict";
// Log lines and small things around them: who this process is, and a delay. Nothing here touches
// the native core.

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

/**
 * The streams that are guarded in this turn.
 * @type {Set<NodeJS.WriteStream>}
 */
const guarded = new Set();

const ignore = () => {};

/**
 * Whoever reads the program's output may have gone, and a disk may be full: a line of ours is not worth the
 * program's end. What it prints itself is its own business, as ever.
 * @param {NodeJS.WriteStream} stream
 */
function guard(stream) {
  if (guarded.has(stream)) return;
  guarded.add(stream);
  stream.on("error", ignore);
  // What a line of this turn has come to is told by then.
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
  // Made only for a line that is written: most are not, where it matters.
  const at = date === undefined ? timestamp() : date;
  console.log(`${at}: ${loggerID}: ${message}`);
};

/**
 * Prints a line of advice, unless QUIET is set: on stderr, because 1.0.3 has none.
 * @param {string} text
 */
function hint(text) {
  if (isQuiet()) return;
  guard(process.stderr);
  console.error(`${timestamp()}: ${getWorkerName()}: ${text}`);
}

module.exports = { NUM_CPUS, isMaster, getWorkerName, Delay, isQuiet, getLogger, hint };
