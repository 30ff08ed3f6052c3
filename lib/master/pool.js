"use strict";
// The worker processes of one or more runs: their ids, their places in `cluster.workers`, the core's handle, and its
// notifications, which the pool hands to its runs. Knows nothing of events and results.

const { publish } = require("./diagnostics");
const { showLog } = require("./core-log");
const { launchOptions } = require("./launch");
const { Told, hearAll } = require("./notes");
const primary = require("./cluster");
const { removeSpilled } = require("./spill");
const cluster = require("../shared/cluster");
const { codecOf, encodedWithin, formatOf } = require("../shared/codec");
const { coded, invalidType, shown } = require("../shared/errors");
const { native, wire } = require("../shared/native");
const { hasOwn } = require("../shared/own");
const { Map, Promise, Set, nextTick } = require("../shared/primordials");

/** @typedef {InstanceType<typeof import("./run").Run>} Run */
/** @typedef {import("./cluster").Worker} Worker */
/** @typedef {{ pool: Pool | null }} Waker */
/** A run of this pool, or a batch. @typedef {Run} AnyRun */

/** The pools that are not closed, by the ids of their workers. @type {globalThis.Map<number, Pool>} */
const poolOfWorker = new Map();

class Pool {
  /**
   * Makes a pool; `start` starts its processes.
   * @param {number} numWorkers
   * @param {InstanceType<typeof import("./calls").Call>} call which call of the program the workers serve
   * @param {import("../shared/options").Options} options
   * @param {import("./launch").PoolSettings} settings those of its run
   */
  constructor(numWorkers, call, options, settings) {
    showLog();
    this.ids = primary.newIds(numWorkers);
    this.launch = launchOptions(this.ids, call, options, settings);
    this.codec = codecOf(this.launch.serialization);
    /** The program's own classes of errors. @type {import("../shared/errors").Classes | undefined} */
    this.errors = undefined;
    this.native = native();
    /** What the core wakes, until the pool is closed. @type {Waker} */
    this.waker = { pool: this };
    this.handle = this.native.poolCreate(this.launch, wakerOf(this.waker));
    /** Those that are not closed, oldest first. @type {Run[]} */
    this.runs = [];
    this.told = new Told();
    /** Who shows it, if somebody does. @type {import("./dashboard").Observer | null} */
    this.observer = null;
    /** Workers in `cluster.workers` or on their way out of it, by id.
     * @type {globalThis.Map<number, Worker>} */
    this.workers = new Map();
    /** @type {Set<number>} */
    this.registered = new Set();
    /** How many workers must register before the pool is ready. */
    this.awaited = numWorkers;
    this.isReleased = false;
    /** Resolves when all workers have reached the call. @type {Promise<void>} */
    this.ready = new Promise((resolve) => {
      this.isReady = resolve;
    });
    /** Answers are made into messages only while somebody listens for them. @param {string | symbol} name */
    this.onListener = (name) => {
      if (name === "message") for (const run of this.runs) run.output.observeForListeners();
    };
  }

  /** @param {number} id of a worker */
  tagsOf(id) {
    return [...this.launch.groups[this.groupOf(this.ids.indexOf(id))].tags];
  }

  /** The group of a slot: those that come later are in the first. @param {number} slot */
  groupOf(slot) {
    return this.launch.groupOf[slot] || 0;
  }

  /** The run that what one worker sends or gets belongs to: the latest. */
  get run() {
    return this.runs[this.runs.length - 1];
  }

  /** @param {Run} run that begins */
  serve(run) {
    this.runs.push(run);
    if (cluster.listenerCount("message") > 0) run.output.observeForListeners();
  }

  /** Starts the processes. Throws if one cannot be started. */
  start() {
    cluster.on("newListener", this.onListener);
    for (const id of this.ids) poolOfWorker.set(id, this);
    this.ids.forEach((id, slot) => {
      const started = this.native.poolSpawn(this.handle, slot);
      // The machine has none to spare now: the core tries again, and tells.
      if (started === null) return;
      const worker = this.add(id, started);
      // As Node does: the caller may add its listener first.
      nextTick(() => cluster.emit("fork", worker));
    });
  }

  /** The core has news. */
  wake() {
    const { native, runs } = this;
    for (const run of runs) {
      native.runTurned(run.handle);
      run.output.checkLog();
    }
    try {
      hearAll(this);
    } finally {
      for (const run of runs) run.onNews();
    }
  }

  /** @param {number} id @param {import("../../native").StartedWorker} started */
  add(id, started) {
    const worker = primary.addWorker(this, id, started);
    this.workers.set(id, worker);
    // Its start is told after the others were released: so was it.
    if (this.isReleased) worker.exitedAfterDisconnect = true;
    publish("workerStart", () => this.described(worker));
    for (const emitter of [worker, worker.process]) emitter.on("newListener", this.onListener);
    return worker;
  }

  /** @param {number} id of a worker that has reached the call */
  onRegistered(id) {
    this.registered.add(id);
    if (this.registered.size === this.awaited) this.isReady();
  }

  /** @param {number} id of a worker that is not replaced any more */
  onRetired(id) {
    poolOfWorker.delete(id);
    // Before the pool is ready, that is one that could not be started.
    if (!this.registered.has(id)) this.awaited--;
    if (this.registered.size === this.awaited) this.isReady();
  }

  /** A worker as diagnostics channels show it. @param {Worker} worker */
  described(worker) {
    return { run: this.run.number, worker: worker.id, pid: worker.process.pid };
  }

  /**
   * What `worker.send` does: an event if it looks like one, or if the program took the worker's id out of the queue to
   * send it one; else a message.
   * @param {number} id
   * @param {any} message
   * @returns {Error | null}
   */
  send(id, message) {
    const { run } = this;
    const isObject = message !== null && typeof message === "object";
    if (isObject && (hasOwn(message, "data") || run.manual.isHeld(id))) {
      return run.input.sendDirectly(id, message) ? null : gone(id);
    }
    const encoded = encodedWithin(this.codec, message, "", "worker.send: the message");
    if (encoded === undefined) {
      const must = "worker.send: the message must be a value that JSON has";
      throw invalidType(`${must}, got ${shown(message)}`);
    }
    const flags = formatOf(message, encoded) << wire().formatAt;
    return this.native.poolMessage(this.handle, id, encoded, flags) ? null : gone(id);
  }

  /** @type {(id: number, pid: number, number: number) => boolean} */
  signal(id, pid, number) {
    const worker = this.workers.get(id);
    if (!worker || worker.process.pid !== pid) return false;
    return this.native.poolSignal(this.handle, id, number);
  }

  /** @param {number} id */
  disconnect(id) {
    this.native.poolDisconnect(this.handle, id);
  }

  /** A run is over. Releases the workers if there is no other: they leave `cluster.workers` now, and exit when they are done. */
  release() {
    if (this.isReleased || this.runs.some((run) => run.isRunning)) return;
    this.isReleased = true;
    cluster.removeListener("newListener", this.onListener);
    for (const worker of this.workers.values()) {
      worker.exitedAfterDisconnect = true;
      primary.removeWorker(worker);
    }
    this.native.poolRelease(this.handle);
  }

  /** The last worker has exited. */
  close() {
    if (this.observer !== null) this.observer.close();
    this.waker.pool = null;
    for (const run of this.runs.splice(0)) run.close();
    if (this.launch.preload) this.launch.preload.close();
    removeSpilled(this.launch.spillFolder);
    for (const id of this.ids) poolOfWorker.delete(id);
    this.native.poolHold(this.handle, false);
  }
}

/**
 * What the core calls, and keeps as long as there is the pool. It must not keep this object, which has the core's pool:
 * neither would ever be collected, nor would the results of its runs.
 * @param {Waker} waker
 */
const wakerOf = (waker) => () => {
  if (waker.pool !== null) waker.pool.wake();
};

/** @param {number} id */
const gone = (id) => coded(Error, "ERR_IPC_CHANNEL_CLOSED", `Channel closed: worker ${id} is gone`);

module.exports = { Pool, poolOfWorker };
