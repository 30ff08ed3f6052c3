"use strict";
// What a call is known by, in the master and in the workers, which reach it by themselves: its name, its functions,
// where it stands, and its arguments. Closures cannot be seen.

const { createHash } = require("crypto");
const { tmpdir } = require("os");
const { types } = require("util");
const { coded } = require("./errors");
const { hasOwn } = require("./own");
const { Buffer, Date, JSON, Set, now } = require("./primordials");
const { look } = require("./site");

/** The most values of one argument that are looked at: more tell no call from another. */
const MAX_VALUES = 2000;

/** The digits of a digest: enough that no two are equal by chance. */
const DIGEST = 20;

/** The most arguments that have a token of their own: they travel to each worker in its environment. */
const MAX_TOKENS = 100;

/** How deep they are looked into. */
const MAX_DEPTH = 32;

/** The most characters of a token that stand for themselves. */
const LONGEST_TOKEN = 40;

/** The clock may have been set, or be read in another unit: this much, in milliseconds, is not "now". */
const CLOCK_SLACK = 2000;

/**
 * @typedef {object} Identity
 * @property {"call" | "byHand"} kind by hand: `initMaster` and `configureWorkers`, `initWorkers` in a worker
 * @property {string} [name] the option
 * @property {string} [functions] a digest of the worker functions; none if there are none, or what is given is no list of
 *   functions
 * @property {import("./site").Site} [site] none where it cannot be read
 * @property {Record<string, string>} args a token for each argument
 * @property {boolean} [isForWorkers] it has no masterFn, so it is written for workers
 */

/**
 * @param {Function} below the public function that is running
 * @param {unknown} masterFn
 * @param {unknown} workerFns
 * @param {unknown} args
 * @param {unknown} options
 * @returns {Identity} throws where the call is made inside an event
 */
function identify(below, masterFn, workerFns, args, options) {
  const identity = at(below, "call");
  identity.args = tokensOf(args);
  const name = nameOf(options);
  if (name !== undefined) identity.name = name;
  if (isFunctions(workerFns)) identity.functions = digest(workerFns.map(sourceOf).join("\n"));
  if (typeof masterFn !== "function") identity.isForWorkers = true;
  return identity;
}

/**
 * The same of a call by hand: `initMaster`, `configureWorkers` or `initWorkers`.
 * @param {Function} below
 * @returns {Identity}
 */
const identifyByHand = (below) => at(below, "byHand");

/**
 * @param {Function} below
 * @param {Identity["kind"]} kind
 * @returns {Identity}
 */
function at(below, kind) {
  const { site, isInEvent } = look(below);
  /** @type {Identity} */
  const identity = { kind, args: {} };
  if (site !== undefined) identity.site = site;
  if (isInEvent) throw nested(identity);
  return identity;
}

/** @param {Identity} identity */
const nested = (identity) =>
  coded(
    Error,
    "ERR_SONIC_NESTED_CALL",
    `${nameFor(identity)} is made while an event runs in a worker, which starts no workers of its own: answer with what ` +
      "is to be done, and make that call in the master (in masterFn, in reduceFn, or after this one)",
  );

/**
 * @param {unknown} options looked at by both roles, and checked by the master alone
 * @returns {string | undefined}
 */
function nameOf(options) {
  if (options === null || typeof options !== "object" || !hasOwn(options, "name")) return undefined;
  const { name } = /** @type {{ name: unknown }} */ (options);
  return typeof name === "string" ? name : undefined;
}

/**
 * @param {unknown} list
 * @returns {list is Function[]}
 */
const isFunctions = (list) =>
  Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === "function");

/** @param {Function} fn */
const sourceOf = (fn) => `${fn.name}\n${Function.prototype.toString.call(fn)}`;

/**
 * A text without what a program makes up anew in each process: random names and numbers, temporary files.
 * @param {string} text
 */
const shapeOf = (text) =>
  text
    .split(tmpdir())
    .map((part, at) => (at === 0 ? part : part.replace(/^[^"]*/, "")))
    .join("tmp")
    .replace(/\d+\.\d+(e-\d+)?/g, "number")
    .replace(/(?=[A-Za-z]*\d)[A-Za-z0-9]{6,}/g, "random");

/** @param {string} text */
const digest = (text) => createHash("sha256").update(text).digest("hex").slice(0, DIGEST);

/**
 * A token for each of the arguments; equal arguments have equal ones. What differs from process to process though it is
 * the same (the time now, an object with a class of its own) has a token that begins with `~`.
 * @param {unknown} args
 * @returns {Record<string, string>}
 */
function tokensOf(args) {
  /** @type {Record<string, string>} */
  const tokens = {};
  const properties = propertiesOf(args);
  const others = properties.splice(MAX_TOKENS);
  if (others.length > 0) properties.push(["…", Object.fromEntries(others)]);
  for (const [name, value] of properties) {
    const text = canonical(value, { values: MAX_VALUES }, []);
    if (text === undefined) continue;
    tokens[name] = text.length > LONGEST_TOKEN ? `#${digest(text)}${digest(shapeOf(text))}` : text;
  }
  return tokens;
}

/**
 * The own values of an object, by name. A getter is not called: it may be the program's.
 * @param {unknown} object
 * @returns {[string, unknown][]}
 */
function propertiesOf(object) {
  if (object === null || typeof object !== "object" || types.isProxy(object)) return [];
  /** @type {[string, unknown][]} */
  const pairs = [];
  for (const name of Object.keys(object).sort()) {
    const property = Object.getOwnPropertyDescriptor(object, name);
    if (property !== undefined && "value" in property) pairs.push([name, property.value]);
  }
  return pairs;
}

/**
 * @param {unknown} value
 * @param {{ values: number }} left how many values may still be looked at
 * @param {object[]} within the objects that it is in
 * @returns {string | undefined}
 */
function canonical(value, left, within) {
  if (--left.values < 0) return "…";
  switch (typeof value) {
    case "undefined":
      return undefined;
    case "number":
      return isNow(value) ? "~now" : `${value}`;
    case "string":
      return isNow(Date.parse(/^\d{4}-\d\d-\d\dT/.test(value) ? value : ""))
        ? "~now"
        : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "function":
      return `function ${digest(sourceOf(value))}`;
    case "object":
      return value === null ? "null" : ofObject(value, left, within);
    default:
      return String(value);
  }
}

/**
 * @param {any} object
 * @param {{ values: number }} left
 * @param {object[]} within
 * @returns {string}
 */
function ofObject(object, left, within) {
  if (types.isProxy(object)) return "~proxy";
  if (types.isDate(object)) return isNow(Number(object)) ? "~now" : `date ${Number(object)}`;
  if (types.isRegExp(object)) return `regexp ${object}`;
  if (within.includes(object)) return "cycle";
  if (within.length >= MAX_DEPTH) return "…";
  const inside = [...within, object];
  /** @param {unknown} item */
  const inner = (item) => canonical(item, left, inside);
  if (Array.isArray(object)) return `[${first(object, left).map(inner).join()}]`;
  if (types.isMap(object))
    return `map [${first([...object], left)
      .map(inner)
      .join()}]`;
  if (types.isSet(object))
    return `set [${first([...object], left)
      .map(inner)
      .join()}]`;
  if (ArrayBuffer.isView(object)) {
    const { buffer, byteOffset, byteLength } = object;
    const bytes = Buffer.from(buffer, byteOffset, Math.min(byteLength, MAX_VALUES));
    return `bytes ${byteLength} ${digest(bytes.toString("latin1"))}`;
  }
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== null && prototype !== Object.prototype) {
    const { constructor } = prototype;
    return `~${typeof constructor === "function" ? constructor.name : "object"}`;
  }
  const pairs = propertiesOf(object).map(([name, value]) => [JSON.stringify(name), inner(value)]);
  return `{${pairs.filter(([, text]) => text !== undefined).map((pair) => pair.join(":"))}}`;
}

/**
 * As many items as may still be looked at.
 * @param {unknown[]} items
 * @param {{ values: number }} left
 */
const first = (items, left) => [items.length, ...items.slice(0, Math.max(0, left.values))];

/**
 * Whether that is a time which this process has taken itself, in milliseconds of the epoch.
 * @param {number} time
 */
function isNow(time) {
  const at = now();
  return time >= at - process.uptime() * 1000 - CLOCK_SLACK && time <= at + CLOCK_SLACK;
}

/**
 * Whether both are one call as far as can be seen, but for closures, and for who has called the function that makes it.
 * @param {Identity} one
 * @param {Identity} other
 */
const isAlike = (one, other) =>
  one.functions === other.functions && isSameSite(one, other) && differing(one, other).length === 0;

/**
 * @param {Identity} one
 * @param {Identity} other
 */
const isSameSite = (one, other) =>
  one.site === undefined || other.site === undefined || one.site.at === other.site.at;

/**
 * Whether the function that makes the call may have been called from the same place. Callers that have returned are not
 * known any more, so one list may be the beginning of the other.
 * @param {Identity} one
 * @param {Identity} other
 */
const isCalledAlike = ({ site: one }, { site: other }) =>
  one === undefined || other === undefined || isBeginning(one.callers, other.callers);

/**
 * Whether one list is the beginning of the other.
 * @param {string[]} one
 * @param {string[]} other
 */
function isBeginning(one, other) {
  const count = Math.min(one.length, other.length);
  return one.slice(0, count).every((caller, at) => caller === other[at]);
}

/**
 * The names of the arguments in which they differ.
 * @param {Identity} one
 * @param {Identity} other
 */
function differing(one, other) {
  const names = [...new Set([...Object.keys(one.args), ...Object.keys(other.args)])];
  return names.filter((name) => one.args[name] !== other.args[name]);
}

/**
 * The same, less what one role may have without being another call: nothing yet where the other has something, or what
 * differs from process to process anyway.
 * @param {Identity} one
 * @param {Identity} other
 */
const differingForGood = (one, other) =>
  differing(one, other).filter(
    (name) =>
      !isPassing(one.args[name]) &&
      !isPassing(other.args[name]) &&
      shapeOfToken(one.args[name]) !== shapeOfToken(other.args[name]),
  );

/** @param {string} token */
const shapeOfToken = (token) => (token.startsWith("#") ? token.slice(-DIGEST) : shapeOf(token));

/** @param {string | undefined} token */
const isPassing = (token) =>
  token === undefined || ["null", '""', "[0]", "{}"].includes(token) || token.startsWith("~");

/**
 * A call as a message names it.
 * @param {Identity} identity
 */
function nameFor({ kind, name, site }) {
  const what = kind === "byHand" ? "the workers' part (initWorkers)" : "the call";
  const named = name === undefined ? what : `${what} ${JSON.stringify(name)}`;
  return site === undefined ? named : `${named} at ${site.at}`;
}

module.exports = {
  differing,
  differingForGood,
  digest,
  identify,
  identifyByHand,
  isAlike,
  isBeginning,
  isCalledAlike,
  isFunctions,
  isSameSite,
  nameFor,
};
