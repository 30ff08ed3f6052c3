"use strict";
// The contestants, in the order of the output.

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
 * @property {string} [package] the package that must be installed, if any
 * @property {(job: Job) => string | undefined} [refuses] the reason why it skips a job
 *
 * Each also has `run(job)`, which `trial.js` calls. It returns milliseconds or megabytes as `{ value }`, or undefined
 * in a worker that runs the program again.
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

/** This package again, with each of its features. */
const FEATURED = Object.keys(FEATURES).map((feature) => [`with+${feature}`, describe(feature)]);

/** @type {Record<string, Contestant>} */
const CONTESTANTS = Object.fromEntries([
  ...NAMES.map((name) => [name, require(`./${name}`)]),
  ...FEATURED,
]);

/** The contestants that `--against` can name. */
const OTHERS = NAMES.filter((name) => name !== "ours");

/** The contestant that the others are compared with. */
const baseOf = ({ binary, unit, base }) => {
  if (base !== undefined) return base;
  if (unit === "MB") return "array";
  return binary ? "fork-advanced" : "fork";
};

/** With other pools, the program holds the results as objects in an array. `array` stands for all of them. */
const takesPart = (name, workload) => {
  const isFeatured = name.startsWith("with+");
  if (workload === "features" || isFeatured) return workload === "features" && isFeatured;
  return workload === "held" ? name === "ours" || name === "array" : name !== "array";
};

module.exports = { CONTESTANTS, OTHERS, baseOf, takesPart };
