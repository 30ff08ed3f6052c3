"use strict";
// Functions that the program has made stages of: they get a third parameter, and may have options of their own.

const { checkFunction } = require("./checks");
const { checkOptions, STAGE_CHECKS } = require("./options");
const { invalidRange, invalidType, shown } = require("./errors");
const { ownOf } = require("./own");
const { JSON, Set, WeakMap } = require("./primordials");

/** @typedef {Pick<import("./options").Options, "name" | "tags" | "key" | "concurrency" | "retries" | "taskTimeout">} StageOptions */

/** @type {StageOptions} */
const NO_OPTIONS = Object.create(null);

/** In JSON, a time without a limit. */
const UNLIMITED = "Infinity";

/** @type {WeakMap<Function, { fn: Function, options: StageOptions }>} */
const stages = new WeakMap();

/** @param {any} fn @param {unknown} [givenOptions] */
function stage(fn, givenOptions) {
  checkFunction("stage: the first parameter", fn);
  const options = checkOptions(givenOptions, STAGE_CHECKS);
  const staged = (/** @type {any} */ event, /** @type {any} */ args, /** @type {any} */ task) =>
    fn(event, args, task);
  Object.defineProperty(staged, "name", { value: options.name || fn.name, configurable: true });
  stages.set(staged, { fn, options });
  return staged;
}

/** @param {unknown} fn */
const isStage = (fn) => typeof fn === "function" && stages.has(fn);

/** The function as the program has written it. @param {Function} fn */
const plainOf = (fn) => stages.get(fn)?.fn || fn;

/** The options that a function has of its own, its name among them. @param {any} fn @returns {StageOptions} */
const optionsOf = (fn) => (isStage(fn) && stages.get(fn)?.options) || NO_OPTIONS;

/** Neighbours with the same tags: they run one after the other in one worker. @typedef {{ tags: string[], length: number }} Chain */

/**
 * The options of an event that goes through functions with these. Where their tags differ it goes through several chains. A key is
 * made of the event's data, which the first of them gets.
 * @param {StageOptions[]} list
 * @returns {StageOptions & { chains?: Chain[] }}
 */
function mergedOptions(list) {
  const all = Object.create(null);
  const chains = chainsOf(list);
  if (chains.length > 1) all.chains = chains;
  else if (chains.length === 1 && chains[0].tags.length > 0) all.tags = chains[0].tags;
  for (const [at, { name, tags: _, ...options }] of list.entries()) {
    for (const [key, value] of Object.entries(options)) {
      if (key === "key" && at > 0) throw keyOfAnother(name);
      if (key in all && JSON.stringify(all[key]) !== JSON.stringify(value)) throw differ(key, name);
      all[key] = value;
    }
  }
  return all;
}

/** @param {StageOptions[]} list @returns {Chain[]} */
function chainsOf(list) {
  /** @type {Chain[]} */
  const chains = [];
  for (const { tags: given = [] } of list) {
    const tags = [...new Set(given)].sort();
    const last = chains[chains.length - 1];
    if (last !== undefined && JSON.stringify(last.tags) === JSON.stringify(tags)) last.length++;
    else chains.push({ tags, length: 1 });
  }
  if (chains.length < 2) return chains;
  // More cannot be told apart in an event's flags.
  const { mostChains } = require("./native").wire();
  if (chains.length <= mostChains) return chains;
  throw invalidRange(
    `a pipeline may change the tags of its stages ${mostChains - 1} times, got ${chains.length - 1}`,
  );
}

/**
 * The functions of each chain.
 * @template Fn
 * @param {Fn[]} fns
 * @param {number[]} lengths
 * @returns {Fn[][]}
 */
function cut(fns, lengths) {
  let to = 0;
  return lengths.map((length) => {
    to += length;
    return fns.slice(to - length, to);
  });
}

/** What the master gets to know of a flow in a worker file: it has none of the functions. @param {any} flow */
function toldFlow(flow) {
  const { flow: whole, ...options } = require("./flow/given").optionsOfFlow(flow);
  return { ...options, flow: { plan: whole.plan } };
}

/**
 * The names of the functions that a worker file exports, each with its options, as JSON: it tells the master of them.
 * @param {Record<string, any>} exported
 */
function toldStages(exported) {
  const all = Object.keys(exported).map((name) => {
    const { value } = Object.getOwnPropertyDescriptor(exported, name) || { value: undefined };
    const { isFlow } = require("./flow/given");
    return [name, isFlow(value) ? toldFlow(value) : optionsOf(value)];
  });
  return JSON.stringify(all, (_, value) => {
    // JSON has neither; a key is a function.
    if (value === Infinity) return UNLIMITED;
    return typeof value === "function" ? true : value;
  });
}

/** The same by their names. @param {string} told @returns {Record<string, StageOptions>} */
function stagesAsTold(told) {
  const all = Object.create(null);
  for (const [name, options] of JSON.parse(told)) {
    all[name] = ownOf(options);
    if (options.taskTimeout === UNLIMITED) all[name].taskTimeout = Infinity;
  }
  return all;
}

/** @param {string} key @param {string | undefined} name */
const differ = (key, name) =>
  invalidType(
    `the stages of a pipeline share their options except tags: give the option ${key} to one of them only${name ? `, not to ${shown(name)} too` : ""}`,
  );

/** @param {string | undefined} name */
const keyOfAnother = (name) =>
  invalidType(
    `only the first stage of a pipeline may have the option key: give it to that${name ? `, not to ${shown(name)}` : ""}`,
  );

module.exports = {
  chainsOf,
  cut,
  isStage,
  mergedOptions,
  optionsOf,
  plainOf,
  stage,
  stagesAsTold,
  toldStages,
};
