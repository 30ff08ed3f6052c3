"use strict";
// Calls `onProgress` while a run makes progress, and once at its end.

const { Promise, clearInterval, setInterval } = require("../shared/primordials");

/** The time between two calls, in milliseconds. */
const INTERVAL = 100;

/**
 * What it tells of: a run, or a pool that stays.
 * @typedef {{ statistics: () => RunStatistics, stop: (error: unknown) => void, fail: (error: unknown) => void }} Run
 */
/** @typedef {import("../../index").RunStatistics} RunStatistics */

class Listener {
  /** @param {import("../shared/options").Options} options */
  constructor({ onProgress }) {
    this.onProgress = onProgress;
    /** How far the run had come at the last call. */
    this.count = 0;
  }

  /** @param {Run} run that begins */
  begin(run) {
    if (this.onProgress === undefined) return;
    this.timer = setInterval(() => this.tell(run), INTERVAL);
    this.timer.unref();
  }

  /** @param {Pick<Run, "fail">} run that ended @param {RunStatistics} statistics */
  end(run, statistics) {
    if (this.timer) clearInterval(this.timer);
    this.call(statistics, (error) => run.fail(error));
  }

  /** @param {Run} run */
  tell(run) {
    const statistics = run.statistics();
    const { handedOver, answered, nothing, failed, retried } = statistics;
    const count = handedOver + answered + nothing + failed + retried;
    if (count === this.count) return;
    this.count = count;
    this.call(statistics, (error) => run.stop(error));
  }

  /**
   * @param {RunStatistics} statistics
   * @param {(error: unknown) => void} fails called if `onProgress` throws or rejects
   */
  call(statistics, fails) {
    if (this.onProgress === undefined) return;
    try {
      /** @type {any} */
      const promise = this.onProgress(statistics);
      // Also one of another promise library.
      if (typeof Object(promise).then === "function") Promise.resolve(promise).catch(fails);
    } catch (error) {
      fails(error);
    }
  }
}

module.exports = { Listener };
