"use strict";
/**
 * The cells of the fault matrix: every fault at every moment, with both ways to encode values, with and without retries.
 * What a cell must come to is derived here, from what kind of fault it is and what the worker does at that moment; no cell
 * is listed by hand. It runs nothing.
 */

/** Where the fault strikes, and what of an event the worker has then. */
const MOMENTS = {
  "at start": { holds: "nothing" },
  handshake: { holds: "nothing" },
  "event decode": { holds: "an event" },
  run: { holds: "an event" },
  "answer half written": { holds: "an event" },
  idle: { holds: "nothing" },
  shutdown: { holds: "nothing" },
};

/**
 * What a fault does to its worker: `raises` an error in JavaScript; `dies` in a way that the error names; `hangs` for ever;
 * or `breaks` the protocol, and hangs: then the master has to end it.
 */
const FAULTS = {
  throw: { kind: "raises" },
  reject: { kind: "raises" },
  "exit 0": { kind: "dies", exitCode: 0 },
  "exit 7": { kind: "dies", exitCode: 7 },
  SIGKILL: { kind: "dies", signal: /^SIGKILL$/ },
  SIGSEGV: { kind: "dies", signal: /^SIGSEGV$/ },
  // V8 traps or aborts, by its version.
  "out of memory": { kind: "dies", signal: /^SIG(ABRT|TRAP|ILL)$/ },
  SIGSTOP: { kind: "hangs" },
  "endless loop": { kind: "hangs" },
  "uncaught on next tick": { kind: "dies", exitCode: 1 },
  "closes its socket": { kind: "breaks" },
  "garbage frame": { kind: "breaks" },
  "half a frame": { kind: "breaks" },
};

/** JavaScript that nobody calls for an event: what it raises is uncaught, and ends the worker with code 1. */
const isCaught = (fault, moment) =>
  moment === "run" || (fault === "throw" && moment === "answer half written");

/** Raised where nobody waits for it, it comes when the code that runs has come to its end. */
const comesLater = (fault, moment) =>
  fault === "uncaught on next tick" || (fault === "reject" && !isCaught(fault, moment));

/**
 * @typedef {object} Expected
 * @property {string} [rejects] the code of the error that the call rejects with, instead of all that follows
 * @property {{ code?: string, message?: string, exitCode?: number, signal?: RegExp }} [fails] the error of the event that
 *   the fault struck; none: it is answered like all others
 * @property {boolean} [replaces] whether another process takes the worker's place
 * @property {number} [processes] how many processes come to the call
 * @property {boolean} [meets] whether two workers are there for the last two events
 */

/** @returns {Expected} */
function expectedOf({ fault, moment, retries, limits }) {
  const effect = effectOf(fault, moment);
  const isEarly = moment === "at start" || moment === "handshake";
  // Nothing is known of a worker that hangs before it has loaded the package.
  if (effect.kind === "hangs" && moment === "at start")
    return { rejects: "ERR_SONIC_WORKER_START" };
  if (effect.kind === "hangs" && isEarly) return { rejects: "ERR_SONIC_CALL_UNREACHABLE" };
  const ends = effect.kind !== "raises" && moment !== "shutdown";
  const isLeft = effect.kind === "hangs" && moment === "idle" && !limits.heartbeatTimeout;
  const replaces = ends && !isLeft;
  // One that ends before it comes to the call is not counted.
  const comes = !isEarly || comesLater(fault, moment);
  const shape = { replaces, processes: replaces && comes ? 3 : 2, meets: !isLeft };
  const isAnswered = moment === "answer half written" && comesLater(fault, moment);
  const struck = MOMENTS[moment].holds === "an event" && !isAnswered;
  return struck && retries === "off" ? { ...shape, fails: errorOf(effect) } : shape;
}

/** What the fault comes to at that moment: a kind, and how the worker ends. */
function effectOf(fault, moment) {
  const { kind, ...end } = FAULTS[fault];
  if (kind === "raises" && !isCaught(fault, moment)) return { kind: "dies", exitCode: 1 };
  return { kind, ...end };
}

function errorOf({ kind, exitCode, signal }) {
  if (kind === "raises") return { message: "the fault" };
  if (kind === "hangs") return { code: "ERR_SONIC_TASK_TIMEOUT" };
  if (kind === "breaks") return { code: "ERR_SONIC_WORKER_EXIT", signal: /^SIGKILL$/ };
  return { code: "ERR_SONIC_WORKER_EXIT", exitCode, signal };
}

/** The limits without which a worker may hang for as long as it likes: only cells that need one have it. */
function limitsOf({ fault, moment }) {
  const { kind } = FAULTS[fault];
  // A worker that was let go may close its socket and take its time; one that is idle concerns nobody until then.
  if (moment === "shutdown" && (kind === "hangs" || fault === "closes its socket")) {
    return { shutdownGrace: 500 };
  }
  if (moment === "idle" && kind === "hangs") {
    return fault === "SIGSTOP" ? { heartbeatTimeout: 1000 } : { shutdownGrace: 500 };
  }
  return kind === "hangs" && MOMENTS[moment].holds === "an event" ? { taskTimeout: 1000 } : {};
}

/** How a fault is tried at a moment; next to each other are those that differ in one thing. */
const VARIANTS = [
  { serialization: "json", retries: "off" },
  { serialization: "json", retries: "on" },
  { serialization: "advanced", retries: "on" },
  { serialization: "advanced", retries: "off" },
];

/** Every fault at every moment, each variant; or every `step`th variant, beginning with another one each time. */
function cells(step = 1) {
  const all = [];
  for (const fault of Object.keys(FAULTS)) {
    for (const moment of Object.keys(MOMENTS)) {
      const begin = (all.length / (VARIANTS.length / step)) % step;
      const variants = VARIANTS.filter((_, at) => at % step === begin);
      all.push(...variants.map((variant) => ({ fault, moment, ...variant })));
    }
  }
  for (const cell of all) {
    cell.limits = limitsOf(cell);
    cell.expected = expectedOf(cell);
  }
  return all;
}

module.exports = { FAULTS, MOMENTS, cells, effectOf, errorOf };
