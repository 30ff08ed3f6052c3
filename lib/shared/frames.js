"use strict";
// The one reader of stack frames: V8's own, and those in a stack's text, with whose code each is. What is read never changes;
// what programs have set on `Error` is as before afterwards.

const { dirname, join, sep } = require("path");
const { fileURLToPath, pathToFileURL } = require("url");
const { HOME, isBundled } = require("./home");

/** @typedef {"program" | "package" | "node"} Origin */
/** @typedef {{ text: string, place: string, origin: Origin, isAsync: boolean }} Frame */

/** Node before 16 writes its own files as `internal/timers.js`. */
const HAS_SCHEME = Number(process.versions.node.split(".")[0]) >= 16;

const OF_NODE = /^(?:node:|internal\/|<anonymous>|native$|index \d+$)/;
const OF_OLD_NODE = /^[a-z_][\w/]*\.js(?::\d|$)/;

/** How the places of this package's own code begin. A bundle has none: the program's code is in the same file. */
const OWN = isBundled
  ? []
  : [`${HOME}${sep}`, join(dirname(HOME), "index.js"), join(dirname(HOME), "native.js")];

/** The same as ES modules have them. @type {string[] | undefined} */
let ownUrls;

/** Whose code it is. @param {string} place a file, or what stands in a frame's brackets @returns {Origin} */
function originOf(place) {
  if (OF_NODE.test(place) || (!HAS_SCHEME && OF_OLD_NODE.test(place))) return "node";
  if (place.startsWith("file:")) {
    if (ownUrls === undefined) ownUrls = OWN.map((own) => pathToFileURL(own).href);
    return ownUrls.some((own) => place.startsWith(own)) ? "package" : "program";
  }
  return OWN.some((own) => place.startsWith(own)) ? "package" : "program";
}

/**
 * A stack in two: what was thrown, and the frames. There are none in a stack that was formatted another way.
 * @param {string} stack
 * @param {unknown} [message] which may have lines that look like frames
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
    frames.push({ text, place, origin: originOf(place), isAsync: isAsync !== undefined });
  }
  return { header: stack.slice(0, from + first), frames };
}

/**
 * The frames of the code that runs, as V8 has them: none where a program has frozen `Error`.
 * @param {Function} below the innermost function that is left out
 * @param {number} most
 * @returns {NodeJS.CallSite[]}
 */
function callSitesBelow(below, most) {
  /** @type {unknown} */
  let sites;
  try {
    withFormat(
      (_, sites) => sites,
      () => {
        sites = stackBelow(below, most);
      },
    );
  } catch (_) {
    // As nothing can be read.
  }
  return Array.isArray(sites) ? sites : [];
}

/**
 * The stack of the code that runs, as errors have it here.
 * @param {Function} below the innermost function that is left out
 * @param {number} most frames
 */
function stackBelow(below, most) {
  const { stackTraceLimit } = Error;
  /** @type {{ stack?: unknown }} */
  const holder = {};
  try {
    Error.stackTraceLimit = most;
    Error.captureStackTrace(holder, below);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return holder.stack;
}

/**
 * Has V8 format stacks by `format` while `read` runs. Throws if that cannot be done.
 * @param {(error: Error, sites: NodeJS.CallSite[]) => unknown} format
 * @param {() => void} read
 */
function withFormat(format, read) {
  const before = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  const now = { value: format, configurable: true, writable: true };
  Object.defineProperty(Error, "prepareStackTrace", now);
  try {
    read();
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", before);
  }
}

/**
 * The file of V8's frame, or the name of code that has none. Undefined for Node's own.
 * @param {any} site
 * @returns {string | undefined}
 */
function fileOf(site) {
  const name = site.getFileName() || site.getScriptNameOrSourceURL() || site.getEvalOrigin();
  return typeof name !== "string" || originOf(name) === "node" ? undefined : pathOf(name);
}

/**
 * A file's path, also where it is a module's URL: a query makes that another module, and not another file.
 * @param {string} name with or without a line and a column
 * @returns {string | undefined}
 */
function pathOf(name) {
  if (!name.startsWith("file:")) return name;
  const [, url, position] = /** @type {string[]} */ (
    /^([^?#]*?)(?:[?#].*?)?((?::\d+){0,2})$/.exec(name)
  );
  try {
    return fileURLToPath(url) + position;
  } catch (_) {
    return undefined;
  }
}

module.exports = { callSitesBelow, fileOf, originOf, parse, pathOf, stackBelow, withFormat };
