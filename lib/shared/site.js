"use strict";
// Where in the program a call stands: the file, line and column of the statement that makes it, the functions that led
// there, and whether an event's code makes it. Positions are those of the code that V8 runs: a source map would give the same
// answer later.

const { AsyncLocalStorage } = require("async_hooks");
const path = require("path");
const { digest } = require("./digest");
const { callSitesBelow, fileOf, originOf } = require("./frames");
const { Set } = require("./primordials");

/** The most frames that are read: a helper, and whoever calls it, is rarely deeper. */
const FRAMES = 200;

/** The most callers that are told from each other; they travel to each worker in its environment. */
const MOST_CALLERS = 20;

/** The digits of a caller's digest. */
const DIGITS = 10;

/** Code of others, whose way to the program's may be another one in each process: a test runner's for example. */
const OTHERS = `${path.sep}node_modules${path.sep}`;

/** The methods of a worker that run an event's functions: whatever they have called stands in an event. */
const RUNS_EVENTS = new Set(["runEventStages", "finishEventStages"]);

/**
 * Follows an event into what it waits for. Events that are answered at once cost nothing: workers follow only the first
 * that return a promise.
 * @type {AsyncLocalStorage<object>}
 */
const events = new AsyncLocalStorage();

/** Runs an event, which is whatever stands for it. @type {<Result>(run: () => Result, event: object) => Result} */
const inside = (run, event) => events.run(event, run);

/** The event that the code belongs to which runs now, if it is followed. @returns {any} */
const eventInside = () => events.getStore();

/** Follows no event any more. */
const stopFollowing = () => events.disable();

/**
 * @typedef {object} Site
 * @property {string} at `file:line:column`, the file as it is seen from the main script
 * @property {string[]} callers digests of the same for the program's functions that called there, innermost first, as far
 *   as they are still running; none if this package has called them
 * @property {string} [from] the innermost of these as it is
 */

/**
 * Where the call of `below` stands, a function that is running. The site is undefined where stacks cannot be read.
 * @param {Function} below
 * @returns {{ site: Site | undefined, isInEvent: boolean }}
 */
function look(below) {
  const frames = callSitesBelow(below, FRAMES);
  const isInEvent =
    events.getStore() !== undefined ||
    frames.some((frame) => RUNS_EVENTS.has(String(frame.getFunctionName())));
  /** @type {string[]} */
  const places = [];
  let isCalledBack = false;
  for (const frame of frames) {
    // Whether these are there depends on how the program was awaited, and not on which call it is.
    if (/** @type {any} */ (frame).isAsync?.()) break;
    const file = fileOf(frame);
    if (file === undefined) continue;
    isCalledBack = originOf(file) === "package";
    if (isCalledBack) break;
    if (places.length > 0 && file.includes(OTHERS)) continue;
    places.push(`${fromScript(file)}:${frame.getLineNumber()}:${frame.getColumnNumber()}`);
  }
  const [at, ...callers] = places;
  if (at === undefined) return { site: undefined, isInEvent };
  if (isCalledBack) return { site: { at, callers: [] }, isInEvent };
  const digests = callers.slice(0, MOST_CALLERS).map((place) => digest(place).slice(0, DIGITS));
  return { site: { at, callers: digests, from: callers[0] }, isInEvent };
}

/** @param {string} file */
function fromScript(file) {
  const script = process.argv[1];
  if (typeof script !== "string" || !path.isAbsolute(script) || !path.isAbsolute(file)) return file;
  return path.relative(path.dirname(script), file).split(path.sep).join("/");
}

module.exports = { eventInside, inside, look, stopFollowing };
