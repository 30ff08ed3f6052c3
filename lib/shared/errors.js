"use strict";
// This package's errors, each with a code, and the errors of failed events made from the plain objects that travelled
// (lib/shared/thrown.js).

const { JSON, Map } = require("./primordials");
const { cut, describe } = require("./describe");
const { hasOwn } = require("./own");

/** The most bytes of a value that an error message names. */
const MOST_SHOWN = 1024;

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

/** `value` as an error message names it. @param {unknown} value */
function shown(value) {
  if (typeof value === "string") return JSON.stringify(cut(value, MOST_SHOWN));
  if (typeof value === "function") return `function ${nameOf(value)}`;
  if (value === null || typeof value !== "object") return cut(describe(value), MOST_SHOWN);
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
  } catch (_) {
    // A revoked proxy.
  }
  return "an object";
}

/** @param {Function} value */
function nameOf(value) {
  try {
    return cut(value.name, MOST_SHOWN) || "(anonymous)";
  } catch (_) {
    return "(anonymous)";
  }
}

/**
 * The rejection of a call that one failed event has stopped: that event's error as an `Error`, whose `cause` is the entry of
 * the failed queue.
 * @param {any} entry
 * @param {Classes} [classes] the program's
 */
function firstFailure(entry, classes = NO_CLASSES) {
  const { error } = Object(entry);
  const failure = isPlainError(error)
    ? asError(error, classes)
    : new Error("a worker sent a failure of its own");
  if (!("code" in failure)) define(failure, "code", "ERR_SONIC_EVENT_FAILED");
  define(failure, "cause", entry);
  hide(failure, "cause");
  return failure;
}

/** Properties that are not enumerable in an error. */
const HIDDEN = ["name", "message", "stack", "cause", "errors"];

/** The language's own classes. @type {Record<string, ErrorConstructor>} */
const CLASSES = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** A program's own classes of errors, by their names. @typedef {globalThis.Map<string, Function>} Classes */

/** @type {Classes} */
const NO_CLASSES = new Map();

/** The property in which the class of an error travels that does not have its name. */
const CLASS = "…class";

/**
 * An `Error` from the plain object that travelled, with the errors in it, of its class if that is the language's own or one of these.
 * @param {any} plain
 * @param {Classes} [classes]
 */
function asError(plain, classes = NO_CLASSES) {
  const { [CLASS]: className = plain.name, ...properties } = plain;
  const Class = hasOwn(CLASSES, plain.name) ? CLASSES[plain.name] : Error;
  const error = new Class(plain.message);
  const own = classes.get(className);
  // Its constructor may want anything, and do anything.
  if (own !== undefined) Object.setPrototypeOf(error, own.prototype);
  for (const key of Object.keys(properties)) define(error, key, revived(properties[key], classes));
  for (const key of HIDDEN) hide(error, key);
  return error;
}

/** @param {any} value @param {Classes} classes @returns {unknown} */
function revived(value, classes) {
  if (isPlainError(value)) return asError(value, classes);
  const hasErrors = Array.isArray(value) && value.some(isPlainError);
  return hasErrors ? value.map((one) => revived(one, classes)) : value;
}

/** Whether it is an error that travelled. @param {any} value */
const isPlainError = (value) =>
  value !== null &&
  typeof value === "object" &&
  [value.name, value.message, value.stack].every((text) => typeof text === "string");

/** @param {object} object @param {string} key @param {unknown} value */
function define(object, key, value) {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** @param {object} object @param {string} key */
function hide(object, key) {
  if (key in object) Object.defineProperty(object, key, { enumerable: false });
}

/** Why a signal was aborted. Node before 17.2 has no reason. @param {any} signal */
function reasonOf(signal) {
  const { reason } = signal;
  if (reason !== undefined) return reason;
  const error = coded(Error, "ABORT_ERR", "the run was aborted");
  define(error, "name", "AbortError");
  hide(error, "name");
  return error;
}

module.exports = {
  CLASS,
  asError,
  coded,
  invalidType,
  invalidRange,
  shown,
  firstFailure,
  reasonOf,
};
