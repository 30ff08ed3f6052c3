"use strict";
// Node's cluster as the program in the master sees it: a `cluster.Worker` for each process of a pool, in `cluster.workers`, with the
// events that Node's own would emit. Starts and ends no process: the native core does.

const cluster = require("../shared/cluster");
const { EventEmitter } = require("events");
const os = require("os");
const { shared } = require("../shared/copies");
const { coded } = require("../shared/errors");
const { sendCallback } = require("../shared/handles");
const { nextTick } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./pool").Pool>} Pool */

/** Ids for new workers: rising, and used by no living worker. @param {number} count */
function newIds(count) {
  const workers = cluster.workers || {};
  const given = shared();
  const ids = [];
  while (ids.length < count) {
    const id = ++given.lastId;
    if (!(id in workers)) ids.push(id);
  }
  return ids;
}

/** A property that does not appear when the object is printed or copied. */
const HIDDEN = { enumerable: false, writable: false, configurable: false };

/** @typedef {import("../shared/cluster").Worker<WorkerProcess>} Worker */
/** @typedef {import("net").Socket} Socket */

/** What `worker.process` is: the parts of a ChildProcess that a program uses. */
class WorkerProcess extends EventEmitter {
  /** @param {Pool} pool @param {number} id @param {import("../../native").StartedWorker} started */
  constructor(pool, id, started) {
    super();
    this.pid = started.pid;
    this.connected = true;
    this.killed = false;
    /** @type {number | null} */
    this.exitCode = null;
    /** @type {NodeJS.Signals | null} */
    this.signalCode = null;
    const { program, nodeArgs, args } = pool.launch;
    this.spawnfile = program;
    this.spawnargs = [program, ...nodeArgs[pool.ids.indexOf(id)], ...args];
    /** @type {object | null} */
    this.channel = null;
    this.stdio = pipes(pool, started);
    this.stdin = this.stdio[0];
    this.stdout = this.stdio[1];
    this.stderr = this.stdio[2];
    this._pool = pool;
    this._id = id;
    Object.defineProperties(this, { _pool: HIDDEN, _id: HIDDEN });
  }

  /** @param {any} message @param {any[]} rest */
  send(message, ...rest) {
    const callback = sendCallback(rest);
    const error = this.connected ? this._pool.send(this._id, message) : closed();
    if (callback) nextTick(callback, error);
    else if (error) nextTick(() => this.emit("error", error));
    return error === null;
  }

  /** @param {string | number} [signal] */
  kill(signal = "SIGTERM") {
    const number = typeof signal === "number" ? signal : Reflect.get(os.constants.signals, signal);
    if (number === undefined) {
      throw coded(TypeError, "ERR_UNKNOWN_SIGNAL", `Unknown signal: ${signal}`);
    }
    const sent = this._pool.signal(this._id, this.pid, number);
    if (sent && number !== 0) this.killed = true;
    return sent;
  }

  disconnect() {
    this._pool.disconnect(this._id);
  }

  ref() {}
  unref() {}
}

/** @returns {Error} */
const closed = () => coded(Error, "ERR_IPC_CHANNEL_CLOSED", "Channel closed");

/**
 * The streams of a worker with piped stdio.
 * @param {Pool} pool
 * @param {import("../../native").StartedWorker} started
 */
function pipes(pool, started) {
  /** @type {(Socket | null)[]} */
  const streams = pool.launch.stdio.map(() => null);
  for (let at = 0; at < started.pipes.length; at += 2) {
    const { Socket } = require("net");
    const place = started.pipes[at];
    streams[place] = new Socket({
      fd: started.pipes[at + 1],
      readable: place !== 0,
      writable: place === 0 || place > 2,
    });
  }
  return streams;
}

/**
 * The `cluster.Worker` of a process, in `cluster.workers` from now on.
 * @param {Pool} pool
 * @param {number} id
 * @param {import("../../native").StartedWorker} started
 */
function addWorker(pool, id, started) {
  const child = new WorkerProcess(pool, id, started);
  const worker = new cluster.Worker({ id, process: child, state: "none" });
  worker.on("message", (/** @type {any} */ message, /** @type {any} */ handle) => {
    cluster.emit("message", worker, message, handle);
  });
  followEnd(worker);
  worker.disconnect = () => {
    worker.exitedAfterDisconnect = true;
    removeWorker(worker);
    child.disconnect();
    return worker;
  };
  worker.kill = (/** @type {string | undefined} */ signal) => {
    child.kill(signal);
  };
  worker.destroy = worker.kill;
  const { workers } = cluster;
  if (workers) workers[id] = worker;
  return worker;
}

/** @param {Worker} worker */
function removeWorker(worker) {
  const { workers } = cluster;
  if (workers && workers[worker.id] === worker) delete workers[worker.id];
}

/** As Node does: the worker's own listeners first. @param {Worker} worker @param {string} event @param {any[]} args */
function emit(worker, event, ...args) {
  worker.emit(event, ...args);
  cluster.emit(event, worker, ...args);
}

/** @param {Worker} worker */
function online(worker) {
  worker.state = "online";
  emit(worker, "online");
}

/** @param {Worker} worker @param {any} message Node's own, from the worker */
function listening(worker, { addressType, address, port, fd }) {
  worker.state = "listening";
  emit(worker, "listening", { addressType, address, port, fd });
}

/** Cluster hears of a worker's end before the program's own listeners, as in Node. @param {Worker} worker */
function followEnd(worker) {
  /** @param {string} state @param {string} event @param {any[]} args */
  const end = (state, event, ...args) => {
    worker.exitedAfterDisconnect = Boolean(worker.exitedAfterDisconnect);
    worker.state = state;
    removeWorker(worker);
    emit(worker, event, ...args);
  };
  worker.process.once("disconnect", () => end("disconnected", "disconnect"));
  worker.process.once("exit", (...args) => end("dead", "exit", ...args));
}

/** @param {Worker} worker */
function disconnected(worker) {
  worker.process.connected = false;
  worker.process.emit("disconnect");
}

/** @param {Worker} worker @param {number | null} code @param {NodeJS.Signals | null} signal */
function exited(worker, code, signal) {
  const child = worker.process;
  child.exitCode = code;
  child.signalCode = signal;
  child.emit("exit", code, signal);
  child.emit("close", code, signal);
}

module.exports = {
  newIds,
  addWorker,
  removeWorker,
  online,
  listening,
  disconnected,
  exited,
};
