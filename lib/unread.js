"use strict";
// What nobody has read of the program's runs when it ends: failures, and results that were looked for too early. It
// says so then, on stderr. A run whose workers have ended leaves a few numbers and a line here, never its queues.

const { hint } = require("./log");
const { JSON, Map, Set } = require("./primordials");
const { describe } = require("./thrown");

/** @typedef {InstanceType<typeof import("./run").Run>} Run */

/** Of so many runs the first failure is kept, in case those before it are read after all. */
const MOST_FIRST = 16;

/** Of so many runs results that were looked for too early are told of. */
const MOST_LATE = 16;

/** The most characters of the first failure. */
const MOST_SHOWN = 300;

/**
 * Failures of one run that nobody has read.
 * @typedef {object} Unseen
 * @property {number} failed
 * @property {number} events
 * @property {boolean} isByHand the program has the queues from `initMaster`
 */

/**
 * Those that are on.
 * @type {Set<Run>}
 */
const runs = new Set();

/** The failures of those that are over. */
const total = { runs: 0, failed: 0, events: 0 };

/**
 * The first failures of some of them, oldest first.
 * @type {Map<Unseen, string>}
 */
const firsts = new Map();

/**
 * How many results of runs that are over came after the program had looked for them.
 * @type {Map<object, { count: number, workers: number }>}
 */
const late = new Map();

/** Has the program's end tell of what is unread, as long as there may be something, behind its own listeners so far. */
function listen() {
  process.removeListener("exit", tell);
  if (runs.size + total.runs + late.size > 0) process.on("exit", tell);
}

/** @param {Run} run that begins */
function begin(run) {
  runs.add(run);
  listen();
}

/** @param {Run} run whose workers have all ended: nothing more comes */
function over(run) {
  runs.delete(run);
  const results = lateResults(run);
  if (results !== undefined && late.size < MOST_LATE) late.set(run.unread, results);
  const unseen = unseenFailures(run);
  if (unseen !== undefined) {
    run.unread.failures = unseen;
    add(unseen, 1);
    if (firsts.size < MOST_FIRST) firsts.set(unseen, firstFailure(run));
  }
  listen();
}

/** @param {Run} run some of whose results have been found since they were looked for in vain */
function found(run) {
  if (late.delete(run.unread)) listen();
}

/** @param {Run} run whose failures somebody looks at */
function seen({ unread }) {
  if (unread.failures === undefined) return;
  add(unread.failures, -1);
  firsts.delete(unread.failures);
  unread.failures = undefined;
  listen();
}

/**
 * @param {Unseen} unseen
 * @param {1 | -1} times
 */
function add({ failed, events }, times) {
  total.runs += times;
  total.failed += times * failed;
  total.events += times * events;
}

/**
 * @param {Run} run
 * @returns {{ count: number, workers: number } | undefined}
 */
function lateResults(run) {
  if (!run.isMissed) return undefined;
  const count = run.results.count();
  return count === 0 ? undefined : { count, workers: run.ids.length };
}

/**
 * Undefined if there are none, or the program has them otherwise: one by one, or in the error that it was stopped by.
 * @param {Run} run
 * @returns {Unseen | undefined}
 */
function unseenFailures(run) {
  if (run.failures.isSeen || run.hasFailed || run.onResult !== undefined) return undefined;
  const failed = run.failures.count();
  if (failed <= run.toldFailures) return undefined;
  const { handedOver } = JSON.parse(run.native.poolStatistics(run.pool));
  return { failed, events: handedOver, isByHand: run.isByHand };
}

/** @param {Run} run */
function firstFailure(run) {
  const { error } = Object(run.failures.peek());
  if (error === undefined) return "a failure that a worker sent itself";
  const { name = "Error", message = error, stack } = Object(error);
  const [line] = describe(message).split("\n");
  const text = line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line;
  const [, place] = /\n {4}at (?:.* \()?(.*?)\)?(?:\n|$)/.exec(describe(stack)) || [];
  return `${describe(name)}: ${text}${place === undefined ? "" : ` (${place})`}`;
}

function tell() {
  for (const run of runs) over(run);
  for (const { count, workers } of late.values()) {
    hint(
      `Results were looked for while events still ran, and ${count} that came later were never ` +
        `read: await shutdown(${workers}) before reading them, or look again`,
    );
  }
  if (total.runs > 0) tellOfFailures();
}

function tellOfFailures() {
  const { failed, events } = total;
  const where = total.runs === 1 ? "" : `, in ${total.runs} runs`;
  // A worker may send failures of its own.
  const count = failed <= events ? `${failed} of ${events} events failed` : `${failed} failures`;
  const [[unseen, first] = [undefined, undefined]] = firsts;
  const shown = first === undefined ? "" : ` The first: ${first}.`;
  const how = unseen?.isByHand
    ? "failedOrder, which initMaster gives, has them: failedOrder.getElements()"
    : "reduceFn(results, failures) gets them: failures.getElements()";
  console.error(
    `@tiemma/sonic-distribute: ${count}${where}, and the program has not read them.${shown} ${how}`,
  );
}

module.exports = { begin, found, over, seen };
