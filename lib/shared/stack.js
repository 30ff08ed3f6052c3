"use strict";
// Stacks as the program's author reads them: the program's own frames, without those of this package and those of Node
// that only lead there. Never changes a stack that was formatted another way.

const { types } = require("util");
const { LONG_TEXT, MOST_TEXT, attempt, cut, isText, mark } = require("./describe");
const { parse, withFormat } = require("./frames");
const { variable } = require("./own");

/** @typedef {import("./frames").Frame} Frame */

/** The frames up to the program's last one, without this package's. @param {Frame[]} frames */
function programFrames(frames) {
  const kept = frames.filter(({ origin }) => origin !== "package");
  while (kept.length > 0 && kept[kept.length - 1].origin !== "program") kept.pop();
  return kept;
}

/** @param {string} header @param {Frame[]} frames */
const joined = (header, frames) => [header, ...frames.map(({ text }) => text)].join("\n");

/** The stack of something that the program threw, with its own frames alone. @param {string} stack @param {unknown} message */
function programStack(stack, message) {
  const { header, frames } = parse(stack, message);
  return joined(header, programFrames(frames));
}

/**
 * Where the program makes a call: kept until the call ends, and formatted only if it fails.
 * @param {Function} called the function of this package that the program has called
 * @returns {{ stack?: unknown }}
 */
function siteOf(called) {
  const site = {};
  Error.captureStackTrace(site, called);
  return site;
}

/**
 * Has an error that this package made point at the program's line. One of the program's own stays as it is.
 * @template Thrown
 * @param {Thrown} error
 * @param {{ stack?: unknown } | undefined} site where the call was made; undefined if that is not known any more
 * @returns {Thrown} the error
 */
function pointAt(error, site) {
  if (site === undefined) return error;
  try {
    const { stack, message } = Object(error);
    if (typeof stack !== "string") return error;
    const { header, frames } = parse(stack, message);
    // Made by this package, or by a function of the language that this package called.
    const maker = frames.find(({ origin }) => origin !== "node");
    if (maker === undefined || maker.origin !== "package" || maker.isAsync) return error;
    const called = typeof site.stack === "string" ? parse(site.stack).frames : [];
    const first = called.findIndex(({ origin }) => origin === "program");
    if (first < 0) return error;
    const value = joined(header, programFrames(called.slice(first)));
    Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  } catch (_) {
    // The error is what counts, and it is whole.
  }
  return error;
}

/**
 * @param {any} error
 * @param {{ stack: unknown, message: string } | undefined} short the same with a message that was cut
 * @returns {unknown}
 */
function stackOf(error, short) {
  // V8 writes them into the stack when that is read first, whatever they are and however long that takes.
  if (!isText(error.name) || !isText(error.message)) return undefined;
  const { stack, message } = short || error;
  if (typeof stack !== "string") return undefined;
  return stack.length > LONG_TEXT
    ? programStack(cut(stack, MOST_TEXT), undefined)
    : programStack(stack, message);
}

/**
 * The stack of an error as if its message were short: V8 would have to put a very long one together twice to give
 * out the end of the stack. The error's own stack becomes what it would have been. Undefined where that cannot be
 * done, because somebody has read the stack already or formats it otherwise, or need not be.
 * @param {any} error
 */
function stackOfLong(error) {
  const isLong = attempt(() => isText(error.message) && error.message.length > LONG_TEXT, false);
  if (!isLong || !types.isNativeError(error)) return undefined;
  const own = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  const format = own?.value || (hasSourceMaps() ? undefined : formatStack);
  if (typeof format !== "function") return undefined;
  /** @type {{ stack: unknown, message: string } | undefined} */
  let short;
  const formatBoth = (/** @type {Error} */ made, /** @type {NodeJS.CallSite[]} */ sites) => {
    if (made === error) {
      const message = mark(`${made.message.length} characters`);
      const other = Object.create(made, { message: { value: message } });
      short = { stack: Reflect.apply(format, Error, [other, sites]), message };
    }
    return Reflect.apply(format, Error, [made, sites]);
  };
  // It may have a getter of its own, or the class may be frozen.
  attempt(() => withFormat(formatBoth, () => void error.stack), undefined);
  return short;
}

/** As V8 does it. @param {Error} error @param {NodeJS.CallSite[]} sites */
const formatStack = (error, sites) => `${error}${sites.map((site) => `\n    at ${site}`).join("")}`;

/** Whether Node formats stacks by source maps. */
function hasSourceMaps() {
  if (process.sourceMapsEnabled) return true;
  const options = [...process.execArgv, variable("NODE_OPTIONS")].join(" ");
  return /--enable[-_]source[-_]maps/.test(options);
}

module.exports = { pointAt, siteOf, stackOf, stackOfLong };
