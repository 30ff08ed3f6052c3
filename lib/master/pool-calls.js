"use strict";
// The single calls of a pool that stays. Calls of one kind are events of one batch, which stays open. One with args or a signal of its
// own has a batch of its own; beyond some of those it waits for one to end.

const { stopBy, throwIfAborted } = require("../shared/signals");
const { coded } = require("../shared/errors");
const { JSON, Map, WeakMap } = require("../shared/primordials");
const { routingOf } = require("../shared/routing");
const { pointAt } = require("../shared/stack");

/** @typedef {InstanceType<typeof import("./batch").Batch>} Batch */
/** @typedef {import("./batch").Awaited} Awaited */
/** @typedef {import("./work").Work} Work */
/** @typedef {import("../shared/options").Options} Options */
/** Calls of a pool that have not ended, whoever made them. @typedef {{ calling: number }} Load */

/** The most kinds of calls for which a batch stays open. */
const MOST_KEPT = 64;

/** The most batches of one call each that are open at the same time: each costs all others a little. */
const MOST_ALONE = 64;

class PoolCalls {
  /**
   * @param {(work: Work, options: Options, args: string | undefined) => Batch} open a batch
   * @param {() => number} places how many calls run at once
   * @param {number} maxQueue how many others may wait
   * @param {Load} load of the pool
   */
  constructor(open, places, maxQueue, load) {
    this.open = open;
    this.places = places;
    this.maxQueue = maxQueue;
    this.load = load;
    /** The batches of calls without args and signal, by what decides. @type {globalThis.Map<string, Batch>} */
    this.batches = new Map();
    /** The last of them for each work, and the options for which that was found. @type {WeakMap<Work, { options: Options, batch: Batch }>} */
    this.last = new WeakMap();
    /** Batches of one call. */
    this.alone = 0;
    /** Such calls that wait: `start` is false if that is over by now. @type {{ start: () => boolean, stop: (error: unknown) => void }[]} */
    this.waiting = [];
  }

  /**
   * Throws if it cannot be made.
   * @param {Work} work
   * @param {Options} options
   * @param {string | undefined} args as text
   * @param {Awaited} awaited
   */
  add(work, options, args, awaited) {
    const { maxQueue } = this;
    // Its workers are not counted for each call where nobody asks.
    if (maxQueue < Infinity && this.load.calling - this.places() >= maxQueue)
      throw queueIsFull(maxQueue);
    const isAlone = args !== undefined || options.signal !== undefined;
    if (isAlone) this.addAlone(work, options, args, awaited);
    else this.addTogether(this.batchOf(work, options), options, awaited);
  }

  /** @param {Batch} batch @param {Options} options @param {Awaited} own */
  addTogether(batch, options, own) {
    const routing = routingOf(options);
    if (this.maxQueue === Infinity) {
      // Nobody asks how many there are.
      batch.add(own, routing);
      return;
    }
    const { data, site, resolve, reject } = own;
    const ended = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
      this.load.calling--;
      settle(value);
    };
    const awaited = { data, site, resolve: ended(resolve), reject: ended(reject) };
    batch.add(awaited, routing);
    this.load.calling++;
  }

  /**
   * @param {Work} work
   * @param {Options} options
   * @param {string | undefined} args
   * @param {Awaited} awaited
   */
  addAlone(work, options, args, { data, site, resolve, reject }) {
    const { signal } = options;
    throwIfAborted(signal);
    /** @type {Batch | undefined} */
    let batch;
    let isOver = false;
    const end = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
      if (isOver) return;
      isOver = true;
      this.load.calling--;
      ignore();
      settle(value);
      if (batch !== undefined) this.aloneEnded();
    };
    const stop = (/** @type {unknown} */ error) => {
      if (batch === undefined) end(reject)(error);
      else batch.stop(error);
    };
    const ignore = stopBy(signal, stop);
    const start = () => {
      if (isOver) return false;
      this.alone++;
      batch = this.open(work, options, args);
      try {
        const awaited = { data, site, resolve: end(resolve), reject: end(reject) };
        batch.add(awaited, routingOf(options));
      } catch (error) {
        batch.leave();
        end(reject)(site === undefined ? error : pointAt(error, site));
      }
      return true;
    };
    this.load.calling++;
    if (this.alone < MOST_ALONE) start();
    else this.waiting.push({ start, stop });
  }

  /** The next one that waits begins. */
  aloneEnded() {
    this.alone--;
    for (;;) {
      const next = this.waiting.shift();
      if (next === undefined || next.start()) return;
    }
  }

  /** Those that wait are not made. @param {unknown} error */
  stopWaiting(error) {
    for (const waiting of this.waiting.splice(0)) waiting.stop(error);
  }

  /** @param {Work} work @param {Options} options */
  batchOf(work, options) {
    const last = this.last.get(work);
    if (last !== undefined && last.options === options && last.batch.isKept) return last.batch;
    const batch = this.findBatch(work, options);
    this.last.set(work, { options, batch });
    return batch;
  }

  /** @param {Work} work @param {Options} options */
  findBatch(work, options) {
    const { taskTimeout, retries, weight, tags } = options;
    // Tags of the call are those of all stages.
    const inOne = work.options.chains === undefined || tags !== undefined;
    const key = `${work.key} ${inOne} ${taskTimeout} ${weight} ${JSON.stringify(retries)} ${typeof work.name}`;
    const known = this.batches.get(key);
    if (known !== undefined) return known;
    if (this.batches.size >= MOST_KEPT) this.forgetOne();
    const batch = this.open(work, options, undefined);
    batch.isKept = true;
    this.batches.set(key, batch);
    return batch;
  }

  /** The oldest batch is used no more. */
  forgetOne() {
    const [[key, batch]] = this.batches;
    this.batches.delete(key);
    batch.isKept = false;
    if (batch.awaited.size === 0) batch.leave();
  }
}

/** @param {number} most */
const queueIsFull = (most) =>
  coded(Error, "ERR_SONIC_QUEUE_FULL", `${most} calls wait already, which is the pool's maxQueue`);

module.exports = { PoolCalls };
