"use strict";
// Tells the master where the program ends its own worker: `process.exit`, `process.abort`, or a signal that it sends
// to itself. These functions do what they always do.

const { fileURLToPath } = require("url");
const { reasonToExit } = require("./host");
const { originOf } = require("./stack");

/** Frames that a stack has at most here: the program's own is near the top. */
const FRAMES = 50;

/** What ends a process that does not listen for it. */
const DEADLY = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGKILL", "SIGSEGV", "SIGTERM"];

/** @param {import("./worker").Self} self */
function reportExits({ native, handle }) {
  /** @param {string} call */
  const tell = (call) => {
    try {
      const frames = stack();
      // Node's own end of a worker whose channel has closed.
      if (frames.some((frame) => /internal\/cluster\//.test(frame))) return;
      const where = programsFrame(frames);
      const at = where === undefined ? "" : ` at ${where}${reasonToExit(where)}`;
      native.workerExiting(handle, call + at);
    } catch (_) {
      // The process ends anyway; its exit code still tells.
    }
  };
  // `process.exit` comes to this after the listeners for `exit`, which may change the code.
  observe("reallyExit", (code) => tell(`process.exit(${code})`));
  observe("abort", () => tell("process.abort()"));
  observe("kill", (pid, signal = "SIGTERM") => {
    if (Number(pid) !== process.pid) return;
    const { signals } = require("os").constants;
    const name = DEADLY.find((one) => one === signal || Reflect.get(signals, one) === signal);
    if (name === undefined || process.listenerCount(name) > 0) return;
    tell(`process.kill(process.pid, "${name}")`);
  });
}

/**
 * Has `look` see the arguments of each call of a function of `process`.
 * @param {"reallyExit" | "abort" | "kill"} name
 * @param {(...args: any[]) => void} look
 */
function observe(name, look) {
  /** @type {any} */
  const { [name]: before } = process;
  if (typeof before !== "function") return;
  /**
   * @this {any}
   * @param {any[]} args
   */
  function observed(...args) {
    look(...args);
    return Reflect.apply(before, this, args);
  }
  for (const property of ["name", "length"]) {
    Object.defineProperty(observed, property, { value: before[property], configurable: true });
  }
  Reflect.set(process, name, observed);
}

/** The places of the frames of this thread's stack, innermost first. */
function stack() {
  const { stackTraceLimit } = Error;
  /** @type {{ stack?: unknown }} */
  const holder = {};
  try {
    Error.stackTraceLimit = FRAMES;
    Error.captureStackTrace(holder, stack);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const frames = String(holder.stack).split("\n").slice(1);
  return frames.map((frame) =>
    frame.replace(/^\s*at (?:.*? \((?=[^()]*\)$))?(?:async )?/, "").replace(/\)$/, ""),
  );
}

/**
 * The place of the innermost frame that is neither Node's nor this package's.
 * @param {string[]} frames
 */
function programsFrame(frames) {
  const places = frames.map((frame) => (frame.startsWith("file:") ? pathOf(frame) : frame));
  return places.find((place) => /:\d+:\d+$/.test(place) && originOf(place) === "program");
}

/** @param {string} url with a line and a column */
function pathOf(url) {
  const [, file, position] = /** @type {string[]} */ (/^(.*?)((?::\d+){0,2})$/.exec(url));
  return fileURLToPath(file) + position;
}

module.exports = { reportExits };
