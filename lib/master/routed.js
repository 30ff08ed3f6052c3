"use strict";
// Events of a run that name their workers, by tags or a key, or that have a priority. Each `Map` waits for room in its own workers alone, so that those that
// are busy hold up no other event.

const { HANDED_OVER } = require("../shared/handed-over");
const { Map, Promise, setImmediate } = require("../shared/primordials");
const { pointAt, siteOf } = require("../shared/stack");

/** @typedef {import("../shared/routing").Address} Address */

/** There is room for the event; otherwise `runRoute` returns its number. */
const HAS_ROOM = -1;

/** There is room, and the event goes to its workers with the next ones, or when the pool is flushed. */
const HAS_ROOM_SOON = -2;

class Routed {
  /** @param {InstanceType<typeof import("./input").Input>} input */
  constructor(input) {
    this.input = input;
    /** `Map`s without room, by their events' numbers. @type {globalThis.Map<number, { resolve: () => void, reject: (error: unknown) => void }>} */
    this.waiting = new Map();
    /** Some event was handed over so. */
    this.isUsed = false;
    /** The pool will be flushed once the program has handed over what it has. */
    this.isFlushed = false;
  }

  /**
   * Hands an event over at once, whether there is room or not. Throws if no worker will ever run it.
   * @param {any} event
   * @param {Address} address
   * @returns {number} see `runRoute`
   */
  hand(event, { tags, key, priority }) {
    const { chain, run } = this.input;
    const { encoded, flags } = this.input.encoded(event);
    const number = run.native.runRoute(run.handle, tags, key, priority, encoded, flags | chain);
    this.isUsed = true;
    if (number !== HAS_ROOM_SOON) return number;
    this.flushSoon();
    return HAS_ROOM;
  }

  flushSoon() {
    if (this.isFlushed) return;
    this.isFlushed = true;
    const { idle, run } = this.input;
    idle.begun++;
    setImmediate(() => {
      this.isFlushed = false;
      run.native.poolFlush(run.pool.handle);
    });
  }

  /**
   * Hands an event over. Resolves when there is room for it.
   * @param {any} event
   * @param {Address} address
   * @returns {Promise<void>}
   */
  handOver(event, address) {
    let number;
    try {
      number = this.hand(event, address);
    } catch (error) {
      return Promise.reject(pointAt(error, siteOf(this.handOver)));
    }
    this.input.handedOver++;
    if (number === HAS_ROOM) return HANDED_OVER;
    /** @type {Promise<void>} */
    const promise = new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
    });
    // If the program does not await it, a failure must not end the program.
    promise.catch(() => {});
    return promise;
  }

  /** There is room for these now. @param {number[]} numbers */
  admit(numbers) {
    for (const number of numbers) {
      const waiting = this.waiting.get(number);
      this.waiting.delete(number);
      if (waiting !== undefined) waiting.resolve();
    }
  }

  /** Nothing is handed over any more. @param {() => unknown} errorOf what the `Map`s that wait reject with */
  end(errorOf) {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(errorOf());
  }
}

module.exports = { Routed };
