"use strict";
// What the core says has happened, told to the program in order: the events of Node's cluster, this package's log lines,
// and the ends of runs. Decides nothing about workers, which is the core's.

const { reduceHere } = require("./flow");
const { publish } = require("./diagnostics");
const primary = require("./cluster");
const cluster = require("../shared/cluster");
const { coded } = require("../shared/errors");
const { hintForThread } = require("../shared/host");
const { hint, log } = require("../shared/log");
const { JSON, Set, nextTick, setImmediate } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./pool").Pool>} Pool */
/** @typedef {import("./cluster").Worker} Worker */

/** Notes before which the answers that arrived with them are told. */
const ENDS = new Set([
  "leaving",
  "recycled",
  "disconnect",
  "exit",
  "removed",
  "retired",
  "stopped",
  "failed",
  "drained",
  "closed",
]);

/** What cannot be written, or read again, is one run's: the pool goes on. */
const OF_ONE_RUN = new Set(["ERR_SONIC_SPILL", "ERR_SONIC_CHECKPOINT"]);

/** What happened and was not told yet: an exception of a listener must not lose the rest. */
class Told {
  constructor() {
    /** @type {(() => void)[]} */
    this.waiting = [];
    this.isTelling = false;
  }

  /** @param {() => void} tell */
  add(tell) {
    this.waiting.push(tell);
  }

  /** Tells the program what happened. What a listener throws is uncaught, and the rest follows. */
  tell() {
    if (this.isTelling) return;
    this.isTelling = true;
    let at = 0;
    try {
      while (at < this.waiting.length) this.waiting[at++]();
    } finally {
      this.waiting.splice(0, at);
      this.isTelling = false;
      if (this.waiting.length > 0) setImmediate(() => this.tell());
    }
  }

  /** The same amid the program's own code, which must not get the exception. */
  tellNow() {
    try {
      this.tell();
    } catch (error) {
      nextTick(() => {
        throw error;
      });
    }
  }
}

/**
 * Takes in the pool's notes, with the answers that its runs observe, and tells them.
 * @param {Pool} pool
 * @param {(pool: any, note: any) => void} hear
 */
function hearAll(pool, hear = hearInCluster) {
  const { native, handle, runs, told } = pool;
  const text = native.poolNotes(handle);
  /** @type {any[]} */
  const notes = text === null ? [] : JSON.parse(text);
  // In order, because a replacement has its predecessor's id; answers come before the first end.
  const end = notes.findIndex(({ type }) => ENDS.has(type));
  const begins = end < 0 ? notes : notes.slice(0, end);
  for (const note of begins) told.add(() => hear(pool, note));
  for (const run of runs) run.output.takeObserved();
  for (const note of notes.slice(begins.length)) told.add(() => hear(pool, note));
  told.tell();
}

/** @param {Pool} pool @param {any} note */
function hearInCluster(pool, note) {
  // Every note that is about a worker names one that was added.
  const worker = /** @type {Worker} */ (pool.workers.get(note.worker));
  switch (note.type) {
    case "fork":
      cluster.emit("fork", pool.add(note.worker, { ...note, pipes: note.pipes.flat() }));
      break;
    case "online":
      primary.online(worker);
      break;
    case "listening":
      primary.listening(worker, JSON.parse(note.text));
      break;
    case "message":
      pool.run.output.tellMessage(worker, JSON.parse(note.text));
      break;
    case "leaving":
      worker.exitedAfterDisconnect = true;
      break;
    case "recycled":
      // As when the program itself disconnects it.
      worker.exitedAfterDisconnect = true;
      primary.removeWorker(worker);
      break;
    case "registered":
      publish("workerReady", () => pool.described(worker));
      log(`Worker ${note.worker} now available`);
      pool.onRegistered(note.worker);
      break;
    case "disconnect":
      primary.disconnected(worker);
      if (pool.isReleased) log(`Gracefully shutting down worker #${note.worker}`);
      break;
    case "exit": {
      const { code, signal } = note;
      publish("workerExit", () => ({ ...pool.described(worker), code, signal }));
      primary.exited(worker, code, signal);
      break;
    }
    case "retired":
      console.error(
        `@tiemma/sonic-distribute: goes on without worker ${note.worker}: ${note.message}`,
      );
      pool.onRetired(note.worker);
      break;
    default:
      hearOfEnd(pool, note);
  }
}

/**
 * The same of a pool that stays: its workers are no business of `cluster`, and it prints nothing.
 * @param {InstanceType<typeof import("./lasting").LastingPool>} pool
 * @param {any} note
 */
function hearQuietly(pool, note) {
  switch (note.type) {
    case "fork":
      pool.hasStarted(note.worker, note.pid);
      break;
    case "registered":
      publish("workerReady", () => pool.describedAt(note.worker));
      pool.onRegistered(note.worker);
      pool.resizing.heard(note.worker);
      break;
    case "exit": {
      const { code, signal } = note;
      publish("workerExit", () => ({ ...pool.describedAt(note.worker), code, signal }));
      break;
    }
    case "retired":
      process.emitWarning(`the pool goes on without worker ${note.worker}: ${note.message}`, {
        code: "SONIC_WORKER_GIVEN_UP",
      });
      pool.onRetired(note.worker);
      pool.resizing.givenUp(note.worker, note.message);
      break;
    case "removed":
      pool.resizing.heard(note.worker);
      break;
    case "failed":
      hearOfEnd(pool, note);
      if (!OF_ONE_RUN.has(note.code)) pool.fail(failureOf(pool, note));
      break;
    default:
      hearOfEnd(pool, note);
  }
}

/** What every pool hears in the same way. @param {Pool} pool @param {any} note */
function hearOfEnd(pool, note) {
  switch (note.type) {
    case "hint":
      hint(note.text);
      break;
    case "failed":
      for (const run of runsOf(pool, note)) run.fail(failureOf(pool, note));
      break;
    case "room":
      for (const run of runsOf(pool, note)) run.input.routed.admit(note.numbers);
      break;
    case "reduce":
      for (const run of runsOf(pool, note)) reduceHere(run, note);
      break;
    case "stopped":
      for (const run of runsOf(pool, note)) run.stopByFailure();
      break;
    case "closed":
      pool.close();
      break;
  }
}

/** The run that a note is about. @param {Pool} pool @param {any} note */
const runsOf = (pool, note) => pool.runs.filter((run) => run.id === note.run);

/** @param {Pool} pool @param {any} note */
function failureOf(pool, { name, code, message, stderr }) {
  const Class = name === "TypeError" ? TypeError : name === "RangeError" ? RangeError : Error;
  const hint = code === "ERR_SONIC_WORKER_START" ? hintFor(pool, message) : "";
  const error = coded(Class, code, hint + message);
  return stderr === undefined ? error : Object.assign(error, { stderr });
}

/** Why a worker may not have started. @param {Pool} pool @param {string} message */
function hintFor({ launch }, message) {
  // Few programs need it.
  const advice = require("../shared/typescript").adviceFor(message);
  if (advice !== "") return `${advice}; `;
  return launch.args[0] === process.argv[1] ? hintForThread() : "";
}

module.exports = { Told, hearAll, hearQuietly };
