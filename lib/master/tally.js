"use strict";
// What a pool in this process has done since its start; of a pool with workers the core knows.

const { Buffer, now } = require("../shared/primordials");

/** @typedef {import("./in-process-job").Outcome} Outcome */

class Tally {
  constructor() {
    this.startedAt = now();
    this.handedOver = 0;
    this.answered = 0;
    this.nothing = 0;
    this.failures = { error: 0, crash: 0, timeout: 0, aborted: 0 };
    this.retried = 0;
    /** @type {Record<string, number>} */
    this.counts = {};
    this.bytesIn = 0;
    this.bytesOut = 0;
    /** Milliseconds in which events ran, each by itself. */
    this.busy = 0;
  }

  /** An event is handed over. @param {import("../shared/codec").Encoded | undefined} encoded its data */
  add(encoded) {
    this.handedOver++;
    this.bytesIn += bytesOf(encoded);
  }

  /** An event has ended; undefined: with its run. @param {Outcome | undefined} outcome */
  end(outcome) {
    if (outcome === undefined) this.failures.aborted++;
    else if (outcome.error !== undefined) this.failures[outcome.cause || "error"]++;
    else if (outcome.response === undefined || outcome.response === null) this.nothing++;
    else this.answered++;
  }

  /** @param {import("../shared/task").Added | undefined} added what an event adds that has ended well */
  count(added) {
    const { counts = {} } = added || {};
    for (const name of Object.keys(counts)) {
      this.counts[name] = (this.counts[name] || 0) + counts[name];
    }
  }

  /** @param {number} id @returns {import("../../index").RunStatistics} */
  statistics(id) {
    const { startedAt, handedOver, answered, nothing, retried, bytesIn, bytesOut, busy } = this;
    const elapsed = now() - startedAt;
    const failures = { ...this.failures };
    const failed = failures.error + failures.crash + failures.timeout + failures.aborted;
    const tasks = answered + nothing + failed;
    const share = elapsed > 0 ? busy / elapsed : 0;
    return {
      startedAt,
      elapsed,
      handedOver,
      answered,
      nothing,
      failed,
      failures,
      unfinished: handedOver - tasks,
      retried,
      resumed: 0,
      counts: { ...this.counts },
      crashes: 0,
      restarts: 0,
      bytesIn,
      bytesOut,
      workers: [{ id, pids: [process.pid], tasks, busy, share }],
    };
  }
}

/** @param {import("../shared/codec").Encoded | undefined} encoded */
function bytesOf(encoded) {
  if (encoded === undefined) return 0;
  return typeof encoded === "string" ? Buffer.byteLength(encoded) : encoded.byteLength;
}

module.exports = { Tally, bytesOf };
