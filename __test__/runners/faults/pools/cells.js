"use strict";
/**
 * The cells of the fault matrix with pools: every fault at every moment of a pool's worker, and its master killed at each of
 * them, each time with another variant of a pool. What a cell must come to is derived here. It runs nothing.
 */
const { FAULTS, MOMENTS, effectOf, errorOf } = require("../cells");
const { variantsFor } = require("./variants");

/**
 * @typedef {object} Moment
 * @property {string} [strikes] when the fault strikes, if that has another name: see `arm.js`
 * @property {boolean} [holds] the fault strikes an event
 * @property {boolean} [falls] a plain kill comes first, in an event
 */

/** Those of every worker, and those that only a pool has. @type {Record<string, Moment>} */
const POOL_MOMENTS = {
  ...Object.fromEntries(
    Object.entries(MOMENTS).map(([name, { holds }]) => [name, { holds: holds === "an event" }]),
  ),
  /** While the process starts that takes the place of one that was killed. */
  replacement: { falls: true },
  /** In the work that every worker runs. */
  each: {},
  /** In the work that is kept, in a replacement. */
  "kept work": { falls: true },
  /** In an event, while the pool grows or shrinks. */
  resize: { strikes: "run", holds: true },
  /** In an event, while the pool closes. */
  close: { strikes: "run", holds: true },
  /** In an event, while the pool is closed by a signal, which does not wait for events. */
  "close by signal": { strikes: "run", holds: true },
  /** In an event, in the only worker with a tag, which cannot be started again. */
  "given up": { strikes: "run", holds: true },
};

/** What becomes of the worker whose master is dead: it goes on, or would for ever. */
const MASTER_FAULTS = {
  "kills the master": { kind: "orphans" },
  "kills the master and loops": { kind: "orphans" },
  "kills the master and stops": { kind: "orphans" },
};

const POOL_FAULTS = { ...FAULTS, ...MASTER_FAULTS };

const isInStage = (moment) =>
  ["each", "kept work", "resize", "close", "close by signal", "given up"].includes(moment);

/** What the fault comes to: what it would in an event or while the process starts. */
function poolEffectOf(fault, moment) {
  if (fault in MASTER_FAULTS) return { kind: "orphans" };
  return effectOf(
    fault,
    isInStage(moment) ? "run" : moment === "replacement" ? "at start" : moment,
  );
}

/** Whether the pool takes nothing more in when the fault strikes. */
const isClosing = (moment) => moment === "close" || moment === "close by signal";

/** What cannot be. */
function isCell({ fault, moment }) {
  const { kind } = poolEffectOf(fault, moment);
  // A worker whose event throws is not given up; and a released worker outlives its master for as long as it likes.
  if (moment === "given up") return kind !== "raises" && kind !== "orphans";
  if (moment === "close by signal") return kind !== "orphans";
  return moment !== "shutdown" || kind !== "orphans" || fault === "kills the master";
}

/** A replacement that hangs while it starts. */
const isLate = ({ fault, moment }) =>
  moment === "replacement" && POOL_FAULTS[fault].kind === "hangs";

/** Which variants of a pool a moment can be tried with. */
function fits({ fault, moment, tag, key }) {
  // The number of workers of groups stays as it is, and only those have tags.
  if (moment === "resize") return tag === "none";
  // Untagged events need a worker that is not exclusive.
  if (moment === "given up") return tag === "b";
  if (isLate({ fault, moment })) return tag !== "a";
  // What waits for the worker of its key in vain waits for ever.
  if (moment === "idle" && POOL_FAULTS[fault].kind === "hangs") return key === "none";
  return true;
}

/** The limits without which a worker may hang for as long as it likes. */
function limitsOf({ fault, moment }) {
  const { kind } = POOL_FAULTS[fault];
  const hangs = kind === "hangs";
  if (moment === "shutdown" && (hangs || fault === "closes its socket"))
    return { pool: { shutdownGrace: 500 } };
  if (moment === "idle" && hangs)
    return { pool: fault === "SIGSTOP" ? { heartbeatTimeout: 1000 } : { shutdownGrace: 500 } };
  // What still runs then is to be cut off soon.
  if (moment === "close by signal") return { pool: { abortGrace: 200 } };
  if (!hangs) return {};
  if (moment === "each" || moment === "kept work") return { each: { taskTimeout: 1000 } };
  return POOL_MOMENTS[moment].holds ? { call: { taskTimeout: 1000 } } : {};
}

/**
 * @typedef {object} Expected
 * @property {string} [rejects] the code that `createPool` rejects with, instead of all that follows
 * @property {boolean} [orphans] the master is killed: nothing is reported, and nothing may be left
 * @property {{ code?: string, message?: string }} [each] what `each` rejects with
 * @property {boolean} ends the fault ends its worker while the pool serves
 * @property {boolean} struck the fault takes its event with it
 * @property {any} victim the error of that event
 * @property {any} others the error of those that ran beside it
 * @property {boolean} isLeft the worker hangs until the pool is closed
 * @property {number} deaths how many workers died at work
 * @property {boolean} [fails] events fail
 * @property {boolean} [replaces] another process takes the worker's place
 */

/** @returns {Expected} */
function expectedOf({ fault, moment, form, limits }) {
  const effect = poolEffectOf(fault, moment);
  const { holds = false, falls = false } = POOL_MOMENTS[moment];
  const isEarly = moment === "at start" || moment === "handshake";
  const shape = { ends: false, struck: false, victim: undefined, others: undefined, isLeft: false };
  if (effect.kind === "orphans") return { ...shape, orphans: true, deaths: 0 };
  if (effect.kind === "hangs" && isEarly) {
    const rejects = moment === "at start" ? "ERR_SONIC_WORKER_START" : "ERR_SONIC_CALL_UNREACHABLE";
    return { ...shape, rejects, deaths: 0 };
  }
  if (form === "file" && isWhileLoading(fault, moment))
    return { ...shape, rejects: "ERR_SONIC_WORKER_FILE", deaths: 0 };
  const killed = { code: "ERR_SONIC_WORKER_EXIT", signal: "^SIGKILL$" };
  const isLeft = effect.kind === "hangs" && moment === "idle" && !limits.pool?.heartbeatTimeout;
  const dies = effect.kind !== "raises" && moment !== "shutdown" && !isLeft;
  const isAnswered = moment === "answer half written" && comesLater(fault);
  const error = told(errorOf(effect));
  return {
    ...shape,
    isLeft,
    ends: dies,
    struck: falls || (holds && !isAnswered),
    victim: falls ? killed : error,
    others: falls || effect.kind === "hangs" ? killed : error,
    each:
      moment === "each" && (effect.kind === "raises" || effect.kind === "hangs")
        ? error
        : undefined,
    deaths: deathsOf({ fault, moment, effect, dies }),
  };
}

/** An error in a worker file, or the end of it, is an error of the file: see `serveFile` in lib/worker/file.js. */
function isWhileLoading(fault, moment) {
  const isHeard = ["throw", "exit 0", "exit 7"].includes(fault) || comesLater(fault);
  return moment === "handshake" ? isHeard : moment === "at start" && comesLater(fault);
}

/** How many workers have died at work, as the pool counts them. */
function deathsOf({ fault, moment, effect, dies }) {
  const { holds = false, falls = false } = POOL_MOMENTS[moment];
  const isAtWork = holds || moment === "each" || moment === "kept work";
  // One that leaves with nothing to do is free to.
  const counts = dies && (isAtWork || fault !== "exit 0");
  const isReplaced = moment === "kept work" && effect.kind === "raises";
  return (counts || isReplaced ? 1 : 0) + (falls ? 1 : 0) + (moment === "given up" ? 3 : 0);
}

/** Raised while an answer is written, it comes when that is sent. */
const comesLater = (fault) => fault === "reject" || fault === "uncaught on next tick";

/** A cell travels as JSON. @param {any} error @returns {any} */
const told = ({ signal, ...error }) => ({ ...error, ...(signal && { signal: signal.source }) });

/** The cells, or every `step`th of them. */
function poolCells(step = 1) {
  const places = Object.keys(POOL_FAULTS)
    .flatMap((fault) => Object.keys(POOL_MOMENTS).map((moment) => ({ fault, moment })))
    .filter(isCell);
  return variantsFor(places, fits)
    .map(cellOf)
    .filter((_, at) => at % step === 0);
}

/** Until when the other events keep their places. */
function releaseOf(moment) {
  // Otherwise all might have ended before the signal.
  if (moment === "close by signal") return "never";
  const { holds, falls } = POOL_MOMENTS[moment];
  return holds || falls ? "struck" : "go";
}

function cellOf(chosen, at) {
  const { moment } = chosen;
  const { strikes = moment, holds = false, falls = false } = POOL_MOMENTS[moment];
  const limits = limitsOf(chosen);
  const size = moment === "resize" ? [1, 3][at % 2] : undefined;
  // One that does not come up in time is not tried again.
  const startsLate = isLate(chosen);
  const givenUp = moment === "given up" || startsLate;
  const cell = {
    ...chosen,
    strikes,
    holds,
    falls,
    limits,
    release: releaseOf(chosen.moment),
    /** No process can take the worker's place any more. */
    breaks: moment === "given up",
    startsLate,
    givenUp,
    size,
    /** How many workers there are in the end. */
    workers: size ?? (givenUp ? 1 : 2),
  };
  const expected = expectedOf(cell);
  return { ...cell, expected: { ...expected, ...outcomeOf(cell, expected) } };
}
/**
 * What the table tells of a cell: whether events fail, and whether another process takes the worker's place.
 * @param {any} cell
 * @param {Expected} expected
 */
function outcomeOf({ moment, retries, givenUp, size, falls, holds }, { ends, struck, orphans }) {
  const costs = struck || (ends && holds);
  return {
    fails: costs && retries === "off",
    // The worker that leaves may be that one.
    replaces: (ends || falls) && !orphans && !givenUp && size !== 1 && !isClosing(moment),
  };
}

module.exports = { POOL_FAULTS, POOL_MOMENTS, poolCells };
