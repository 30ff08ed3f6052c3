"use strict";
// What identifies a call in the master and in the workers, which reach it by themselves: its name, its functions, its place and its
// arguments. Closures cannot be compared.

const { EventEmitter } = require("events");
const { tmpdir } = require("os");
const { URL } = require("url");
const { types } = require("util");
const { DIGITS, digest } = require("./digest");
const { coded } = require("./errors");
const { hasOwn } = require("./own");
const { Buffer, Date, JSON, Set, now } = require("./primordials");
const { look } = require("./site");
const { plainOf } = require("./stage");
const { isFlow, nameOfFlow } = require("./flow/given");
const { isFile } = require("./stages");

/** The most values of one argument that are read: 20 ms of work. */
const MAX_VALUES = 50_000;

/** The most bytes of a binary value that are read: 10 ms of work. */
const MAX_BYTES = 2 << 20;

/** The most arguments with a token of their own: tokens travel to each worker in its environment. */
const MAX_TOKENS = 100;

/** The longest name of an argument that travels as it is. */
const LONGEST_NAME = 64;

/** How deep arguments are read. */
const MAX_DEPTH = 32;
/** The longest text that may be different in each process. */
const LONGEST_SHAPE = 1024;

/** How far (ms) a time may be from the present and still count as "now": clocks are set. */
const CLOCK_SLACK = 2000;

/** Tokens of empty values: one role may have nothing where the other has something. */
const NOTHING = ["null", '""', "[0]", "{}"];

/**
 * @typedef {object} Identity
 * @property {"call" | "byHand" | "pool" | "file"} kind by hand: `initMaster` and `configureWorkers`, `initWorkers` in a
 *   worker; file: a pool whose workers run a worker file
 * @property {string} [file] that file
 * @property {string} [name] the option
 * @property {string} [functions] a digest of the worker functions; none if there are none, or no list of functions is given
 * @property {string} [flow] names the flow that there is in their place
 * @property {import("./site").Site} [site] none where stacks cannot be read
 * @property {Record<string, string>} args a token for each argument
 * @property {boolean} [isForWorkers] it has no masterFn, so it is written for workers
 */

/**
 * What a worker is told of the call that it is started for.
 * @typedef {object} Wanted
 * @property {Identity} identity
 * @property {string} title how messages name the call
 * @property {boolean} isCounted it is known by its number among all calls, and by its name if it has one
 * @property {number} before how many calls like it there were before
 * @property {boolean} isAlone no other call has had the same functions
 * @property {boolean | string} [isClustered] its events run on several machines: see worker/sync.js
 * @property {boolean} isChanged the program's arguments or environment have other values than at the first call like it
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
  if (isFlow(workerFns)) {
    identity.flow = nameOfFlow(workerFns);
    identity.functions = digest(identity.flow);
  }
  if (isFunctions(workerFns)) identity.functions = digest(workerFns.map(sourceOf).join("\n"));
  if (typeof masterFn !== "function") identity.isForWorkers = true;
  return identity;
}

/**
 * The same of a `createPool`.
 * @param {Function} below
 * @param {unknown} stages
 * @param {unknown} options
 * @returns {Identity}
 */
function identifyPool(below, stages, options) {
  const identity = at(below, isFile(stages) ? "file" : "pool");
  const name = nameOf(options);
  if (name !== undefined) identity.name = name;
  if (isStages(stages)) {
    const sources = Object.keys(stages).map(
      (key) => `${key}: ${isFlow(stages[key]) ? nameOfFlow(stages[key]) : sourceOf(stages[key])}`,
    );
    identity.functions = digest(sources.join("\n"));
  }
  return identity;
}

/**
 * The same of a call by hand: `initMaster`, `configureWorkers` or `initWorkers`.
 * @param {Function} below
 * @returns {Identity}
 */
const identifyByHand = (below) => at(below, "byHand");

/** @param {Function} below @param {Identity["kind"]} kind @returns {Identity} */
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
      `is to be done, and make that call in the master${identity.kind === "call" ? " (in masterFn, in reduceFn, or after this one)" : ""}`,
  );

/**
 * @param {unknown} options read by both roles, and checked by the master alone
 * @returns {string | undefined}
 */
function nameOf(options) {
  if (options === null || typeof options !== "object" || !hasOwn(options, "name")) return undefined;
  const { name } = /** @type {{ name: unknown }} */ (options);
  return typeof name === "string" ? name : undefined;
}

/** @param {unknown} list @returns {list is Function[]} */
const isFunctions = (list) =>
  Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === "function");

/**
 * Whether it is an object of functions and flows by their names, and has at least one.
 * @param {any} stages
 * @returns {stages is Record<string, any>}
 */
function isStages(stages) {
  if (stages === null || typeof stages !== "object" || Array.isArray(stages)) return false;
  const names = Object.keys(stages);
  return (
    names.length > 0 &&
    names.every((name) => typeof stages[name] === "function" || isFlow(stages[name]))
  );
}

/** @param {Function} fn */
const sourceOf = (fn) => `${fn.name}\n${Function.prototype.toString.call(plainOf(fn))}`;

/**
 * A token for each argument, the same for equal ones: a digest, because a worker's environment must not show the program's
 * data, followed by a digest without random names. Empty values ({@link NOTHING}) are tokens themselves; what differs from
 * process to process (the time now, a connection) begins with `~`.
 * @param {unknown} args
 * @returns {Record<string, string>}
 */
function tokensOf(args) {
  /** @type {Record<string, string>} */
  const tokens = {};
  const properties = propertiesOf(args, { values: MAX_VALUES });
  const others = properties.splice(MAX_TOKENS);
  if (others.length > 0) properties.push(["…", others]);
  for (const [name, value] of properties) {
    const text = canonical(value, { values: MAX_VALUES }, []);
    if (text === undefined) continue;
    const key = name.length > LONGEST_NAME ? digest(name) : name;
    const isPlain = NOTHING.includes(text) || text.startsWith("~");
    tokens[key] = isPlain ? text : digest(text) + digest(shapeOf(text));
  }
  return tokens;
}

/**
 * A text without what differs in each process: names of temporary files, UUIDs, random numbers.
 * @param {string} text
 */
function shapeOf(text) {
  if (text.length > LONGEST_SHAPE) return text;
  return text
    .split(tmpdir())
    .map((part, at) => (at === 0 ? part : part.replace(/^[^"]*/, "")))
    .join("tmp")
    .replace(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi, "uuid")
    .replace(/\d+\.\d{12,}/g, "random");
}

/**
 * The own values of an object, by name.
 * @param {unknown} object
 * @param {{ values: number }} left
 * @returns {[string, unknown][]}
 */
function propertiesOf(object, left) {
  if (object === null || typeof object !== "object" || types.isProxy(object)) return [];
  const names = Object.keys(object);
  const read = names.slice(0, Math.max(0, left.values)).sort();
  /** @type {[string, unknown][]} */
  const pairs = read.map((name) => [name, valueOf(object, name)]);
  if (read.length < names.length) pairs.push(["…", names.length]);
  return pairs;
}

/** @param {object} object @param {string} name */
function valueOf(object, name) {
  try {
    // A getter is called, as it is for each event.
    return Reflect.get(object, name);
  } catch (_) {
    return "throws";
  }
}

/**
 * @param {unknown} value
 * @param {{ values: number }} left how many values may still be read
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
      return isNow(timeOf(value)) ? "~now" : JSON.stringify(value);
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

/** @param {any} object @param {{ values: number }} left @param {object[]} within @returns {string} */
function ofObject(object, left, within) {
  if (types.isProxy(object)) return "~proxy";
  if (types.isDate(object)) return isNow(Number(object)) ? "~now" : `date ${Number(object)}`;
  if (types.isRegExp(object)) return `regexp ${object}`;
  if (object instanceof URL) return `url ${object.href}`;
  if (ArrayBuffer.isView(object)) return `bytes ${digestOfBytes(object)}`;
  if (within.includes(object)) return "cycle";
  if (within.length >= MAX_DEPTH) return "…";
  const inside = [...within, object];
  if (Array.isArray(object)) return `[${listed(object, object.length, left, inside)}]`;
  if (types.isMap(object)) return `map [${listed(object, object.size, left, inside)}]`;
  if (types.isSet(object)) return `set [${listed(object, object.size, left, inside)}]`;
  const kind = kindOf(object);
  // Each process has its own connections.
  if (object instanceof EventEmitter || types.isPromise(object)) return `~${kind}`;
  const pairs = propertiesOf(object, left).map(([name, value]) => [
    JSON.stringify(name),
    canonical(value, left, inside),
  ]);
  return `${kind}{${pairs.filter(([, text]) => text !== undefined).map((pair) => pair.join(":"))}}`;
}

/** The class of an object; nothing for a plain one. @param {object} object @returns {string} */
function kindOf(object) {
  const prototype = Object.getPrototypeOf(object);
  if (prototype === null || prototype === Object.prototype) return "";
  const { constructor } = prototype;
  return typeof constructor === "function" ? `${constructor.name} ` : "object ";
}

/**
 * How many items there are, and as many of them as may still be read.
 * @param {Iterable<unknown>} items
 * @param {number} count
 * @param {{ values: number }} left
 * @param {object[]} inside
 */
function listed(items, count, left, inside) {
  /** @type {unknown[]} */
  const texts = [count];
  for (const item of items) {
    if (left.values <= 0) break;
    texts.push(canonical(item, left, inside));
  }
  return texts.join();
}

/** @param {ArrayBufferView} view */
function digestOfBytes({ buffer, byteOffset, byteLength }) {
  const bytes = Buffer.from(buffer, byteOffset, Math.min(byteLength, MAX_BYTES));
  return `${byteLength} ${digest(bytes.toString("latin1"))}`;
}

/** The time that a text in ISO 8601 says. @param {string} text */
const timeOf = (text) => Date.parse(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? text : "");

/**
 * Whether this process may have taken that time itself, in milliseconds of the epoch.
 * @param {number} time
 */
function isNow(time) {
  const at = now();
  return time >= at - process.uptime() * 1000 - CLOCK_SLACK && time <= at + CLOCK_SLACK;
}

/**
 * Whether both are the same call, apart from closures and from the callers of the function that makes it.
 * @param {Identity} one
 * @param {Identity} other
 */
const isAlike = (one, other) =>
  one.functions === other.functions && isSameSite(one, other) && differing(one, other).length === 0;

/** @param {Identity} one @param {Identity} other */
const isSameSite = (one, other) => one.site?.at === other.site?.at;

/**
 * Whether the function that makes the call may have been called from the same place.
 * @param {Identity} one
 * @param {Identity} other
 */
const isCalledAlike = ({ site: one }, { site: other }) =>
  one === undefined || other === undefined || isBeginning(one.callers, other.callers);

/**
 * Whether one list begins with the other: callers that have returned are unknown.
 * @param {string[]} one
 * @param {string[]} other
 */
function isBeginning(one, other) {
  const count = Math.min(one.length, other.length);
  return one.slice(0, count).every((caller, at) => caller === other[at]);
}

/** The names of the arguments in which they differ. @param {Identity} one @param {Identity} other */
function differing(one, other) {
  const names = [...new Set([...Object.keys(one.args), ...Object.keys(other.args)])];
  return names.filter((name) => one.args[name] !== other.args[name]);
}

/**
 * The same without differences that the roles of one call may have: an empty value, or what differs from process to process
 * anyway.
 * @param {Identity} one
 * @param {Identity} other
 */
const differingForGood = (one, other) =>
  differing(one, other).filter(
    (name) =>
      !isPassing(one.args[name]) &&
      !isPassing(other.args[name]) &&
      one.args[name].slice(DIGITS) !== other.args[name].slice(DIGITS),
  );

/** @param {string | undefined} token */
const isPassing = (token) =>
  token === undefined || NOTHING.includes(token) || token.startsWith("~");

/** @type {Record<Identity["kind"], string>} */
const WHAT = {
  call: "the call",
  byHand: "the workers' part (initWorkers)",
  pool: "the pool",
  file: "the pool",
};

/** A call as a message names it. @param {Identity} identity */
function nameFor({ kind, name, site }) {
  const what = WHAT[kind];
  const named = name === undefined ? what : `${what} ${JSON.stringify(name)}`;
  return site === undefined ? named : `${named} at ${site.at}`;
}

module.exports = {
  differing,
  differingForGood,
  identify,
  identifyByHand,
  identifyPool,
  isAlike,
  isBeginning,
  isCalledAlike,
  isSameSite,
  isStages,
  nameFor,
};
