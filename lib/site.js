"use strict";
// Where in the program a call stands: the file, line and column of the statement that makes it, and the functions that
// led there. Positions are those of the code that V8 runs: a source map would give the same answer later.

const path = require("path");
const { fileURLToPath } = require("url");
const { isInside } = require("./inside");
const { digest } = require("./digest");
const { HOME, isBundled } = require("./home");
const { Set } = require("./primordials");

/** The most frames that are read: a helper, and whoever calls it, is rarely deeper. */
const FRAMES = 200;

/** This package's own files; a bundle has them in the program's. */
const OWN = isBundled ? [] : [HOME + path.sep, path.join(HOME, "..", "index.js")];

/** The most callers that are told from each other; they travel to each worker in its environment. */
const MOST_CALLERS = 20;

/** The digits of a caller's digest. */
const DIGITS = 10;

/** Code of others, whose way to the program's may be another one in each process: a test runner's for example. */
const OTHERS = `${path.sep}node_modules${path.sep}`;

/** The methods of a worker that run an event's functions: whatever they have called stands in an event. */
const RUNS_EVENTS = new Set(["runEventStages", "finishEventStages"]);

/**
 * @typedef {object} Site
 * @property {string} at `file:line:column`, the file as it is seen from the main script
 * @property {string[]} callers digests of the same for the program's functions that called there, innermost first, as far
 *   as they are still running; none if this package has called them
 * @property {string} [from] the innermost of these as it is
 */

/** @typedef {{ site: Site | undefined, isInEvent: boolean }} Seen */

/**
 * Where the call of `below` stands, a function that is running. The site is undefined where stacks cannot be read.
 * @param {Function} below
 * @returns {Seen}
 */
function look(below) {
  const frames = framesBelow(below);
  const isInEvent =
    isInside() || frames.some((frame) => RUNS_EVENTS.has(String(frame.getFunctionName())));
  /** @type {string[]} */
  const places = [];
  let isCalledBack = false;
  for (const frame of frames) {
    // Whether these are there depends on how the program was awaited, and not on which call it is.
    if (isAsync(frame)) break;
    const file = fileOf(frame);
    if (file === undefined) continue;
    isCalledBack = OWN.some((own) => file.startsWith(own));
    if (isCalledBack) break;
    if (places.length > 0 && file.includes(OTHERS)) continue;
    places.push(`${fromScript(file)}:${frame.getLineNumber()}:${frame.getColumnNumber()}`);
  }
  const [at, ...callers] = places;
  if (at === undefined) return { site: undefined, isInEvent };
  if (isCalledBack) return { site: { at, callers: [] }, isInEvent };
  const digests = callers.slice(0, MOST_CALLERS).map(digestOf);
  return { site: { at, callers: digests, from: callers[0] }, isInEvent };
}

/** @param {string} place */
const digestOf = (place) => digest(place).slice(0, DIGITS);

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
 * The file of a frame, or the name of code that has none. Undefined for Node's own frames, which tell nothing.
 * @param {any} frame
 * @returns {string | undefined}
 */
function fileOf(frame) {
  const name = frame.getFileName() || frame.getScriptNameOrSourceURL() || frame.getEvalOrigin();
  if (typeof name !== "string" || /^(node:|internal\/)/.test(name)) return undefined;
  // Node before 16 names its own files so.
  if (/^[a-z_]+\.js$/.test(name)) return undefined;
  if (!name.startsWith("file:")) return name;
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
  if (typeof script !== "string" || !path.isAbsolute(script) || !path.isAbsolute(file)) return file;
  return path.relative(path.dirname(script), file).split(path.sep).join("/");
}

module.exports = { look };
