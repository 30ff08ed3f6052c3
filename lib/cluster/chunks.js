"use strict";
// How many events go into one chunk: as much work as is worth a way over the broker, measured and never guessed. Pure: it has no clock.

/** Milliseconds of work in a chunk. */
const TARGET = 50;

/** An event that takes this long (ms) goes alone. */
const ALONE = 10;

/** The most bytes of a chunk of several events. */
const MOST_BYTES = 1 << 20;

/** The most events of a chunk. */
const MOST_EVENTS = 1 << 14;

/** The next chunk has at most this many times as many events as the last: a wrong measurement must not cost much. */
const GROWTH = 8;

/** How much the latest measurement counts. */
const WEIGHT = 0.5;

/** The most chunks of a host for each of its places: one runs, and one is next. */
const A_PLACE = 2;

/** Events that take this long (ms) are not sent before a worker is free for them: another host may be free sooner. */
const LONG = 1000;

/** The same of one that has not ended. */
const UNKNOWN = 1;

class Sizer {
  constructor() {
    /** Milliseconds that an event takes; undefined before the first has ended. @type {number | undefined} */
    this.mean = undefined;
    this.last = 1;
  }

  /** @param {number} count how many events have ended @param {number} busy the milliseconds that they took in all */
  observe(count, busy) {
    if (count === 0) return;
    const mean = busy / count;
    this.mean = this.mean === undefined ? mean : this.mean + (mean - this.mean) * WEIGHT;
  }

  /**
   * How many events the next chunk has.
   * @param {number} waiting how many wait
   * @param {number} places how many events all hosts run at once
   */
  next(waiting, places) {
    const { mean } = this;
    if (mean === undefined || mean >= ALONE) return 1;
    const wanted = Math.min(Math.ceil(TARGET / Math.max(mean, TARGET / MOST_EVENTS)), MOST_EVENTS);
    // The last events are spread over all hosts.
    const share = Math.ceil(waiting / (2 * places));
    this.last = Math.max(1, Math.min(wanted, this.last * GROWTH, share));
    return this.last;
  }

  /** Milliseconds that an event takes, as far as it is known. */
  get cost() {
    return this.mean === undefined ? UNKNOWN : Math.max(this.mean, TARGET / MOST_EVENTS);
  }

  /** How many chunks a host with so many places may have at once. @param {number} places */
  chunks(places) {
    return this.mean !== undefined && this.mean >= LONG ? places : A_PLACE * places;
  }
}

module.exports = { ALONE, A_PLACE, MOST_BYTES, MOST_EVENTS, Sizer };
