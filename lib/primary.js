"use strict";
// Node's cluster as the master's program sees it: a `cluster.Worker` for each process of a run, in
// `cluster.workers`, with the events that Node's own would emit. The processes are the native core's.

const cluster = require("./cluster");
const { EventEmitter } = require("events");
const os = require("os");
const { shared } = require("./copies");
const { coded } = require("./errors");
const { sendCallback } = require("./handles");
const { nextTick } = require("./primordials");

/** @typedef {InstanceType<typeof import("./run").Run>} Run */

/**
 * Ids for new workers: rising, and of no living worker.
 * @param {number} count
 */
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

/** A property that nobody sees who prints or copies the object. */
const HIDDEN = { enumerable: false, writable: false, configurable: false };

/** @typedef {import("./cluster").Worker<WorkerProcess>} Worker */
/** @typedef {import("net").Socket} Socket */

/** What `worker.process` is: the parts of a ChildProcess that a program uses. */
class WorkerProcess extends EventEmitter {
  /**
   * @param {Run} run
   * @param {number} id
   * @param {import("../native").StartedWorker} started
   */
  constructor(run, id, started) {
    super();
    this.pid = started.pid;
    this.connected = true;
    this.killed = false;
    /** @type {number | null} */
    this.exitCode = null;
    /** @type {NodeJS.Signals | null} */
    this.signalCode = null;
    this.spawnfile = run.launch.program;
    this.spawnargs = [
      run.launch.program,
      ...run.launch.nodeArgs[run.ids.indexOf(id)],
      ...run.launch.args,
    ];
    /** @type {object | null} */
    this.channel = null;
    this.stdio = pipes(run, started);
    this.stdin = this.stdio[0];
    this.stdout = this.stdio[1];
    this.stderr = this.stdio[2];
    this._run = run;
    this._id = id;
    Object.defineProperties(this, { _run: HIDDEN, _id: HIDDEN });
  }

  /**
   * @param {any} message
   * @param {any[]} rest
   */
  send(message, ...rest) {
    const callback = sendCallback(rest);
    const error = this.connected ? this._run.send(this._id, message) : closed();
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
    const sent = this._run.signal(this._id, this.pid, number);
    if (sent && number !== 0) this.killed = true;
    return sent;
  }

  disconnect() {
    this._run.disconnect(this._id);
  }

  ref() {}
  unref() {}
}

/** @returns {Error} */
const closed = () => coded(Error, "ERR_IPC_CHANNEL_CLOSED", "Channel closed");

/**
 * The streams of a worker whose stdio was asked to be piped.
 * @param {Run} run
 * @param {import("../native").StartedWorker} started
 */
function pipes(run, started) {
  /** @type {(Socket | null)[]} */
  const streams = run.launch.stdio.map(() => null);
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
 * @param {Run} run
 * @param {number} id
 * @param {import("../native").StartedWorker} started
 */
function addWorker(run, id, started) {
  const child = new WorkerProcess(run, id, started);
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

/** @param {Worker} worker */
function online(worker) {
  worker.state = "online";
  worker.emit("online");
  cluster.emit("online", worker);
}

/**
 * @param {Worker} worker
 * @param {any} message Node's own, from the worker
 */
function listening(worker, message) {
  const { addressType, address, port, fd } = message;
  const info = { addressType, address, port, fd };
  worker.state = "listening";
  worker.emit("listening", info);
  cluster.emit("listening", worker, info);
}

/**
 * Cluster's half of a worker's end comes before the listeners of the program's own, as in Node.
 * @param {Worker} worker
 */
function followEnd(worker) {
  const child = worker.process;
  child.once("disconnect", () => {
    worker.exitedAfterDisconnect = Boolean(worker.exitedAfterDisconnect);
    worker.state = "disconnected";
    removeWorker(worker);
    worker.emit("disconnect");
    cluster.emit("disconnect", worker);
  });
  child.once("exit", (/** @type {number | null} */ code, /** @type {string | null} */ signal) => {
    worker.exitedAfterDisconnect = Boolean(worker.exitedAfterDisconnect);
    worker.state = "dead";
    removeWorker(worker);
    worker.emit("exit", code, signal);
    cluster.emit("exit", worker, code, signal);
  });
}

/** @param {Worker} worker */
function disconnected(worker) {
  worker.process.connected = false;
  worker.process.emit("disconnect");
}

/**
 * @param {Worker} worker
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
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
