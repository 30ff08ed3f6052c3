"use strict";
// Reports on stderr, when the program ends, what it has not read of its runs: failures, and results that it looked for too
// early. Keeps a few numbers and a line of a run that is over, never its queues.

const { hint } = require("../shared/log");
const { Map, Set } = require("../shared/primordials");
const { describe } = require("../shared/describe");

/** @typedef {InstanceType<typeof import("./run").Run>} Run */

/** How many runs' first failures are kept, in case those of earlier runs are read after all. */
const MOST_FIRST = 16;

/** How many runs' late results are reported. */
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

/** Runs that are not over. @type {Set<Run>} */
const runs = new Set();

/** Unread failures of runs that are over. */
const total = { runs: 0, failed: 0, events: 0 };

/** The first failures of some of them, oldest first. @type {Map<Unseen, string>} */
const firsts = new Map();

/**
 * How many results of runs that are over came after the program had looked for them.
 * @type {Map<object, { count: number, workers: number }>}
 */
const late = new Map();

/** Listens for the program's end while something may be unread, after its own listeners so far. */
function listen() {
  process.removeListener("exit", tell);
  if (runs.size + total.runs + late.size > 0) process.on("exit", tell);
}

/** @param {Run} run that begins */
function begin(run) {
  runs.add(run);
  listen();
}

/** @param {Run} run whose workers have all exited: nothing more comes */
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

/** @param {Unseen} unseen @param {1 | -1} times */
function add({ failed, events }, times) {
  total.runs += times;
  total.failed += times * failed;
  total.events += times * events;
}

/** @param {Run} run @returns {{ count: number, workers: number } | undefined} */
function lateResults(run) {
  if (!run.output.results.isMissed) return undefined;
  const count = run.output.results.count();
  return count === 0 ? undefined : { count, workers: run.pool.ids.length };
}

/**
 * Undefined if there are none, or the program got them otherwise: one by one, or in the error of the call.
 * @param {Run} run
 * @returns {Unseen | undefined}
 */
function unseenFailures(run) {
  const { failures, onResult, toldFailures } = run.output;
  if (failures.isSeen || run.hasFailed || onResult !== undefined) return undefined;
  const failed = failures.count();
  if (failed <= toldFailures) return undefined;
  const { handedOver } = run.statistics();
  return { failed, events: handedOver, isByHand: run.isByHand };
}

/** @param {Run} run */
function firstFailure(run) {
  const { error } = Object(run.output.failures.peek());
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
