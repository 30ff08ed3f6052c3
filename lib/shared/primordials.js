"use strict";
// The globals that this package needs, as they were when it was loaded. Programs replace them later: fake timers and frozen clocks
// in tests, other promises, polyfills. So every file of lib/ takes them from here, except `console`, which programs patch on purpose.

const {
  AbortController,
  Buffer,
  DOMException,
  Date,
  Map,
  Promise,
  Set,
  WeakMap,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
} = globalThis;
const { now } = Date;
const { nextTick } = process;

/** Its functions, because programs replace one of them and leave the object. */
const { parse, stringify } = globalThis.JSON;
const JSON = { parse, stringify };

/** The time, as a log line has it. */
const timestamp = () => new Date(now()).toISOString();

module.exports = {
  /** Node 14 has none. @type {typeof globalThis.AbortController | undefined} */
  AbortController,
  Buffer,
  /** Node before 17 has none. @type {typeof globalThis.DOMException | undefined} */
  DOMException,
  Date,
  JSON,
  Map,
  Promise,
  Set,
  WeakMap,
  clearInterval,
  clearTimeout,
  nextTick,
  now,
  setImmediate,
  setInterval,
  setTimeout,
  timestamp,
};
