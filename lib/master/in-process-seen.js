"use strict";
// What a dashboard shows of a run in this process: its work and its counts. There is none of it without a dashboard.

const { Tally } = require("./tally");

class Seen {
  /** @param {number} number @param {string} work */
  constructor(number, work) {
    this.number = number;
    this.work = work;
    this.tally = new Tally();
  }

  statistics() {
    return this.tally.statistics(0);
  }
}

/** Undefined if nobody looks. @param {{ observer: any }} pool @param {{ name: any }} work @returns {Seen | undefined} */
function seenOf({ observer }, { name }) {
  return observer === null ? undefined : new Seen(observer.nextRun(), String(name));
}

module.exports = { Seen, seenOf };
