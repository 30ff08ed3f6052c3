"use strict";
// What waits in this process, the highest priority first, and in each the oldest.

const { Map, Set } = require("../shared/primordials");

/** @template {{ priority: number }} T */
class Bands {
  constructor() {
    /** By priority, the highest first. @type {globalThis.Map<number, globalThis.Set<T>>} */
    this.bands = new Map();
  }

  /** @param {T} item */
  add(item) {
    const { priority } = item;
    const known = this.bands.get(priority);
    if (known === undefined) {
      this.bands.set(priority, new Set([item]));
      this.bands = new Map([...this.bands].sort(([one], [other]) => other - one));
    } else {
      known.add(item);
    }
  }

  /** @param {T} item */
  delete(item) {
    const { priority } = item;
    const band = this.bands.get(priority);
    if (band?.delete(item) && band.size === 0) this.bands.delete(priority);
  }

  /**
   * The next one that may start, which waits no more; undefined if there is none.
   * @param {(item: T) => boolean} may
   * @returns {T | undefined}
   */
  shift(may) {
    for (const band of this.bands.values()) {
      for (const item of band) {
        if (!may(item)) continue;
        this.delete(item);
        return item;
      }
    }
    return undefined;
  }

  /** How many wait with this priority. @param {number} priority */
  count(priority) {
    return this.bands.get(priority)?.size || 0;
  }

  /** All of them, in this order. @returns {T[]} */
  all() {
    return [...this.bands.values()].flatMap((band) => [...band]);
  }
}

module.exports = { Bands };
