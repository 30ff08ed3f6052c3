"use strict";
// Stacks as the program's author reads them: the program's own frames, without those of this package and those of
// Node that only lead there. Never changes a stack that somebody has formatted another way.

const { dirname, join, sep } = require("path");
const { pathToFileURL } = require("url");
const { HOME, isBundled } = require("./home");

/** @typedef {"program" | "package" | "node"} Origin */
/** @typedef {{ text: string, origin: Origin, isAsync: boolean }} Frame */

/** Node before 16 writes its own files as `internal/timers.js`. */
const HAS_SCHEME = Number(process.versions.node.split(".")[0]) >= 16;

const OF_NODE = /^(?:node:|internal\/|<anonymous>|native$|index \d+$)/;
const OF_OLD_NODE = /^[a-z_][\w/]*\.js:\d/;

/** @type {string[] | undefined} */
let ours;

/** How the places of this package's own code begin. A bundle has none: the program's code is in the same file. */
function ownPlaces() {
  if (ours !== undefined) return ours;
  ours = [];
  if (isBundled) return ours;
  const root = dirname(HOME);
  for (const file of [`${HOME}${sep}`, join(root, "index.js:"), join(root, "native.js:")]) {
    ours.push(file, pathToFileURL(file).href);
  }
  return ours;
}

/**
 * @param {string} place what stands in a frame's brackets
 * @returns {Origin}
 */
function originOf(place) {
  if (OF_NODE.test(place) || (!HAS_SCHEME && OF_OLD_NODE.test(place))) return "node";
  return ownPlaces().some((own) => place.startsWith(own)) ? "package" : "program";
}

/**
 * A stack in two: what was thrown, and the frames. There are none in a stack that was formatted another way.
 * @param {string} stack
 * @param {unknown} message which may have lines that look like frames
 * @returns {{ header: string, frames: Frame[] }}
 */
function parse(stack, message) {
  const at = typeof message === "string" ? stack.indexOf(message) : -1;
  const from = at < 0 ? 0 : at + /** @type {string} */ (message).length;
  const first = stack.slice(from).search(/\n {4}at /);
  if (first < 0) return { header: stack, frames: [] };
  /** @type {Frame[]} */
  const frames = [];
  for (const text of stack.slice(from + first + 1).split("\n")) {
    const [, isAsync, call] = /^ {4}at (async )?(.*)$/.exec(text) || [];
    if (call === undefined) {
      // Old versions of Node have a line of its own for where the source map leads.
      frames[frames.length - 1].text += `\n${text}`;
      continue;
    }
    const [, place] = / \((.*)\)$/.exec(call) || [undefined, call];
    frames.push({ text, origin: originOf(place), isAsync: isAsync !== undefined });
  }
  return { header: stack.slice(0, from + first), frames };
}

/**
 * The frames up to the program's last one, without this package's.
 * @param {Frame[]} frames
 */
function programFrames(frames) {
  const kept = frames.filter(({ origin }) => origin !== "package");
  while (kept.length > 0 && kept[kept.length - 1].origin !== "program") kept.pop();
  return kept;
}

/**
 * @param {string} header
 * @param {Frame[]} frames
 */
const joined = (header, frames) => [header, ...frames.map(({ text }) => text)].join("\n");

/**
 * The stack of something that the program threw, with its own frames alone.
 * @param {string} stack
 * @param {unknown} message
 */
function programStack(stack, message) {
  const { header, frames } = parse(stack, message);
  return joined(header, programFrames(frames));
}

/**
 * Where the program makes a call: kept until the call has come to its end, and formatted only if it fails.
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
    if (!isMadeHere(frames)) return error;
    const called = framesOf(site);
    const first = called.findIndex(({ origin }) => origin === "program");
    if (first < 0) return error;
    const value = joined(header, programFrames(called.slice(first)));
    Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  } catch (_) {
    // The error is what counts, and it is whole.
  }
  return error;
}

/** @param {{ stack?: unknown }} site */
const framesOf = ({ stack }) => (typeof stack === "string" ? parse(stack, undefined).frames : []);

/**
 * Whether an error was made by this package, or by a function of the language that this package called.
 * @param {Frame[]} frames
 */
function isMadeHere(frames) {
  const maker = frames.find(({ origin }) => origin !== "node");
  return maker !== undefined && maker.origin === "package" && !maker.isAsync;
}

module.exports = { originOf, pointAt, programStack, siteOf };
