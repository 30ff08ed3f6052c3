"use strict";
// Log lines and small things around them: who this process is, and a delay. Nothing here touches
// the native core.

const cluster = require("./cluster");
const os = require("os");
const { Promise, setImmediate, setTimeout, timestamp } = require("./primordials");

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

let isGuarded = false;

const ignore = () => {};

/**
 * Whoever reads the program's output may have gone, and a disk may be full: a line of ours is not worth the
 * program's end. What it prints itself is its own business, as ever.
 */
function guard() {
  if (isGuarded) return;
  isGuarded = true;
  const { stdout } = process;
  stdout.on("error", ignore);
  // What a line of this turn has come to is told by then.
  setImmediate(() => {
    isGuarded = false;
    stdout.removeListener("error", ignore);
  });
}

/**
 * A function that logs a line in the name of `loggerID`, unless QUIET is set.
 * @param {string} loggerID
 * @returns {(message: any, date?: string) => void}
 */
const getLogger = (loggerID) => (message, date) => {
  if (isQuiet()) return;
  guard();
  // Made only for a line that is written: most are not, where it matters.
  const at = date === undefined ? timestamp() : date;
  console.log(`${at}: ${loggerID}: ${message}`);
};

module.exports = { NUM_CPUS, isMaster, getWorkerName, Delay, isQuiet, getLogger };
