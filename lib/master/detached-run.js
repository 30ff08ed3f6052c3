"use strict";
// What a run of a pool looks like to the program where the core of this process has none of it: its events run in this process, or those
// of another process's pool. Whoever extends it says how events are handed over and how it is stopped.

const { over } = require("./input");
const { noIds } = require("./manual");
const { stopBy } = require("../shared/signals");
const { Promise } = require("../shared/primordials");
const { Queue, WorkerQueue } = require("../shared/queue");

/** @typedef {import("../shared/routing").Routing} Routing */

class DetachedRun {
  /** @param {any} pool @param {import("../shared/options").Options} options */
  constructor(pool, options) {
    this.pool = pool;
    this.isStream = options.order !== undefined;
    this.hasFlow = options.flow !== undefined;
    this.isRunning = true;
    /** @type {{ error: unknown } | null} */
    this.failure = null;
    /** @type {Promise<never>} */
    this.failed = new Promise((_, reject) => {
      this.rejectFailed = reject;
    });
    this.failed.catch(() => {});
    this.results = new Queue();
    this.failures = new Queue();
    /** @type {(() => void)[]} */
    this.waiting = [];
    /** The client that asked for it, if it was not the program itself. @type {unknown} */
    this.owner = undefined;
    /** Has the pool forget this run. */
    this.leave = () => {};
    this.workerQueue = new WorkerQueue(this, { lookAtWorkers: noWorkers, serveIds() {} });
    // What `getWorkerID` looks for, and what a stream's reader does.
    this.run = this;
    this.manual = { takeId: async () => noWorkers() };
    /** @type {InstanceType<typeof import("./stream").Reader> | null} */
    this.reader = null;
    const { results } = this;
    this.output = { results: { isEmpty: () => results.isEmpty(), take: () => this.take() } };
    this.native = {
      runRead() {},
      runIsFull: (/** @type {any} */ _, /** @type {number} */ most, /** @type {number} */ _bytes) =>
        results.elements.length + this.held >= most,
    };
    this.handle = undefined;
  }

  /** How many entries wait for others. */
  get held() {
    return 0;
  }

  /** It is one of the pool's until its end, which whoever began it calls. @param {AbortSignal | undefined} signal */
  begin(signal) {
    const { pool } = this;
    pool.runs.push(this);
    pool.hold();
    const ignore = stopBy(signal, (error) => this.stop(error));
    const end = () => {
      ignore();
      this.release();
      pool.leave(this);
    };
    this.leave = end;
    return { run: this, end };
  }

  /** Whether nothing more comes of the events that were handed over. @returns {boolean} */
  get isDrained() {
    return true;
  }

  /** The next entry for a stream's reader. */
  take() {
    return this.results.dequeue();
  }

  /** `Map`. @param {any} event @param {Routing} [routing] @returns {Promise<void>} */
  map(event, routing) {
    const handedOver = this.handOver(event, routing);
    // The call tells why it was stopped: a program that sends without waiting must not end by it.
    if (this.failure !== null) handedOver.catch(() => {});
    return this.reader === null ? handedOver : this.reader.slow(handedOver);
  }

  /** @param {any} _event @param {Routing} [_routing] @returns {Promise<void>} */
  async handOver(_event, _routing) {}

  /** Throws if nothing can be handed over any more. */
  checkRunning() {
    if (!this.isRunning) throw this.failure === null ? over() : this.failure.error;
  }

  /** All events were handed over. */
  endInput() {}

  /** Nothing of it starts any more. */
  halt() {}

  /** @param {any} entry */
  keep(entry) {
    const { response } = entry;
    // What comes to a sink of a flow is an entry, and a stream has one for each event.
    const isResult = response !== undefined && (response !== null || this.hasFlow);
    if (this.isStream || isResult) this.results.enqueue(entry);
    else if (entry.failed) this.failures.enqueue(entry);
  }

  /** @returns {Promise<void>} */
  news() {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  onNews() {
    for (const resolve of this.waiting.splice(0)) resolve();
    if (this.reader !== null) this.reader.makeRoom();
  }

  /** Hands all events over, and waits until they are answered. @param {any} masterFn @param {any} args */
  async lead(masterFn, args) {
    try {
      await Promise.race([masterFn(this.workerQueue, args), this.failed]);
      this.endInput();
      while (!this.isDrained && this.failure === null) await this.news();
      if (this.failure !== null) throw this.failure.error;
    } catch (error) {
      this.release({ error });
      throw error;
    }
  }

  /** @param {unknown} error */
  stop(error) {
    if (this.failWith(error)) this.release();
  }

  /** The first reason counts. @param {unknown} error */
  failWith(error) {
    if (this.failure !== null) return false;
    this.failure = { error };
    this.rejectFailed(error);
    return true;
  }

  /**
   * Nothing is handed over any more.
   * @param {{ error: unknown } | null} failure why it ends, if it has not succeeded
   */
  release(failure = this.failure) {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.halt();
    this.onNews();
    this.released(failure);
  }

  /** It has ended. @param {{ error: unknown } | null} _failure */
  released(_failure) {}
}

/** @returns {never} */
function noWorkers() {
  throw noIds();
}

module.exports = { DetachedRun };
