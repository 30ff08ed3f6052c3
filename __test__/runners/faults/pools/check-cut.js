"use strict";
/**
 * Judges a pool's cell whose pool is closed by a signal while the fault strikes: each event ends once, by its answer, by the
 * fault if that struck it, or by the reason of the signal.
 */
const { VICTIM, isAnswer } = require("./check-end");

/** The code of the signal's reason. */
const REASON = "ENOUGH";

/** @param {any} context see `check.js` @returns {string[]} what is wrong */
function checkCut({ cell, log, cost, report }) {
  const { accepted, ends, pids, refused, descriptors, warnings } = report;
  const wrong = accepted.flatMap(({ name, role }) => {
    const own = ends.filter((end) => end.name === name);
    if (own.length !== 1) return [`${name} ended ${own.length} times`];
    const starts = log.starts.filter((start) => start.name === name);
    const most = cost.has(name) && cell.retries === "on" ? 2 : 1;
    const often = starts.length > most ? [`${name} ran ${starts.length} times`] : [];
    return [...often, ...checkOne({ cell, cost }, { name, role, starts }, own[0])];
  });
  const facts = {
    "a call of a closed pool": [refused.error.code, "ERR_SONIC_POOL_CLOSED"],
    "events that were cut off": [ends.some(({ error }) => error?.code === REASON), true],
    workers: [pids, []],
    warnings: [warnings, []],
    descriptors: [descriptors.after, descriptors.before],
  };
  for (const [what, pair] of Object.entries(facts)) {
    const [is, due] = pair.map((value) => JSON.stringify(value));
    if (is !== due) wrong.push(`${what}: ${is}, and were to be ${due}`);
  }
  return wrong;
}

function checkOne({ cell, cost }, { name, role, starts }, { error, response }) {
  if (error === undefined) {
    if (cost.has(name) && cell.retries === "off") return [`${name} was answered after the fault`];
    const isRun = starts.some(({ end }) => end !== undefined);
    return isRun && isAnswer(response, name, role) ? [] : [`${name} has a wrong answer`];
  }
  if (error.code === REASON) return [];
  const due = name === VICTIM ? cell.expected.victim : cell.expected.others;
  const isDue = due?.code === error.code && (due?.message ?? error.message) === error.message;
  return cost.has(name) && isDue ? [] : [`${name} failed: ${error.code} ${error.message}`];
}

module.exports = { REASON, checkCut };
