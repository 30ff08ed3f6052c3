"use strict";
// Makes what a call of a pool rejects with of what an entry tells of the failed event: the error, with the worker's stack and the
// caller's below it.

const { asError } = require("../shared/errors");
const { parse } = require("../shared/frames");
const { hasOwn } = require("../shared/own");

/** @typedef {{ work: string | string[], data: any, attempts: number, worker: number, pid: number | undefined }} Task */

/**
 * @param {any} told
 * @param {Task} task the event
 * @param {{ stack?: unknown } | undefined} site where the program made the call, if that is known
 * @param {import("../shared/errors").Classes} classes the program's
 */
function revive(told, task, site, classes) {
  const { name = "Error", message = "", stack = `${name}: ${message}` } = Object(told);
  const error = asError({ ...Object(told), name, message }, classes);
  hide(error, "stack", [stack, ...callers(site)].join("\n"));
  hide(error, "task", task);
  return error;
}

/**
 * The same of an error that no event has failed by: another process has made it, so its stack is the caller's.
 * @param {any} told
 * @param {{ stack?: unknown } | undefined} site
 * @param {import("../shared/errors").Classes} classes
 */
function reviveOther(told, site, classes) {
  const { name = "Error", message = "" } = Object(told);
  // A reason to abort may be anything.
  if (name === "NonError" && hasOwn(told, "thrown")) return told.thrown;
  const error = asError({ ...Object(told), name, message }, classes);
  hide(error, "stack", [`${name}: ${message}`, ...callers(site)].join("\n"));
  return error;
}

/** The program's own frames. @param {{ stack?: unknown } | undefined} site */
function callers(site) {
  const { frames } = typeof site?.stack === "string" ? parse(site.stack) : { frames: [] };
  return frames.filter(({ origin }) => origin === "program").map(({ text }) => text);
}

/** A property that is not listed: data may be large. @param {any} error @param {string} name @param {unknown} value */
const hide = (error, name, value) =>
  Object.defineProperty(error, name, { value, configurable: true, writable: true });

module.exports = { revive, reviveOther };
