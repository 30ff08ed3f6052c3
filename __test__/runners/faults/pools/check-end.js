"use strict";
/** Judges what one event of a pool's cell has come to: its answer, or an error that says what the fault did to it. */

const NO_WORKER = "ERR_SONIC_NO_WORKER";

/** The event that the fault strikes. */
const VICTIM = "victims:0";

/**
 * @param {{ cell: any, log: any, cost: Set<string>, report: any }} context
 * @param {{ name: string, role: string, kind: string, tags: string[] }} event
 * @returns {string[]} what is wrong
 */
function checkEnd({ cell, log, cost, report }, { name, role, kind, tags }) {
  const end = report.ends.find((other) => other.name === name);
  if (end === undefined) return [];
  const due = dueOf(cell, cost, name, log, tags);
  if (end.error === undefined) {
    if (due !== undefined) return [`${name} was answered, and was to fail with ${due.code}`];
    return isAnswer(end.response, name, role)
      ? []
      : [`${name} has the answer ${JSON.stringify(end.response)}`];
  }
  if (due === undefined) return [`${name} failed: ${end.error.code} ${end.error.message}`];
  const [{ pid, worker }] = log.strikes;
  const where = due.code === "ERR_SONIC_WORKER_EXIT" ? { pid } : {};
  // A call and a map reject with an error of their own, which tells of its event.
  const isTold = (kind === "call" || kind === "map") && due.code !== NO_WORKER;
  const task = JSON.stringify({ work: "work", name, attempts: 1, worker, pid });
  return Object.entries({ ...due, ...where, ...(isTold && { task }) })
    .filter(([what, value]) => !isSame(what, end.error[what], value))
    .map(
      ([what, value]) =>
        `${name} failed with the ${what} ${end.error[what]} instead of ${value}: ${end.error.message}`,
    );
}

/** The error that an event has to fail with, if it has. */
function dueOf(cell, cost, name, { starts, strikes }, tags) {
  const { expected, retries, givenUp, tag } = cell;
  const isCost = cost.has(name);
  if (givenUp && tags.includes(tag)) {
    // What was tried again waits for a worker that does not come.
    if (retries === "on" && isCost) return { code: NO_WORKER };
    const hasEnded = starts.some((start) => start.name === name && start.end < strikes[0].at);
    if (!isCost) return hasEnded ? undefined : { code: NO_WORKER };
  }
  if (!isCost || retries === "on") return undefined;
  return name === VICTIM ? expected.victim : expected.others;
}

/** The event that was struck has an answer of another form. */
const isAnswer = (response, name, role) =>
  role === "victim" ? response?.n === name && response.rest === "the rest" : response === name;

const isSame = (what, is, due) =>
  what === "signal" ? new RegExp(due).test(`${is}`) : due === undefined || is === due;

module.exports = { NO_WORKER, VICTIM, checkEnd, isAnswer };
