"use strict";
// Manual dispatch: from the moment that the program looks at the free workers, it takes their ids out of the queue as in
// 1.0.3, and each event goes to the worker whose id is next. Before that nothing here runs.

const cluster = require("../shared/cluster");
const { coded } = require("../shared/errors");
const { MASK, decode } = require("../shared/codec");
const { Buffer, Promise, clearTimeout, setTimeout } = require("../shared/primordials");
const { pointAt, siteOf } = require("../shared/stack");
const { poolOfWorker } = require("./pool");

/** @typedef {InstanceType<typeof import("./run").Run>} Run */
/** @typedef {import("../shared/codec").Encoded} Encoded */
/** @typedef {{ queue: any, resolve: (id: number) => void, reject: (error: unknown) => void }} IdWanted */

/** Milliseconds between two polls of a queue of ids that changes without telling: a plain array. */
const POLL = 5;

class ManualQueue {
  /** @param {Run} run */
  constructor(run) {
    this.run = run;
    this.isOn = false;
    /** @type {IdWanted[]} */
    this.wanted = [];
    /** @type {NodeJS.Timeout | null} */
    this.poll = null;
  }

  /** The pool alone finds a worker for each event: it has other runs, or its workers differ. */
  get hasNoIds() {
    const { checkpoint, settings, input, pool, routing } = this.run;
    return (
      checkpoint !== undefined ||
      settings.about !== undefined ||
      settings.chains !== undefined ||
      input.routed.isUsed ||
      routing !== undefined ||
      pool.launch.groups.length > 1
    );
  }

  /** The program looks at the free workers for the first time. */
  lookAtWorkers() {
    if (this.hasNoIds) throw noIds();
    this.isOn = true;
    return this.run.output.observeFreeWorkers();
  }

  /** Takes the id of a free worker out of a queue. @param {any} queue @returns {Promise<number>} */
  takeId(queue) {
    if (!this.run.isRunning) return this.run.input.refuse();
    if (this.hasNoIds) return Promise.reject(noIds());
    return new Promise((resolve, reject) => {
      this.wanted.push({ queue, resolve, reject });
      this.serveIds();
    });
  }

  /** Hands out the ids that there are. */
  serveIds() {
    const still = [];
    for (const wanted of this.wanted) {
      const id = nextId(wanted.queue);
      if (id !== undefined) wanted.resolve(id);
      else still.push(wanted);
    }
    this.wanted = still;
    this.stopPolling();
    // An id that is pushed on the array itself, or on a queue of the program's own, tells nobody.
    if (still.length > 0) this.poll = setTimeout(() => this.serveIds(), POLL);
  }

  stopPolling() {
    if (this.poll !== null) clearTimeout(this.poll);
    this.poll = null;
  }

  /** @param {unknown} error why there are no ids any more */
  fail(error) {
    for (const wanted of this.wanted.splice(0)) wanted.reject(error);
  }

  /** Gives all free workers to those that wait. Returns how many. */
  giveFree() {
    const { native, pool } = this.run;
    const free = native.poolFree(pool.handle);
    const served = this.wanted.splice(0, free.length);
    for (const [at, wanted] of served.entries()) wanted.resolve(free[at]);
    return served.length;
  }

  /** `Map`, from then on. @param {any} event @param {unknown} [routing] @returns {Promise<void>} */
  map(event, routing) {
    let encoding;
    try {
      if (routing !== undefined) throw byHand();
      encoding = this.run.input.encoded(event);
    } catch (error) {
      return Promise.reject(pointAt(error, siteOf(this.map)));
    }
    const { encoded, flags } = encoding;
    // The program may write to its Buffer while this waits.
    const kept =
      encoded === event.data && typeof encoded !== "string" ? Buffer.from(encoded) : encoded;
    const promise = this.sendToFree(kept, flags);
    // If the program does not await it, a failure must not end the program.
    promise.catch(() => {});
    return promise;
  }

  /** Sends an event to the next worker that is still there. @param {Encoded} encoded @param {number} flags */
  async sendToFree(encoded, flags) {
    const { run } = this;
    for (;;) {
      const id = await this.takeId(run.workerQueue);
      const pool = poolOfWorker.get(id);
      const isSent =
        pool === undefined
          ? sendToOther(id, this.decodedEvent(encoded, flags))
          : pool.run.input.sendTo(id, encoded, flags);
      if (isSent) return;
    }
  }

  /** @param {Encoded} encoded @param {number} flags */
  decodedEvent(encoded, flags) {
    const { hole, whole, formatAt } = this.run.wire;
    if (flags & hole) return {};
    const value = decode(encoded, (flags >> formatAt) & MASK);
    return flags & whole ? value : { data: value };
  }

  /** Whether the program holds the worker: free, and not in the queue. @param {number} id */
  isHeld(id) {
    const { native, pool, workerQueue } = this.run;
    if (!this.isOn || workerQueue.elements.includes(id)) return false;
    return native.poolIsFree(pool.handle, id);
  }
}

const noIds = () =>
  coded(
    Error,
    "ERR_SONIC_NO_WORKER_IDS",
    "this run's queue has no worker ids: hand events over with Map(queue, { data }), and the pool finds a worker",
  );

const byHand = () =>
  coded(
    Error,
    "ERR_SONIC_INVALID_ARGUMENT",
    "Map: the program takes worker ids out of this queue itself, so tags and key have no meaning: leave them out, or leave " +
      "the ids to the pool",
  );

/** The next id in a queue that is a worker's; others are dropped, as 1.0.3 does. @param {any} queue */
function nextId(queue) {
  while (!queue.isEmpty()) {
    const id = queue.dequeue();
    // A worker of ours that has just exited is being replaced, and keeps its id.
    if (cluster.workers?.[id] || poolOfWorker.get(id)?.isReleased === false) return id;
  }
  return undefined;
}

/**
 * Hands an event to the worker with this id, whatever else runs there. False if it is gone.
 * @type {(id: number, event: any) => boolean}
 */
function sendTo(id, event) {
  const pool = poolOfWorker.get(id);
  return pool === undefined ? sendToOther(id, event) : pool.run.input.sendDirectly(id, event);
}

/**
 * The same for a worker that the program has forked itself: the event is its message, as in 1.0.3.
 * @type {(id: number, event: any) => boolean}
 */
function sendToOther(id, event) {
  const worker = cluster.workers?.[id];
  if (!worker?.isConnected()) return false;
  worker.send(event);
  return true;
}

module.exports = { ManualQueue, byHand, noIds, sendTo };
