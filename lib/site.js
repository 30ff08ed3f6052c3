"use strict";
// Where in the program a call stands: the file, line and column of the statement that makes it, and the functions that
// led there. Positions are those of the code that V8 runs: a source map would give the same answer later.

const path = require("path");
const { fileURLToPath } = require("url");
const { HOME, isBundled } = require("./home");
const { Set } = require("./primordials");

/** The most frames that are read: a helper, and whoever calls it, is rarely deeper. */
const FRAMES = 200;

/** This package's own files; a bundle has them in the program's. */
const OWN = isBundled ? [] : [HOME + path.sep, path.join(HOME, "..", "index.js")];

/** The methods of a worker that run an event's functions: whatever they have called stands in an event. */
const RUNS_EVENTS = new Set(["runEventStages", "finishEventStages"]);

/**
 * @typedef {object} Site
 * @property {string} at `file:line:column`, the file as it is seen from the main script
 * @property {string[]} callers the same for the functions that called there, innermost first: as far as they are still
 *   running, and no further than this package's own
 */

/** @typedef {{ site: Site | undefined, isInEvent: boolean }} Seen */

/**
 * Where the call of `below` stands, a function that is running. There is no site where stacks cannot be read.
 * @param {Function} below
 * @returns {Seen}
 */
function look(below) {
  const frames = framesBelow(below);
  const isInEvent = frames.some((frame) => RUNS_EVENTS.has(String(frame.getFunctionName())));
  const places = [];
  for (const frame of frames) {
    // Whether these are there depends on how the program was awaited, and not on which call it is.
    if (isAsync(frame)) break;
    const file = fileOf(frame);
    if (file === undefined) continue;
    if (OWN.some((own) => file.startsWith(own))) break;
    places.push(`${fromScript(file)}:${frame.getLineNumber()}:${frame.getColumnNumber()}`);
  }
  const [at, ...callers] = places;
  return { site: at === undefined ? undefined : { at, callers }, isInEvent };
}

/**
 * @param {Function} below
 * @returns {NodeJS.CallSite[]}
 */
function framesBelow(below) {
  const { stackTraceLimit } = Error;
  const prepare = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  try {
    /** @type {{ stack?: any }} */
    const holder = {};
    Error.stackTraceLimit = FRAMES;
    Object.defineProperty(Error, "prepareStackTrace", {
      value: (/** @type {unknown} */ _, /** @type {NodeJS.CallSite[]} */ frames) => frames,
      configurable: true,
      writable: true,
    });
    Error.captureStackTrace(holder, below);
    return Array.isArray(holder.stack) ? holder.stack : [];
  } catch (_) {
    // A program may have frozen `Error`.
    return [];
  } finally {
    restore(stackTraceLimit, prepare);
  }
}

/**
 * @param {number} stackTraceLimit
 * @param {PropertyDescriptor | undefined} prepare
 */
function restore(stackTraceLimit, prepare) {
  try {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepare === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", prepare);
  } catch (_) {
    // What cannot be written was not.
  }
}

/** @param {any} frame Node's types leave this out */
const isAsync = (frame) => Boolean(frame.isAsync?.());

/**
 * The file of a frame, if it is the program's: Node's own frames and code without a file tell nothing.
 * @param {NodeJS.CallSite} frame
 */
function fileOf(frame) {
  const name = frame.getFileName();
  if (typeof name !== "string" || /^(node:|internal\/)/.test(name)) return undefined;
  if (!name.startsWith("file:")) return path.isAbsolute(name) ? name : undefined;
  try {
    // A query or a fragment makes a module another one, and not its file.
    return fileURLToPath(name.replace(/[?#].*$/, ""));
  } catch (_) {
    return undefined;
  }
}

/** @param {string} file */
function fromScript(file) {
  const script = process.argv[1];
  if (typeof script !== "string" || !path.isAbsolute(script)) return file;
  return path.relative(path.dirname(script), file).split(path.sep).join("/");
}

module.exports = { look };
