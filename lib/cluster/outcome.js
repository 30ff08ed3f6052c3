"use strict";
// What an event has come to, as those who asked, those who count and the records are told.

const { bytesOf, causeOf } = require("./seen");
const { NOTHING, valueOf } = require("../shared/carried");
const { Set } = require("../shared/primordials");

/** @typedef {import("./coordinator").Outcome} Outcome */
/** @typedef {import("../shared/carried").Carried} Carried */
/** @typedef {InstanceType<typeof import("./seen").Seen>} Seen */
/** @typedef {InstanceType<typeof import("../master/tally").Tally>} Tally */

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
    return { told: notDecoded(`an answer of worker ${worker}`, error) };
  }
}

/** @param {string} what @param {unknown} error */
function notDecoded(what, error) {
  const message = `${what} cannot be decoded: ${Object(error).message}`;
  return { name: "Error", message, stack: `Error: ${message}`, code: "ERR_SONIC_PROTOCOL" };
}

/** @type {{ data: any }} */
const NO_DATA = { data: undefined };

/** @param {[string, number]} listed @returns {Carried} */
const carriedOf = ([text, format]) => ({ text, format });

/** The entry of an event that ends. It has failed if its data cannot be read, which another one has emitted then. @param {Carried} value @param {Outcome} outcome */
function entryOf(value, outcome) {
  const read = readOf(outcome);
  if (read.changed === undefined) {
    try {
      read.changed = { data: valueOf(value) };
    } catch (error) {
      read.told = notDecoded("the data of an event that another one has emitted", error);
    }
  }
  const { told, value: response, changed: { data } = NO_DATA } = read;
  /** @type {any} */
  const entry = { id: outcome.worker };
  if (data !== undefined) entry.data = data;
  if (told !== undefined) Object.assign(entry, { failed: true, error: told });
  else if (response !== undefined) entry.response = response;
  return entry;
}

/** What counts as no answer. @param {unknown} value */
const isNothing = (value) => value === undefined || value === null;

/** As tallies have it. @param {Outcome} outcome @param {boolean} isNone it has no answer @returns {any} */
const tallied = (outcome, isNone) =>
  outcome.told === undefined
    ? { response: isNone ? undefined : outcome.text }
    : { error: outcome.told, cause: causeOf(outcome) };

/** @param {Outcome} outcome @returns {any} */
const addedOf = ({ counts }) => ({ counts });

/** @type {number[]} */
const NONE = [];

/** An event that was handed over: its data, and its numbers in the records. @typedef {{ value: Carried, numbers: number[], records: Seen[] }} Counted */

/** Those that count the events of a run, or are told of them. */
class Counters {
  /** @param {InstanceType<typeof import("./pool").ClusterPool>} pool @param {Tally[]} more tallies, beside that of the pool */
  constructor(pool, more = []) {
    this.pool = pool;
    this.tallies = [pool.tally, ...more];
    /** @type {Seen[]} */
    this.records = pool.seen === undefined ? [] : [pool.seen];
    /** Those that have not ended. @type {globalThis.Set<Counted>} */
    this.open = new Set();
  }

  /** An event is handed over. @param {Carried} value @param {string} [label] what people call it @returns {Counted} */
  begin(value, label) {
    const { records } = this;
    const numbers = records.length === 0 ? NONE : records.map((seen) => seen.handOver(label));
    const event = { value, numbers, records };
    this.open.add(event);
    for (const tally of this.tallies) tally.add(value.text);
    return event;
  }

  /** It has ended. @param {Counted} event @param {Outcome} outcome @param {boolean} isNone it has no answer */
  end(event, outcome, isNone) {
    const { value, numbers } = event;
    this.open.delete(event);
    for (let at = 0; at < numbers.length; at++)
      this.records[at].ended(numbers[at], value, outcome, isNone);
    const end = tallied(outcome, isNone);
    const bytes = bytesOf(outcome.text);
    for (const tally of this.tallies) {
      tally.end(end);
      if (outcome.counts !== undefined) tally.count(addedOf(outcome));
      tally.bytesOut += bytes;
    }
  }

  /** The run is over: its pool counts those that have not ended as aborted. */
  abort() {
    const { tally, seen } = this.pool;
    for (const { value, numbers } of this.open) {
      tally.end(undefined);
      if (seen !== undefined) seen.aborted(numbers[0], value);
    }
    this.open.clear();
  }
}

module.exports = { Counters, addedOf, carriedOf, entryOf, isNothing, readOf, tallied };
