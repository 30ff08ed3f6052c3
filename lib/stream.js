"use strict";
// Entries while the run goes on: an async iterator that starts the run when it is first asked, and ends it
// when nobody reads any more.

const { coded, firstFailure } = require("./errors");
const { Promise } = require("./primordials");
const { pointAt } = require("./stack");

/** Entries that nobody has read, beyond which `Map` waits. */
const MAX_RESULTS_WAITING = 1024;

/** Bytes of such entries; the same as for events that wait. */
const MAX_BYTES_WAITING = 4 << 20;

/** @typedef {InstanceType<typeof import("./run").Run>} Run */

/** Who takes a run's entries one by one, and slows its `Map`s down. */
class Reader {
  /**
   * @param {Run} run
   * @param {import("./options").Options} options
   */
  constructor(run, options) {
    this.run = run;
    this.most = options.maxResultsWaiting || MAX_RESULTS_WAITING;
    this.mostBytes = options.maxBytesWaiting || MAX_BYTES_WAITING;
    /** `Map`s that wait until more is read.
     * @type {(() => void)[]} */
    this.waiting = [];
    /** Resolves when there may be an entry.
     * @type {(() => void) | null} */
    this.hasMore = null;
    /** How masterFn and all its events have come out.
     * @type {{ error?: unknown } | null} */
    this.outcome = null;
  }

  /**
   * Follows the run to its end.
   * @param {Promise<unknown>} whole
   */
  follow(whole) {
    whole
      .then(
        () => ({}),
        (error) => ({ error }),
      )
      .then((outcome) => {
        this.outcome = outcome;
        this.look();
      });
  }

  /**
   * What `Map` returns: pending while too much is not read.
   * @param {Promise<void>} handedOver
   * @returns {Promise<void>}
   */
  slow(handedOver) {
    if (this.run.released || !this.isFull(this.most, this.mostBytes)) return handedOver;
    // That it is rejected, if it is, is told by the promise below.
    handedOver.catch(() => {});
    /** @type {Promise<void>} */
    const read = new Promise((resolve) => {
      this.waiting.push(resolve);
    });
    const promise = read.then(() => handedOver);
    promise.catch(() => {});
    return promise;
  }

  /**
   * @param {number} entries
   * @param {number} bytes
   */
  isFull(entries, bytes) {
    const { native, pool } = this.run;
    return native.poolIsFull(pool, entries, bytes);
  }

  /** The run has news. */
  look() {
    if (this.hasMore) this.hasMore();
    this.makeRoom();
  }

  /** Lets `Map`s go on: when half of what there may be is read, so that it is not one at a time. */
  makeRoom() {
    if (this.waiting.length === 0) return;
    const isOver = this.run.released || this.outcome !== null;
    if (!isOver && this.isFull(Math.ceil(this.most / 2), this.mostBytes / 2)) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /**
   * The next entry, waited for; undefined when there is none any more.
   * @returns {Promise<any>}
   */
  async next() {
    const { run } = this;
    for (;;) {
      // Before the look at the queue: what was answered by then is in it.
      const { outcome } = this;
      if (run.failure !== null) throw run.failure.error;
      if (outcome !== null && "error" in outcome) throw outcome.error;
      if (!run.results.isEmpty()) {
        this.makeRoom();
        return run.results.dequeue();
      }
      if (outcome !== null) return undefined;
      this.makeRoom();
      await this.more();
    }
  }

  /** @returns {Promise<void>} */
  async more() {
    const { native, pool, results } = this.run;
    /** @type {Promise<void>} */
    const more = new Promise((resolve) => {
      this.hasMore = resolve;
    });
    native.poolRead(pool, true);
    this.makeRoom();
    // One may have come before that was said.
    if (results.isEmpty() && this.outcome === null) await more;
    native.poolRead(pool, false);
    this.hasMore = null;
  }
}

/**
 * @param {() => { run: Run, whole: () => Promise<unknown>, end: () => void }} start starts the run; throws if
 *   it is not to be
 * @param {import("./options").Options} options
 * @param {ReturnType<typeof import("./stack").siteOf>} site
 */
async function* entries(start, options, site) {
  try {
    const { run, whole, end } = start();
    const reader = new Reader(run, options);
    run.reader = reader;
    try {
      reader.follow(whole());
      for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
        // A worker's own message may be anything.
        if (Object(entry).failed && options.onError === "abort") {
          const failure = firstFailure(entry);
          run.stop(failure);
          throw failure;
        }
        yield entry;
      }
    } finally {
      if (!run.released) {
        run.stop(coded(Error, "ERR_SONIC_RUN_OVER", "Map: nobody reads the stream any more"));
      }
      reader.look();
      end();
    }
  } catch (error) {
    throw pointAt(error, site);
  }
}

module.exports = { Reader, entries };
