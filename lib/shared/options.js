"use strict";
// Checks the options of a call: its fifth parameter, apart from the program's own `args`. Applies none of them.

const { resolve } = require("path");
const {
  being,
  checkFunction,
  checkObject,
  checkProperties,
  count,
  flag,
  isObject,
  listOf,
  number,
  oneOf,
  refusal,
  wrongType,
} = require("./checks");
const { invalidRange, invalidType } = require("./errors");
const { checkGroups } = require("./groups");
const { hasOwn } = require("./own");
const { ROUTE_CHECKS } = require("./routing");

/**
 * Each worker signs its claims in the bits that an event's state has for that; `MAX_WORKERS` in
 * src/wire/protocol.rs.
 */
const MAX_WORKERS = 4094;

/** The most events of one worker; that many always fit into the numbers that both sides count with. */
const MAX_EVENTS = 1 << 20;

/** The most events that a worker runs at once: their starts are kept apart so far. */
const MAX_CONCURRENCY = 1024;

/** The most events before a worker is replaced: what the core counts to. */
const MAX_TASKS = 2 ** 31 - 1;

/** The longest time, as for Node's own timers: 24 days. */
const MAX_MILLISECONDS = 2 ** 31 - 1;

/**
 * @typedef {object} Options
 * @property {string} [name]
 * @property {number} [numWorkers]
 * @property {import("./groups").WorkerGroup[]} [workers]
 * @property {string[]} [tags]
 * @property {import("./routing").Key} [key]
 * @property {boolean} [spread]
 * @property {number} [priority]
 * @property {number} [weight]
 * @property {Record<string, any>} [args]
 * @property {boolean} [settled]
 * @property {boolean} [keep]
 * @property {number} [maxQueue]
 * @property {boolean} [inProcess]
 * @property {Function[]} [errors]
 * @property {import("./flow/given").Flow} [flow] what a call's events go through: never the program's own option
 * @property {string[]} [entryTags] the tags of the node that they enter: likewise
 * @property {string[]} [classes] the names of the classes of errors of whoever has connected: never the program's own option
 * @property {string} [listen]
 * @property {"json" | "advanced"} [serialization]
 * @property {string} [spillDir]
 * @property {boolean} [sharedSpill]
 * @property {number} [concurrency]
 * @property {number} [maxEventsPerWorker]
 * @property {number} [maxBytesWaiting]
 * @property {number} [taskTimeout]
 * @property {number} [maxTasksPerWorker]
 * @property {number} [maxWorkerMemory]
 * @property {number} [shutdownGrace]
 * @property {number} [heartbeatTimeout]
 * @property {AbortSignal} [signal]
 * @property {import("./broker-options").BrokerOptions} [cluster]
 * @property {RetryOptions} [retries]
 * @property {{ file: string, fsync: number }} [checkpoint]
 * @property {Program} [program] what its answers depend on: never the program's own option
 * @property {"collect" | "abort"} [onError]
 * @property {number} [abortGrace]
 * @property {(entry: any) => unknown} [onResult]
 * @property {"completion" | "submission"} [order]
 * @property {number} [maxResultsWaiting]
 * @property {boolean} [statistics]
 * @property {(statistics: import("../../index").RunStatistics) => unknown} [onStats]
 * @property {string} [trace]
 * @property {string} [report]
 * @property {import("./dashboard").Place | false} [dashboard]
 * @property {boolean | "workers" | { workers?: boolean, label?: string, unit?: string }} [progress]
 * @property {(data: any) => string} [label]
 * @property {number} [total]
 * @property {(statistics: import("../../index").RunStatistics) => unknown} [onProgress]
 */

/**
 * What answers depend on, as far as it can be seen: each function and each argument as its name and a digest. Closures cannot be seen.
 * @typedef {{ name?: string, functions: [string, string][], args: Record<string, string>, serialization?: string }} Program
 */

/** A call's name travels to each worker in its environment, and into messages. */
const LONGEST_NAME = 200;

/** The most attempts after the first: the failed entry lists them all. */
const MAX_RETRIES = 1000;

/** @typedef {Omit<import("../../native").RetryOptions, "on"> & { on: (import("../../native").RetryOptions["on"][number] | "host")[] }} RetryOptions */

/** What an attempt can fail by. @type {RetryOptions["on"]} */
const CAUSES = ["crash", "timeout", "error", "host"];

const THE_CAUSES = 'an array of "crash", "timeout", "error" and "host"';

const MILLISECONDS = `a number of milliseconds from 0 to ${MAX_MILLISECONDS}`;
const TIMEOUT = `a number of milliseconds above 0, up to ${MAX_MILLISECONDS}, or Infinity`;

/** @param {number} value */
const isMilliseconds = (value) => value >= 0 && value <= MAX_MILLISECONDS;

/** @param {number} value */
const isTimeout = (value) => (value > 0 && value <= MAX_MILLISECONDS) || value === Infinity;

const milliseconds = number(MILLISECONDS, isMilliseconds);
const checkLimit = number(
  `a whole number from 0 to ${MAX_RETRIES}`,
  (value) => Number.isInteger(value) && value >= 0 && value <= MAX_RETRIES,
);
const checkCauses = listOf(THE_CAUSES, (cause) => CAUSES.includes(cause));
const socket = being("the path of a socket", (value) => typeof value === "string" && value !== "");
const folder = being("the path of a folder", (value) => typeof value === "string" && value !== "");
const text = being("a text", (value) => typeof value === "string" && value !== "");
const path = being("the path of a file", (value) => typeof value === "string" && value !== "");

/** @typedef {import("./checks").Check} Check */

/** When what is written down goes to the disk, as the core takes it: before each answer is told, or when the system likes. */
const AT_ONCE = 0;
const WHENEVER = -1;

const fsyncTime = being(
  `true or false, or a whole number of milliseconds from 1 to ${MAX_MILLISECONDS}`,
  (value) =>
    typeof value === "boolean" ||
    (Number.isInteger(value) && value >= 1 && value <= MAX_MILLISECONDS),
);

/** Few programs need their modules. @type {Record<string, Check>} */
const lazy = {
  cluster: (name, value) => require("./broker-options").checkCluster(name, value),
  dashboard: (name, value) => require("./dashboard").checkDashboard(name, value),
};

/** @type {Record<string, Check>} */
const COMMON = {
  name: checkName,
  numWorkers: count(MAX_WORKERS),
  workers: checkWorkers,
  serialization: oneOf("json", "advanced"),
  spillDir: folder,
  sharedSpill: flag,
  concurrency: count(MAX_CONCURRENCY),
  maxEventsPerWorker: count(MAX_EVENTS),
  maxBytesWaiting: count(Number.MAX_SAFE_INTEGER),
  taskTimeout: number(TIMEOUT, isTimeout),
  maxTasksPerWorker: count(MAX_TASKS),
  maxWorkerMemory: count(Number.MAX_SAFE_INTEGER),
  shutdownGrace: number(
    `${MILLISECONDS}, or Infinity`,
    (value) => isMilliseconds(value) || value === Infinity,
  ),
  heartbeatTimeout: number(`${TIMEOUT}, or 0`, (value) => isTimeout(value) || value === 0),
  signal: being("an AbortSignal", isSignal),
  checkpoint: checkCheckpoint,
  onError: oneOf("collect", "abort"),
  abortGrace: milliseconds,
  retries: checkRetries,
  onResult: checkFunction,
  statistics: flag,
  onStats: checkFunction,
  trace: path,
  report: path,
  progress: checkProgress,
  label: checkFunction,
  total: number(
    "a whole number of at least 1, or 0",
    (value) => Number.isSafeInteger(value) && value >= 0,
  ),
  onProgress: checkFunction,
  dashboard: lazy.dashboard,
  cluster: lazy.cluster,
};

/** A stream has a reader instead of `onResult`, and options for it. */
const { onResult: _, ...WITHOUT_CALLBACK } = COMMON;
const STREAM_CHECKS = {
  ...WITHOUT_CALLBACK,
  order: oneOf("completion", "submission"),
  maxResultsWaiting: count(MAX_EVENTS),
};

/** What calls of a pool that stays may have; its own options are their defaults. */
const { checkpoint, taskTimeout, retries, signal } = COMMON;
const weight = number("a number from 0.001 to 1000", (value) => value >= 0.001 && value <= 1000);
const CALL_CHECKS = { args: checkArgs, taskTimeout, retries, signal, weight, ...ROUTE_CHECKS };
const MAP_CHECKS = { ...CALL_CHECKS, settled: flag };
const EACH_CHECKS = {
  args: checkArgs,
  tags: ROUTE_CHECKS.tags,
  taskTimeout,
  keep: flag,
};
const POOL_STREAM_CHECKS = {
  ...CALL_CHECKS,
  onError: COMMON.onError,
  order: STREAM_CHECKS.order,
  maxResultsWaiting: STREAM_CHECKS.maxResultsWaiting,
  maxBytesWaiting: COMMON.maxBytesWaiting,
};

/** What a run of a program's own pool has besides, and `map`. A client's runs have none of it: it names files of the pool's process. */
const { progress, total, trace, report } = COMMON;
const SEEN = { progress, total, trace, report, label: COMMON.label };
const OWN_RUN_CHECKS = { ...CALL_CHECKS, ...SEEN, checkpoint };
const OWN_STREAM_CHECKS = { ...POOL_STREAM_CHECKS, ...SEEN, checkpoint };
const OWN_MAP_CHECKS = { ...MAP_CHECKS, progress, total, checkpoint };

/** What a stage may have of its own. */
const STAGE_CHECKS = {
  name: checkName,
  tags: ROUTE_CHECKS.tags,
  key: checkFunction,
  concurrency: COMMON.concurrency,
  taskTimeout,
  retries,
};

/** What such a pool may have. */
const POOL_CHECKS = {
  name: checkName,
  numWorkers: COMMON.numWorkers,
  workers: checkWorkers,
  concurrency: COMMON.concurrency,
  serialization: COMMON.serialization,
  spillDir: COMMON.spillDir,
  sharedSpill: flag,
  maxTasksPerWorker: COMMON.maxTasksPerWorker,
  maxWorkerMemory: COMMON.maxWorkerMemory,
  shutdownGrace: COMMON.shutdownGrace,
  abortGrace: COMMON.abortGrace,
  heartbeatTimeout: COMMON.heartbeatTimeout,
  maxQueue: count(Number.MAX_SAFE_INTEGER),
  inProcess: flag,
  errors: checkErrors,
  listen: socket,
  cluster: lazy.cluster,
  taskTimeout,
  retries,
  signal,
  maxEventsPerWorker: COMMON.maxEventsPerWorker,
  maxBytesWaiting: COMMON.maxBytesWaiting,
  label: COMMON.label,
  progress,
  onProgress: COMMON.onProgress,
  onStats: COMMON.onStats,
  total: refusal("each run has a number of events of its own: give it to run, stream or map"),
  checkpoint: refusal("a file has the answers of one call: give it to map, stream or run"),
  trace: refusal("a trace is one of a run: give it to run or stream"),
  report: refusal("a report is one of a run: give it to run or stream"),
  statistics: refusal("a pool always keeps times: see pool.statistics()"),
  onResult: refusal("read the entries of stream, or what call and map resolve to"),
  onError: refusal("give it to stream; map stops at the first failure unless it is settled"),
  dashboard: lazy.dashboard,
};

/** What a client of a listening pool may have. */
const CONNECT_CHECKS = { errors: checkErrors, signal };

/** @type {Record<string, Check>} */
const PROGRESS_CHECKS = { workers: flag, label: text, unit: text };

/** @type {Record<string, Check>} */
const RETRY_CHECKS = {
  limit: checkLimit,
  backoff: milliseconds,
  factor: number("a number of at least 1", (value) => value >= 1 && value < Infinity),
  maxDelay: milliseconds,
  on(name, value) {
    const causes = checkCauses(name, value);
    if (causes.length === 0) throw wrongType(name, THE_CAUSES, value);
    return causes;
  },
};

/**
 * Whether it has what is used of an AbortSignal: Node 14 has none of its own (without a flag), and programs bring others.
 * @param {any} value
 */
function isSignal(value) {
  return (
    value !== null &&
    typeof value === "object" &&
    typeof value.aborted === "boolean" &&
    typeof value.addEventListener === "function" &&
    typeof value.removeEventListener === "function"
  );
}

/** The options of a call. @param {unknown} given @param {Record<string, Check>} checks @returns {Options} */
const checkOptions = (given, checks = COMMON) => checkObject("options", given, checks);

/**
 * @param {string} name
 * @param {unknown} value a count, or an object
 * @returns {RetryOptions}
 */
function checkRetries(name, value) {
  const isWhole = isObject(value);
  const given = isWhole ? checkProperties(name, value, RETRY_CHECKS) : { limit: value };
  checkLimit(isWhole ? `${name}.limit` : name, given.limit);
  return { backoff: 0, factor: 2, maxDelay: 30e3, on: CAUSES, ...given };
}

/** @param {string} name @param {any} value */
function checkProgress(name, value) {
  if (isObject(value)) return checkProperties(name, value, PROGRESS_CHECKS);
  if (typeof value === "boolean" || value === "workers") return value;
  throw wrongType(name, 'true or false, "workers", or an object', value);
}

/**
 * @param {string} name
 * @param {unknown} value a file's path, or an object
 * @returns {{ file: string, fsync: number }}
 */
function checkCheckpoint(name, value) {
  const isWhole = isObject(value);
  const given = isWhole
    ? checkProperties(name, value, { file: path, fsync: fsyncTime })
    : { file: value };
  path(isWhole ? `${name}.file` : name, given.file);
  const { file, fsync = false } = given;
  return { file: resolve(file), fsync: fsync === true ? AT_ONCE : fsync || WHENEVER };
}

/** @param {string} name @param {unknown} value */
function checkArgs(name, value) {
  if (!isObject(value)) throw wrongType(name, "an object", value);
}

/** Classes of errors, each with a name of its own. @param {string} name @param {unknown} value */
function checkErrors(name, value) {
  if (!Array.isArray(value)) throw wrongType(name, "an array of classes of errors", value);
  const classes = [...value];
  classes.forEach((Class, at) => {
    const where = `${name}[${at}]`;
    if (!isErrorClass(Class)) throw wrongType(where, "a class of errors", Class);
    // Before Node 15 one without a name inherits another's.
    if (!hasOwn(Class, "name") || Class.name === "")
      throw invalidType(`${where} must have a name, by which it is found`);
    const first = classes.findIndex((other) => other.name === Class.name);
    if (first === at || classes[first] === Class) return;
    throw invalidType(`${where} has the name of another class, ${name}[${first}]: ${Class.name}`);
  });
  return classes;
}

/** @param {any} value */
const isErrorClass = (value) =>
  typeof value === "function" && (value === Error || value.prototype instanceof Error);

/** @param {string} name @param {unknown} value */
function checkName(name, value) {
  const must = `a string of 1 to ${LONGEST_NAME} characters`;
  if (typeof value !== "string") throw wrongType(name, must, value);
  if (value.length >= 1 && value.length <= LONGEST_NAME) return;
  throw invalidRange(`${name} must be ${must}, got ${value.length}`);
}

/** @param {string} name @param {unknown} value */
function checkWorkers(name, value) {
  const { concurrency, maxTasksPerWorker, maxWorkerMemory } = COMMON;
  const limits = { concurrency, maxTasksPerWorker, maxWorkerMemory };
  return checkGroups(name, value, limits, MAX_WORKERS);
}

module.exports = {
  CALL_CHECKS,
  CONNECT_CHECKS,
  EACH_CHECKS,
  MAP_CHECKS,
  OWN_MAP_CHECKS,
  OWN_RUN_CHECKS,
  OWN_STREAM_CHECKS,
  POOL_CHECKS,
  POOL_STREAM_CHECKS,
  STAGE_CHECKS,
  checkArgs,
  checkOptions,
  checkSocket: socket,
  MAX_WORKERS,
  STREAM_CHECKS,
};
