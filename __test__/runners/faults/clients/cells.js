"use strict";
/**
 * The cells of the fault matrix with clients of a pool: each fault of a client's process, and of the pool's own, at each moment
 * of the client's life, each time with another variant of a pool. It runs nothing.
 */
const { variantsFor } = require("../pools/variants");

/**
 * @typedef {object} Fault
 * @property {boolean} [hangs] the client does not end by itself, and is killed
 * @property {boolean} [leaves] the pool hears that it is gone before its process ends
 * @property {boolean} [survives] its process goes on, and is told that the pool is gone
 * @property {boolean} [ofPool] it strikes the pool's process, and its clients are told
 * @property {number | null} [code] how the process ends that was struck; by default with 0 if it survives
 * @property {string} [signal] the same, as a regular expression
 */

/** @type {Record<string, Fault>} */
const CLIENT_FAULTS = {
  SIGKILL: { signal: "^SIGKILL$" },
  SIGSTOP: { hangs: true, signal: "^SIGKILL$" },
  "exit 0": { code: 0 },
  "exit 7": { code: 7 },
  throw: { code: 1 },
  // V8 traps or aborts, by its version.
  "out of memory": { signal: "^SIG(ABRT|TRAP|ILL)$" },
  "endless loop": { hangs: true, signal: "^SIGKILL$" },
  "closes its socket": { survives: true, code: 0 },
  "ends its stream and loops": { hangs: true, leaves: true, signal: "^SIGKILL$" },
  "garbage frame": { survives: true, code: 0 },
  "half a frame": { signal: "^SIGKILL$" },
  "SIGKILL of the pool": { ofPool: true, signal: "^SIGKILL$" },
  "SIGSTOP of the pool": { ofPool: true, signal: "^SIGKILL$" },
  "exit 7 of the pool": { ofPool: true, code: 7 },
};

/**
 * @typedef {object} Moment
 * @property {boolean} [isOutside] the client is not let in yet
 * @property {"handed over" | "begun" | "over"} [events] what has become of its events
 * @property {boolean} [isOpen] it would hand more of them over
 * @property {string[]} [kinds] how its events are handed over; any way by default
 */

/** @type {Record<string, Moment>} */
const CLIENT_MOMENTS = {
  /** It is connected, and has not said who it is. */
  "before the hello": { isOutside: true },
  /** It has just said who it is. */
  connecting: { isOutside: true },
  /** Its events have ended; work of it is kept. */
  idle: { events: "over" },
  /** Its events wait for a place. */
  waiting: { events: "handed over" },
  /** Some of its events run, and others wait for a place. */
  running: { events: "begun" },
  /** The same, while its iterable or masterFn has more. */
  feeding: { events: "begun", isOpen: true, kinds: ["map", "stream", "run"] },
  /** It does not read the entries of its stream. */
  reading: { events: "over", kinds: ["stream"] },
  /** It is in its reduceFn. */
  reducing: { events: "over", kinds: ["run"] },
  /** It waits for a place in each worker. */
  each: { events: "handed over" },
  /** It closes its pool, which waits for its events. */
  closing: { events: "begun" },
};

/** What cannot be: a pool is not struck by what a client does on its way in. */
const isCell = ({ fault, moment }) => !CLIENT_FAULTS[fault].ofPool || moment !== "connecting";

/** Which variants a moment can be tried with. */
const fits = ({ moment, kind }) => {
  const { kinds } = CLIENT_MOMENTS[moment];
  return kinds === undefined || kinds.includes(kind);
};

/** The cells, or every `step`th of them: another moment begins with each fault. */
function clientCells(step = 1) {
  const [faults, moments] = [Object.keys(CLIENT_FAULTS), Object.keys(CLIENT_MOMENTS)];
  const places = faults
    .flatMap((fault) => moments.map((moment) => ({ fault, moment })))
    .filter(isCell);
  const isMeant = ({ fault, moment }) =>
    (faults.indexOf(fault) + moments.indexOf(moment)) % step === 0;
  return variantsFor(places, fits).filter(isMeant).map(cellOf);
}

function cellOf(chosen) {
  const fault = CLIENT_FAULTS[chosen.fault];
  const { hangs = false, leaves = false, survives = false, ofPool = false, ...ends } = fault;
  const { events, isOpen = false, isOutside = false } = CLIENT_MOMENTS[chosen.moment];
  return {
    ...chosen,
    hangs,
    leaves,
    survives,
    ofPool,
    isOutside,
    events,
    isOpen,
    workers: 2,
    /** How many of its events run when the fault strikes: those of one key do so one at a time. */
    running: events !== "begun" ? 0 : chosen.key === "none" && chosen.concurrency > 1 ? 4 : 1,
    expected: { orphans: ofPool, ...ends },
  };
}

module.exports = { CLIENT_FAULTS, CLIENT_MOMENTS, clientCells };
