"use strict";
// Checks the option `workers`: the groups that a pool's workers belong to. Starts none of them.

const { invalidRange, invalidType, shown } = require("./errors");
const { ownOf } = require("./own");
const { Set } = require("./primordials");

/** An event's address has a bit for each group: `MAX_GROUPS` in src/wire/layout.rs. */
const MAX_GROUPS = 31;

/** Tags stand in messages. */
const LONGEST_TAG = 200;

/** @typedef {{ tags: string[], count: number, exclusive: boolean, env?: Record<string, string>, execArgv?: string[],
 *   concurrency?: number, maxTasksPerWorker?: number, maxWorkerMemory?: number }} WorkerGroup */
/** @typedef {(name: string, value: any) => any} Check */

/**
 * @param {string} name of the option
 * @param {unknown} value
 * @param {{ checkProperties: (where: string, given: any, checks: Record<string, Check>) => any, limits: Record<string, Check>,
 *   count: Check, most: number }} others what other options are checked by, and the most workers
 * @returns {WorkerGroup[]}
 */
function checkGroups(name, value, { checkProperties, limits, count, most }) {
  const must = `an array of 1 to ${MAX_GROUPS} groups such as { tags: ["gpu"], count: 1 }`;
  if (!Array.isArray(value)) throw invalidType(`${name} must be ${must}, got ${shown(value)}`);
  if (value.length < 1 || value.length > MAX_GROUPS) {
    throw invalidRange(`${name} must be ${must}, got ${value.length}`);
  }
  const checks = {
    tags: checkTags,
    count,
    exclusive: checkExclusive,
    env: checkEnv,
    execArgv: checkExecArgv,
    ...limits,
  };
  const groups = value.map((group, at) => {
    const where = `${name}[${at}]`;
    if (group === null || typeof group !== "object" || Array.isArray(group)) {
      throw invalidType(
        `${where} must be an object such as { tags: ["gpu"], count: 1 }, got ${shown(group)}`,
      );
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

/** @type {Check} */
function checkTags(name, value) {
  const must = `an array of strings of 1 to ${LONGEST_TAG} characters`;
  if (!Array.isArray(value)) throw invalidType(`${name} must be ${must}, got ${shown(value)}`);
  // A copy has no holes.
  const tags = [...value];
  const isTag = (/** @type {unknown} */ tag) =>
    typeof tag === "string" && tag.length >= 1 && tag.length <= LONGEST_TAG;
  const wrong = tags.findIndex((tag) => !isTag(tag));
  if (wrong >= 0) throw invalidType(`${name} must be ${must}, got ${shown(tags[wrong])} in it`);
  return [...new Set(tags)];
}

/** @type {Check} */
function checkExclusive(name, value) {
  if (typeof value !== "boolean")
    throw invalidType(`${name} must be true or false, got ${shown(value)}`);
}

/** @type {Check} */
function checkEnv(name, value) {
  const must = "an object of strings";
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw invalidType(`${name} must be ${must}, got ${shown(value)}`);
  }
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

/** @type {Check} */
function checkExecArgv(name, value) {
  const must = "an array of strings, as process.execArgv is";
  if (!Array.isArray(value)) throw invalidType(`${name} must be ${must}, got ${shown(value)}`);
  const args = [...value];
  const wrong = args.findIndex((arg) => typeof arg !== "string" || arg.includes("\0"));
  if (wrong >= 0) throw invalidType(`${name} must be ${must}, got ${shown(args[wrong])} in it`);
  return args;
}

module.exports = { checkGroups, checkTags, countOf };
