"use strict";
// Checks what the nodes of a flow are given: options, branches and keys. Builds no graph.

const {
  being,
  checkFunction,
  checkObject,
  isObject,
  listOf,
  number,
  oneOf,
  wrongType,
} = require("../checks");
const { invalidType, shown } = require("../errors");
const { POOL_CHECKS, STAGE_CHECKS, STREAM_CHECKS } = require("../options");
const { hasOwn, ownOf } = require("../own");
const { isStage, optionsOf } = require("../stage");

/** The longest time, as for Node's own timers: 24 days. */
const MAX_MILLISECONDS = 2 ** 31 - 1;

/** Names of branches stand in messages and in the page of a run. */
const LONGEST_BRANCH = 200;

/** Ports that a branch would be taken for. */
const PORTS = ["out", "errors"];

/** @typedef {import("../checks").Check} Check */
/** @typedef {import("./node").NodeOptions} NodeOptions */

const { name, tags, concurrency, retries, taskTimeout } = STAGE_CHECKS;
const { maxWorkerMemory: bytes } = POOL_CHECKS;
const { maxResultsWaiting: events } = STREAM_CHECKS;

const STEP = { name, tags, concurrency, retries, taskTimeout, maxWaiting: events };
const HOLD = { name, tags, concurrency, retries, taskTimeout };
const SPILL = { ...HOLD, memory: bytes };

const milliseconds = number(
  `a number of milliseconds above 0, up to ${MAX_MILLISECONDS}`,
  (value) => value > 0 && value <= MAX_MILLISECONDS,
);

/** What each method takes. @type {Record<string, Record<string, Check>>} */
const CHECKS = {
  map: STEP,
  flatMap: STEP,
  filter: STEP,
  split: STEP,
  batch: { name, count: events, ms: milliseconds, bytes },
  reduce: { ...HOLD, in: oneOf("master", "worker") },
  reduceByKey: SPILL,
  groupByKey: SPILL,
  join: {
    ...SPILL,
    on: checkKeys,
    kind: being(
      '"inner", "left" or "outer"',
      (value) => value === "inner" || value === "left" || value === "outer",
    ),
  },
  sortBy: SPILL,
};

/** Options of stages and calls that a node cannot have, and why. @type {Record<string, string>} */
const MEANINGLESS = {
  key: "the order of a key ends where an event moves on to another worker; give the key to Map, for the first nodes",
  priority: "all nodes of a flow have that of the call; give it to Map or to the call",
  weight: "all nodes of a flow have that of the call; give it to the call",
  spread: "it belongs to a key; give both to Map",
};

/**
 * The options of a node: those of its stage, and over them its own.
 * @param {string} method
 * @param {unknown} given
 * @param {unknown} [fn] the node's function, which may be a stage
 * @returns {any}
 */
function checkNode(method, given, fn) {
  const where = `${method}: options`;
  if (isObject(given)) refuseMeaningless(where, given);
  const own = checkObject(where, given, CHECKS[method]);
  const staged = optionsOf(fn);
  if (hasOwn(staged, "key")) throw meaningless(`${method}: the stage's option key`, "key");
  return ownOf(staged, own);
}

/** @param {string} where @param {any} given */
function refuseMeaningless(where, given) {
  for (const option of Object.keys(MEANINGLESS)) {
    if (hasOwn(given, option) && given[option] !== undefined)
      throw meaningless(`${where}.${option}`, option);
  }
}

/** @param {string} what @param {string} option */
const meaningless = (what, option) =>
  invalidType(`${what} has no meaning in a flow: ${MEANINGLESS[option]}`);

/** What the graph tells of them, always in the same order. @param {any} checked @returns {NodeOptions} */
function graphOptions(checked) {
  const options = Object.create(null);
  for (const option of ["tags", "concurrency", "retries", "taskTimeout", "maxWaiting", "memory"]) {
    if (checked[option] !== undefined) options[option] = checked[option];
  }
  return options;
}

/** When a batch is full. @param {any} checked */
function checkBatch({ count, ms, bytes }) {
  if (count !== undefined || ms !== undefined || bytes !== undefined) return { count, ms, bytes };
  throw invalidType(
    "batch: options must have count, ms or bytes, which say when a batch is full, such as { count: 100 }",
  );
}

/** Where a reduce runs. What only workers have, the master cannot give it. @param {any} checked */
function checkPlace(checked) {
  const { in: place = "worker" } = checked;
  const refused = Object.keys(graphOptions(checked))[0];
  if (place === "worker" || refused === undefined) return place;
  throw invalidType(
    `reduce: the option ${refused} is for workers, and in: "master" runs the function in the master: leave one of them out`,
  );
}

const branchList = listOf(
  `an array of strings of 1 to ${LONGEST_BRANCH} characters`,
  (value) => typeof value === "string" && value.length >= 1 && value.length <= LONGEST_BRANCH,
);

/** @param {unknown} given @returns {string[]} */
function checkBranches(given) {
  const where = "split: the second parameter";
  /** @type {string[]} */
  const branches = branchList(where, given);
  if (branches.length === 0)
    throw invalidType(`${where} must name at least one branch, such as ["small", "large"]`);
  for (const [at, branch] of branches.entries()) {
    if (branches.indexOf(branch) !== at)
      throw invalidType(`${where} names the branch ${shown(branch)} twice`);
    if (PORTS.includes(branch))
      throw invalidType(`${where} must not name a branch ${shown(branch)}: choose another name`);
  }
  return branches;
}

/** The functions that make the keys of a join. @param {string} name @param {unknown} value */
function checkKeys(name, value) {
  const must = "an array of two functions, [(left) => key, (right) => key]";
  if (!Array.isArray(value) || value.length !== 2) throw wrongType(name, must, value);
  const keys = [...value];
  for (const [at, key] of keys.entries()) checkKey(`${name}[${at}]`, key);
  return keys;
}

/** @param {string} name @param {unknown} value */
function checkKey(name, value) {
  checkFunction(name, value);
  if (isStage(value))
    throw invalidType(
      `${name} must be a plain function, not a stage: give the options to the node`,
    );
}

module.exports = {
  checkBatch,
  checkBranches,
  checkKey,
  checkNode,
  checkPlace,
  graphOptions,
};
