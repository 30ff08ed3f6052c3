"use strict";
// The errors of locks and of what else is shared: those that the Web Locks specification names, and those that the core tells of.

const { asError, coded } = require("../errors");
const { DOMException } = require("../primordials");

/** The codes that a DOMException has by its name. @type {Record<string, number>} */
const CODES = { AbortError: 20, NotSupportedError: 9 };

/** @param {"AbortError" | "NotSupportedError"} name @param {string} message @returns {Error} */
function domError(name, message) {
  if (DOMException !== undefined) return new DOMException(message, name);
  const error = new Error(message);
  for (const [key, value] of Object.entries({ name, code: CODES[name] })) {
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  }
  return error;
}

/** @param {string} message */
const aborted = (message) => domError("AbortError", message);

/** @param {string} message */
const notSupported = (message) => domError("NotSupportedError", message);

/** What a question rejects with. @param {{ name: string, code: string, message: string }} told */
function failureOf({ name, code, message }) {
  if (name === "AbortError" || name === "NotSupportedError") return domError(name, message);
  return asError({ name, message, code });
}

/** The other side of the port does not keep to what was agreed. @param {string} what */
const broken = (what) =>
  coded(Error, "ERR_SONIC_PROTOCOL", `the process that keeps the locks sent ${what}`);

module.exports = { aborted, broken, failureOf, notSupported };
