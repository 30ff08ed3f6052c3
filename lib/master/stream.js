"use strict";
// A run's entries while it goes on: an async iterator that starts the run when it is first asked, slows its `Map`s down
// while too much is unread, and stops it when nobody reads any more.

const { coded, firstFailure } = require("../shared/errors");
const { Promise } = require("../shared/primordials");
const { pointAt } = require("../shared/stack");

/** Entries that nobody has read, beyond which `Map` waits. */
const MAX_RESULTS_WAITING = 1024;

/** Bytes of such entries; the same as for events that wait. */
const MAX_BYTES_WAITING = 4 << 20;

/** @typedef {InstanceType<typeof import("./run").Run>} Run */

/** Takes a run's entries one by one. */
class Reader {
  /** @param {Run} run @param {import("../shared/options").Options} options */
  constructor(run, options) {
    this.run = run;
    this.most = options.maxResultsWaiting || MAX_RESULTS_WAITING;
    this.mostBytes = options.maxBytesWaiting || MAX_BYTES_WAITING;
    /** `Map`s that wait until more is read. @type {(() => void)[]} */
    this.waiting = [];
    /** How masterFn and all its events have ended. @type {{ error?: unknown } | null} */
    this.outcome = null;
  }

  /** Follows the run to its end. @param {Promise<unknown>} whole */
  async follow(whole) {
    try {
      await whole;
      this.outcome = {};
    } catch (error) {
      this.outcome = { error };
    }
    this.run.onNews();
  }

  /**
   * What `Map` returns: pending while too much is unread.
   * @param {Promise<void>} handedOver
   * @returns {Promise<void>}
   */
  slow(handedOver) {
    if (!this.run.isRunning || !this.isFull(this.most, this.mostBytes)) return handedOver;
    // The promise below tells of its failure.
    handedOver.catch(() => {});
    /** @type {Promise<void>} */
    const read = new Promise((resolve) => {
      this.waiting.push(resolve);
    });
    const promise = read.then(() => handedOver);
    promise.catch(() => {});
    return promise;
  }

  /** @param {number} entries @param {number} bytes */
  isFull(entries, bytes) {
    return this.run.native.runIsFull(this.run.handle, entries, bytes);
  }

  /** Lets `Map`s go on once half of what may be unread is read, so that it is not one at a time. */
  makeRoom() {
    if (this.waiting.length === 0) return;
    const isOver = !this.run.isRunning || this.outcome !== null;
    if (!isOver && this.isFull(Math.ceil(this.most / 2), this.mostBytes / 2)) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** The next entry; undefined after the last. @returns {Promise<any>} */
  async next() {
    const { run } = this;
    const { results } = run.output;
    for (;;) {
      // Before the look at the queue: what was answered by then is in it.
      const { outcome } = this;
      if (run.failure !== null) throw run.failure.error;
      if (outcome !== null && "error" in outcome) throw outcome.error;
      const isEmpty = results.isEmpty();
      this.makeRoom();
      if (!isEmpty) return results.take();
      if (outcome !== null) return undefined;
      await this.more();
    }
  }

  /** Waits until there may be an entry. */
  async more() {
    const { run } = this;
    const news = run.news();
    run.native.runRead(run.handle, true);
    this.makeRoom();
    // One may have come before that was said.
    if (run.output.results.isEmpty() && this.outcome === null) await news;
    run.native.runRead(run.handle, false);
  }
}

/**
 * @param {() => { run: Run, whole: () => Promise<unknown>, end: () => void }} start starts the run, or throws
 * @param {import("../shared/options").Options} options
 * @param {ReturnType<typeof import("../shared/stack").siteOf>} site
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
          const failure = firstFailure(entry, run.pool.errors);
          run.stop(failure);
          throw failure;
        }
        yield entry;
      }
    } finally {
      if (run.isRunning) {
        run.stop(coded(Error, "ERR_SONIC_RUN_OVER", "Map: nobody reads the stream any more"));
      }
      run.onNews();
      end();
    }
  } catch (error) {
    throw pointAt(error, site);
  }
}

module.exports = { Reader, entries };
