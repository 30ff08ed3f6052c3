"use strict";
// Checks the option `workers`: the groups that a pool's workers belong to. Starts none of them.

const { checkProperties, count, flag, isObject, listOf, wrongType } = require("./checks");
const { invalidRange, invalidType, shown } = require("./errors");
const { ownOf } = require("./own");
const { Set } = require("./primordials");

/** An event's address has a bit for each group: `MAX_GROUPS` in src/wire/layout.rs. */
const MAX_GROUPS = 31;

/** Tags stand in messages. */
const LONGEST_TAG = 200;

/** @typedef {{ tags: string[], count: number, exclusive: boolean, env?: Record<string, string>, execArgv?: string[],
 *   concurrency?: number, maxTasksPerWorker?: number, maxWorkerMemory?: number }} WorkerGroup */
/** @typedef {import("./checks").Check} Check */

/**
 * @param {string} name of the option
 * @param {unknown} value
 * @param {Record<string, Check>} limits what is checked as other options are
 * @param {number} most workers
 * @returns {WorkerGroup[]}
 */
function checkGroups(name, value, limits, most) {
  const must = `an array of 1 to ${MAX_GROUPS} groups such as { tags: ["gpu"], count: 1 }`;
  if (!Array.isArray(value)) throw wrongType(name, must, value);
  if (value.length < 1 || value.length > MAX_GROUPS) {
    throw invalidRange(`${name} must be ${must}, got ${value.length}`);
  }
  const checks = {
    tags: checkTags,
    count: count(most),
    exclusive: flag,
    env: checkEnv,
    execArgv: checkExecArgv,
    ...limits,
  };
  const groups = value.map((group, at) => {
    const where = `${name}[${at}]`;
    if (!isObject(group)) {
      throw wrongType(where, 'an object such as { tags: ["gpu"], count: 1 }', group);
    }
    const otherwise = { tags: [], count: 1, exclusive: false };
    const checked = ownOf(otherwise, checkProperties(where, group, checks));
    if (checked.exclusive && checked.tags.length === 0) {
      throw invalidType(
        `${where}.exclusive needs ${where}.tags: without tags no event can name these workers`,
      );
    }
    return checked;
  });
  const all = countOf(groups);
  if (all > most)
    throw invalidRange(`${name} must have at most ${most} workers in all, got ${all}`);
  return groups;
}

/** How many workers there are in all. @param {WorkerGroup[]} groups */
const countOf = (groups) => groups.reduce((sum, { count }) => sum + count, 0);

const tagList = listOf(
  `an array of strings of 1 to ${LONGEST_TAG} characters`,
  (tag) => typeof tag === "string" && tag.length >= 1 && tag.length <= LONGEST_TAG,
);

/** @type {Check} */
const checkTags = (name, value) => [...new Set(tagList(name, value))];

const checkExecArgv = listOf(
  "an array of strings, as process.execArgv is",
  (arg) => typeof arg === "string" && !arg.includes("\0"),
);

/** @type {Check} */
function checkEnv(name, value) {
  if (!isObject(value)) throw wrongType(name, "an object of strings", value);
  const env = { ...value };
  for (const variable of Object.keys(env)) {
    const text = env[variable];
    if (
      typeof text !== "string" ||
      text.includes("\0") ||
      /[=\0]/.test(variable) ||
      variable === ""
    ) {
      throw invalidType(
        `${name}.${variable} must be a string that a variable can have, got ${shown(text)}`,
      );
    }
  }
  return env;
}

module.exports = { checkGroups, checkTags, countOf };
