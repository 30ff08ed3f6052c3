"use strict";
// What the core has noted of the events of a batch that ended: who ran each, when, and how often. Times are of this machine's monotonic
// clock: that of the day may be wrong, or be set while events run.

const { JSON, Map } = require("../shared/primordials");

/**
 * The worker and its process, when the event ended, how many milliseconds it ran, how it ended and after how many attempts.
 * @typedef {[worker: number, pid: number, finished: number, duration: number, outcome: string, attempts: number]} Row
 */

class Ended {
  /** @param {InstanceType<typeof import("../master/batch").Batch>} batch that has just begun, and whose events are recorded */
  constructor({ native, handle, settings }) {
    this.native = native;
    this.handle = handle;
    /** From the clock that the core tells of to the monotonic one. */
    this.shift = native.clock() - settings.epoch;
    this.count = 0;
    /** By the events' numbers in the batch. @type {Map<number, Row>} */
    this.rows = new Map();
  }

  /** Of one event, once. @param {number} event its number in the batch @returns {Row | undefined} */
  take(event) {
    if (!this.rows.has(event)) this.read();
    const row = this.rows.get(event);
    this.rows.delete(event);
    return row;
  }

  read() {
    for (;;) {
      const text = this.native.runEnded(this.handle, this.count);
      if (text === null) return;
      const rows = JSON.parse(text);
      this.count += rows.length;
      for (const { id, worker, pid, started, finished, outcome, attempts } of rows) {
        const row = [worker, pid, finished + this.shift, finished - started, outcome, attempts];
        this.rows.set(id, /** @type {Row} */ (row));
      }
    }
  }
}

module.exports = { Ended };
