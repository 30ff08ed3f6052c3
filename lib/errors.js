"use strict";
// Errors: ours, with a code; and the user's, as they travel from a worker to the failed queue.

const { JSON } = require("./primordials");

/**
 * An error with a code.
 * @param {new (message: string) => Error} Class
 * @param {string} code
 * @param {string} message
 */
function coded(Class, code, message) {
  return Object.assign(new Class(message), { code });
}

/** @param {string} message */
const invalidType = (message) => coded(TypeError, "ERR_SONIC_INVALID_ARGUMENT", message);

/** @param {string} message */
const invalidRange = (message) => coded(RangeError, "ERR_SONIC_INVALID_ARGUMENT", message);

/**
 * `value` as an error message names it.
 * @param {unknown} value
 */
function shown(value) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value !== null && typeof value === "object") return "an object";
  return describe(value);
}

/**
 * `String(value)`, also where that throws.
 * @param {unknown} value
 */
function describe(value) {
  try {
    return String(value);
  } catch (_) {
    return Object.prototype.toString.call(value);
  }
}

/**
 * What a failed event's entry says of what was thrown: JSON of name, message and stack, and of the
 * thrown object's own properties. Anything may be thrown.
 * @param {unknown} thrown
 * @returns {string}
 */
function errorToJson(thrown) {
  /** @type {Record<string, unknown>} */
  const plain = {};
  if (isErrorLike(thrown)) {
    for (const key of ["name", "message", "stack", "code", "cause"])
      keep(plain, key, () => thrown[key]);
    for (const key of Object.keys(thrown)) keep(plain, key, () => thrown[key]);
  } else {
    plain.name = "NonError";
    plain.message = describe(thrown);
    keep(plain, "thrown", () => thrown);
  }
  if (typeof plain.message !== "string")
    plain.message = "(what was thrown has no readable message)";
  if (typeof plain.stack !== "string") plain.stack = `${plain.name || "Error"}: ${plain.message}`;
  return JSON.stringify(plain);
}

/**
 * What a call rejects with that one failed event has stopped: that event's error again, as an `Error` whose
 * `cause` is the entry of the failed queue.
 * @param {any} entry
 */
function firstFailure(entry) {
  const { error } = Object(entry);
  const failure = new Error(error ? error.message : "a worker sent a failure of its own");
  if (error) {
    for (const key of Object.keys(error)) define(failure, key, error[key]);
    for (const key of ["name", "message", "stack"]) hide(failure, key);
  }
  if (!("code" in failure)) define(failure, "code", "ERR_SONIC_EVENT_FAILED");
  define(failure, "cause", entry);
  hide(failure, "cause");
  return failure;
}

/**
 * @param {object} object
 * @param {string} key
 * @param {unknown} value
 */
function define(object, key, value) {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/**
 * @param {object} object
 * @param {string} key
 */
function hide(object, key) {
  if (key in object) Object.defineProperty(object, key, { enumerable: false });
}

/**
 * Why a signal was aborted. Node before 17.2 does not tell.
 * @param {any} signal
 */
function reasonOf(signal) {
  const { reason } = signal;
  if (reason !== undefined) return reason;
  const error = coded(Error, "ABORT_ERR", "the run was aborted");
  define(error, "name", "AbortError");
  hide(error, "name");
  return error;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isErrorLike(value) {
  return value !== null && typeof value === "object" && "message" in value;
}

/**
 * Sets a property that survives JSON; leaves out one that does not.
 * @param {Record<string, unknown>} plain
 * @param {string} key
 * @param {() => unknown} get
 */
function keep(plain, key, get) {
  try {
    const value = get();
    const inner = value instanceof Error ? JSON.parse(errorToJson(value)) : value;
    const text = JSON.stringify(inner);
    if (text === undefined) return;
    define(plain, key, JSON.parse(text));
  } catch (_) {
    // It cannot travel (a cycle, a BigInt, a throwing getter): the rest still tells what happened.
  }
}

module.exports = {
  coded,
  invalidType,
  invalidRange,
  shown,
  describe,
  errorToJson,
  firstFailure,
  reasonOf,
};
