"use strict";
// A run whose events are counted here, and whose entries come in their order if that is wanted. Whoever extends it says how events are
// handed over and how it is stopped, as with `detached-run`.

const { DetachedRun } = require("./detached-run");
const { Map } = require("../shared/primordials");

class CountedRun extends DetachedRun {
  /** @param {any} pool @param {import("../shared/options").Options} options */
  constructor(pool, options) {
    super(pool, options);
    this.isInOrder = options.order === "submission";
    /** How many events were handed over, how many of them have not ended. */
    this.count = 0;
    this.left = 0;
    /** Entries before which others are due, by their numbers; `next` is due. @type {globalThis.Map<number, any>} */
    this.early = new Map();
    this.next = 0;
  }

  get isDrained() {
    return this.left === 0;
  }

  /** Nobody waits for it any more. @param {unknown} error */
  abandon(error) {
    this.stop(error);
    this.leave();
  }

  /** An event is handed over. @returns {number} its number */
  begun() {
    this.left++;
    return this.count++;
  }

  /** The event of this number has ended, with this entry. @param {number} number @param {any} entry */
  ended(number, entry) {
    this.left--;
    if (this.isInOrder) {
      this.early.set(number, entry);
      for (; this.early.has(this.next); this.next++) {
        this.keep(this.early.get(this.next));
        this.early.delete(this.next);
      }
    } else this.keep(entry);
    this.onNews();
  }
}

module.exports = { CountedRun };
