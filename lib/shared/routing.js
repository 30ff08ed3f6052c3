"use strict";
// Where an event may run, and before which others, as the program says it: by tags, a key and a priority. Checks that; which worker
// it is, the core decides.

const { being, flag, number } = require("./checks");
const { checkTags } = require("./groups");
const { ownOf } = require("./own");

/** @typedef {string | number | ((data: any) => string | number)} Key a stage has a function */
/** @typedef {{ tags?: string[], key?: Key, spread?: boolean, priority?: number }} Routing */
/** @typedef {{ tags: string[], key: string | undefined, priority: number }} Address */

/** Of an event that any worker would do for. @type {{ key: string | undefined, priority: number }} */
const NO_ADDRESS = { key: undefined, priority: 0 };

/** The core's priorities are numbers of 32 bits. */
const HIGHEST = 2 ** 31 - 1;

const checkKey = being(
  "a string or a finite number",
  (value) => typeof value === "string" || (typeof value === "number" && Number.isFinite(value)),
);

const ROUTE_CHECKS = {
  tags: checkTags,
  key: checkKey,
  spread: flag,
  priority: number(
    `a whole number from ${-HIGHEST} to ${HIGHEST}`,
    (value) => Number.isInteger(value) && Math.abs(value) <= HIGHEST,
  ),
};

/**
 * The same as one object; undefined if any worker will do. Where the stages are several chains, it is that of the first.
 * @param {Routing & { chains?: import("./stage").Chain[], entryTags?: string[] }} options
 * @returns {Routing | undefined}
 */
function routingOf({ tags: given, key, spread, priority, chains, entryTags }) {
  const first = chains === undefined || chains[0].tags.length === 0 ? entryTags : chains[0].tags;
  const tags = given === undefined ? first : given;
  const isAny = tags !== undefined || key !== undefined || priority !== undefined;
  return isAny ? { tags, key, spread, priority } : undefined;
}

/** What `map` of an array passes as the third argument is none. @param {any} value */
function isPlainObject(value) {
  if (value === null || typeof value !== "object") return false;
  const prototype = Object.getPrototypeOf(value);
  // Objects of another realm have an Object.prototype of theirs.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * The tags, the key and the priority for the core; undefined if any worker will do, and it has none.
 * @param {Routing | undefined} all what holds for all events of the run
 * @param {Routing | undefined} own what the event has of its own
 * @param {any} data the event's, of which the key of a stage is made
 * @returns {Address | undefined}
 */
function addressOf(all, own, data) {
  const { tags = [], key: given, spread, priority = 0 } = ownOf(all, own);
  const key = spread ? undefined : keyOf(given, data);
  if (tags.length === 0 && key === undefined && priority === 0) return undefined;
  return { tags, key, priority };
}

/**
 * The tags of a run's events, where these alone say where they may run; undefined otherwise.
 * @param {Routing | undefined} routing what holds for all events of the run
 */
function tagsAlone(routing) {
  if (routing === undefined) return undefined;
  const { tags, key, spread, priority = 0 } = routing;
  return (key === undefined || spread) && priority === 0 ? tags : undefined;
}

/** @param {string[]} some @param {string[]} others */
const areSame = (some, others) =>
  some.length === others.length && some.every((tag, at) => tag === others[at]);

/** @param {Key | undefined} given @param {any} data */
function keyOf(given, data) {
  if (given === undefined) return undefined;
  if (typeof given !== "function") return String(given);
  const key = given(data);
  checkKey("what the key of the stage returns", key);
  return String(key);
}

module.exports = {
  NO_ADDRESS,
  ROUTE_CHECKS,
  addressOf,
  areSame,
  isPlainObject,
  routingOf,
  tagsAlone,
};
