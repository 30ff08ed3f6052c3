"use strict";
// Tells the master where the program ends its own worker: `process.exit`, `process.abort`, or a signal that it sends to
// itself. These functions do what they always do.

const { constants } = require("os");
const { parse, pathOf, stackBelow } = require("../shared/frames");
const { reasonToExit } = require("../shared/host");

/** Frames that are read at most: the program's own is near the top. */
const FRAMES = 50;

/** Signals that end a process which does not listen for them. */
const DEADLY = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGKILL", "SIGSEGV", "SIGTERM"];

/** @param {Pick<import("./runner").Self, "native" | "handle">} self */
function reportExits({ native, handle }) {
  /** @param {string} call */
  const tell = (call) => {
    try {
      const { frames } = parse(String(stackBelow(tell, FRAMES)));
      // Node's own end of a worker whose channel has closed.
      if (frames.some(({ place }) => /internal\/cluster\//.test(place))) return;
      const found = frames.find(
        ({ place, origin }) => origin === "program" && /:\d+:\d+$/.test(place),
      );
      const where = found && pathOf(found.place);
      native.workerExiting(handle, where ? `${call} at ${where}${reasonToExit(where)}` : call);
    } catch (_) {
      // The process ends anyway; its exit code still tells.
    }
  };
  // `process.exit` comes to this after the listeners for `exit`, which may change the code.
  observe("reallyExit", (code) => tell(`process.exit(${code})`));
  observe("abort", () => tell("process.abort()"));
  observe("kill", (pid, signal = "SIGTERM") => {
    if (Number(pid) !== process.pid) return;
    const isIt = (/** @type {string} */ name) =>
      name === signal || Reflect.get(constants.signals, name) === signal;
    const name = DEADLY.find(isIt);
    if (name === undefined || process.listenerCount(name) > 0) return;
    tell(`process.kill(process.pid, "${name}")`);
  });
}

/**
 * Shows `look` the arguments of each call of a function of `process`.
 * @param {"reallyExit" | "abort" | "kill"} name
 * @param {(...args: any[]) => void} look
 */
function observe(name, look) {
  /** @type {any} */
  const { [name]: before } = process;
  if (typeof before !== "function") return;
  /** @this {any} @param {any[]} args */
  function observed(...args) {
    look(...args);
    return Reflect.apply(before, this, args);
  }
  for (const property of ["name", "length"]) {
    Object.defineProperty(observed, property, { value: before[property], configurable: true });
  }
  Reflect.set(process, name, observed);
}

module.exports = { reportExits };
