"use strict";
// What an event has come to, as those who asked, those who count and the records are told.

const { causeOf } = require("./seen");
const { NOTHING, valueOf } = require("../shared/carried");

/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("../shared/carried").Carried} Carried */
/** @typedef {InstanceType<typeof import("./seen").Seen>} Seen */

/**
 * An answer that cannot be read is a failure.
 * @param {Outcome} outcome
 * @returns {{ told?: any, value?: any, changed?: { data: any } }}
 */
function readOf(outcome) {
  const { told: failed, worker, text = "", format = NOTHING, data } = outcome;
  if (failed !== undefined) return { told: failed };
  try {
    const changed = data === undefined ? undefined : { data: valueOf(carriedOf(data)) };
    return { value: valueOf({ text, format }), changed };
  } catch (error) {
    const message = `an answer of worker ${worker} cannot be decoded: ${Object(error).message}`;
    const told = { name: "Error", message, stack: `Error: ${message}`, code: "ERR_SONIC_PROTOCOL" };
    return { told };
  }
}

/** @param {[string, number]} listed @returns {Carried} */
const carriedOf = ([text, format]) => ({ text, format });

/** @param {Carried} value its data as it was handed over @param {Outcome} outcome */
function entryOf(value, outcome) {
  const { told, value: response, changed = { data: valueOf(value) } } = readOf(outcome);
  const { data } = changed;
  /** @type {any} */
  const entry = { id: outcome.worker };
  if (data !== undefined) entry.data = data;
  if (told !== undefined) Object.assign(entry, { failed: true, error: told });
  else if (response !== undefined) entry.response = response;
  return entry;
}

/** As tallies have it. @param {Outcome} outcome @param {boolean} isNothing @returns {any} */
const tallied = (outcome, isNothing) =>
  outcome.told === undefined
    ? { response: isNothing ? undefined : outcome.text }
    : { error: outcome.told, cause: causeOf(outcome) };

/** @param {Outcome} outcome @returns {any} */
const addedOf = ({ counts }) => ({ counts });

/** @type {readonly number[]} */
const NONE = [];

/** The numbers of an event that is handed over, in the records that there are. @param {Seen[]} records @param {string} [label] */
const numbersIn = (records, label) =>
  records.length === 0 ? NONE : records.map((seen) => seen.handOver(label));

/**
 * @param {Seen[]} records
 * @param {readonly number[]} numbers
 * @param {Carried} value
 * @param {Outcome} outcome
 * @param {boolean} isNothing
 */
function tell(records, numbers, value, outcome, isNothing) {
  numbers.forEach((number, at) => {
    records[at].ended(number, value, outcome, isNothing);
  });
}

module.exports = { addedOf, carriedOf, entryOf, numbersIn, readOf, tallied, tell };
