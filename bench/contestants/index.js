"use strict";
// Who takes part, in the order in which they are shown.

const { FEATURES } = require("../features");
const { describe } = require("./with");

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
 *
 * Each has `run(job)` besides, which `trial.js` calls: milliseconds or megabytes as `{ value }`; undefined in a
 * worker that re-runs the program.
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

/** This package once more, with each of its features. */
const FEATURED = Object.keys(FEATURES).map((feature) => [`with+${feature}`, describe(feature)]);

/** @type {Record<string, Contestant>} */
const CONTESTANTS = Object.fromEntries([
  ...NAMES.map((name) => [name, require(`./${name}`)]),
  ...FEATURED,
]);

/** Those that the others are compared with take part however few are wanted. */
const OTHERS = NAMES.filter((name) => name !== "ours");

/** Whom the others are compared with. */
const baseOf = ({ binary, unit, base }) => {
  if (base !== undefined) return base;
  if (unit === "MB") return "array";
  return binary ? "fork-advanced" : "fork";
};

/** Pools leave results to their programs, which hold them as objects in an array: that is one contestant. */
const takesPart = (name, workload) => {
  const isFeatured = name.startsWith("with+");
  if (workload === "features" || isFeatured) return workload === "features" && isFeatured;
  return workload === "held" ? name === "ours" || name === "array" : name !== "array";
};

module.exports = { CONTESTANTS, OTHERS, baseOf, takesPart };
