"use strict";
// `map` of a pool that stays: takes from the iterable only as fast as workers need, and gives the answers in its order.

const { Progress } = require("./progress");
const { stopBy } = require("../shared/signals");
const { invalidType, shown } = require("../shared/errors");
const { Promise, now } = require("../shared/primordials");
const { routingOf } = require("../shared/routing");

/** @typedef {InstanceType<typeof import("./batch").Batch>} Batch */

/**
 * @param {Batch} batch of its own
 * @param {any} iterable
 * @param {import("../shared/options").Options} options
 * @param {{ stack?: unknown }} site
 * @returns {Promise<any[]>}
 */
async function inOrder(batch, iterable, options, site) {
  const { pool } = batch;
  const { signal } = options;
  const { total = countOf(iterable) } = options;
  const mapping = new Mapping(batch, options, site, total);
  const ignore = stopBy(signal, (error) => mapping.fail(error));
  pool.hold();
  batch.isKept = true;
  const leavePool = pool.onFailure((error) => mapping.fail(error));
  try {
    await mapping.run(iteratorOf(iterable));
    if (batch.checkpoint !== undefined) batch.checkpoint.close();
    return mapping.results;
  } finally {
    mapping.progress.hide(mapping.failure === undefined ? "" : ": stopped");
    ignore();
    leavePool();
    batch.leave();
    pool.letGo();
  }
}

class Mapping {
  /**
   * @param {Batch} batch
   * @param {import("../shared/options").Options} options
   * @param {{ stack?: unknown }} site
   * @param {number | undefined} total how many events there will be, if that is known
   */
  constructor(batch, options, site, total) {
    this.batch = batch;
    this.isSettled = Boolean(options.settled);
    this.routing = routingOf(options);
    this.site = site;
    /** @type {any[]} */
    this.results = [];
    this.progress = new Progress({ progress: options.progress, total });
    this.left = 0;
    /** When others had their turn last, to the millisecond. */
    this.waitedAt = 0;
    /** @type {{ error: unknown } | undefined} */
    this.failure = undefined;
    /** Ends what is awaited now. @type {(error: unknown) => void} */
    this.interrupt = () => {};
    /** Called when nothing is left. @type {() => void} */
    this.wake = () => {};
  }

  /** It cannot go on: the first reason counts. @param {unknown} error */
  fail(error) {
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.batch.stop(error);
    this.interrupt(error);
  }

  /**
   * What a promise comes to; rejects at once if it cannot go on.
   * @template T
   * @param {PromiseLike<T>} promise
   * @returns {Promise<T>}
   */
  unlessFailed(promise) {
    return new Promise((resolve, reject) => {
      this.interrupt = reject;
      promise.then(resolve, reject);
      if (this.failure !== undefined) reject(this.failure.error);
    });
  }

  /** @param {{ next: () => any, return?: () => any }} iterator */
  async run(iterator) {
    // Only the core can draw.
    if (this.batch.handle !== undefined) this.progress.show(this.batch);
    try {
      await this.handAll(iterator);
      this.progress.complete();
      if (this.left > 0) {
        const ended = new Promise((resolve) => {
          this.wake = () => resolve(undefined);
        });
        await this.unlessFailed(ended);
      }
    } catch (error) {
      this.fail(error);
    }
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** @param {{ next: () => any, return?: () => any }} iterator */
  async handAll(iterator) {
    while (this.failure === undefined) {
      const taken = iterator.next();
      let done;
      let value;
      try {
        ({ done, value } = isThenable(taken) ? await this.unlessFailed(taken) : taken);
      } catch (error) {
        // An iterator that has thrown itself is done.
        if (this.failure !== undefined) leave(iterator);
        throw error;
      }
      if (done) return;
      try {
        const data = isThenable(value) ? await this.unlessFailed(value) : value;
        const handedOver = this.hand(data);
        // Once a millisecond: where the iterable takes its time workers get what was handed over while it makes the next one.
        const at = now();
        if (handedOver !== undefined || at !== this.waitedAt) await handedOver;
        this.waitedAt = at;
      } catch (error) {
        leave(iterator);
        throw error;
      }
    }
    leave(iterator);
  }

  /** @param {any} data */
  hand(data) {
    const at = this.results.length;
    // So that there is no hole.
    this.results.push(undefined);
    this.left++;
    return this.batch.addWhenReady(new Item(this, at, data), this.routing);
  }

  /** @param {number} at @param {any} result */
  end(at, result) {
    this.results[at] = result;
    this.left--;
    if (this.left === 0) this.wake();
  }
}

/** One of what is mapped, which is awaited. */
class Item {
  /** @param {Mapping} mapping @param {number} at its number @param {any} data */
  constructor(mapping, at, data) {
    this.mapping = mapping;
    this.at = at;
    this.data = data;
  }

  get site() {
    return this.mapping.site;
  }

  /** @param {any} value */
  resolve(value) {
    const { mapping, at } = this;
    mapping.end(at, mapping.isSettled ? { status: "fulfilled", value } : value);
  }

  /** @param {any} reason */
  reject(reason) {
    const { mapping, at } = this;
    // What stopped all of it is no answer to one.
    const isAnswer = mapping.isSettled && mapping.batch.isRunning;
    mapping.end(at, { status: "rejected", reason });
    if (!isAnswer) mapping.fail(reason);
  }
}

/** @param {any} value */
const isThenable = (value) => typeof Object(value).then === "function";

/** As a loop that is left does; what comes of it does not matter, or it would be in the way of why. @param {{ return?: () => any }} iterator */
function leave(iterator) {
  try {
    const left = typeof iterator.return === "function" ? iterator.return() : undefined;
    if (isThenable(left)) left.then(undefined, () => {});
  } catch (_) {
    // The same.
  }
}

/** How many items it has, if that can be told without taking one. @param {any} iterable */
function countOf(iterable) {
  const { length, size } = Object(iterable);
  return [length, size].find((count) => Number.isSafeInteger(count) && count >= 0);
}

/** @param {any} iterable */
function iteratorOf(iterable) {
  const must =
    "map: the second parameter must be an iterable or an async iterable that is not a string";
  if (iterable === undefined || iterable === null || typeof iterable === "string") {
    throw invalidType(`${must}, got ${shown(iterable)}`);
  }
  const make = iterable[Symbol.asyncIterator] || iterable[Symbol.iterator];
  if (typeof make !== "function") throw invalidType(`${must}, got ${shown(iterable)}`);
  return Reflect.apply(make, iterable, []);
}

module.exports = { countOf, inOrder, isThenable, iteratorOf, leave };
