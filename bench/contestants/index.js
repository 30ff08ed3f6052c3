"use strict";
// Who takes part, in the order in which they are shown.

/**
 * @typedef {object} Job
 * @property {string} workload
 * @property {number} workers
 * @property {number} events
 * @property {boolean} cold
 * @property {number} spinsPerMs
 *
 * @typedef {object} Contestant
 * @property {string} title
 * @property {string} [package] what has to be installed, if anything
 * @property {(job: Job) => string | undefined} [refuses] why it does not do a job
 * @property {(job: Job) => Promise<{ value: number } | undefined>} run milliseconds, or megabytes;
 *   undefined in a worker that re-runs the program
 */

const NAMES = [
  "ours",
  "original",
  "fork",
  "fork-advanced",
  "array",
  "piscina",
  "tinypool",
  "tinypool-process",
  "workerpool",
  "jest-worker",
  "poolifier",
  "worker-farm",
];

/** @type {Record<string, Contestant>} */
const CONTESTANTS = Object.fromEntries(NAMES.map((name) => [name, require(`./${name}`)]));

/** Whom the others are compared with. */
const baseOf = ({ binary, unit }) => {
  if (unit === "MB") return "array";
  return binary ? "fork-advanced" : "fork";
};

/** Pools leave results to their programs, which hold them as objects in an array: that is one contestant. */
const takesPart = (name, workload) =>
  workload === "held" ? name === "ours" || name === "array" : name !== "array";

module.exports = { CONTESTANTS, baseOf, takesPart };
