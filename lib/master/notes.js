"use strict";
// What the core says has happened, told to the program in order: the events of Node's cluster, this package's log lines,
// and the ends of runs. Decides nothing about workers, which is the core's.

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
  "retired",
  "stopped",
  "failed",
  "drained",
  "closed",
]);

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

/** Takes in the pool's notes, with the answers that its runs observe, and tells them. @param {Pool} pool */
function hearAll(pool) {
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
function hear(pool, note) {
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
    case "hint":
      hint(note.text);
      break;
    case "failed":
      for (const run of runsOf(pool, note)) run.fail(failureOf(note));
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

/** @param {any} note */
function failureOf({ name, code, message, stderr }) {
  const Class = name === "TypeError" ? TypeError : name === "RangeError" ? RangeError : Error;
  const hint = code === "ERR_SONIC_WORKER_START" ? hintForThread() : "";
  const error = coded(Class, code, hint + message);
  return stderr === undefined ? error : Object.assign(error, { stderr });
}

module.exports = { Told, hearAll };
