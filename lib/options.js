"use strict";
// The options of a call: its fifth parameter, apart from the program's own `args`.

const { invalidRange, invalidType, shown } = require("./errors");
const { nearest } = require("./nearest");
const { hasOwn, property } = require("./own");

/**
 * Each worker signs its claims in the bits that an event's state has for that; `MAX_WORKERS` in
 * src/protocol.rs.
 */
const MAX_WORKERS = 4094;

/** The most events of one worker; that many always fit into the numbers that both sides count with. */
const MAX_EVENTS = 1 << 20;

/** The most events before a worker is replaced: what the core counts to. */
const MAX_TASKS = 2 ** 31 - 1;

/** The longest time, as for Node's own timers: 24 days. */
const MAX_MILLISECONDS = 2 ** 31 - 1;

/**
 * @typedef {object} Options
 * @property {string} [name]
 * @property {number} [numWorkers]
 * @property {"json" | "advanced"} [serialization]
 * @property {number} [maxEventsPerWorker]
 * @property {number} [maxBytesWaiting]
 * @property {number} [taskTimeout]
 * @property {number} [maxTasksPerWorker]
 * @property {number} [maxWorkerMemory]
 * @property {number} [shutdownGrace]
 * @property {number} [heartbeatTimeout]
 * @property {AbortSignal} [signal]
 * @property {import("../native").RetryOptions} [retries]
 * @property {"collect" | "abort"} [onError]
 * @property {number} [abortGrace]
 * @property {(entry: any) => unknown} [onResult]
 * @property {"completion" | "submission"} [order]
 * @property {number} [maxResultsWaiting]
 * @property {boolean} [statistics]
 * @property {(statistics: import("../index").RunStatistics) => unknown} [onStats]
 * @property {string} [trace]
 * @property {string} [report]
 * @property {boolean | "workers"} [progress]
 * @property {number} [total]
 * @property {(statistics: import("../index").RunStatistics) => unknown} [onProgress]
 */

/** A call's name travels to each worker in its environment, and into messages. */
const LONGEST_NAME = 200;

/** The most attempts after the first: the failed entry lists them all. */
const MAX_RETRIES = 1000;

/** @typedef {import("../native").RetryOptions["on"][number]} Cause */

/** What an attempt can fail by. @type {Cause[]} */
const CAUSES = ["crash", "timeout", "error"];

/**
 * Each throws if the value is wrong, and returns another that is to take its place, if there is one.
 * @type {Record<string, (name: string, value: any) => any>}
 */
const CHECKS = {
  name: checkName,
  numWorkers: (name, value) => checkCount(name, value, MAX_WORKERS),
  serialization: oneOf("json", "advanced"),
  maxEventsPerWorker: (name, value) => checkCount(name, value, MAX_EVENTS),
  maxBytesWaiting: (name, value) => checkCount(name, value, Number.MAX_SAFE_INTEGER),
  taskTimeout: checkTimeout,
  maxTasksPerWorker: (name, value) => checkCount(name, value, MAX_TASKS),
  maxWorkerMemory: (name, value) => checkCount(name, value, Number.MAX_SAFE_INTEGER),
  shutdownGrace(name, value) {
    if (value !== Infinity) checkMilliseconds(name, value, ", or Infinity");
  },
  heartbeatTimeout(name, value) {
    if (value !== 0) checkTimeout(name, value, ", or 0");
  },
  signal(name, value) {
    if (isSignal(value)) return;
    throw invalidType(`${name} must be an AbortSignal, got ${shown(value)}`);
  },
  onError: oneOf("collect", "abort"),
  abortGrace: checkMilliseconds,
  retries: checkRetries,
  onResult: checkFunction,
  statistics: checkBoolean,
  onStats: checkFunction,
  trace: checkPath,
  report: checkPath,
  progress(name, value) {
    if (value !== "workers") checkBoolean(name, value, ', or "workers"');
  },
  total(name, value) {
    if (value !== 0) checkCount(name, value, Number.MAX_SAFE_INTEGER, ", or 0");
  },
  onProgress: checkFunction,
};

/** @type {Record<string, (name: string, value: any) => any>} */
const RETRY_CHECKS = {
  limit: checkLimit,
  backoff: checkMilliseconds,
  factor(name, value) {
    const must = `${name} must be a number of at least 1`;
    if (typeof value !== "number") throw invalidType(`${must}, got ${shown(value)}`);
    if (!(value >= 1 && value < Infinity)) throw invalidRange(`${must}, got ${value}`);
  },
  maxDelay: checkMilliseconds,
  on(name, value) {
    const names = `of "crash", "timeout" and "error"`;
    if (!Array.isArray(value) || value.length === 0) {
      throw invalidType(`${name} must be an array ${names}, got ${shown(value)}`);
    }
    const wrong = [...value].find((cause) => !CAUSES.includes(cause));
    if (wrong !== undefined || value.includes(undefined)) {
      throw invalidType(`${name} must be an array ${names}, got ${shown(wrong)} in it`);
    }
    return [...value];
  },
};

/** What a stream has besides: it has a reader of its own, and calls nobody.
 * @type {Record<string, (name: string, value: any) => void>} */
const { onResult: _, ...COMMON } = CHECKS;
const STREAM_CHECKS = {
  ...COMMON,
  order: oneOf("completion", "submission"),
  maxResultsWaiting: (/** @type {string} */ name, /** @type {any} */ value) =>
    checkCount(name, value, MAX_EVENTS),
};

/**
 * The check for a word that is one of two.
 * @param {string} one
 * @param {string} other
 */
function oneOf(one, other) {
  return (/** @type {string} */ name, /** @type {unknown} */ value) => {
    if (value === one || value === other) return;
    throw invalidType(`${name} must be "${one}" or "${other}", got ${shown(value)}`);
  };
}

/**
 * Whether it has what is used of an AbortSignal: Node 14 has none of its own (without a flag), and programs
 * bring others.
 * @param {any} value
 */
const isSignal = (value) =>
  value !== null &&
  typeof value === "object" &&
  typeof value.aborted === "boolean" &&
  typeof value.addEventListener === "function" &&
  typeof value.removeEventListener === "function";

/**
 * What the program gave, checked: own properties only, so that nothing comes in through a prototype.
 * @param {unknown} given
 * @param {Record<string, (name: string, value: any) => any>} checks
 * @returns {Options}
 */
function checkOptions(given, checks = CHECKS) {
  if (given === undefined || given === null) return Object.create(null);
  if (typeof given !== "object" || Array.isArray(given)) {
    throw invalidType(`options must be an object, got ${shown(given)}`);
  }
  return checkProperties("options", given, checks);
}

/**
 * @param {string} where
 * @param {any} given
 * @param {Record<string, (name: string, value: any) => any>} checks
 * @returns {any} its own properties that are not undefined, without a prototype
 */
function checkProperties(where, given, checks) {
  const checked = Object.create(null);
  for (const name of Object.keys(given)) {
    if (!hasOwn(checks, name)) throw invalidType(unknown(where, name, Object.keys(checks)));
    const value = given[name];
    if (value === undefined) continue;
    const other = checks[name](`${where}.${name}`, value);
    checked[name] = other === undefined ? value : other;
  }
  return checked;
}

/**
 * @param {string} name
 * @param {unknown} value a count, or an object
 * @returns {import("../native").RetryOptions}
 */
function checkRetries(name, value) {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  const given = isObject ? checkProperties(name, value, RETRY_CHECKS) : { limit: value };
  checkLimit(isObject ? `${name}.limit` : name, given.limit);
  return { backoff: 0, factor: 2, maxDelay: 30e3, on: CAUSES, ...given };
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function checkLimit(name, value) {
  const must = `${name} must be a whole number from 0 to ${MAX_RETRIES}`;
  if (typeof value !== "number") throw invalidType(`${must}, got ${shown(value)}`);
  const isOne = Number.isInteger(value) && value >= 0 && value <= MAX_RETRIES;
  if (!isOne) throw invalidRange(`${must}, got ${value}`);
}

/**
 * @param {string} name as an error names it
 * @param {unknown} value
 * @param {number} most
 * @param {string} also what else it may be
 * @returns {number} the value
 */
function checkCount(name, value, most, also = "") {
  const must = `${name} must be a whole number of at least 1${also}`;
  if (typeof value !== "number") throw invalidType(`${must}, got ${shown(value)}`);
  if (!Number.isInteger(value) || value < 1) throw invalidRange(`${must}, got ${value}`);
  if (value > most) throw invalidRange(`${name} must be at most ${most}, got ${value}`);
  return value;
}

/**
 * @param {string} name as an error names it
 * @param {unknown} value
 * @param {string} where it must be one
 */
function checkFunction(name, value, where = "") {
  if (typeof value === "function") return;
  throw invalidType(`${name} must be a function${where}, got ${shown(value)}`);
}

/**
 * @param {string} name as an error names it
 * @param {unknown} value
 * @param {string} also what else it may be
 */
function checkBoolean(name, value, also = "") {
  if (typeof value === "boolean") return;
  throw invalidType(`${name} must be true or false${also}, got ${shown(value)}`);
}

/**
 * @param {string} name as an error names it
 * @param {unknown} value
 */
function checkName(name, value) {
  const must = `${name} must be a string of 1 to ${LONGEST_NAME} characters`;
  if (typeof value !== "string") throw invalidType(`${must}, got ${shown(value)}`);
  if (value.length >= 1 && value.length <= LONGEST_NAME) return;
  throw invalidRange(`${must}, got ${value.length}`);
}

/**
 * @param {string} name
 * @param {any} value
 */
function checkPath(name, value) {
  if (typeof value === "string" && value !== "") return;
  throw invalidType(`${name} must be the path of a file, got ${shown(value)}`);
}

/**
 * @param {string} name as an error names it
 * @param {unknown} value
 * @param {string} also what else it may be
 */
function checkMilliseconds(name, value, also = "") {
  const must = `${name} must be a number of milliseconds from 0 to ${MAX_MILLISECONDS}${also}`;
  if (typeof value !== "number") throw invalidType(`${must}, got ${shown(value)}`);
  if (!(value >= 0 && value <= MAX_MILLISECONDS)) throw invalidRange(`${must}, got ${value}`);
}

/**
 * A time that must be some, and may be without end.
 * @param {string} name as an error names it
 * @param {unknown} value
 * @param {string} also what else it may be
 */
function checkTimeout(name, value, also = "") {
  const must = `${name} must be a number of milliseconds above 0, up to ${MAX_MILLISECONDS}, or Infinity${also}`;
  if (typeof value !== "number") throw invalidType(`${must}, got ${shown(value)}`);
  if ((value > 0 && value <= MAX_MILLISECONDS) || value === Infinity) return;
  throw invalidRange(`${must}, got ${value}`);
}

/**
 * How many workers to start: `options` come before `args`.
 * @param {any} args
 * @param {Options} options
 * @param {number} otherwise
 * @returns {number}
 */
function numWorkersOf(args, options, otherwise) {
  if (options.numWorkers !== undefined) return options.numWorkers;
  const numWorkers = property(args, "numWorkers");
  if (numWorkers === undefined) return otherwise;
  return checkCount("args.numWorkers", numWorkers, MAX_WORKERS);
}

/**
 * @param {string} where
 * @param {string} name
 * @param {string[]} names
 */
function unknown(where, name, names) {
  const meant = nearest(name, names);
  const hint = meant ? `: did you mean ${meant}?` : `; there are ${names.join(", ")}`;
  return `${where}.${name} is no option${hint}`;
}

module.exports = {
  checkCount,
  checkFunction,
  checkOptions,
  numWorkersOf,
  MAX_WORKERS,
  STREAM_CHECKS,
};
